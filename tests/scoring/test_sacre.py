"""bleu, chrf, ter: corpus figures equal to sacrebleu's own."""

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF, TER

from llmkit.scoring import CorpusScorer, Item, create, sacre
from llmkit.types import Score
from tests.scoring.ask import corpus, fault, score, value

NAMES = ["bleu", "chrf", "ter"]
VOCABULARY = ["the", "The", "cat", "cats", "sat", "on", "mat", ".", ",", "a-b", "12", "Katze", "猫"]
WORDS = st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)
TEXTS = WORDS | st.text(max_size=15)
SAMPLES = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=6)

BLEU_OPTIONS = [
    {},
    {"tokenize": "none"},
    {"tokenize": "intl", "lowercase": True},
    {"tokenize": "char"},
    {"smooth_method": "none"},
    {"smooth_method": "floor"},
    {"smooth_method": "floor", "smooth_value": 0.0},
    {"smooth_method": "add-k", "smooth_value": 2.0},
    {"effective_order": True},
    {"effective_order": True, "smooth_method": "add-k"},
    {"max_ngram_order": 2},
]
CHRF_OPTIONS = [
    {},
    {"word_order": 2},
    {"beta": 3, "whitespace": True},
    {"eps_smoothing": True},
    {"char_order": 3, "lowercase": True},
]
TER_OPTIONS = [{}, {"normalized": True, "asian_support": True}, {"no_punct": True, "case_sensitive": True}]
EVERY = [
    *(("bleu", BLEU, options) for options in BLEU_OPTIONS),
    *(("chrf", CHRF, options) for options in CHRF_OPTIONS),
    *(("ter", TER, options) for options in TER_OPTIONS),
]


@pytest.mark.parametrize(("name", "theirs", "options"), EVERY)
@given(samples=SAMPLES)
@settings(max_examples=30, deadline=None)
def test_the_corpus_figure_is_sacrebleus(name: str, theirs: type, options: dict, samples: list) -> None:
    hypotheses = [text for text, _, _ in samples]
    streams = [[one for _, one, _ in samples], [other for _, _, other in samples]]
    expected = theirs(**options).corpus_score(hypotheses, streams).score
    found = corpus(name, [(text, (one, other)) for text, one, other in samples], **options)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("name", "theirs", "options"), EVERY)
@given(text=TEXTS, reference=TEXTS)
@settings(max_examples=20, deadline=None)
def test_a_samples_value_is_the_sentence_score(
    name: str, theirs: type, options: dict, text: str, reference: str
) -> None:
    sentence = {**options, "effective_order": True} if name == "bleu" else options
    expected = theirs(**sentence).sentence_score(text, [reference]).score
    assert value(name, text, reference, **options) == pytest.approx(expected, abs=1e-9)


def test_samples_may_have_different_numbers_of_references() -> None:
    pairs = [
        ("the cat sat on the mat", ("a cat sat on a mat", "the cat sits")),
        ("a dog runs fast", ("the dog runs fast",)),
    ]
    streams = [["a cat sat on a mat", "the dog runs fast"], ["the cat sits", None]]
    for name, theirs in (("bleu", BLEU), ("chrf", CHRF), ("ter", TER)):
        expected = theirs().corpus_score([text for text, _ in pairs], streams).score
        assert corpus(name, pairs) == pytest.approx(expected, abs=1e-9)


def test_a_corpus_figure_is_no_mean_of_sentences() -> None:
    pairs = [("the cat sat on the mat", ("the cat sat on the mat",)), ("a b c d e", ("v w x y z",))]
    mean = np.mean([value("bleu", text, *references) for text, references in pairs])
    assert corpus("bleu", pairs) != pytest.approx(mean, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_function_is_vectorised(name: str) -> None:
    scorer = create(name)
    assert isinstance(scorer, CorpusScorer)
    items = [Item("the cat sat on it", ("the cat is on it",)), Item("", ("a b",)), Item("x", ("y z w",))]
    stats = np.array([each.stats for each in scorer.score(items)])
    picks = np.random.default_rng(7).integers(0, 3, size=(4, 5, 3))
    totals = stats[picks].sum(axis=2)
    values = scorer.corpus_value(totals)
    assert values.shape == (4, 5)
    assert values[2, 3] == pytest.approx(float(scorer.corpus_value(totals[2, 3])))


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_read_as_wrong_is_an_empty_answer(name: str) -> None:
    scorer = create(name)
    item = Item("anything", ("the cat sat", "a cat"))
    assert scorer.wrong(item) == score(name, "", *item.references)
    assert scorer.wrong(Item("anything", ("the cat",))).value == (100 if name == "ter" else 0)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_reference_a_wrong_answer_adds_nothing(name: str) -> None:
    scorer = create(name)
    assert set(scorer.wrong(Item("a")).stats) == {0.0}
    assert len(scorer.wrong(Item("a")).stats) == len(score(name, "a", "b").stats)
    assert fault(name, "a") == "no_reference"


@pytest.mark.parametrize("name", NAMES)
def test_a_text_of_any_length_has_bounded_work(name: str) -> None:
    assert fault(name, "a" * 1_000_000, "a") == "too_long"
    assert fault(name, "a", "b " * 500_000) == "too_long"
    scorer = create(name)
    assert len(scorer.wrong(Item("a", ("b " * 500_000,))).stats) == len(score(name, "a", "b").stats)


def test_ter_is_bounded_by_pairs_of_words() -> None:
    assert fault("ter", "a " * 1000, "a " * 1000) == "too_long"
    assert value("ter", "a " * 5000, "a") == 100 * 4999


def test_long_runs_do_not_fill_sacrebleus_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sacre, "_FORGET_AFTER", 300_000)  # of 150,000 characters each
    scorer = create("bleu")
    cache = type(scorer._engine.metric.tokenizer).__call__
    cache.cache_clear()
    sizes = []
    for start in range(6):
        (scored,) = scorer.score([Item(f"{start} " + "word " * 30_000, ("x",))])
        assert isinstance(scored, Score)
        sizes.append(cache.cache_info().currsize)
    assert sizes == [2, 0, 2, 0, 2, 0]  # the answer and the reference


def test_signatures_are_sacrebleus_and_ours() -> None:
    version = sacrebleu.__version__
    assert create("bleu").signature == (
        f"metric:bleu|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}|order:4|sentence-eff:yes|v:1"
    )
    assert create("chrf", {"word_order": 2}).signature == (
        f"metric:chrf|nrefs:var|case:mixed|eff:yes|nc:6|nw:2|space:no|version:{version}|beta:2|eps:no|v:1"
    )
    assert create("ter").signature == (
        f"metric:ter|nrefs:var|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:{version}|v:1"
    )


def test_directions() -> None:
    assert [create(name).higher_is_better for name in NAMES] == [True, True, False]
    assert {create(name).kind for name in NAMES} == {"corpus"}
