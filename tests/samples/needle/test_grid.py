"""A set of needles: exactly as long as asked for, with everything in its place, the same every time."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.errors import DataError
from llmkit.samples.needle.grid import cells, make
from llmkit.samples.needle.spec import NeedleData
from llmkit.tokens import Characters
from tests.samples.needle.counting import Counted, Pairs, Words

TOKENIZERS = [Words(), Counted(), Characters(4), Characters(1)]


def spec(**fields):
    return NeedleData.model_validate({"generate": "needle", "lengths": [400], **fields})


def rows(tokenizer=TOKENIZERS[0], **fields):
    return list(make(spec(**fields), None, tokenizer, "needle").rows())


sets = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["single", "numbers", "uuid", "multi_needle", "multi_key"]),
        "lengths": st.lists(st.integers(1200, 2500), min_size=1, max_size=2, unique=True),
        "depths": st.lists(st.integers(0, 100), min_size=1, max_size=2, unique=True),
        "seed": st.integers(0, 2**40),
        "haystack": st.sampled_from(["synthetic", "numbered", "repeated"]),
        "repeats": st.integers(1, 2),
    }
)


@settings(max_examples=25)
@given(sets, st.sampled_from(TOKENIZERS))
def test_every_set_is_exact_whole_and_the_same_again(fields, tokenizer):
    made = rows(tokenizer, **fields)
    assert made == rows(tokenizer, **fields)
    assert len(made) == len(list(cells(spec(**fields)))) == len({row["id"] for row in made})
    for row in made:
        text = row["context"]
        assert tokenizer.count(text) == row["tokens"] == row["length"]
        for value in row["answers"] + row["distractors"]:
            assert text.count(value) == 1
        for key in asked_keys(row["question"]):
            assert text.count(key) == 1


def asked_keys(question):
    """The owners that a question names."""
    body = question.partition("?")[0]
    listed = body.rpartition(" belong to ")[2] if "belong" in body else body.partition(" of ")[2]
    listed = listed.removeprefix("belongs to ")
    return [
        part.rpartition("belongs to ")[2].removeprefix("the ") for part in listed.replace(" and ", ", ").split(", ")
    ]


@settings(max_examples=25)
@given(st.integers(0, 100), st.sampled_from(["single", "numbers", "uuid"]), st.integers(0, 1000))
def test_a_needle_stands_within_one_sentence_of_its_depth(depth, kind, seed):
    """Counted in characters, of the text without the needle: nothing of what made the row is asked."""
    (row,) = rows(Characters(1), kind=kind, lengths=[4000], depths=[depth], seed=seed)
    before, after = re.split(rf"The [^.]*? {row['answers'][0]}\.", row["context"])
    share = len(before) / (len(before) + len(after))
    longest = max(map(len, sentences(row["context"])))
    assert abs(share - depth / 100) * (len(before) + len(after)) <= longest + 2
    assert row["placed"] == [pytest.approx(100 * share, abs=1)]


def sentences(text):
    return [f"{part}." for part in text.replace("\n", " ").split(". ")]


def test_the_first_and_the_last_depth_are_the_ends():
    first, last = rows(kind="numbers", depths=[0, 100])
    assert first["context"].startswith("The magic number of the ")
    assert last["context"].endswith(f" is {last['answers'][0]}.")


def test_several_needles_go_evenly_from_the_depth_to_the_end():
    (row,) = rows(Characters(1), kind="multi_needle", needles=4, lengths=[20_000], depths=[20])
    assert row["placed"] == [pytest.approx(at, abs=1) for at in (20, 40, 60, 80)]
    assert [row["context"].index(value) for value in row["answers"]] == sorted(
        map(row["context"].index, row["answers"])
    )


def test_distractors_are_needles_alike_about_other_keys():
    (row,) = rows(kind="multi_key", lengths=[900], depths=[50], distractors=5)
    assert len(row["distractors"]) == 5
    for value in row["distractors"]:
        (sentence,) = (s for s in sentences(row["context"]) if value in s)
        assert sentence.startswith("The magic number of the ")


@pytest.mark.parametrize(
    ("kind", "question"),
    [
        ("single", r"What is the password of the \w+ \w+\?"),
        ("numbers", r"What is the magic number of the \w+ \w+\?"),
        ("uuid", r"Which UUID belongs to [0-9a-f-]{36}\?"),
        ("multi_needle", r"What are the magic numbers of .* and the \w+ \w+\? Name all 4 of them\."),
    ],
)
def test_what_is_asked(kind, question):
    (row,) = rows(kind=kind, lengths=[900], depths=[50])
    assert re.fullmatch(question, row["question"])


def test_all_depths_of_a_length_share_one_haystack():
    one, other = rows(kind="numbers", depths=[50, 100], seed=3)
    assert one["context"][:500] == other["context"][:500]


def test_repeats_begin_elsewhere_in_the_haystack():
    one, other = rows(kind="numbers", depths=[100], repeats=2)
    assert one["context"][:80] != other["context"][:80]


def test_a_limit_keeps_a_grid_whole():
    order = [(c.repeat, c.length, c.row) for c in cells(spec(lengths=[400, 800], depths=[0, 100], repeats=2))]
    assert order[:4] == [(1, 400, 0), (1, 400, 100), (1, 800, 0), (1, 800, 100)]


def test_rows_that_no_count_fits_say_how_long_they_are():
    made = make(spec(lengths=[401], depths=[50]), None, Pairs(), "needle")
    (row,) = made.rows()
    assert made.short == 1
    assert row["tokens"] == Pairs().count(row["context"]) == 400


def test_a_length_that_cannot_hold_its_needles_says_what_they_take():
    with pytest.raises(DataError, match=r"^needle: 16 tokens are too few to hold \d+ tokens of needles and a haystack"):
        rows(kind="multi_key", lengths=[16])


def test_a_server_that_only_counts_is_sent_little_more_than_the_rows():
    counter = Counted()
    made = rows(counter, kind="numbers", lengths=[2000, 4000], depths=[0, 50, 100])
    assert counter.asked < 5 * sum(len(row["context"]) for row in made)


@settings(max_examples=10)
@given(st.integers(0, 2**40), st.integers(400, 3000), st.sampled_from(TOKENIZERS[:3]))
def test_facts_are_exact_and_the_same_again(seed, length, tokenizer):
    made = rows(tokenizer, kind="facts", lengths=[length], seed=seed)
    assert made == rows(tokenizer, kind="facts", lengths=[length], seed=seed)
    assert {tokenizer.count(row["context"]) for row in made} == {length}
    assert [row["asks"] for row in made] == ["one_fact", "two_hops", "count", "compare", "missing"]


def test_facts_that_do_not_fit_say_how_long_they_would_be():
    with pytest.raises(
        DataError, match=r"needle: 60 tokens are too few for the facts of 4 people.*Write lengths of \d+"
    ):
        rows(kind="facts", lengths=[60])


def test_a_context_longer_than_all_facts_is_filled_up():
    (row,) = rows(Characters(4), kind="facts", lengths=[60_000], questions=["one_fact"])
    assert row["tokens"] == 60_000
