"""likelihood: which of given continuations is the likeliest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DocumentError
from llmkit.scoring import Item, create
from llmkit.types import Failure, Score, TokenLogprob


def entry(text, logprob, tokens=1, alone=None):
    return TokenLogprob(text, logprob, tuple((text, logprob / tokens) for _ in range(tokens)), alone)


CITIES = (entry("London", -3.0), entry("Paris", -1.0), entry("Rome", -2.0))


def score(entries, *references, row=None, **options):
    (result,) = create("likelihood", options).score([Item("", references, row or {}, logprobs=entries)])
    return result


def value(entries, *references, **options):
    result = score(entries, *references, **options)
    assert isinstance(result, Score), result
    return result.value


def fault(entries, *references, **options):
    result = score(entries, *references, **options)
    assert isinstance(result, Failure), result
    return result.kind


def test_the_likeliest_is_the_answer():
    assert score(CITIES, "1") == Score(1.0, answer="Paris")
    assert score(CITIES, "0") == Score(0.0, answer="Paris")


def test_any_of_several_references_counts():
    assert value(CITIES, "0", "1") == 1


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("1", "auto"), ("B", "auto"), ("Paris", "auto"), (" B ", "auto"),
        ("1", "index0"), ("2", "index1"), ("B", "letter"), ("Paris", "text"),
    ],
)  # fmt: skip
def test_a_reference_names_a_choice(reference, target):
    assert value(CITIES, reference, target=target) == 1


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("3", "auto"), ("D", "auto"), ("Oslo", "auto"), ("b", "auto"), ("", "auto"), ("-1", "auto"),
        ("B", "index0"), ("0", "index1"), ("4", "index1"), ("1", "letter"), ("1", "text"), ("9" * 30, "index0"),
    ],
)  # fmt: skip
def test_a_reference_that_names_no_choice_is_said_not_scored(reference, target):
    assert fault(CITIES, reference, target=target) == "bad_reference"


def test_digits_are_an_index_even_where_the_choices_are_numbers():
    numbers = (entry("2", -1.0), entry("4", -2.0), entry("1", -3.0))
    assert value(numbers, "0") == 1
    assert value(numbers, "2", target="text") == 1


def test_labels_name_the_choices_in_their_order():
    row = {"choices": {"label": ["1", "2", "3"]}}
    assert value(CITIES, "2", row=row, labels="choices.label") == 1
    assert fault(CITIES, "B", row=row, labels="choices.label") == "bad_reference"


@pytest.mark.parametrize("row", [{}, {"choices": {"label": ["A"]}}, {"choices": {"label": "ABC"}}, {"choices": 3}])
def test_labels_that_are_not_there_are_said(row):
    assert fault(CITIES, "A", row=row, labels="choices.label") == "bad_reference"


def test_a_longer_choice_may_win_by_length():
    entries = (entry("a", -2.0), entry("a long one", -4.0, tokens=3))
    assert value(entries, "0") == 1
    assert value(entries, "1", normalise="characters") == 1
    assert value(entries, "1", normalise="tokens") == 1


def test_bytes_and_characters_differ_beyond_ascii():
    entries = (entry("abc", -3.3), entry("ééé", -4.0))
    assert value(entries, "0", normalise="characters") == 1
    assert value(entries, "1", normalise="bytes") == 1


def test_what_is_likely_anyway_counts_less_without_the_question():
    entries = (entry("the", -1.0, alone=-0.5), entry("Paris", -2.0, alone=-9.0))
    assert value(entries, "0") == 1
    assert value(entries, "1", normalise="unconditional") == 1


@pytest.mark.parametrize("normalise", ["tokens", "unconditional"])
def test_what_cannot_be_normalised_is_said(normalise):
    bare = (TokenLogprob("a", -1.0), TokenLogprob("b", -2.0))
    result = score(bare, "0", normalise=normalise)
    assert isinstance(result, Failure)
    assert result.kind == "not_normalisable"


@pytest.mark.parametrize("entries", [None, ()])
def test_an_answer_without_likelihoods_is_said(entries):
    assert fault(entries, "0") == "no_likelihoods"


def test_a_tie_with_a_wrong_one_is_wrong_wherever_the_right_one_stands():
    tied = (entry("a", -1.0), entry("b", -1.0), entry("c", -2.0))
    assert (value(tied, "0"), value(tied, "1")) == (0, 0)
    assert value(tied, "0", "1") == 1


def test_a_choice_that_reads_like_the_right_one_is_right():
    twice = (entry("a", -1.0), entry("b", -2.0), entry("a", -1.0))
    assert value(twice, "2") == 1


def test_right_may_be_one_of_the_likeliest():
    assert (value(CITIES, "2", top=1), value(CITIES, "2", top=2), value(CITIES, "0", top=2)) == (0, 1, 0)


@given(st.lists(st.floats(-50, 0), min_size=2, max_size=6, unique=True))
def test_one_choice_wins_and_every_choice_is_among_all(logprobs):
    entries = tuple(entry(f"choice {i}", logprob) for i, logprob in enumerate(logprobs))
    everyone = [str(i) for i in range(len(entries))]
    assert sum(value(entries, each) for each in everyone) == 1
    assert all(value(entries, each, top=len(entries)) == 1 for each in everyone)


def test_the_signature_says_all_that_moves_the_figure():
    assert create("likelihood").signature == "metric:likelihood|norm:none|target:auto|top:1|ties:wrong|refs:any|v:1"
    other = create("likelihood", {"normalise": "bytes", "labels": "choices.label", "top": 2})
    assert other.signature == "metric:likelihood|norm:bytes|labels:choices.label|top:2|ties:wrong|refs:any|v:1"


def test_options_that_do_not_exist_are_refused():
    with pytest.raises(DocumentError, match="no option 'normalize'"):
        create("likelihood", {"normalize": "bytes"})
    with pytest.raises(DocumentError, match="cannot be 'length'"):
        create("likelihood", {"normalise": "length"})
