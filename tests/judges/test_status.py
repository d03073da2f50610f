"""Calibrated, provisional or refused: three answers, each with its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmkit.judgements import Counts, Probe, ProbeName
from llmkit.judges.figures import figures_of
from llmkit.judges.judge import Judge
from llmkit.judges.status import Decision, decide
from llmkit.stats.acceptance import chance
from tests.judges.labelling import judge_in
from tests.judges.locking import CLEAN

RANK = {"refused": 0, "provisional": 1, "calibrated": 2}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return judge_in(tmp_path_factory.mktemp("binary"))


def told(judge: Judge, table: Sequence[Sequence[float]], *probes: Probe, looks: int = 1, **counts: Any) -> Decision:
    found = Counts(judge.scale.labels, tuple(map(tuple, table)), **counts)
    names = {probe.name for probe in probes}
    ran = (*probes, *(probe for probe in CLEAN if probe.name not in names))
    return decide(judge, figures_of(judge.scale, found), ran, looks=looks)


def probe(name: ProbeName, changed: int, n: int) -> Probe:
    return Probe(name, changed / n, n, f"{changed} of {n} change")


def test_a_judge_that_is_shown_to_be_right_is_calibrated_and_says_what_was_shown(judge: Judge) -> None:
    found = told(judge, [[48, 2], [1, 49]])
    assert (found.status, found.needs, found.confidence) == ("calibrated", {}, 0.95)
    assert found.reasons == (
        "TPR 0.96 on 50 passing items: at least 0.87 with 95 % confidence",
        "TNR 0.98 on 50 failing items: at least 0.90 with 95 % confidence",
    )


def test_a_bound_that_is_not_reached_is_provisional_and_says_what_would_settle_it(judge: Judge) -> None:
    found = told(judge, [[48, 2], [1, 19]])
    assert found.status == "provisional"
    needed = found.needs["fail"]
    assert found.needs == {"fail": needed}
    assert found.reasons == (
        "TNR 0.95 on 20 failing items: at least 0.78 with 95 % confidence, below 0.8; "
        f"about {needed} more labelled fail would show it at this rate",
    )
    assert chance(20 + needed, 0.8, 0.95) >= 0.8


def test_what_is_provably_below_its_bound_is_refused(judge: Judge) -> None:
    found = told(judge, [[48, 2], [9, 11]])
    assert (found.status, found.needs) == ("refused", {})
    assert found.reasons == ("TNR 0.55 on 20 failing items: 11 of 20, at most 0.75 with 95 % confidence, below 0.8",)


def test_a_rate_that_is_not_above_its_bound_is_settled_by_no_number(judge: Judge) -> None:
    found = told(judge, [[48, 2], [4, 16]])
    assert (found.status, found.needs) == ("provisional", {})
    assert "no number of further labels would show it at this rate" in found.reasons[0]


def test_a_class_without_labels_is_not_shown_to_be_told(judge: Judge) -> None:
    found = told(judge, [[48, 2], [0, 0]])
    assert (found.status, found.needs) == ("provisional", {"fail": 14})
    assert found.reasons == (
        "TNR: there is no verdict on any of the failing items; about 14 more labelled fail would show it at this rate",
    )


@pytest.mark.parametrize("table", [[[2, 2], [2, 2]], [[5, 0], [5, 0]], [[0, 3], [1, 2]]])
def test_no_better_than_a_coin_is_refused_however_few_the_labels(judge: Judge, table: list[list[int]]) -> None:
    found = told(judge, table)
    assert found.status == "refused"
    assert any("no better than a coin" in reason for reason in found.reasons)


def test_items_without_a_verdict_refuse_it_above_two_per_cent(judge: Judge) -> None:
    assert told(judge, [[49, 0], [0, 49]], unread=2).status == "calibrated"
    found = told(judge, [[49, 0], [0, 49]], unread=3)
    assert found.status == "refused"
    assert found.reasons == ("3 of 101 items ended without a verdict, more than 2 %",)


def test_too_many_that_it_cannot_tell_leave_it_provisional(judge: Judge) -> None:
    assert told(judge, [[45, 0], [0, 45]], cannot_tell=10).status == "calibrated"
    found = told(judge, [[45, 0], [0, 44]], cannot_tell=11)
    assert (found.status, found.needs) == ("provisional", {})
    assert found.reasons == ("of 11 of 100 items the judge cannot tell, more than 10 %",)


def test_instructions_inside_the_text_may_move_it_by_two_points(judge: Judge) -> None:
    assert told(judge, [[50, 0], [0, 50]], probe("injection", 2, 100)).status == "calibrated"
    found = told(judge, [[50, 0], [0, 50]], probe("injection", 3, 100))
    assert found.status == "provisional"
    assert found.reasons == ("injection: 3 of 100 change; at most 2 % may",)


def test_a_judge_that_provably_obeys_instructions_inside_the_text_is_refused(judge: Judge) -> None:
    obeys = replace(probe("injection", 12, 100), flagged=True)
    assert told(judge, [[50, 0], [0, 50]], obeys).status == "refused"


@pytest.mark.parametrize("probes", [(), (Probe("injection", None, 0, "not run"),), (Probe("repeat", 0, 9, ""),)])
def test_nobody_knows_what_was_not_tried(judge: Judge, probes: tuple[Probe, ...]) -> None:
    found = decide(judge, figures_of(judge.scale, Counts(("pass", "fail"), ((50, 0), (0, 50)))), probes, looks=1)
    assert found.status == "provisional"
    assert all(("was not tried" in reason) or ("too few" in reason) for reason in found.reasons)
    assert len(found.reasons) == 3


@pytest.mark.parametrize("name", ["repeat", "rewording"])
def test_flips_leave_it_provisional_and_refuse_it_where_they_are_proven(judge: Judge, name: ProbeName) -> None:
    states = {n: told(judge, [[50, 0], [0, 50]], probe(name, n, 100)).status for n in (10, 11, 15, 16)}
    # 16 of 100 are more than 10 % with 95 % confidence, 15 are not: the binomial tail of 15 is .073, of 16 .040.
    assert states == {10: "calibrated", 11: "provisional", 15: "provisional", 16: "refused"}


PAIRS = [[25, 0, 0], [0, 0, 0], [0, 0, 25]]


def test_an_order_that_flips_pairs_counts_only_where_one_order_is_asked(tmp_path: Path) -> None:
    pairs = judge_in(tmp_path, kind="pairwise")
    swapped = replace(pairs, method=pairs.method.model_copy(update={"swap": True}))
    assert [told(pairs, PAIRS, probe("order", n, 100)).status for n in (10, 11, 16)] == [
        "calibrated",
        "provisional",
        "refused",
    ]
    assert told(swapped, PAIRS, probe("order", 25, 100)).status == "calibrated"  # a flip is a tie there


def test_a_judge_of_pairs_whose_order_was_not_tried_is_provisional(tmp_path: Path) -> None:
    found = told(judge_in(tmp_path, kind="pairwise"), PAIRS, Probe("order", None, 0, "not run"))
    assert (found.status, found.reasons) == ("provisional", ("order: whether verdicts flip was not tried",))


@pytest.mark.parametrize("name", ["injection", "repeat", "rewording"])
def test_a_probe_of_few_items_shows_nothing(judge: Judge, name: ProbeName) -> None:
    found = told(judge, [[50, 0], [0, 50]], probe(name, 0, 1))
    assert found.status == "provisional"
    assert found.reasons == (f"{name}: tried on 1 item, too few to show anything: 50 are needed (--probe-items)",)
    assert [told(judge, [[50, 0], [0, 50]], probe(name, 0, n)).status for n in (49, 50)] == [
        "provisional",
        "calibrated",
    ]


def test_of_a_small_test_nine_items_of_ten_are_enough(judge: Judge) -> None:
    small = [[20, 0], [0, 20]]
    assert [told(judge, small, probe("repeat", 0, n)).status for n in (35, 36)] == ["provisional", "calibrated"]


def test_what_few_items_prove_refuses_all_the_same(judge: Judge) -> None:
    assert told(judge, [[50, 0], [0, 50]], probe("repeat", 9, 9)).status == "refused"


@pytest.mark.parametrize("name", ["length", "own_family"])
def test_what_is_only_shown_decides_nothing(judge: Judge, name: ProbeName) -> None:
    assert told(judge, [[50, 0], [0, 50]], probe(name, 60, 100)).status == "calibrated"


def test_each_further_definition_on_the_same_labels_asks_for_more(judge: Judge) -> None:
    assert told(judge, [[14, 0], [0, 14]]).status == "calibrated"
    found = told(judge, [[14, 0], [0, 14]], looks=2)
    assert (found.status, found.confidence) == ("provisional", 0.975)
    assert "with 97.5 % confidence (95 % over 2 looks at these labels)" in found.reasons[0]


def test_effective_counts_say_so_and_need_as_many_more_items(judge: Judge) -> None:
    plain = told(judge, [[50, 0], [0.0, 12.5]], weighted=True, items=63)
    half = told(judge, [[50, 0], [0.0, 12.5]], weighted=True, items=125)
    assert "12.5 (effective) failing items" in plain.reasons[0]
    assert half.needs["fail"] > plain.needs["fail"]


GRADED = {"graded": {"min": 1, "max": 3}}


@pytest.mark.parametrize(
    ("kind", "table", "status", "said"),
    [
        ("pairwise", [[20, 0, 0], [0, 0, 0], [0, 0, 20]], "calibrated", "agreement 1.00 on 40 pairs: at least 0.92"),
        ("pairwise", [[9, 0, 1], [0, 0, 0], [1, 0, 9]], "provisional", "agreement 0.90 on 20 pairs: at least 0.71"),
        ("pairwise", [[12, 0, 8], [0, 0, 0], [8, 0, 12]], "refused", "24 of 40, at most 0.74"),
        ("pairwise", [[8, 0, 12], [0, 0, 0], [12, 0, 8]], "refused", "kappa -0.20 on 40 items: no better than chance"),
        ("pairwise", [[40, 0, 0], [0, 0, 0], [0, 0, 0]], "provisional", "who always says it would look the same"),
        ("pairwise", [[58, 0, 0], [0, 0, 0], [2, 0, 0]], "refused", "no better than chance"),
        (GRADED, [[20, 1, 0], [1, 20, 1], [0, 1, 20]], "calibrated", "weighted kappa 0.95 on 64 items: at least 0.78"),
        (GRADED, [[4, 1, 0], [1, 4, 0], [0, 0, 4]], "provisional", "below 0.6; about "),
        (GRADED, [[5, 9, 9], [9, 9, 9], [9, 9, 5]], "refused", "no better than chance"),
        (GRADED, [[0, 0, 0], [0, 9, 0], [0, 0, 0]], "provisional", "cannot be had: all are of one word"),
        (GRADED, [[0, 0, 0], [0, 0, 0], [0, 0, 0]], "provisional", "there is no verdict"),
        ({"choices": {"A": 1, "B": 0}}, [[20, 1], [1, 20]], "calibrated", "kappa 0.90 on 42 items: at least 0."),
    ],
)
def test_each_kind_has_its_own_bound(tmp_path: Path, kind: Any, table: list[list[int]], status: str, said: str) -> None:
    found = told(judge_in(tmp_path, kind=kind), table)
    assert found.status == status
    assert any(said in reason for reason in found.reasons), found.reasons


cells = st.integers(0, 40)


@settings(max_examples=60)
@given(cells, cells, cells, cells, st.integers(1, 3), st.booleans())
def test_more_right_verdicts_never_make_the_status_worse(
    judge: Judge, tp: int, fn: int, fp: int, tn: int, more: int, passing: bool
) -> None:
    before = told(judge, [[tp, fn], [fp, tn]])
    added = told(judge, [[tp + more * passing, fn], [fp, tn + more * (not passing)]])
    mended = told(judge, [[tp + min(more, fn), max(0, fn - more)], [fp, tn]])
    assert RANK[added.status] >= RANK[before.status]
    assert RANK[mended.status] >= RANK[before.status]


def _draws(rate: float, seeds: int, per_class: int) -> np.ndarray:
    return np.random.default_rng(11).binomial(per_class, rate, size=(seeds, 2))


def test_a_good_judge_with_two_hundred_balanced_labels_is_calibrated(judge: Judge) -> None:
    # Half of the labels are the test part: fifty a class. Exactly 93 times of 100.
    known: dict[tuple[int, int], str] = {}
    statuses = []
    for tp, tn in _draws(0.95, 500, 50).tolist():
        if (tp, tn) not in known:
            known[tp, tn] = told(judge, [[tp, 50 - tp], [50 - tn, tn]]).status
        statuses.append(known[tp, tn])
    assert statuses.count("calibrated") / 500 == pytest.approx(chance(50, 0.8, 0.95) ** 2, abs=0.03)
    assert statuses.count("calibrated") >= 0.8 * 500
    assert "refused" not in statuses


def test_the_best_of_fifty_coins_is_never_calibrated(judge: Judge) -> None:
    # Fifty definitions on the same 25 + 25 test labels, each counted as a look: the luckiest of all.
    for seed in range(40):
        right = np.random.default_rng(seed).binomial(25, 0.5, size=(50, 2))
        tp, tn = right[right.sum(axis=1).argmax()].tolist()
        assert told(judge, [[tp, 25 - tp], [25 - tn, tn]], looks=50).status != "calibrated"
