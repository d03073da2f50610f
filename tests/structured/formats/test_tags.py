"""tags: labels, one a line or one a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DataError, UnknownNameError, UsageError
from llmkit.structured.format import Binds, Context, UnsupportedShape
from llmkit.structured.registry import create
from tests.structured.engine import accepts, rejects
from tests.timing import processor_time_below

NER = ("B-PER", "I-PER", "B-LOC", "I-LOC", "O")
BIO = create("tags:" + ",".join(NER))
FREE = create("tags:noun,verb,proper noun")
TOKENS = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=5), min_size=1, max_size=6)


def sound(labels):
    """Whether each I-x has a B-x or I-x before it: the scheme, said once more and otherwise."""
    return all(
        label[0] != "I" or (index > 0 and labels[index - 1][1:] == label[1:]) for index, label in enumerate(labels)
    )


LABELS = st.lists(st.sampled_from(NER), min_size=1, max_size=6)


@given(LABELS)
def test_lines_are_read_and_admitted_just_where_the_scheme_allows_them(labels):
    text = BIO.render(labels)
    assert BIO.parse(text).value == (labels if sound(labels) else None)
    assert accepts(BIO.grammar(), text) == sound(labels)


@given(TOKENS, st.data())
def test_labels_of_tokens_are_read_and_admitted_just_where_the_scheme_allows_them(tokens, data):
    form = create({"tags": {"labels": list(NER), "tokens": "words"}}).bind({"words": tokens})
    labels = data.draw(st.lists(st.sampled_from(NER), min_size=len(tokens), max_size=len(tokens)))
    text = form.render(labels)
    assert form.parse(text).value == (labels if sound(labels) else None)
    assert accepts(form.grammar(), text) == sound(labels)
    assert rejects(form.grammar(), text + "x")


@given(TOKENS, st.data())
def test_free_labels_of_tokens_are_read_and_admitted(tokens, data):
    form = create({"tags": {"labels": ["noun", "proper noun"], "tokens": "words"}}).bind({"words": tokens})
    labels = data.draw(st.lists(st.sampled_from(["noun", "proper noun"]), min_size=len(tokens), max_size=len(tokens)))
    assert form.parse(form.render(labels)).value == labels
    assert accepts(form.grammar(), form.render(labels))
    assert rejects(form.grammar(), form.render(labels).replace("noun", "verb"))


@given(st.lists(st.sampled_from(["noun", "verb", "proper noun"]), min_size=1, max_size=5))
def test_free_labels_follow_each_other_freely(labels):
    assert FREE.parse(FREE.render(labels)).value == labels
    assert accepts(FREE.grammar(), FREE.render(labels))
    assert rejects(FREE.grammar(), FREE.render([*labels, "adverb"]))


@pytest.mark.parametrize(
    ("answer", "repairs"),
    [
        ("noun\nverb", ()),
        ("\n\nnoun \n verb\n\n", ()),
        ("noun\r\nverb\r\n", ()),
        ("```\nnoun\nverb\n```", ("code fence removed",)),
        ("1. noun\n2. verb", ("numbering removed",)),
        ("```text\n1) noun\n2) verb\n```\n", ("code fence removed", "numbering removed")),
        ("- noun\n- verb", ("list marks removed",)),
    ],
)
def test_what_stands_around_the_labels_is_taken_away_and_recorded(answer, repairs):
    parsed = FREE.parse(answer)
    assert (parsed.value, parsed.issues, parsed.repairs) == (["noun", "verb"], (), repairs)


class TestIssues:
    def test_an_unknown_label_has_its_line_and_the_nearest(self):
        (issue,) = FREE.parse("noun\nverbb").issues
        assert issue.message == "line 2: 'verbb' is no label. Did you mean 'verb'?"
        assert (issue.path, issue.value, issue.rule) == ((1,), "verbb", "lines[]: label")

    def test_an_entity_that_nothing_begins(self):
        (issue,) = BIO.parse("B-LOC\nI-PER").issues
        assert issue.message.startswith("line 2: I-PER stands only after B-PER or I-PER")
        assert (issue.path, issue.rule) == ((1,), "lines[]: bio")

    def test_numbers_that_do_not_count_up_are_no_numbering(self):
        assert FREE.parse("1. noun\n3. verb").issues

    def test_blank_answers(self):
        assert [FREE.parse(text).issues[0].rule for text in ("", " \n\t\n", "```\n```")] == ["shape"] * 3

    def test_each_rule_of_an_issue_is_a_rule_of_the_form(self):
        bound = create("tags:B-A,I-A,O;tokens=t").bind({"t": "x y"})
        assert bound.rules == ("shape", "lines[]: label", "lines[]: bio", "lines[]: token")
        for answer in ("", "x\tQ\ny\tO", "x\tI-A\ny\tO", "x\tO"):
            assert {issue.rule for issue in bound.parse(answer).issues} <= set(bound.rules)


class TestTokens:
    FORM = create("tags:B-PER,I-PER,O;tokens=words")
    BOUND = FORM.bind({"words": "Ann Lee sings ."})

    def test_each_line_repeats_its_token(self):
        assert isinstance(self.FORM, Binds)
        assert self.BOUND.parse("Ann\tB-PER\nLee\tI-PER\nsings\tO\n.\tO").value == ["B-PER", "I-PER", "O", "O"]

    def test_blanks_for_tabs_are_repaired(self):
        parsed = self.BOUND.parse("Ann B-PER\nLee  I-PER\nsings\tO\n. O")
        assert (parsed.value, parsed.repairs) == (["B-PER", "I-PER", "O", "O"], ("blanks before labels made tabs",))

    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ("Ann\tO\nLe\tO\nsings\tO\n.\tO", "line 2 must begin with the token 'Lee' and a tab"),
            ("Ann\tO\nLeeO\nsings\tO\n.\tO", "line 2 must begin with the token 'Lee'"),
            ("Ann\tO\nLee\tO", "2 lines for 4 tokens; the token 'sings' is the first that is missing"),
            ("Ann\tO\nLee\tO\nsings\tO\n.\tO\n!\tO", "5 lines for 4 tokens"),
            ("Ann\nLee\nsings\n.", "line 1: the label is missing"),
        ],
    )
    def test_other_tokens_are_an_issue(self, answer, why):
        assert why in self.BOUND.parse(answer).issues[0].message
        assert rejects(self.BOUND.grammar(), answer)

    def test_labels_alone_are_a_guess(self):
        assert self.BOUND.parse("B-PER\nI-PER\nO\nO").issues
        parsed = self.BOUND.parse("B-PER\nI-PER\nO\nO", Context(repair=True))
        assert (parsed.value, parsed.repairs) == (
            ["B-PER", "I-PER", "O", "O"],
            ("guessed: the tokens, in their order",),
        )

    def test_an_answer_is_read_by_its_row_even_where_nobody_bound_the_form(self):
        assert self.FORM.parse("a\tO", Context(row={"words": ["a"]})).value == ["O"]
        assert "no field 'words'" in self.FORM.parse("a\tO").issues[0].message

    @pytest.mark.parametrize("words", [None, 3, "", [], [1], ["a\tb"], ["a\nb"], [" "], ["\ud800"]])
    def test_a_row_without_tokens_says_so(self, words):
        with pytest.raises(DataError, match="words"):
            self.FORM.bind({"words": words})

    def test_there_is_no_grammar_before_there_is_a_row(self):
        with pytest.raises(UnsupportedShape, match="each row"):
            self.FORM.grammar()

    def test_the_grammar_of_a_long_sentence_is_small_and_exact(self):
        labels = ",".join(f"B-T{i},I-T{i}" for i in range(18)) + ",O"
        form = create(f"tags:{labels};tokens=t").bind({"t": [f"w{i}/x" for i in range(400)]})
        text = form.render(["B-T1", "I-T1", "O", "O"] * 100)
        assert len(form.grammar().source) < 15_000
        assert accepts(form.grammar(), text)
        assert rejects(form.grammar(), text.replace("I-T1", "I-T2"))


@pytest.mark.parametrize(
    "answer", ["x\n" * 500_000, "O\n" * 500_000, "1. O\n" * 200_000, "\0", "\ud800", "O" * 1_000_000, "```\n" * 250_000]
)
@pytest.mark.parametrize("form", [BIO, create("tags:O;tokens=t").bind({"t": "a b"})])
def test_hostile_answers_end_in_bounded_time_with_few_issues(form, answer):
    with processor_time_below(2):
        parsed = form.parse(answer)
    assert len(parsed.issues) <= 24
    assert parsed.valid == (form is BIO and answer.startswith("O\n"))


class TestWritten:
    def test_the_scheme_is_found_or_said(self):
        assert BIO.labels.scheme == "bio"
        assert FREE.labels.scheme == "free"
        assert create("tags:B-A,I-A,O;scheme=free").labels.scheme == "free"
        assert create("tags:I-A,O").labels.scheme == "free"

    def test_a_suite_writes_a_list_or_a_mapping(self):
        assert create({"tags": list(NER)}) == create({"tags": {"labels": list(NER), "scheme": "bio"}}) == BIO

    @pytest.mark.parametrize(
        ("argument", "error", "why"),
        [
            ("", UsageError, "there are no labels"),
            ("a,,b", UsageError, "'' is no label"),
            ("a,a", UsageError, "stands twice"),
            ("B-A,I-B,O", UsageError, "I-B can never stand: there is no B-B"),
            ("noun;scheme=bio", UsageError, "'noun' is no label of the scheme bio"),
            ("a;scheme=bilou", UsageError, "no scheme 'bilou'"),
            ("a;token=x", UnknownNameError, "Did you mean 'tokens'"),
            ("a;tokens=", UsageError, "names a field"),
            ([False], UsageError, "Quote it"),
            (["a\tb"], UsageError, "without a tab"),
        ],
    )
    def test_what_cannot_label_is_a_usage_error(self, argument, error, why):
        with pytest.raises(error, match=why):
            create({"tags": argument})


def test_the_prompt_lists_labels_scheme_and_tokens():
    assert "Labels: noun, verb, proper noun" in FREE.describe()
    assert "begins with B-x" in BIO.describe()
    assert create("tags:O;tokens=t").bind({"t": "a b"}).describe().endswith("Tokens:\na\nb")


def test_no_provider_takes_it_natively_and_equal_forms_are_defined_alike():
    with pytest.raises(UnsupportedShape, match="lines of labels"):
        BIO.native("openai")
    assert BIO.definition() == {"format": "tags", "labels": list(NER), "scheme": "bio", "tokens": None}
