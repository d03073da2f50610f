"""The verdicts on margins, from two sides' rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llmkit.errors import UnknownNameError, UsageError
from llmkit.paired.margins import JUDGED, check, verdicts
from llmkit.paired.pairing import pair
from llmkit.paired.scorers import measure
from tests.paired.sides import row, side, values

LIKE = {"signatures": {"m": "like|v:1"}, "scorers": [], "higher_is_better": {"m": True}}


def decide(a, b, *, margins=None, confidence=0.95):
    margins = margins or {"exact_match": 0.05}
    pairs = pair(a[1], b[1])
    measures = {name: measure(name, a[1], b[1]) for name in margins}
    return verdicts(margins, a, b, pairs, measures, confidence=confidence, seed=0)


def sides(lost, gained, n, **more):
    before = [1.0] * lost + [0.0] * gained + [1.0] * (n - lost - gained)
    after = [0.0] * lost + [1.0] * gained + [1.0] * (n - lost - gained)
    return side(values(before), **more), side(values(after), **more)


def failing(count, kind=None, n=120):
    """Answers that are all right, but for some that have no score: of which kind, or without an answer."""
    failure = {"unscored": {"exact_match": kind}} if kind else {"answered": False}
    return side([row(f"s{i}", None, **failure) if i < count else row(f"s{i}", 1.0) for i in range(n)])


def test_nothing_asked_is_nothing_said():
    assert verdicts({}, *sides(0, 0, 5), pair(*(s[1] for s in sides(0, 0, 5))), {}, confidence=0.95, seed=0) == ()


def test_a_margin_that_is_ruled_out_passes():
    (found,) = decide(*sides(1, 2, 120))
    assert (found.verdict, found.n, found.losses, found.gains, found.ties) == ("pass", 120, 1, 2, 117)
    assert found.difference == pytest.approx(1 / 120)
    assert (found.within, found.beyond, found.reason, found.left_out) == (False, False, None, 0)
    assert found.ruled_out is not None and found.ruled_out < 0.05
    assert found.interval is not None
    assert found.interval.low == pytest.approx(-found.ruled_out)
    assert (found.alpha, found.interval.confidence) == (0.05, pytest.approx(0.9))


def test_a_damaged_variant_fails_and_is_shown_to_be_worse_than_the_margin():
    (found,) = decide(*sides(30, 2, 80))
    assert (found.verdict, found.beyond, found.needs) == ("fail", True, None)
    assert found.a == pytest.approx(78 / 80)
    assert found.b == pytest.approx(50 / 80)


def test_a_drop_within_the_margin_passes_with_a_warning():
    (found,) = decide(*sides(8, 0, 1000))
    assert (found.verdict, found.within) == ("pass", True)


def test_too_few_samples_are_undecided_and_say_how_many_would_do():
    (found,) = decide(*sides(1, 1, 30))
    assert (found.verdict, found.reason) == ("undecided", None)
    assert found.needs is not None and found.needs > 100
    assert found.decidable is not None and found.decidable > 0.1


def documents(count):
    """Sides of documents of 1 and 19 questions, of which each tenth is lost as a whole, and each tenth won."""
    sizes = [1 if i % 2 else 19 for i in range(count)]
    changes = [{0: -1, 5: -1, 1: 1, 6: 1}.get(i % 20, 0) for i in range(count)]
    of = np.repeat(np.arange(count), sizes)
    both = ([float(changes[d] != sign) for d in of] for sign in (1, -1))
    a, b = (side([row(f"s{i}", v, cluster=f"d{of[i]}") for i, v in enumerate(values)]) for values in both)
    return a, b, np.array(changes) * sizes / np.mean(sizes)


def test_clusters_of_unequal_size_need_what_the_variance_of_their_own_differences_takes():
    a, b, differences = documents(200)
    (found,) = decide(a, b)
    z = stats.norm.isf(0.05) + stats.norm.isf(0.2)
    least = z**2 * differences.var(ddof=1) / 0.05**2
    assert (found.verdict, found.n) == ("undecided", 200)
    assert found.needs is not None and least < found.needs < 1.3 * least
    assert found.decidable is not None
    (again,) = decide(a, b, margins={"exact_match": found.decidable})
    assert again.needs is None or again.needs <= 200


def test_units_so_few_that_they_decide_no_margin_below_the_scale_name_none():
    assert decide(*sides(1, 0, 2))[0].decidable is None
    assert decide(*documents(2)[:2])[0].decidable is None


def test_failures_on_b_that_would_undo_a_pass_are_not_passed_over():
    (found,) = decide(failing(0), failing(10))
    assert (found.verdict, found.left_out, found.failures_wrong) == ("undecided", 10, "fail")
    assert found.reason == "it passes where failures are left out, and fails where they count as wrong answers"


def test_failures_that_change_nothing_pass_and_are_counted():
    (found,) = decide(failing(1), failing(2, n=120))
    assert (found.verdict, found.left_out, found.failures_wrong, found.n) == ("pass", 2, "pass", 118)


def test_an_answer_that_cannot_be_read_is_wrong_as_in_the_gate():
    (found,) = decide(failing(0), failing(10, "unparsable"))
    assert (found.verdict, found.wrong_a, found.wrong_b, found.left_out) == ("fail", 0, 10, 0)
    assert found.failures_wrong is None


def test_a_scorers_crash_is_left_out():
    (found,) = decide(failing(0), failing(1, "crash"))
    assert (found.wrong_b, found.left_out, found.verdict) == (0, 1, "pass")


def test_a_failure_that_no_scorer_can_read_as_wrong_takes_the_pass_away():
    rows = [row(f"s{i}", 1.0, metric="m") for i in range(120)]
    missing = [row("s0", None, metric="m"), *rows[1:]]
    (found,) = decide(side(rows, **LIKE), side(missing, **LIKE), margins={"m": 0.05})
    assert (found.verdict, found.reason) == (
        "undecided",
        "1 failure cannot be counted as wrong answers; the rest passes",
    )


def test_several_metrics_are_decided_together_each_in_its_place():
    def two(lost, missed):
        return [
            row(f"s{i}", float(i >= lost))._replace(values={"exact_match": float(i >= lost), "f1": float(i >= missed)})
            for i in range(150)
        ]

    names = {"scorers": ["exact_match", "f1"], "signatures": {"exact_match": "e", "f1": "f"}}
    names["higher_is_better"] = {"exact_match": True, "f1": True}
    found = decide(side(two(0, 0), **names), side(two(40, 0), **names), margins={"f1": 0.05, "exact_match": 0.05})
    assert [(v.metric, v.verdict) for v in found] == [("f1", "pass"), ("exact_match", "fail")]


def test_a_failure_by_error_passed_on_claims_no_size_of_its_drop():
    names = {"scorers": ["x", "y"], "signatures": {"x": "x", "y": "y"}, "higher_is_better": {"x": True, "y": True}}

    def both(which):
        lost = {"a": (), "b": range(30)}[which]
        won = {"a": range(30, 46), "b": ()}[which]
        return side(
            [
                row(f"s{i}", 1.0)._replace(
                    values={"x": float(which == "a" or i >= 90), "y": float(i not in (*lost, *won))}
                )
                for i in range(200)
            ],
            **names,
        )

    x, y = decide(both("a"), both("b"), margins={"x": 0.02, "y": 0.02})
    assert (x.verdict, x.beyond, y.verdict, y.beyond) == ("fail", True, "fail", False)
    assert y.interval is not None
    assert (y.interval.high, y.interval.confidence) == (0.0, pytest.approx(1 - 0.05 - 0.025))


def test_where_lower_is_better_a_rise_is_worse():
    setup = {"scorers": [], "signatures": {"m": "m"}, "higher_is_better": {"m": False}}
    a = side([row(f"s{i}", 0.0, metric="m") for i in range(100)], **setup)
    b = side([row(f"s{i}", float(i < 40), metric="m") for i in range(100)], **setup)
    (found,) = decide(a, b, margins={"m": 0.05})
    assert (found.verdict, found.beyond, found.losses) == ("fail", True, 40)
    assert decide(b, a, margins={"m": 0.05})[0].verdict == "pass"


def test_epochs_are_one_sample_and_clusters_are_the_units():
    rows = [row(f"s{i}", 1.0, epoch=e, cluster=f"c{i // 4}") for i in range(80) for e in (1, 2)]
    (found,) = decide(side(rows), side(rows))
    assert (found.n, found.clustered, found.verdict) == (20, True, "undecided")


def test_a_judges_metric_is_left_to_the_gate():
    setup = {"signatures": {"exact_match": "judge:x|…"}}
    (found,) = decide(*sides(0, 0, 120, **setup))
    assert (found.verdict, found.reason) == ("undecided", JUDGED)


def test_a_metric_without_a_scale_is_undecided_with_the_reason():
    a, b = (side([row(f"s{i}", v, metric="m") for i in range(50)], **LIKE) for v in (3.0, 7.0))
    (found,) = decide(a, b, margins={"m": 0.05})
    assert found.reason == "nothing says between which values it lies: some are outside of 0 to 1"


def test_no_pair_that_is_scored_is_undecided_with_the_reason():
    (found,) = decide(failing(0), failing(120))
    assert found.reason == "no pair is scored on both sides"


def test_a_run_that_did_not_end_cannot_pass_but_can_fail():
    a, _ = sides(0, 0, 120)
    unfinished = side(values([1.0] * 120), status="interrupted", run_id="r2")
    (found,) = decide(a, unfinished)
    assert (found.verdict, found.reason) == (
        "undecided", "run r2 (b) is interrupted: what it lacks may be what got worse"
    )  # fmt: skip
    worse = side(values([0.0] * 60 + [1.0] * 60), status="interrupted")
    assert decide(a, worse)[0].verdict == "fail"


def test_pairs_that_all_share_an_answer_pass_nothing():
    rows = [row(f"s{i}", 1.0, answer=i) for i in range(120)]
    (found,) = decide(side(rows), side(rows))
    assert (found.verdict, found.reason) == (
        "undecided", "each pair shares one stored answer, so that nothing was compared"
    )  # fmt: skip


def test_the_confidence_is_the_error():
    assert decide(*sides(1, 0, 150))[0].verdict == "pass"
    assert decide(*sides(1, 0, 150), confidence=0.999)[0].verdict == "undecided"


@pytest.mark.parametrize(
    ("margins", "confidence", "said"),
    [
        ({"exact_match": 0.0}, 0.95, "must be above 0"),
        ({"exact_match": -0.1}, 0.95, "must be above 0"),
        ({"exact_match": 0.1}, 0.5, "a coin's"),
    ],
)
def test_margins_that_decide_nothing_are_refused(margins, confidence, said):
    with pytest.raises(UsageError, match=said):
        check(margins, ["exact_match"], confidence)


def test_a_metric_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'exact_match'"):
        check({"exactmatch": 0.1}, ["exact_match", "f1"], 0.95)


def test_a_margin_as_large_as_the_scale_is_refused_with_the_unit():
    with pytest.raises(UsageError, match=r"as large as its scale.*between 0 and 1: \.02 is two points of a hundred"):
        decide(*sides(0, 0, 20), margins={"exact_match": 2.0})
