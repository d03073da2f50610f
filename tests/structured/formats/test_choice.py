"""choice: one of a few texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DataError, UnknownNameError, UsageError
from llmkit.structured.format import Binds, Context, UnsupportedShape
from llmkit.structured.registry import Source, create
from tests.structured.engine import accepts, rejects
from tests.timing import processor_time_below

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
CHOICES = st.lists(WORDS, min_size=1, max_size=6, unique=True)
YES_NO = create("choice:Yes,No,N.A.")


@given(CHOICES, st.data())
def test_what_is_rendered_is_read_and_the_decoder_admits_it(choices, data):
    form = create({"choice": choices})
    choice = data.draw(st.sampled_from(choices))
    assert form.parse(form.render(choice)).value == choice
    assert accepts(form.grammar(), form.render(choice))


@given(CHOICES, st.text(max_size=9))
def test_the_decoder_admits_the_choices_alone(choices, text):
    form = create({"choice": choices})
    assert accepts(form.grammar(), text) == (text in choices)


@pytest.mark.parametrize(
    ("answer", "value", "repairs"),
    [
        ("Yes", "Yes", ()),
        ("  Yes\n", "Yes", ()),
        ("Yes.", "Yes", ("full stop removed",)),
        ("N.A.", "N.A.", ()),
        ('"No"', "No", ("quotes removed",)),
        ("**No**", "No", ("quotes removed",)),
        ("`No.`", "No", ("quotes removed", "full stop removed")),
        ("```\nNo\n```", "No", ("code fence removed",)),
        ("```text\n'No'\n```", "No", ("code fence removed", "quotes removed")),
    ],
)
def test_what_stands_around_a_choice_is_taken_away_and_recorded(answer, value, repairs):
    parsed = YES_NO.parse(answer)
    assert (parsed.value, parsed.issues, parsed.repairs) == (value, (), repairs)


def test_other_capitals_are_an_issue_that_spells_the_choice():
    (issue,) = YES_NO.parse("yes").issues
    assert issue.message == "must be written 'Yes', with its capital and small letters"
    assert (issue.value, issue.rule) == ("yes", "shape")


def test_anything_else_is_told_the_choices():
    (issue,) = YES_NO.parse("Maybe").issues
    assert issue.message == "must be exactly one of 'Yes', 'No', 'N.A.'"


def test_of_many_choices_the_nearest_is_named():
    form = create({"choice": [f"station {number}" for number in range(100)]})
    (issue,) = form.parse("sation 42").issues
    assert "one of the 100 choices. Did you mean 'station 42'" in issue.message


def test_guesses_are_made_only_where_they_are_asked_for():
    repair = Context(repair=True)
    assert YES_NO.parse("yes", repair).repairs == ("guessed: capital and small letters",)
    parsed = YES_NO.parse("I would say Yes, mostly.", repair)
    assert (parsed.value, parsed.repairs) == ("Yes", ("guessed: the only choice that the answer names",))
    assert YES_NO.parse("Yes or No?", repair).issues
    assert YES_NO.parse("Yesterday", repair).issues


@pytest.mark.parametrize(
    "answer", ["", "\0", "\ud800", "x" * 1_000_000, "Yes " * 250_000, "```\n" * 250_000, "{" * 10_000]
)
def test_hostile_answers_are_an_issue_in_bounded_time(answer):
    with processor_time_below(2):
        assert YES_NO.parse(answer, Context(repair=True)).issues or answer.startswith("Yes ")


class TestWritten:
    def test_commas_within_quotes_belong_to_the_choice(self):
        assert create('choice:a, b,"c, d"').choices == ("a", "b", "c, d")

    def test_a_suite_writes_a_list_or_a_mapping(self):
        assert create({"choice": ["a", "b"]}) == create({"choice": {"choices": ["a", "b"]}}) == create("choice:a,b")

    @pytest.mark.parametrize(
        ("argument", "why"),
        [
            ("", "there are no choices"),
            ("a,,b", "one of the choices is empty"),
            ("a,b,a", "the choice 'a' stands twice"),
            ('a,"b', "unexpected end of data"),
            ([], "there are no choices"),
            ([True], "True is none.*Quote it: 'True'"),
            (["a\nb"], "line end"),
            (["\ud800"], "control character"),
            ({"choices": ["a"], "field": "b"}, "either choices or field"),
            (7, "a list of texts, not int"),
        ],
    )
    def test_what_cannot_be_chosen_from_is_a_usage_error(self, argument, why):
        with pytest.raises(UsageError, match=why):
            create({"choice": argument}, Source(where="suite.yaml:3"))

    def test_an_unknown_option_names_the_nearest(self):
        with pytest.raises(UnknownNameError, match="Did you mean 'choices'"):
            create({"choice": {"choises": ["a"]}})


class TestOfARow:
    FORM = create("choice:field=options")

    def test_each_row_lists_its_own(self):
        assert isinstance(self.FORM, Binds)
        assert self.FORM.bind({"options": ["a", "b"]}).parse("b").value == "b"
        assert self.FORM.bind({"options": '["a", "b"]'}).choices == ("a", "b")
        assert self.FORM.bind({"options": "a, b"}).choices == ("a", "b")
        assert self.FORM.bind({"options": [1, 2]}).parse("2").value == "2"

    def test_an_answer_is_read_by_its_row_even_where_nobody_bound_the_form(self):
        assert self.FORM.parse("b", Context(row={"options": ["a", "b"]})).value == "b"
        assert "no field 'options'" in self.FORM.parse("b").issues[0].message

    @pytest.mark.parametrize("value", [None, 3, [], [None], [True], ["a", "a"], "[", ["a", {"b": 1}]])
    def test_a_row_without_choices_says_so(self, value):
        with pytest.raises((DataError, UsageError), match="options"):
            self.FORM.bind({"options": value})

    def test_there_is_no_grammar_before_there_is_a_row(self):
        with pytest.raises(UnsupportedShape, match="each row"):
            self.FORM.grammar()
        assert rejects(self.FORM.bind({"options": ["a"]}).grammar(), "b")


def test_the_same_choices_are_the_same_format():
    assert YES_NO.definition() == {"format": "choice", "choices": ["Yes", "No", "N.A."]}
    assert create("choice:field=x").definition() == {"format": "choice", "field": "x"}


def test_no_provider_takes_it_natively():
    with pytest.raises(UnsupportedShape, match="openai guarantees JSON alone"):
        YES_NO.native("openai")


def test_the_prompt_lists_the_choices():
    assert YES_NO.describe().splitlines()[1:] == ["- Yes", "- No", "- N.A."]
