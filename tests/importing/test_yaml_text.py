"""YAML that is written is read back as the same data, and by the same rules."""

from hypothesis import given
from hypothesis import strategies as st

from llmkit.documents import parse_yaml_value
from llmkit.importing.yaml_text import yaml_text

WORDS = (
    "no",
    "on",
    "1e3",
    "0o17",
    "1:30",
    "~",
    "",
    " a",
    "a: b",
    "- a",
    "#",
    "{{x}}",
    "a\n",
    "\n\n",
    "\na",
    "a \nb",
    "é",
)
TEXT = st.one_of(
    st.sampled_from(WORDS), st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Z", "Cc")), max_size=20)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    assert parse_yaml_value(yaml_text(data)) == data


def test_people_can_read_it() -> None:
    data = {"version": 1, "prompt": "two\nlines\n", "stop": ["\n\n", "Q:"], "no": "no", "id": "12"}
    assert yaml_text(data) == (
        "version: 1\nprompt: |\n  two\n  lines\nstop:\n- \"\\n\\n\"\n- 'Q:'\n'no': 'no'\nid: '12'\n"
    )
