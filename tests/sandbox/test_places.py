"""What of this machine a program may read."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from llmkit.errors import NoIsolationError
from llmkit.sandbox import places as module
from llmkit.sandbox.places import above, places


@pytest.fixture(autouse=True)
def fresh() -> None:
    places.cache_clear()
    yield
    places.cache_clear()


def test_the_interpreter_and_its_libraries_are_shown() -> None:
    found = places()
    for path in (sys.executable, Path(sys.base_prefix, "lib")):
        covered = [*found.binds, *(where for _, where in found.links)]
        assert any(str(path) == bind or str(path).startswith(bind + "/") for bind in covered)


def test_neither_homes_nor_projects_nor_processes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {*places().binds, *(where for _, where in places().links)}
    assert not shown & {"/", "/home", "/root", "/proc", "/sys", "/etc", "/var", "/run", "/usr", str(Path.cwd())}


def test_an_environment_made_in_a_project_shows_not_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bin", "lib", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyvenv.cfg").touch()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    shown = {path for path in places().binds if path.startswith(str(tmp_path))}
    assert shown == {str(tmp_path / name) for name in ("bin", "lib", "pyvenv.cfg")}


def test_an_environment_in_tmp_is_shown_there_and_tmp_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / "bin").mkdir()
        (Path(folder) / "bin" / "python").symlink_to(sys.executable)
        monkeypatch.setattr(sys, "prefix", folder)
        monkeypatch.setattr(sys, "executable", f"{folder}/bin/python")
        assert f"{folder}/bin" in places().binds
        assert "/tmp" not in [where for _, where in places().links]
        assert "/dev/shm" in [where for _, where in places().links]


def test_links_that_lead_to_the_interpreter_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    middle, outer = tmp_path / "middle", tmp_path / "python"
    middle.symlink_to(Path(sys.executable).resolve())
    outer.symlink_to("middle")
    monkeypatch.setattr(sys, "executable", str(outer))
    assert set(places().links) >= {("middle", str(outer)), (os.readlink(middle), str(middle))}


def test_the_folders_above_are_those_that_are_not_shown_themselves() -> None:
    assert above(("/usr/bin", "/home/me/env/lib", "/home/me/env/lib/x")) == [
        "/home",
        "/home/me",
        "/home/me/env",
        "/usr",
    ]


def test_an_interpreter_within_another_program_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "executable", "")
    with pytest.raises(NoIsolationError, match="built into another program"):
        places()
