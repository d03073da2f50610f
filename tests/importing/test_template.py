"""Templates of other tools: what they are made of, and prompt files that render to exactly them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.errors import DocumentError
from llmkit.importing.template import check_template, list_of, literal, path_of, prompt_file, rendered
from llmkit.prompts import load_prompt

TEXT = st.one_of(
    st.sampled_from(["user:", "\n", " ", "# system:", "assistant:\n\nb", "\n\na\n", '"', "{{ x }}", "---", "\\n"]),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=8),
)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{{answer}}", "answer"),
        (" {{ answer.text }} ", "answer.text"),
        ("{{choices['text'][0]}}", "choices.text.0"),
        ("{{answer|trim}}", None),
        ("A {{answer}}", None),
        ("{{a}}{{b}}", None),
        ("{{ a['b.c'] }}", None),
        ("{{ broken", None),
        ("plain", None),
    ],
)
def test_a_template_that_is_nothing_but_a_field_is_told(template: str, path: str | None) -> None:
    assert path_of(template) == path


def test_a_template_that_is_nothing_but_a_list_is_told() -> None:
    assert list_of("{{[a, b.c, 'yes', 2]}}") == ["{{ a }}", "{{ b.c }}", "yes", "2"]
    assert list_of("{{[a|trim, b]}}") is None
    assert list_of("{{a}}") is None


@settings(max_examples=25)  # each of them loads a prompt file
@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant"]), st.lists(TEXT, min_size=1).map("".join)),
        min_size=1,
        max_size=3,
    )
)
def test_a_prompt_file_renders_to_the_templates_that_it_was_made_of(tmp_path_factory, messages) -> None:
    plain = [(role, literal(content)) for role, content in messages if content.strip()]
    if not plain:
        return
    path = tmp_path_factory.mktemp("p") / "p.prompty"
    path.write_text(prompt_file("p", plain), "utf-8")
    found = [(message.role, message.content) for message in load_prompt(path).render({})]
    assert found == [(role, rendered(content, {}, "")) for role, content in plain]


def test_a_template_that_llmkit_cannot_read_is_told_with_its_place() -> None:
    assert check_template("{{a}} {{b.c}}", "t.yaml:3") == {"a", "b"}
    with pytest.raises(DocumentError, match=r"^t.yaml:3.*regex_replace"):
        check_template("{{a|regex_replace('x', '')}}", "t.yaml:3")


def test_a_text_stays_what_it_is(tmp_path: Path) -> None:
    assert rendered(literal("{{a}} {% b %} {# c #}"), {}, "") == "{{a}} {% b %} {# c #}"
