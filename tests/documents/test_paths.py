from pathlib import Path

import pytest

from llmkit.documents import confined
from llmkit.errors import DocumentError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("data/a.jsonl", "suites/s.yaml", ".env", ".git/config"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    (tmp_path / "outside").write_text("x")
    (root / "suites" / "link").symlink_to(tmp_path / "outside")
    (root / "suites" / "env").symlink_to(root / ".env")
    return root


def find(project: Path, name: str) -> Path:
    return confined(name, base=project / "suites", roots=[project], where="s.yaml:1")


@pytest.mark.parametrize("name", ["s.yaml", "../data/a.jsonl", "./s.yaml", "none.txt"])
def test_a_path_below_the_folders_is_found(project: Path, name: str) -> None:
    assert find(project, name) == project / "suites" / name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../../outside", "leads out of the project"),
        ("link", "leads out of the project"),
        ("/etc/passwd", "leads out of the project"),
        ("../.env", "is a hidden file"),
        ("../.git/config", "is a hidden file"),
        ("env", "is a hidden file"),
        ("a\0b", "cannot hold a NUL character"),
        (r"..\data\a.jsonl", "cannot hold a backslash"),
    ],
)
def test_any_other_is_refused_with_its_place(project: Path, name: str, message: str) -> None:
    with pytest.raises(DocumentError, match=f"^s.yaml:1: .*{message}"):
        find(project, name)


def test_an_absolute_path_is_refused_also_inside(project: Path) -> None:
    with pytest.raises(DocumentError, match="is absolute"):
        find(project, str(project / "data/a.jsonl"))


def test_a_project_may_itself_lie_in_a_hidden_folder(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "project"
    folder.mkdir(parents=True)
    assert confined("a", base=folder) == folder / "a"
