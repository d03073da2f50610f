"""Sampling parameters and the pairs that set them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UnknownNameError, UsageError
from llmkit.providers.params import NAMES, OWNED, check_params, parse_pairs, split

OPTIONS = frozenset({"base_url", "timeout_s"})


def test_values_are_json_where_they_parse_and_text_where_not():
    pairs = ["temperature=0", 'stop=["\\n"]', "reasoning_effort=high", "seed=-3", "logprobs=true", "x=a=b", "empty="]
    assert parse_pairs(pairs) == {
        "temperature": 0,
        "stop": ["\n"],
        "reasoning_effort": "high",
        "seed": -3,
        "logprobs": True,
        "x": "a=b",
        "empty": "",
    }


def test_nan_is_text_and_so_no_number():
    assert parse_pairs(["temperature=NaN"]) == {"temperature": "NaN"}


@pytest.mark.parametrize("pair", ["temperature", "=1", " =1", ""])
def test_what_is_no_pair(pair):
    with pytest.raises(UsageError, match="not key=value"):
        parse_pairs([pair])


def test_a_key_given_twice():
    with pytest.raises(UsageError, match="twice"):
        parse_pairs(["seed=1", "seed=2"])


@given(st.lists(st.text(), max_size=5))
def test_parsing_ends_in_pairs_or_a_usage_error(pairs):
    try:
        parsed = parse_pairs(pairs)
    except UsageError:
        return
    assert all(isinstance(key, str) and key for key in parsed)


@given(st.text(max_size=20).filter(lambda t: t.strip()), st.none() | st.booleans() | st.integers() | st.text())
def test_json_values_survive(key, value):
    import json

    if "=" in key:
        return
    assert parse_pairs([f"{key}={json.dumps(value)}"]) == {key.strip(): value}


def test_parameters_and_options_are_parted():
    params, options = split({"temperature": 0, "base_url": "http://h/v1", "max_tokens": 5}, OPTIONS)
    assert params == {"temperature": 0.0, "max_tokens": 5}
    assert options == {"base_url": "http://h/v1"}


def test_extra_fields_go_to_extra():
    params, _ = split({"extra.min_p": 0.1, "extra": {"a": 1}, "extra.b.c": 2}, OPTIONS)
    assert params == {"extra": {"min_p": 0.1, "a": 1, "b.c": 2}}


@pytest.mark.parametrize(
    ("key", "offer"), [("temprature", "temperature"), ("max_token", "max_tokens"), ("base_ulr", "base_url")]
)
def test_a_misspelt_key_offers_the_nearest(key, offer):
    with pytest.raises(UnknownNameError, match=offer):
        split({key: 1}, OPTIONS)


def test_a_provider_that_does_not_say_its_options_takes_any():
    assert split({"anything": 1, "seed": 2}, None) == ({"seed": 2}, {"anything": 1})


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"temperature": "hot"}, "temperature: should be a valid number, not 'hot'"),
        ({"temperature": True}, "temperature: should be a valid number, not True"),
        ({"temperature": -1}, "temperature: should be greater than or equal to 0, not -1"),
        ({"temperature": float("inf")}, "temperature: should be a finite number, not inf"),
        ({"top_p": 1.5}, "top_p: should be less than or equal to 1, not 1.5"),
        ({"max_tokens": 0}, "max_tokens: should be greater than or equal to 1, not 0"),
        ({"max_tokens": 10.5}, "max_tokens: should be a valid integer, not 10.5"),
        ({"max_tokens": "10"}, "max_tokens: should be a valid integer, not '10'"),
        ({"seed": 2**63}, "seed: should be less than 9223372036854775808, not 9223372036854775808"),
        ({"stop": [""]}, "stop: "),
        ({"logprobs": 1}, "logprobs: should be a valid boolean, not 1"),
        ({"structured": {"xml": "x"}}, "structured holds exactly one of choice, grammar, json_schema, regex"),
        ({"structured": {"regex": "a", "choice": ["a"]}}, "structured holds exactly one of"),
        ({"structured": {"regex": "a"}, "response_format": {"type": "json_object"}}, "keep one"),
    ],
)
def test_a_wrong_value_is_one_clear_line(params, line):
    with pytest.raises(UsageError) as caught:
        check_params(params)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value) and "pydantic" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(OWNED))
def test_extra_cannot_undo_what_llmkit_relies_on(name):
    with pytest.raises(UsageError, match=f"extra may not set {name}"):
        check_params({"extra": {name: 1}})


def test_where_the_value_stands_is_said():
    with pytest.raises(UsageError, match=r"^suite\.yaml:4: temperature"):
        check_params({"temperature": "hot"}, where="suite.yaml:4")


def test_the_order_is_kept_and_nothing_is_added():
    given_params = {"seed": 1, "temperature": 0.5, "max_tokens": 3}
    assert list(check_params(given_params).items()) == list(given_params.items())


def test_every_name_is_known():
    assert {"temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "structured", "extra"} <= NAMES


@pytest.mark.parametrize(
    "extra",
    [
        {"api_key": "x"},
        {"headers": {"Authorization": "x"}},
        {"tools": [{"token": "x"}]},
        {"user": "sk-proj-abcdefghijklmnop"},
        {"url": "https://user:hunter22@host/"},
    ],
)
def test_extra_fields_hold_no_secret_for_they_are_stored(extra):
    with pytest.raises(UsageError, match="looks like a secret") as caught:
        check_params({"extra": extra})
    assert "abcdefghijklmnop" not in str(caught.value) and "hunter22" not in str(caught.value)


def test_a_schema_may_speak_of_secrets():
    properties = {"password": {"type": "string"}, "token": {"type": "string"}}
    extra = {"response_format": {"type": "json_schema", "json_schema": {"schema": {"properties": properties}}}}
    assert check_params({"extra": extra}) == {"extra": extra}


def test_extra_fields_that_are_no_secret_pass():
    extra = {"service_tier": "flex", "metadata": {"keyword": "a", "api_key": None}, "logit_bias": {"50256": -100}}
    assert check_params({"extra": extra}) == {"extra": extra}
