"""Whether a judge errs on both sides alike, by labels of both."""

import pytest

from llmkit.gate.differing import Answers, assumed, by_side, comparable, compared, usable
from llmkit.judges.labels import Labelled
from llmkit.judges.subject import Subject
from tests.judges.labelling import judge_in, write_items, write_labels
from tests.judges.seats import says, seated, text_of

NONE = {"base": Answers(), "head": Answers()}


def item(name, label="pass", answer="fine", **row):
    return Labelled(Subject(name, input=f"question {name}", answer=answer, row=row), label)


def ids(found):
    return {side: [each.subject.id for each in of] for side, of in found.items()}


def test_an_item_may_say_which_side_it_is_of():
    items = [item("a", side="base"), item("b", side="head"), item("c", side="neither"), item("d")]
    assert ids(by_side(items, NONE)) == {"base": ["a"], "head": ["b"]}


def test_an_item_of_a_run_is_of_the_side_whose_answers_that_run_holds():
    answers = {"base": Answers(runs={"run-1"}), "head": Answers(runs={"run-2"})}
    items = [item("a", run="run-1"), item("b", run="run-2"), item("c", run="run-3")]
    assert ids(by_side(items, answers)) == {"base": ["a"], "head": ["b"]}


def test_an_item_is_of_the_side_that_was_asked_and_answered_the_same():
    items = [item("a"), item("b")]
    answers = {"base": Answers(), "head": Answers(digests={items[1].subject.digest()})}
    assert ids(by_side(items, answers)) == {"base": [], "head": ["b"]}


def test_what_both_sides_answered_alike_tells_nothing_of_a_difference():
    one = item("a")
    both = Answers(digests={one.subject.digest()})
    assert ids(by_side([one], {"base": both, "head": both})) == {"base": [], "head": []}


def test_sides_are_compared_where_they_have_a_class_in_common():
    assert comparable({"base": [item("a"), item("b", "fail")], "head": [item("c", "fail")]})
    assert not comparable({"base": [item("a")], "head": [item("c", "fail")]})
    assert not comparable({"base": [item("a")], "head": []})


def test_without_labels_on_both_sides_equal_errors_are_assumed_and_said_to_be():
    found = assumed({"base": [item("a")], "head": []})
    assert found == (
        "that the judge errs alike on both sides is assumed, not checked: labelled answers that tell are 1 of base and"
        " 0 of head",
        False,
    )


def test_items_without_a_verdict_of_people_measure_nothing(tmp_path):
    judge = judge_in(tmp_path)
    write_items(tmp_path, ["a", "b", "c"])
    write_labels(
        tmp_path, {"id": "a", "label": "pass"}, {"id": "b", "label": "cannot_tell"},
        {"id": "c", "label": "pass", "annotator": "x"}, {"id": "c", "label": "fail", "annotator": "y"},
    )  # fmt: skip
    assert [each.subject.id for each in usable(judge)] == ["a"]


def sides(passing):
    """Thirty answers a side that pass by their label; those of head in a style of their own."""
    return {
        side: [item(f"{side}{n}", answer=f"{style} {n}", side=side) for n in range(passing)]
        for side, style in (("base", "plain"), ("head", "flowery"))
    }


async def test_a_judge_that_dislikes_heads_style_is_flagged(tmp_path):
    def strict(request):
        return says("fail" if "flowery 1" in text_of(request) else "pass")

    found = await compared(judge_in(tmp_path), sides(30), seated(strict))
    assert found.flagged
    assert "TPR 1.00 (30 of 30) on base" in found.said
    assert "no correction mends that" in found.said


async def test_a_judge_that_errs_alike_is_not(tmp_path):
    found = await compared(judge_in(tmp_path), sides(30), seated(lambda request: says("pass")))
    assert not found.flagged
    assert found.said.startswith("errors compared on labelled answers of both sides, no difference is proven: TPR 1.00")
    assert "TNR unknown (no label) on base" in found.said


async def test_answers_without_a_verdict_are_left_out(tmp_path):
    def shy(request):
        return says("cannot_tell" if "flowery" in text_of(request) else "pass")

    found = await compared(judge_in(tmp_path), sides(5), seated(shy))
    assert not found.flagged
    assert "TPR 1.00 (5 of 5) on base, unknown (no label) on head" in found.said


@pytest.mark.parametrize("weight", [1.0, 3.0])
async def test_labels_of_one_weight_count_as_they_are(tmp_path, weight):
    found = sides(4)
    weighed = {
        side: [Labelled(Subject(each.subject.id, answer=each.subject.answer, weight=weight), each.label) for each in of]
        for side, of in found.items()
    }
    said = (await compared(judge_in(tmp_path), weighed, seated(lambda request: says("pass")))).said
    assert "TPR 1.00 (4 of 4) on base" in said
