"""Labels are read as they were meant, or one line says which line is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.errors import DocumentError
from llmkit.judges.labels import Label, append_label, append_undo, read_labels
from llmkit.judges.labels import write_items as write_items_file
from llmkit.judges.subject import Subject
from tests.judges.labelling import judge_in, write, write_items, write_labels


def test_labels_and_items_are_joined_by_id_in_the_order_of_the_items(tmp_path: Path) -> None:
    write_items(tmp_path, ["1", "2", "3"])
    write_labels(tmp_path, {"id": "2", "label": "fail"}, {"id": "1", "label": "pass"})
    labels = read_labels(judge_in(tmp_path, sampling="random"))
    assert [(item.subject.id, item.label) for item in labels.items] == [("1", "pass"), ("2", "fail")]
    assert [subject.id for subject in labels.unlabelled] == ["3"]
    assert labels.items[0].subject.answer == "answer 1"
    assert labels.sampling == "random"


def test_items_may_stand_in_the_labels_file_and_need_not_be_repeated(tmp_path: Path) -> None:
    write_labels(
        tmp_path,
        {"id": 1, "label": True, "annotator": "ann", "input": "q", "answer": "x", "topic": "law"},
        {"id": 1, "label": 0, "annotator": "bob"},
    )
    (item,) = read_labels(judge_in(tmp_path, items=None)).items
    assert item.said == {"ann": "pass", "bob": "fail"}
    assert item.label is None
    assert item.subject.row == {"topic": "law"}


def test_who_says_the_same_again_says_it_once(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    write_labels(tmp_path, *[{"id": "1", "label": "pass", "annotator": "ann"}] * 2)
    labels = read_labels(judge_in(tmp_path))
    assert labels.items[0].label == "pass"
    assert len(labels.labels) == 1


@pytest.mark.parametrize("other", ["fail", "cannot_tell"])
def test_nobody_contradicts_themselves_unless_they_take_the_first_back(tmp_path: Path, other: str) -> None:
    write_items(tmp_path, ["1"])
    first, second = ({"id": "1", "label": said, "annotator": "ann"} for said in ("pass", other))
    write_labels(tmp_path, first, second)
    with pytest.raises(DocumentError) as caught:
        read_labels(judge_in(tmp_path))
    path = tmp_path / "labels.jsonl"
    assert str(caught.value).startswith(
        f"{path}:2: the item '1' is {other} here and pass at {path}:1, both by 'ann'. Keep the right line, or take"
    )
    write_labels(tmp_path, first, {"id": "1", "annotator": "ann", "undo": True}, second)
    (label,) = read_labels(judge_in(tmp_path)).labels
    assert label.label == other


def test_undo_takes_an_answer_back(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    path = tmp_path / "labels.jsonl"
    append_label(path, Label("1", "pass", "ann", seconds=2.04))
    append_undo(path, "1", "ann")
    labels = read_labels(judge_in(tmp_path))
    assert labels.items == ()
    assert [subject.id for subject in labels.unlabelled] == ["1"]


def test_a_gold_label_goes_before_the_majority(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    said = [{"id": "1", "label": "pass", "annotator": name} for name in ("ann", "bob")]
    write_labels(tmp_path, *said, {"id": "1", "label": "fail", "gold": True})
    (item,) = read_labels(judge_in(tmp_path)).items
    assert item.label == "fail"
    assert item.said == {"ann": "pass", "bob": "pass"}


def test_those_who_cannot_tell_have_no_vote(tmp_path: Path) -> None:
    write_items(tmp_path, ["1", "2"])
    write_labels(
        tmp_path,
        {"id": "1", "label": "cannot_tell", "annotator": "ann"},
        {"id": "1", "label": "pass", "annotator": "bob"},
        {"id": "2", "label": "cannot_tell", "annotator": "ann"},
    )
    assert [item.label for item in read_labels(judge_in(tmp_path)).items] == ["pass", None]


def test_the_last_line_that_a_kill_cut_short_is_passed_over_with_a_note(tmp_path: Path) -> None:
    write_items(tmp_path, ["1", "2"])
    (tmp_path / "labels.jsonl").write_text('{"id": "1", "label": "pass"}\n{"id": "2", "la')
    labels = read_labels(judge_in(tmp_path))
    assert len(labels.items) == 1
    assert "labels.jsonl:2" in labels.notes[0]


def test_what_is_appended_after_a_kill_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": "1", "label": "pass"}\n{"id": "2", "la')
    append_label(path, Label("2", "fail", "ann"))
    assert [json.loads(line)["label"] for line in path.read_text().splitlines()] == ["pass", "fail"]


def test_a_whole_last_line_without_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"id": "1", "label": "pass"}')
    append_label(path, Label("2", "fail", "ann"))
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["1", "2"]


def test_an_item_written_is_read_as_it_was(tmp_path: Path) -> None:
    subject = Subject("1", "q", "x\u2028", reference="r", row={"topic": "law"}, group="g", weight=2.5)
    write_items_file(tmp_path / "items.jsonl", [subject])
    write_labels(tmp_path)
    assert read_labels(judge_in(tmp_path)).unlabelled == (subject,)


def test_cluster_and_slices_come_from_named_fields(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"], conversation=7, topic="law")
    write_labels(tmp_path, {"id": "1", "label": "pass"})
    (item,) = read_labels(judge_in(tmp_path, cluster_id="conversation", slices=["topic"])).items
    assert item.subject.group == "7"
    assert item.subject.slices == {"topic": "law"}


def test_a_conversation_may_be_the_input(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
    write(tmp_path / "items.jsonl", [{"id": "1", "input": said, "answer": "x"}])
    write_labels(tmp_path)
    assert read_labels(judge_in(tmp_path)).unlabelled[0].input == "user: Hi\n\nassistant: Yes?"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"label": "pass"}, "labels.jsonl:2: no id. "),
        ({"id": True, "label": "pass"}, "labels.jsonl:2: the id is True, not a string"),
        ({"id": "item1x", "label": "pass"}, "labels.jsonl:2: no item has the id 'item1x'. Did you mean 'item1'?"),
        (
            {"id": "item1", "label": "passs"},
            "labels.jsonl:2: the judge 'relevance' cannot produce the label 'passs'. Did you mean 'pass'? "
            "It can say: pass, fail, cannot_tell",
        ),
        ({"id": "item1", "label": 4}, "cannot produce the label 4. It can say: pass, fail, cannot_tell"),
        ({"id": "item1", "lable": "pass"}, "labels.jsonl:2: a label has no field 'lable'. Did you mean 'label'?"),
        ({"id": "item1"}, "labels.jsonl:2: no label. It is one of: pass, fail, cannot_tell"),
        ({"id": "item1", "label": "pass", "seconds": -1}, "the field 'seconds' is -1, not a number from 0"),
        ({"id": "item1", "label": "pass", "gold": "yes"}, "the field 'gold' is 'yes', not true or false"),
        ({"id": "item1", "label": "fail"}, "labels.jsonl:2: the item 'item1' is fail here and pass at "),
    ],
)
def test_a_wrong_label_is_one_line_with_its_place(tmp_path: Path, line: dict[str, object], message: str) -> None:
    write_items(tmp_path, ["item1"])
    write_labels(tmp_path, {"id": "item1", "label": "pass"}, line)
    with pytest.raises(DocumentError) as caught:
        read_labels(judge_in(tmp_path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"id": "1", "input": "q"}, "items.jsonl:1: the item has no field 'answer'"),
        ({"id": "1", "input": "q", "anwser": "x"}, "Did you mean 'anwser'?"),
        (
            {"id": "1", "input": "q", "a": "x", "b": "y"},
            "the field 'a' has no place here. An item that is no pair has answer",
        ),
        ({"id": "1", "input": "q", "answer": "x", "weight": 0}, "the weight is 0, not a number above 0"),
        ({"id": "1", "input": [1], "answer": "x"}, "the field 'input' is no conversation"),
        ({"id": "1", "input": "q", "answer": 3}, "the field 'answer' is 3, not a text"),
    ],
)
def test_a_wrong_item_is_one_line_with_its_place(tmp_path: Path, item: dict[str, object], message: str) -> None:
    write(tmp_path / "items.jsonl", [item])
    write_labels(tmp_path)
    with pytest.raises(DocumentError, match=r"items.jsonl:1") as caught:
        read_labels(judge_in(tmp_path))
    assert message in str(caught.value)


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    (tmp_path / "labels.jsonl").write_text('{"id": \n{"id": "1", "label": "pass"}\n')
    with pytest.raises(DocumentError, match=r"labels.jsonl:1: not JSON"):
        read_labels(judge_in(tmp_path))


def test_two_gold_labels_that_differ_are_an_error(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    gold = [{"id": "1", "label": said, "annotator": said, "gold": True} for said in ("pass", "fail")]
    write_labels(tmp_path, *gold)
    with pytest.raises(DocumentError, match="two gold labels"):
        read_labels(judge_in(tmp_path))


def test_no_labels_file_says_how_to_label(tmp_path: Path) -> None:
    write_items(tmp_path, ["1"])
    with pytest.raises(DocumentError, match="llmkit label start relevance"):
        read_labels(judge_in(tmp_path))


@pytest.mark.parametrize("name", ["../labels.jsonl", "/etc/labels.jsonl", ".hidden/labels.jsonl"])
def test_labels_outside_the_project_are_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "project").mkdir()
    with pytest.raises(DocumentError, match=r"leads out of|absolute|hidden"):
        read_labels(judge_in(tmp_path / "project", file=name))


def test_the_digest_is_of_what_is_measured_not_of_the_order(tmp_path: Path) -> None:
    write_items(tmp_path, ["1", "2"])
    lines = {"id": "1", "label": "pass"}, {"id": "2", "label": "fail"}
    judge = judge_in(tmp_path)
    write_labels(tmp_path, *lines)
    first = read_labels(judge).digest
    write_labels(tmp_path, *reversed(lines))
    assert read_labels(judge).digest == first
    write_labels(tmp_path, lines[0], {"id": "2", "label": "pass"})
    assert read_labels(judge).digest != first
