"""Which model and parameters hold: what a user typed, in the type that is wanted."""

import pytest

from llmkit.config import Settings
from llmkit.errors import UsageError
from llmkit.providers.params import parse_pairs
from llmkit.runs.models import choose
from llmkit.suites.inline import make_suite

SUITE = make_suite("s", [{"q": "a"}], messages=[{"role": "user", "content": "{{q}}"}], scorers=["json_valid"])


def chosen(tmp_path, model, pairs):
    return choose(SUITE, model, pairs, Settings(root=tmp_path))[0]


@pytest.mark.parametrize("typed", ["5", "20260101", "1.10", "1e3", "true", "007", "abc"])
@pytest.mark.parametrize(("model", "name"), [("scripted/constant", "text"), ("openai/m", "revision")])
def test_an_option_that_wants_text_gets_what_was_typed(tmp_path, model, name, typed):
    assert chosen(tmp_path, model, parse_pairs([f"{name}={typed}"])).options == {name: typed}


@pytest.mark.parametrize(
    ("typed", "params"),
    [
        ("stop=5", {"stop": "5"}),
        ('stop=["5"]', {"stop": ["5"]}),
        ("reasoning_effort=1", {"reasoning_effort": "1"}),
        ("seed=5", {"seed": 5}),
        ("temperature=0.5", {"temperature": 0.5}),
        ("logprobs=true", {"logprobs": True}),
        ("extra.k=5", {"extra": {"k": 5}}),
    ],
)
def test_a_parameter_has_the_type_that_is_wanted(tmp_path, typed, params):
    assert chosen(tmp_path, "openai/m", parse_pairs([typed])).params == params


def test_from_python_a_number_where_text_is_wanted_is_a_mistake(tmp_path):
    with pytest.raises(UsageError, match="stop"):
        chosen(tmp_path, "openai/m", {"stop": 5})
