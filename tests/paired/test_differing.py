"""What was set otherwise on the two sides of a comparison."""

import pytest

from llmkit.paired.differing import differs
from llmkit.paired.rows import Setup


def setup(**said):
    return Setup(**{"name": "r", "run_id": "r", "suite": "s", "model": "vllm/m", "status": "completed", **said})


def between(before, after):
    return list(differs(setup(**before), setup(**after)))


def test_what_is_equal_is_not_named():
    same = {"params": {"top_p": 1}, "options": {"dtype": "float16"}, "sizes": {"epochs": 1}, "prompt": "p"}
    assert between(same, same) == []


def test_suite_model_prompt_parameters_options_and_sizes_are_named_in_this_order():
    before = {"suite": "a", "prompt": "p", "params": {}, "options": {"dtype": "float16"}, "sizes": {"epochs": 1}}
    after = {"suite": "b", "prompt": "q", "params": {"top_p": 0.5}, "options": {}, "sizes": {"epochs": 2}}
    assert between(before, {**after, "model": "vllm/n"}) == [
        "suite: a → b", "model: vllm/m → vllm/n", "prompt", "top_p: not set → 0.5", "dtype: float16 → not set",
        "epochs: 1 → 2",
    ]  # fmt: skip


def test_a_table_that_one_side_has_is_shown_whole():
    ngram = {"method": "ngram", "num_speculative_tokens": 4}
    assert between({"options": {}}, {"options": {"speculative_config": ngram}}) == [
        "speculative_config: not set → {method: ngram, num_speculative_tokens: 4}"
    ]


def test_of_a_table_that_both_have_the_fields_that_differ_are_named():
    before = {"options": {"speculative_config": {"method": "ngram", "num_speculative_tokens": 4}}}
    after = {"options": {"speculative_config": {"method": "ngram", "num_speculative_tokens": 6}}}
    assert between(before, after) == ["speculative_config.num_speculative_tokens: 4 → 6"]


def test_of_what_a_side_does_not_say_nothing_is_named():
    assert between({"options": None, "params": {"top_p": 1}}, {"options": {"dtype": "x"}, "params": None}) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"api_key": "hunter22hunter22"}),
        ({"api_key": "hunter11"}, {"api_key": "hunter22hunter22"}),
        ({"server": {"token": "a"}}, {"server": {"token": "hunter22hunter22"}}),
    ],
)
def test_secrets_are_never_named(before, after):
    assert between({"options": before}, {"options": after}) == []


def test_a_secret_within_a_value_is_masked():
    (said,) = between({"options": {}}, {"options": {"server": {"url": "http://u:hunter22@h/v1", "key": "hunter33"}}})
    assert "hunter" not in said


def test_what_a_file_holds_cannot_command_a_terminal():
    (said,) = between({"options": {}}, {"options": {"dtype": "x\x1b[2J\nFORGED"}})
    assert "\x1b" not in said and "\n" not in said
