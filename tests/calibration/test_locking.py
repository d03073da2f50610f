"""Which looks at test labels count, and what is bound of the files that were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.calibration.locking import looks_at, measured_files, unchanged_files
from llmkit.errors import UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.load import load_judge
from llmkit.judges.lock import files_of, lock_path
from llmkit.runs.looks import note_look
from tests.judges.locking import labelled_project

IDS = ["i0", "i1", "i2", "i3"]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return load_judge(str(labelled_project(tmp_path)))


@pytest.mark.parametrize(
    ("test", "seen"),
    [(IDS, ("d1",)), ([*IDS, "new1", "new2"], ("d1",)), (IDS[:3], ("d1",)), (IDS[:2], ()), (["new1"], ())],
)
def test_a_look_counts_where_most_of_its_items_are_tested_again(
    judge: Judge, tmp_path: Path, test: list[str], seen: tuple[str, ...]
) -> None:
    note_look(tmp_path, judge.name, IDS, "d1")
    assert looks_at(judge, test, tmp_path).before == seen
    assert looks_at(replace(judge, name="other"), test, tmp_path).before == ()


def test_that_looks_are_not_known_holds_for_these_labels_alone(judge: Judge, tmp_path: Path) -> None:
    note_look(tmp_path, judge.name, IDS, "d1", known=False)
    assert looks_at(judge, IDS, tmp_path).known is False
    assert looks_at(judge, ["new1", "new2"], tmp_path).known is True


def test_all_that_an_unsound_lock_names_counts_whatever_it_says_was_tested(judge: Judge, tmp_path: Path) -> None:
    lock_path(judge.path).write_text(f'{{"looks": ["{"a" * 64}"], "split": {{"test": []}}', encoding="utf-8")
    found = looks_at(judge, IDS, tmp_path)
    assert (found.before, found.known) == (("a" * 64,), False)
    assert found.note is not None and "is not known" in found.note


def test_files_as_they_were_are_bound(judge: Judge) -> None:
    assert unchanged_files(judge, measured_files([judge])) == files_of(judge)


@pytest.mark.parametrize("role", ["labels", "items", "criterion", "prompt", "definition"])
def test_a_file_that_changed_meanwhile_is_named(judge: Judge, role: str) -> None:
    from llmkit.judges.lock import bound_files

    before, path = measured_files([judge]), bound_files(judge)[role]
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(UsageError, match=f"^.*{role} changed while the judge relevance was measured") as caught:
        unchanged_files(judge, before)
    assert caught.value.where == str(path)
    path.unlink()
    with pytest.raises(UsageError, match=f"{role} changed"):
        unchanged_files(judge, before)
