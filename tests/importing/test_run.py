"""What becomes of the files of an import, whatever their format."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.importing.bundle import slug
from llmkit.importing.run import FORMATS, import_file
from tests.importing.conftest import Write
from tests.importing.test_github import FILE as GITHUB
from tests.importing.test_lm_eval import ROWS, SUMS
from tests.importing.test_promptfoo import FRANCE

PROMPTFOO = FRANCE.replace("ASSERT", "{type: equals, value: Paris}")


@pytest.mark.parametrize(("text", "format"), list(zip((SUMS, PROMPTFOO, GITHUB), FORMATS, strict=True)))
def test_a_format_is_told_by_what_a_file_holds(write: Write, text: str, format: str) -> None:
    write({"a.yaml": text, "rows.jsonl": ROWS})
    assert import_file(Path("a.yaml"), dry_run=True).format == format


def test_a_group_of_tasks_is_told_to_be_one(write: Write) -> None:
    write({"b.yaml": "group: mine\ntask: [a, {task: sub}]\n"})
    with pytest.raises(DocumentError, match=r"b\.yaml:2: this is a group of tasks"):
        import_file(Path("b.yaml"))


def test_a_file_that_is_missing_has_a_neighbour(write: Write) -> None:
    write({"promptfooconfig.yaml": "x: 1\n"})
    with pytest.raises(DocumentError, match=r"no such file.*promptfooconfig\.yaml"):
        import_file(Path("promptfoconfig.yaml"))


def test_a_file_of_no_format_is_one_line(write: Write) -> None:
    write({"a.yaml": "x: 1\n", "b.yaml": "- 1\n", "c.json": "{"})
    with pytest.raises(UsageError, match="none of the files that can be imported"):
        import_file(Path("a.yaml"))
    with pytest.raises(DocumentError, match="a configuration is a mapping"):
        import_file(Path("b.yaml"), format="promptfoo")
    with pytest.raises(DocumentError, match=r"c\.json:1: not JSON"):
        import_file(Path("c.json"))
    with pytest.raises(UnknownNameError):
        import_file(Path("a.yaml"), format="deepeval")


def test_a_dry_run_writes_nothing(write: Write) -> None:
    write({"a.yaml": PROMPTFOO})
    found = import_file(Path("a.yaml"), dry_run=True)
    assert (found.written, found.suite) == (False, "a/a.yaml")
    assert not Path("a").exists()


def test_no_file_is_written_over_unless_that_is_asked_for(write: Write) -> None:
    write({"a.yaml": PROMPTFOO, "out/a.jsonl": "mine\n"})
    with pytest.raises(UsageError, match=r"^out: already there: a\.jsonl"):
        import_file(Path("a.yaml"), out=Path("out"))
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.jsonl"]
    import_file(Path("a.yaml"), out=Path("out"), force=True)
    assert Path("out/a.jsonl").read_text() != "mine\n"


def test_a_link_is_not_followed(write: Write, folder: Path) -> None:
    write({"a.yaml": PROMPTFOO, "target": "kept", "out/x": ""})
    (folder / "out" / "a.yaml").symlink_to(folder / "target")
    with pytest.raises(UsageError, match="is a link"):
        import_file(Path("a.yaml"), out=Path("out"), force=True)
    assert (folder / "target").read_text() == "kept"


@pytest.mark.parametrize(
    ("name", "plain"),
    [("../../etc/x", "etc-x"), ("a b/c", "a-b-c"), ("..", "imported"), ("é" * 300, "imported"), ("a" * 300, "a" * 60)],
)
def test_a_name_leads_nowhere(name: str, plain: str) -> None:
    assert slug(name) == plain


def test_a_name_of_the_file_decides_no_path(write: Write, folder: Path) -> None:
    write({"a.prompt.yml": GITHUB.replace("name: Summarise", "name: ../../up")})
    found = import_file(Path("a.prompt.yml"), out=Path("out"))
    assert found.suite == "out/up.yaml"
    assert all((folder / name).resolve().is_relative_to(folder / "out") for name in found.files)
