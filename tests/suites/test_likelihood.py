"""A suite's likelihood: from a row to the continuations that are compared."""

import pytest

from llmkit.errors import DocumentError
from llmkit.suites import load_suites
from llmkit.types import Continuation

SUITE = """\
version: 1
data: arc.jsonl
map: {{target: key}}
messages: {messages}
likelihood: {likelihood}
scorers: [likelihood]
"""
ASK = '[{role: user, content: "{{question}}"}]'
ROW = {"question": "Capital?", "choices": {"text": ["London", "Paris"], "label": ["A", "B"]}, "key": "B", "one": "x"}
ROWS = [ROW]


@pytest.fixture
def load(write):
    def load(likelihood="{choices: choices.text}", rows=ROWS, messages=ASK):
        (suite,) = load_suites(write(SUITE.format(likelihood=likelihood, messages=messages), rows, name="arc"))
        return suite

    return load


def compared(suite):
    (sample,) = suite.samples()
    return suite.likelihood.of(sample.row, suite.render(sample.row))


def texts(suite):
    return [(each.given, each.space, each.text) for each in compared(suite).texts]


def test_a_field_holds_the_continuations(load):
    suite = load()
    assert suite.check() == 1
    assert compared(suite).texts == (Continuation("London"), Continuation("Paris"))
    assert compared(suite).chat
    assert compared(suite).unconditional is None


def test_a_list_of_templates_does_too(load):
    suite = load("{choices: ['{{choices.text[1]}}, {{one}}', B]}")
    assert [each.text for each in compared(suite).texts] == ["Paris, x", "B"]


def test_numbers_are_continuations_as_people_write_them(load):
    assert [text for *_, text in texts(load("{choices: n}", [{**ROW, "n": [1, 2.5, True]}]))] == ["1", "2.5", "true"]


@pytest.mark.parametrize(
    ("said", "space"),
    [
        ("{choices: choices.text}", ""),
        ("{choices: choices.text, prefix: 'It is'}", " "),
        ("{choices: choices.text, prefix: 'It is\\n'}", ""),
        ("{choices: choices.text, separator: ' '}", " "),
        ("{choices: choices.text, template: none}", " "),
        ("{choices: choices.text, template: none, separator: ''}", ""),
        ("{choices: [' a', ' b'], template: none}", ""),
    ],
)
def test_a_space_stands_before_a_continuation_where_text_goes_on(load, said, space):
    said = said.replace("'It is\\n'", '"It is\\n"')
    assert {each.space for each in compared(load(said)).texts} == {space}


def test_an_answer_that_the_messages_begin_goes_on_with_a_space(load):
    begun = '[{role: user, content: "{{question}}"}, {role: assistant, content: It is}]'
    assert {each.space for each in compared(load(messages=begun)).texts} == {" "}


def test_each_choice_may_have_a_beginning_of_its_own(load):
    suite = load("{prefix: ['The {{choices.text[0]}}', The other], choices: [is big, is big]}")
    assert texts(suite) == [("The London", " ", "is big"), ("The other", " ", "is big")]


def test_what_stands_in_place_of_the_question_is_a_template(load):
    assert compared(load("{choices: choices.text, unconditional: '{{one}}:'}")).unconditional == "x:"


@pytest.mark.parametrize(
    ("said", "row", "message"),
    [
        ("{choices: one}", ROW, "no list of choices, but 'x'"),
        ("{choices: n}", {**ROW, "n": ["a"]}, "holds 1 choices, not 2 to 1000"),
        ("{choices: n}", {**ROW, "n": ["a", None]}, "holds what is no text"),
        ("{choices: n}", {**ROW, "n": ["a", ["b"]]}, "holds what is no text"),
        ("{choices: n}", {**ROW, "n": ["a", ""]}, "choice 2 of the row is empty"),
        ("{choices: n}", {**ROW, "n": [" \n", "a"]}, "choice 1 of the row is empty"),
        ("{choices: n}", {**ROW, "n": ["a"] * 1001}, "holds 1001 choices"),
        ("{choices: n, prefix: [x, y]}", {**ROW, "n": ["a", "b", "c"]}, "3 choices, and the suite 2 prefixes"),
    ],
)
def test_rows_that_cannot_be_compared_are_said_before_anything_is_asked(load, said, row, message):
    with pytest.raises(DocumentError, match=message) as caught:
        load(said, [row]).check()
    assert "arc.jsonl:1" in str(caught.value)


def test_a_field_that_no_row_has_is_said_with_the_nearest(load):
    with pytest.raises(DocumentError, match=r"no field 'choices.texts'. Did you mean 'choices.text'") as caught:
        load("{choices: choices.texts}").check()
    assert "arc.yaml:5" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{choices: '{{choices.text}}'}", "one template, which gives one text"),
        ("{choices: [a]}", "likelihood.choices"),
        ("{choices: [a, b], prefix: [x, y, z]}", "3 prefixes for 2 choices"),
        ("{choices: [a, '{{']}", "arc.yaml:5"),
        ("{choices: [a, b], template: raw}", "template"),
        ("{choices: [a, b], seperator: x}", "seperator"),
    ],
)
def test_a_wrong_section_is_said_at_loading(load, said, message):
    with pytest.raises(DocumentError) as caught:
        load(said)
    assert message in str(caught.value)


def test_nothing_is_generated_so_no_form_is_wanted(write):
    text = SUITE.format(likelihood="{choices: choices.text}", messages=ASK) + "format: choice:a,b\n"
    with pytest.raises(DocumentError, match="with likelihood nothing is generated; remove format"):
        load_suites(write(text, ROWS, name="arc"))


def test_the_scorer_needs_continuations(write):
    text = SUITE.format(likelihood="null", messages=ASK)
    (suite,) = load_suites(write(text, ROWS, name="arc"))
    with pytest.raises(DocumentError, match="none are compared") as caught:
        suite.check()
    assert caught.value.hint == "Write likelihood: {choices: FIELD}"


def test_what_is_compared_is_a_part_of_what_the_suite_is(load):
    one, other = (load(said).definition() for said in ("{choices: [a, b]}", "{choices: [a, c]}"))
    assert (one["likelihood"]["choices"], other["likelihood"]["choices"]) == (["a", "b"], ["a", "c"])


def test_a_prompts_outputs_are_no_form_of_what_is_compared(project, write):
    declared = "---\nname: ask\noutputs:\n  city: {kind: string}\n---\nuser:\n{{question}}\n"
    (project / "prompts" / "ask.prompty").write_text(declared)
    text = SUITE.format(likelihood="{choices: choices.text}", messages=ASK)
    text = text.replace(f"messages: {ASK}", "prompt: ../prompts/ask.prompty")
    (suite,) = load_suites(write(text, ROWS, name="arc"))
    assert suite.form is None
    assert [each.text for each in compared(suite).texts] == ["London", "Paris"]
