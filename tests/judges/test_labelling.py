"""One person's way through the items."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.judges.kinds import Scale
from llmkit.judges.labelling import Session, checked_name, keys_of
from llmkit.judges.labels import read_labels
from tests.judges.labelling import judge_in, write_items, write_labels


def session(folder: Path, annotator: str = "ann", seed: int = 0) -> Session:
    judge = judge_in(folder)
    return Session(judge, read_labels(judge), annotator, seed=seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_items(tmp_path, [f"{n}" for n in range(8)])
    write_labels(tmp_path)
    return tmp_path


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]


def order(one: Session) -> list[str]:
    found = []
    while one.current is not None:
        found.append(one.current.id)
        one.say("pass")
    return found


def test_each_answer_is_in_the_file_before_the_next_item(folder: Path) -> None:
    one = session(folder)
    first = one.current
    assert first is not None
    one.note = "short"
    one.say("fail", 3.21)
    (line,) = lines(folder)
    assert (line["id"], line["label"], line["annotator"], line["seconds"], line["note"]) == (
        first.id, "fail", "ann", 3.2, "short",
    )  # fmt: skip
    assert one.current != first
    assert one.note == ""


def test_everybody_has_an_order_of_their_own_that_stays(folder: Path) -> None:
    ann, bob = order(session(folder, "ann")), order(session(folder, "bob"))
    assert sorted(ann) == sorted(bob)
    assert ann != bob
    assert order(session(folder, "ann2")) != ann
    (folder / "labels.jsonl").write_text("")
    assert order(session(folder, "ann")) == ann
    (folder / "labels.jsonl").write_text("")
    assert order(session(folder, "ann", seed=1)) != ann


def test_a_session_goes_on_where_the_last_one_stopped(folder: Path) -> None:
    one = session(folder)
    one.say("pass")
    left = one.current
    again = session(folder)
    assert again.current == left
    assert (again.done, again.total) == (1, 8)


def test_undo_brings_the_last_item_back_of_an_earlier_session_too(folder: Path) -> None:
    one = session(folder)
    first = one.current
    one.say("pass")
    again = session(folder)
    assert again.undo()
    assert again.current == first
    assert again.done == 0
    assert read_labels(judge_in(folder)).items == ()
    assert not again.undo()


def test_a_skipped_item_comes_back_last(folder: Path) -> None:
    one = session(folder)
    first = one.current
    assert first is not None
    one.skip()
    assert one.current != first
    assert order(one)[-1] == first.id


def test_what_others_said_is_known_and_who_labelled_is_not_asked_again(folder: Path) -> None:
    session(folder, "bob").say("pass")
    one = session(folder)
    assert one.done == 0
    said = []
    while one.current is not None:
        said += one.others()
        one.say("fail")
    assert [label.annotator for label in said] == ["bob"]


def test_no_label_that_the_judge_does_not_know_is_written(folder: Path) -> None:
    with pytest.raises(ValueError, match="no label"):
        session(folder).say("maybe")
    assert lines(folder) == []


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (["pass", "fail"], "pf"),
        (["a", "tie", "b"], "atb"),
        (["good", "great", "bad"], "12b"),  # g shows the guideline
        (["A", "a1", "a2"], "a12"),
        (["Überall", "none"], "12"),
    ],
)
def test_labels_have_keys_that_are_no_commands(labels: list[str], keys: str) -> None:
    scale = Scale("choices", {label: 0.0 for label in labels})
    assert list(keys_of(scale)) == list(keys)
    assert list(keys_of(scale).values()) == labels


def test_twenty_six_choices_have_a_key_each() -> None:
    labels = [f"g{n}" for n in range(26)]
    assert len(keys_of(Scale("choices", {label: 0.0 for label in labels}))) == 26


def test_grades_are_typed_as_they_are() -> None:
    assert list(keys_of(Scale("graded", {str(n): float(n) for n in range(8, 12)}))) == ["8", "9", "10", "11"]


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[31m", "x" * 101])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--annotator"):
        checked_name(name)
