"""The guarded keywords give the package's verdicts, in bounded time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator

from llmkit.scoring.guarded import Slow, frozen, guarded, within
from tests.timing import processor_time_below

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.0]) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=6,
)
SMALL = st.integers(0, 3)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "number", "integer", "array", "object", "boolean", "null"]),
        "enum": st.lists(JSON, min_size=1, max_size=3),
        "const": JSON,
        "minimum": SMALL, "maximum": SMALL, "exclusiveMinimum": SMALL, "exclusiveMaximum": SMALL,
        "multipleOf": st.just(2),
        "minLength": SMALL, "maxLength": SMALL, "pattern": st.sampled_from(["a", "^a*$", "b+"]),
        "minItems": SMALL, "maxItems": SMALL, "uniqueItems": st.booleans(),
        "minProperties": SMALL, "maxProperties": SMALL, "required": st.just(["a"]),
        "dependentRequired": st.just({"a": ["b"]}),
    },
)  # fmt: skip
SCHEMAS = st.recursive(
    st.booleans() | LEAVES,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b", "ab"]), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["a", "^b$"]), inner, max_size=2),
            "additionalProperties": inner, "propertyNames": inner, "items": inner, "contains": inner,
            "minContains": SMALL, "maxContains": SMALL, "not": inner, "if": inner, "then": inner, "else": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2), "anyOf": st.lists(inner, min_size=1, max_size=3),
            "oneOf": st.lists(inner, min_size=1, max_size=3), "dependentSchemas": st.fixed_dictionaries({"a": inner}),
            "unevaluatedProperties": inner, "unevaluatedItems": inner,
        },
    ),
    max_leaves=8,
)  # fmt: skip


@given(SCHEMAS, JSON)
def test_the_verdict_is_the_packages(schema: Any, value: Any) -> None:
    assert guarded(Draft202012Validator)(schema).is_valid(value) == Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("draft", [Draft7Validator, Draft201909Validator])
def test_older_drafts_keep_their_own_keywords(draft: Any) -> None:
    schema = {"items": [{"type": "string"}], "additionalItems": False}
    assert guarded(draft)(schema).is_valid(["a"])
    assert not guarded(draft)(schema).is_valid(["a", "b"])


@given(JSON, JSON)
def test_equal_json_freezes_equal(one: Any, other: Any) -> None:
    from jsonschema._utils import equal

    assert (frozen(one) == frozen(other)) == equal(one, other)


def test_unlike_items_are_compared_in_linear_time() -> None:
    items = [{"n": n} for n in range(50_000)] + [None, "a"]
    with processor_time_below(2):
        assert guarded(Draft202012Validator)({"uniqueItems": True}).is_valid(items)


def test_branches_that_multiply_at_each_level_meet_the_deadline() -> None:
    value: Any = 1
    for _ in range(60):
        value = [value]
    broken = {"anyOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}], "$defs": {"n": {"items": {"$ref": "#"}}}}
    broken["$defs"]["n"]["not"] = {"const": 1}
    with pytest.raises(Slow), within(0.2):
        guarded(Draft202012Validator)(broken).is_valid(value)


def test_the_deadline_ends_with_its_block() -> None:
    with within(0.0), pytest.raises(Slow):
        guarded(Draft202012Validator)({"properties": {}}).is_valid({})
    assert guarded(Draft202012Validator)({"properties": {}}).is_valid({})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"contains": {"type": "string"}}, [1] * 2_000_000),
        ({"items": {"type": "integer"}}, [1] * 2_000_000),
        ({"propertyNames": {"type": "string"}}, dict.fromkeys(map(str, range(500_000)))),
    ],
)
def test_a_long_loop_over_small_values_ends_in_time(schema: dict[str, Any], value: object) -> None:
    with processor_time_below(0.5), pytest.raises(Slow), within(0.1):
        list(guarded(Draft202012Validator)(schema).iter_errors(value))
