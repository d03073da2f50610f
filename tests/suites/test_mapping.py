"""Rows become samples; what is wrong with a row is said of that row alone."""

import pytest

from llmkit.samples import Row
from llmkit.suites.mapping import Mapper
from llmkit.suites.spec import SuiteSpec
from llmkit.types import BadRow, Sample


def mapper(**map_):
    top = {"slices": map_.pop("top_slices")} if "top_slices" in map_ else {}
    return Mapper(
        SuiteSpec.model_validate(
            {
                "version": 1,
                "data": "x.jsonl",
                "messages": [{"role": "user", "content": "{{q}}"}],
                "scorers": ["exact_match"],
                "map": map_,
                **top,
            }
        )
    )


def one(values, **map_):
    return mapper(**map_).sample(Row(values, 7), 3, "d.jsonl:7")


def test_a_row_becomes_a_sample_with_all_its_parts():
    values = {"id": 17, "q": "?", "answer": True, "doc": 4, "topic": "sums"}
    assert one(values, id="id", target="answer", cluster="doc", slices=["topic"]) == Sample(
        id="17",
        index=3,
        row=values,
        references=("true",),
        cluster="4",
        slices={"topic": "sums"},
        where="d.jsonl:7",
    )


def test_without_an_id_rows_are_numbered_from_one():
    assert one({"q": "?"}).id == "4"


def test_references_take_a_list_any_of_whose_items_counts():
    assert one({"answers": ["a", 1, "a"]}, references="answers").references == ("a", "1")


def test_references_take_several_fields():
    assert one({"x": "a", "y": ["b", "c"]}, references=["x", "y"]).references == ("a", "b", "c")


def test_a_nested_list_is_reached_by_a_path():
    assert one({"answers": {"text": ["a", "b"]}}, references="answers.text").references == ("a", "b")


def test_target_and_references_add_up_the_target_first():
    assert one({"t": "a", "more": ["b", "a"]}, target="t", references="more").references == ("a", "b")


def test_a_list_as_target_is_one_answer_written_as_json():
    assert one({"t": ["a", "b"]}, target="t").references == ('["a", "b"]',)


def test_templates_make_ids_and_targets():
    sample = one({"a": 1, "b": 2}, id="{{a}}-{{b}}", target="{{a + b}}")
    assert (sample.id, sample.references) == ("1-2", ("3",))


def test_an_empty_text_is_an_answer():
    assert one({"t": ""}, target="t").references == ("",)


@pytest.mark.parametrize(
    ("values", "map_", "message"),
    [
        ({"t": None}, {"target": "t"}, "the field 't' is null"),
        ({"answr": 1}, {"target": "answer"}, "no field 'answer'. Did you mean 'answr'?"),
        ({"r": []}, {"references": "r"}, "the field 'r' is an empty list"),
        ({"r": ["a", None]}, {"references": "r"}, "the field 'r' holds null"),
        ({"c": None}, {"cluster": "c"}, "the field 'c' is null"),
        ({"id": None}, {"id": "id"}, "the field 'id' is null"),
        ({"id": ""}, {"id": "id"}, "the id must be a text or a number, not an empty text"),
        ({"id": [1]}, {"id": "id"}, "the id must be a text or a number, not [1]"),
    ],
)
def test_a_row_that_lacks_what_is_mapped_fails_alone(values, map_, message):
    bad = one(values, **map_)
    assert isinstance(bad, BadRow)
    assert (bad.index, bad.message, bad.where) == (3, message, "d.jsonl:7")


def test_a_bad_row_keeps_its_id_where_it_has_one():
    assert one({"id": "x", "t": None}, id="id", target="t").id == "x"


def test_slices_may_have_names_and_templates_of_their_own():
    slices = {"level": "difficulty", "long": "{{ q | length > 3 }}"}
    assert one({"q": "what?", "difficulty": 2}, slices=slices).slices == {"level": "2", "long": "True"}


def test_slices_may_stand_beside_map():
    assert one({"topic": "x"}, top_slices=["topic"]).slices == {"topic": "x"}


def test_a_row_without_the_slices_field_is_in_the_slice_of_none():
    assert one({"topic": None}, slices=["topic", "kind"]).slices == {"topic": "(none)", "kind": "(none)"}
