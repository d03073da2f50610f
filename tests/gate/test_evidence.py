"""What both sides' answers say of a gating metric, and the one rule for what failed."""

import numpy as np
import pytest

from llmkit.gate.evidence import Evidence
from llmkit.gate.order import Unit
from llmkit.runs.records import Answer, Job, Outcome
from llmkit.scoring import parse
from llmkit.suites.gating import Gating
from llmkit.types import Completion, Failure, Request, Sample, Score
from llmkit.verdicts import Unjudged

EXACT = parse("exact_match", "test")
WER = parse("wer", "test")
ACCURACY = Gating("exact_match", "score", 0.05, higher_is_better=True, scorer=EXACT)
FAILURES = Gating("failures", "failures", 0.05)
RETRIES = Gating("retry_cost", "retries", 0.1, scorer=parse("retry_cost", "test"))
COST = Gating("cost", "cost", 0.2)
LATENCY = Gating("latency_mean", "latency", 0.2)
RUN = {"base": "run-b", "head": "run-h"}


def sample(index, cluster=None, **slices):
    return Sample(id=f"s{index}", index=index, row={}, references=("x",), cluster=cluster, slices=slices)


def unit(*samples):
    return Unit("/".join(s.id for s in samples), samples)


def answered(one, value, *, epoch=1, run="run-b", cost=0.001, latency=1.0, scorer=EXACT, stats=()):
    job = Job(one, epoch, Request(()), b"", b"", b"", "", "", "")
    answer = Answer(1, run, 0.0, Completion("text", cost_usd=cost, latency_s=latency))
    score = value if isinstance(value, Failure) else Score(value, stats)
    return Outcome(one.index, epoch, one.id, job, answer, None, {scorer.name: score})


def silent(one, epoch=1):
    return Outcome(one.index, epoch, one.id, failure=Failure("provider", "timeout", "no answer in time"))


def evidence_of(base, head, epochs=1, scorers=(EXACT,)):
    found = Evidence(scorers, epochs)
    found.take("base", RUN["base"], base)
    found.take("head", RUN["head"], head)
    return found


def pairs(values, samples=None):
    """Units of one sample each, and the outcomes of both sides for (base, head) values."""
    samples = samples or [sample(n) for n in range(len(values))]
    base = [answered(s, b) if b is not None else silent(s) for s, (b, _) in zip(samples, values, strict=True)]
    head = [
        answered(s, h, run="run-h") if h is not None else silent(s) for s, (_, h) in zip(samples, values, strict=True)
    ]
    return [unit(s) for s in samples], evidence_of(base, head)


def test_pairs_stand_in_the_order_of_the_units():
    units, found = pairs([(1, 0), (0, 0), (0, 1)])
    one = found.measure(ACCURACY, units[::-1], [3])
    assert one.series.base.tolist() == [0, 0, 1]
    assert one.series.head.tolist() == [1, 0, 0]
    assert (one.base, one.head) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


@pytest.mark.parametrize("lost", [(None, 1), (1, None), (None, None)])
def test_a_pair_of_which_one_side_has_no_answer_is_left_out(lost):
    units, found = pairs([(1, 1), lost, (0, 1)])
    one = found.measure(ACCURACY, units, [3])
    assert len(one.series.base) == 2
    assert one.series.attempted == 3
    assert one.base == 0.5


def test_an_answer_that_cannot_be_parsed_counts_as_wrong_on_either_side():
    unparsable = Failure("scorer", "unparsable", "no answer found")
    units, found = pairs([(1, unparsable), (unparsable, 1)])
    one = found.measure(ACCURACY, units, [2])
    assert one.series.base.tolist() == [1, 0]
    assert one.series.head.tolist() == [0, 1]


def test_a_crash_of_the_scorer_says_nothing_of_the_answer():
    units, found = pairs([(1, Failure("scorer", "crash", "boom")), (1, 1)])
    assert found.measure(ACCURACY, units, [2]).series.counts == (1,)
    assert found.unanswered(units) == 0


def test_failures_count_missing_and_unreadable_answers_in_every_pair():
    units, found = pairs([(1, None), (1, Failure("scorer", "unparsable", "?")), (None, 1), (1, 0)])
    one = found.measure(FAILURES, units, [4])
    assert one.series.base.tolist() == [0, 0, 1, 0]
    assert one.series.head.tolist() == [1, 1, 0, 0]


def test_epochs_are_averaged_over_those_that_both_sides_have():
    s = sample(0)
    base = [answered(s, 1, epoch=1), answered(s, 0, epoch=2), answered(s, 0, epoch=3)]
    head = [answered(s, 1, epoch=1, run="run-h"), answered(s, 1, epoch=2, run="run-h"), silent(s, epoch=3)]
    one = evidence_of(base, head, epochs=3).measure(ACCURACY, [unit(s)], [1])
    assert (one.series.base.tolist(), one.series.head.tolist()) == ([0.5], [1.0])
    assert one.within == pytest.approx(np.var([1, 0], ddof=1))


def test_a_cluster_is_one_row_and_each_sample_weighs_the_same():
    a, b, c = sample(0, "x"), sample(1, "x"), sample(2)
    base = [answered(s, 1) for s in (a, b, c)]
    head = [answered(a, 0, run="run-h"), answered(b, 1, run="run-h"), answered(c, 1, run="run-h")]
    one = evidence_of(base, head).measure(ACCURACY, [unit(a, b), unit(c)], [2])
    assert (one.series.head - one.series.base).mean() == pytest.approx(-1 / 3)
    assert one.series.span == pytest.approx(((4 + 1) / 2) / 1.5**2)
    assert one.head == pytest.approx(2 / 3)


def test_a_slice_keeps_to_its_part_and_counts_its_own_units_at_each_look():
    samples = [sample(n, topic="even" if n % 2 == 0 else "odd") for n in range(6)]
    units, found = pairs([(1, 1)] * 6, samples)
    one = found.measure(ACCURACY, units, [3, 6], ("topic", "odd"))
    assert one.series.counts == (1, 3)


def test_counts_at_the_looks_leave_out_lost_pairs():
    units, found = pairs([(1, 1), (None, 1), (1, 1), (1, None)])
    assert found.measure(ACCURACY, units, [2, 4]).series.counts == (1, 2)


def test_a_cost_that_is_unknown_leaves_the_metric_unknown():
    s, t = sample(0), sample(1)
    base = [answered(s, 1), answered(t, 1, cost=None)]
    head = [answered(s, 1, run="run-h"), answered(t, 1, run="run-h")]
    one = evidence_of(base, head).measure(COST, [unit(s), unit(t)], [2])
    assert "price" in one.reason


def test_latency_is_that_of_calls_made_now():
    s = sample(0)
    cached = evidence_of([answered(s, 1, run="older")], [answered(s, 1, run="run-h")])
    fresh = evidence_of([answered(s, 1, run="run-b", latency=2.0)], [answered(s, 1, run="run-h", latency=3.0)])
    assert "side by side" in cached.measure(LATENCY, [unit(s)], [1]).reason
    one = fresh.measure(LATENCY, [unit(s)], [1])
    assert (one.reason, one.base, one.head) == (None, 2.0, 3.0)


def test_a_corpus_metric_hands_on_its_sums():
    s, t = sample(0), sample(1)
    base = [answered(x, 0.0, scorer=WER, stats=(1.0, 4.0)) for x in (s, t)]
    head = [answered(x, 0.0, run="run-h", scorer=WER, stats=(2.0, 4.0)) for x in (s, t)]
    gating = Gating("wer", "score", 0.05, scorer=WER)
    one = evidence_of(base, head, scorers=(WER,)).measure(gating, [unit(s), unit(t)], [2])
    assert one.series.base.tolist() == [[1, 4], [1, 4]]
    assert (one.base, one.head) == (0.25, 0.5)


def test_a_corpus_metric_of_clusters_keeps_its_sums_and_says_how_unequal_they_are():
    a, b, c = sample(0, "x"), sample(1, "x"), sample(2)
    both = [answered(s, 0.0, scorer=WER, stats=(1.0, 4.0)) for s in (a, b, c)]
    one = evidence_of(both, both, scorers=(WER,)).measure(
        Gating("wer", "score", 0.05, scorer=WER), [unit(a, b), unit(c)], [2]
    )
    assert one.series.base.tolist() == [[2, 8], [1, 4]]
    assert one.series.span == pytest.approx(((4 + 1) / 2) / 1.5**2)


def test_only_units_asked_in_full_on_both_sides_are_complete():
    a, b, c = sample(0), sample(1), sample(2)
    found = evidence_of([answered(a, 1), answered(b, 1), answered(c, 1)], [answered(a, 1, run="run-h"), answered(c, 1)])
    assert found.complete([unit(a), unit(b), unit(c)]) == 1


@pytest.mark.parametrize("lost", [(None, 1), (1, None), (None, None)])
def test_a_pair_of_which_one_side_is_silent_is_unanswered(lost):
    units, found = pairs([(1, 1), lost, (0, 1)])
    assert found.unanswered(units) == 1


def test_no_pairs_are_no_value():
    units, found = pairs([(None, 1)])
    one = found.measure(ACCURACY, units, [1])
    assert (one.base, one.head, len(one.series.base)) == (None, None, 0)


def retried(one, retry, cost, run="run-b"):
    found = answered(one, 0.0 if retry is None else retry, run=run, cost=cost)
    unknown = Failure("scorer", "unknown_price", "what the attempts cost is not known")
    found.scores["retry_cost"] = unknown if retry is None else Score(retry)
    return found


def test_what_retries_cost_is_set_against_what_base_costs():
    """Head's own prices do not matter, but what its retries cost: base's cost, and the same with head's retries."""
    samples = [sample(n) for n in range(3)]
    base = [retried(s, r, c) for s, r, c in zip(samples, (0, 2, 0), (5, 7, 5), strict=True)]
    head = [retried(s, r, c, "run-h") for s, r, c in zip(samples, (3, 0, None), (80, 50, None), strict=True)]
    found = evidence_of(base, head, scorers=(RETRIES.scorer,))
    one = found.measure(RETRIES, [unit(s) for s in samples], [3])
    assert one.series.base.tolist() == [5, 7]
    assert one.series.head.tolist() == [5 + 3 - 0, 7 + 0 - 2]
    assert (one.base, one.head) == (1.0, 1.5)  # what is shown is what retries cost
    assert "price" in one.reason


# --- what a judge says nothing of ---

NO_VERDICT = Failure("scorer", "no_verdict", "unparsed")
CANNOT_TELL = Failure("scorer", "cannot_tell", "the judge cannot tell")


def test_a_pair_without_a_verdict_is_left_out_and_counted():
    units, found = pairs([(1, 1), (CANNOT_TELL, 1), (1, NO_VERDICT), (0, CANNOT_TELL), (CANNOT_TELL, CANNOT_TELL)])
    assert found.measure(ACCURACY, units, [5]).series.base.tolist() == [1]
    assert found.unjudged("exact_match", units) == (Unjudged(5, 2, 0), Unjudged(5, 2, 1), (1, 2))


def test_what_no_side_answered_says_nothing_of_the_judge():
    units, found = pairs([(None, CANNOT_TELL), (1, 1)])
    assert found.unjudged("exact_match", units) == (Unjudged(1), Unjudged(1), (0, 0))


def test_what_has_no_verdict_is_counted_in_a_slice_of_its_own():
    samples = [sample(n, topic="ab"[n % 2]) for n in range(4)]
    units, found = pairs([(1, CANNOT_TELL), (1, 1), (1, NO_VERDICT), (CANNOT_TELL, 1)], samples)
    assert found.unjudged("exact_match", units, ("topic", "a")) == (Unjudged(2), Unjudged(2, 1, 1), (0, 2))
    assert found.unjudged("exact_match", units, ("topic", "b")) == (Unjudged(2, 1), Unjudged(2), (1, 0))


def test_a_judge_that_cannot_tell_makes_no_answer_unusable():
    units, found = pairs([(1, CANNOT_TELL), (1, NO_VERDICT)])
    assert found.measure(FAILURES, units, [2]).head == 0
    assert found.unusable(units) == (0, 0)
