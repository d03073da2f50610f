import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from llmkit import shipped as module
from llmkit.errors import UnknownNameError
from llmkit.shipped import shipped

ROOT = Path(__file__).parent.parent


def test_a_checkout_has_its_files_at_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llmkit").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "qa.prompty").write_text("hi")
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "llmkit")
    assert shipped("prompts", "qa.prompty") == tmp_path / "prompts" / "qa.prompty"


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_shipped" / "judges" / "j").mkdir(parents=True)
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    assert shipped("judges", "j") == tmp_path / "_shipped" / "judges" / "j"


@pytest.mark.parametrize("name", ["qb.prompty", "../pyproject.toml", "/etc/passwd", ""])
def test_any_other_name_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "_shipped" / "prompts").mkdir(parents=True)
    (tmp_path / "_shipped" / "prompts" / "qa.prompty").write_text("hi")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    with pytest.raises(UnknownNameError, match="qa.prompty" if name == "qb.prompty" else "unknown shipped prompt"):
        shipped("prompts", name)


def test_a_wheel_carries_the_top_level_prompts_and_judges_where_shipped_looks(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    project = tmp_path / "project"
    for folder in ("llmkit", "prompts", "judges"):
        (project / folder).mkdir(parents=True)
    for name in (
        "llmkit/__init__.py",
        "llmkit/version.py",
        "llmkit/shipped.py",
        "llmkit/errors.py",
        "pyproject.toml",
        "README.md",
    ):
        (project / name).write_bytes((ROOT / name).read_bytes())
    (project / "prompts" / "qa.prompty").write_text("hi")
    (project / "judges" / "j.yaml").write_text("a: 1")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=project, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    script = "from llmkit.shipped import shipped as s; print(s('prompts', 'qa.prompty')); print(s('judges', 'j.yaml'))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "site", check=True, capture_output=True, text=True
    )
    assert run.stdout.split() == [
        str(tmp_path / "site/llmkit/_shipped" / name) for name in ("prompts/qa.prompty", "judges/j.yaml")
    ]
