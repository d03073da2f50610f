"""regex: a full match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.structured.format import UnsupportedShape
from llmkit.structured.registry import create
from tests.structured.engine import accepts, rejects
from tests.timing import processor_time_below

USERNAME = r"^[a-z][a-z0-9_]{2,15}$"
FORM = create(f"regex:{USERNAME}")


@pytest.mark.parametrize(
    "pattern", [USERNAME, r"(?P<year>\d{4})-(?:0[1-9]|1[0-2])", r"[\w.+-]+@[a-z]+\.(?i:com|org)/?"]
)
@given(st.data())
def test_what_is_rendered_is_read_and_the_decoder_admits_it(pattern, data):
    form = create(f"regex:{pattern}")
    ascii_texts = st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    text = data.draw(ascii_texts.filter(lambda text: not text.endswith("\n")))  # which `$` lets stand
    assert form.parse(form.render(text)).value == text
    assert accepts(form.grammar(), text)


@given(st.text("ab1_A \n\0", max_size=20))
def test_the_decoder_admits_just_what_is_valid_as_it_stands(text):
    assert accepts(FORM.grammar(), text) == (FORM.parse(text).value == text)


@pytest.mark.parametrize(
    ("answer", "repairs"),
    [
        ("ann_lee", ()),
        ("  ann_lee\n", ()),
        ("`ann_lee`", ("quotes removed",)),
        ("```\nann_lee\n```", ("code fence removed",)),
    ],
)
def test_what_stands_around_a_match_is_taken_away_and_recorded(answer, repairs):
    parsed = FORM.parse(answer)
    assert (parsed.value, parsed.repairs) == ("ann_lee", repairs)


def test_what_the_pattern_itself_matches_is_left_in_place():
    assert create(r"regex:\s*`a`\s*").parse(" `a`\n").value == " `a`\n"


def test_an_answer_that_does_not_match_is_told_the_pattern_and_the_part_that_does():
    (issue,) = create("regex:[a-z]+@[a-z]+").parse("Mail ann@here, please").issues
    assert issue.message == "must match '[a-z]+@[a-z]+' as a whole; only 'ann@here' does: answer without the rest"
    assert issue.rule == "shape"


@pytest.mark.parametrize("pattern", [r"(?:a+)+$", r"(a|a?)+b", r"(?:a?){5000}a{5000}b", r"(.*)*\1x", "(?R)?a+b"])
@pytest.mark.parametrize("answer", ["a" * 1_000_000, "a" * 40 + "!", "\0" * 100_000, "\ud800" * 100, "{" * 10_000])
def test_a_catastrophic_pattern_ends_in_bounded_time(pattern, answer):
    form = create(f"regex:{pattern}")
    with processor_time_below(1):
        form.parse(answer)


def test_a_pattern_that_takes_too_long_is_an_issue():
    (issue,) = create("regex:(?R)?a+b").parse("a" * 1_000_000).issues
    assert "took longer than 0.25 s" in issue.message


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(a", r"missing \) at 2"),
        ("a{2,1}", "min repeat greater than max repeat at 2"),
        ("", "needs a pattern"),
        (7, "needs a pattern"),
        ("a" * 20_000, "longer than 10,000"),
        ("(" * 5000 + ")" * 5000, "nests too deep"),
        (r"\p{Nope}", "unknown property"),
    ],
)
def test_what_is_no_pattern_is_a_usage_error(pattern, why):
    with pytest.raises(UsageError, match=why) as caught:
        create({"regex": {"pattern": pattern}})
    assert len(str(caught.value)) < 400


def test_what_no_decoder_can_follow_is_refused_by_name_and_still_validated():
    form = create("regex:(?!admin)[a-z]+")
    with pytest.raises(UnsupportedShape, match="look-ahead at 0"):
        form.grammar()
    assert form.parse("administrator").issues and form.parse("ann").value == "ann"


def test_no_provider_takes_it_natively():
    with pytest.raises(UnsupportedShape, match="a regular expression"):
        FORM.native("anthropic")


def test_the_prompt_shows_the_pattern_and_so_does_the_definition():
    assert FORM.describe().endswith(USERNAME)
    assert FORM.definition() == {"format": "regex", "pattern": USERNAME}
    assert rejects(FORM.grammar(), "Ann")


def test_a_pattern_that_goes_wrong_at_its_end_has_no_empty_hint():
    with pytest.raises(UsageError) as caught:
        create("regex:(a")
    assert "''" not in str(caught.value)
