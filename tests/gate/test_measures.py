"""From gating metrics to the measures of a trial."""

import pytest

from llmkit.gate.measures import gated, parts, weights
from llmkit.gate.order import Unit
from llmkit.scoring import parse
from llmkit.stats.sequential.measures import CorpusDifference, Difference, QuantileRise, RatioOfMeans
from llmkit.suites.gating import Gating
from llmkit.types import Sample


def units(*topics):
    return [Unit(f"u{n}", (Sample(str(n), n, {}, slices={"topic": t}),)) for n, t in enumerate(topics)]


@pytest.mark.parametrize(
    ("name", "kind", "scorer", "measure"),
    [
        ("exact_match", "score", "exact_match", Difference),
        ("f1", "score", "f1", Difference),
        ("bleu", "score", "bleu", CorpusDifference),
        ("wer", "score", "wer", CorpusDifference),
        ("failures", "failures", None, Difference),
        ("cost", "cost", None, RatioOfMeans),
        ("latency_mean", "latency", None, RatioOfMeans),
        ("latency_p95", "latency", None, QuantileRise),
    ],
)
def test_each_metric_has_its_rule(name, kind, scorer, measure):
    scorer = parse(scorer, "test") if scorer else None
    (one,) = gated([Gating(name, kind, 0.1, bool(scorer and scorer.higher_is_better), scorer)], units("a"))
    assert isinstance(one.measure, measure)
    assert (one.measure.name, one.measure.margin) == (name, 0.1)


def test_a_quantile_is_read_from_the_name():
    (one,) = gated([Gating("latency_p99", "latency", 0.1)], units("a"))
    assert one.measure.quantile == 0.99


def test_a_corpus_metric_has_its_scale():
    (one,) = gated([Gating("bleu", "score", 2.0, True, parse("bleu", "test"))], units("a"))
    assert one.measure.span == 100


def test_each_part_of_a_slice_is_a_measure_with_its_own_number_of_units():
    scorer = parse("exact_match", "test")
    gating = Gating("exact_match", "score", 0.02, True, scorer, {"topic": 0.1})
    found = gated([gating], units("b", "a", "b"))
    assert [(m.part, m.margin, m.measure.planned) for m in found] == [
        (None, 0.02, None),
        (("topic", "a"), 0.1, 1),
        (("topic", "b"), 0.1, 2),
    ]
    assert len({m.name for m in found}) == 3


def test_a_cluster_counts_once_in_each_part_that_it_has():
    both = Unit("u", (Sample("1", 0, {}, slices={"topic": "a"}), Sample("2", 1, {}, slices={"topic": "b"})))
    assert parts([both, *units("a")], "topic") == {"a": 2, "b": 1}


def test_slices_take_half_of_alpha_however_many_they_are():
    scorer = parse("exact_match", "test")
    gating = Gating("exact_match", "score", 0.02, True, scorer, {"topic": 0.1})
    shares = weights(gated([gating, Gating("failures", "failures", 0.01)], units(*"abcdefgh")))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["exact_match"] == shares["failures"] == 0.25
    assert shares["exact_match topic=a"] == pytest.approx(0.5 / 8)


def test_without_slices_metrics_share_all_of_alpha():
    assert weights(gated([Gating("cost", "cost", 0.1), Gating("failures", "failures", 0.1)], units("a"))) == {
        "cost": 0.5,
        "failures": 0.5,
    }
