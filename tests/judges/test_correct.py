"""What stands behind a judged rate: the estimator that the labels allow, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmkit.judgements import Counts, Verdict
from llmkit.judges.correct import confusion_of, judged
from llmkit.judges.figures import counts_of
from llmkit.judges.judge import Judge
from llmkit.judges.lock import Chosen, Lock
from llmkit.judges.split import divide
from llmkit.stats.confusion import Confusion
from llmkit.stats.correction import lang_reiczigel, post_stratified, post_stratified_mean
from llmkit.types import Judged
from tests.judges.labelling import judge_in, label_set, labelled

HERE = "a" * 64
TEST = Counts(("pass", "fail"), ((90, 10), (5, 45)), cannot_tell=1)
CELLS = Confusion(tp=90, fn=10, fp=5, tn=45)


def locked(folder: Path, *, kind: Any = "pass_fail", stated: str | None = "run:r1", **changed: Any) -> Judge:
    lock = Lock(
        judge="relevance",
        status="calibrated",
        reasons=("as required",),
        chosen=Chosen("scripted/judge", {}, "relevance.prompty", {}),
        definition="d" * 64,
        files={},
        verdict_schema="s" * 64,
        parser=1,
        served=None,
        identity={},
        split={},
        folds=0,
        seed=0,
        test=TEST,
        dev=None,
        confidence=0.95,
        looks=("d" * 64,),
        sampling="random",
        population=HERE,
        estimator="post-stratified",
        id="0123456789ab",
    )
    return replace(judge_in(folder, kind=kind, population=stated), lock=replace(lock, **changed))


def told(judge: Judge, status: Any = "calibrated", **changed: Any) -> Judged:
    given: dict[str, Any] = {"passed": 700, "n": 1000, "counts": {"pass": 700, "fail": 300}, "population": None}
    return judged(judge, status, **(given | changed))


def test_another_run_is_corrected_by_the_judges_own_errors_and_says_what_that_assumes(tmp_path: Path) -> None:
    found, expected = told(locked(tmp_path), cannot_tell=3, unread=2), lang_reiczigel(CELLS, 700, 1000)
    assert (found.judge, found.status, found.lock) == ("relevance", "calibrated", "0123456789ab")
    assert (found.rate, found.interval, found.estimator) == (expected.value, expected.interval, "lang-reiczigel")
    assert "assumes that the judge errs" in found.why
    assert (found.cannot_tell, found.unread) == (3, 2)


def test_the_labelled_population_is_post_stratified_each_item_counted_once(tmp_path: Path) -> None:
    """95 of the 150 labelled items passed: they are among the thousand, and are not counted beside themselves."""
    found, expected = told(locked(tmp_path), population=HERE), post_stratified(CELLS, 700 - 95, 1000 - 150)
    assert found.estimator == "post-stratified"
    assert found.rate == pytest.approx(expected.value)
    assert found.interval is not None
    assert expected.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.interval.low, expected.interval.high))


def test_where_all_is_labelled_the_labels_alone_say_it(tmp_path: Path) -> None:
    found = told(locked(tmp_path), passed=95, n=150, counts={"pass": 95, "fail": 55}, population=HERE)
    assert found.rate == pytest.approx(100 / 150, abs=0.01)


def test_a_run_whose_items_are_fewer_independent_ones_has_a_wider_interval(tmp_path: Path) -> None:
    judge = locked(tmp_path)
    plain, clustered = told(judge).interval, told(judge, passed=70, n=100).interval
    assert plain is not None
    assert clustered is not None
    assert clustered.high - clustered.low > plain.high - plain.low


def test_enriched_labels_never_post_stratify(tmp_path: Path) -> None:
    found = told(locked(tmp_path, sampling="enriched"), population=HERE)
    assert found.estimator == "lang-reiczigel"
    assert found.why.startswith("enriched labels")


def test_effective_counts_take_off_as_many_items_as_were_labelled(tmp_path: Path) -> None:
    half = Counts(("pass", "fail"), ((45, 5), (2.5, 22.5)), cannot_tell=1, weighted=True, items=151)
    found = told(locked(tmp_path, test=half), population=HERE)
    cells = Confusion(45, 5, 2.5, 22.5)
    assert found.rate == pytest.approx(post_stratified(cells, 700 - 95, 1000 - 150).value)


def test_a_population_is_corrected_by_items_as_they_were_drawn(tmp_path: Path) -> None:
    """Effective counts of each class say nothing of how frequent it is."""
    copied = Counts(
        ("pass", "fail"), ((9, 1), (5, 45)), cannot_tell=1, weighted=True, items=151, drawn=((90, 10), (5, 45))
    )
    plain, found = told(locked(tmp_path), population=HERE), told(locked(tmp_path, test=copied), population=HERE)
    assert (found.rate, found.interval) == (plain.rate, plain.interval)
    elsewhere = told(locked(tmp_path, test=copied))
    assert elsewhere.rate == lang_reiczigel(Confusion(9, 1, 5, 45), 700, 1000).value


def test_items_without_a_verdict_are_a_stratum_of_the_labelled_population(tmp_path: Path) -> None:
    """Of those that it cannot tell people fail all: a rate of the others alone would be too high."""
    silent = replace(TEST, cannot_tell=12, unread=3, cannot_tell_of=(0, 12), unread_of=(1, 2))
    given: dict[str, Any] = {"cannot_tell": 80, "unread": 20, "population": HERE}
    found = told(locked(tmp_path, test=silent), **given)
    table, others = [[90, 10, 1], [5, 45, 14]], [700 - 95, 300 - 55, 100 - 15]
    assert found.rate == pytest.approx(post_stratified_mean(table, [1, 0], others).value)
    of_the_rest = told(locked(tmp_path, test=silent), population=HERE).rate
    assert of_the_rest is not None
    assert found.rate is not None
    assert found.rate < of_the_rest - 0.04
    assert "verdict" not in found.why


def test_a_mean_is_of_all_items_too(tmp_path: Path) -> None:
    silent = replace(GRADES, unread=2, unread_of=(0, 2, 0))
    judge = locked(tmp_path, kind={"graded": {"min": 1, "max": 3}}, test=silent)
    found = told(judge, counts={"1": 113, "2": 226, "3": 335}, unread=12, population=HERE)
    table = [[10, 2, 0, 0], [3, 20, 5, 2], [0, 4, 30, 0]]
    assert found.rate == pytest.approx(post_stratified_mean(table, [1, 2, 3], [100, 200, 300, 10]).value)


@pytest.mark.parametrize(
    ("population", "test"),
    [(None, replace(TEST, cannot_tell_of=(1, 0))), (HERE, TEST)],
    ids=["another run", "a lock that does not keep their labels"],
)
def test_elsewhere_a_rate_says_how_many_items_it_is_of(tmp_path: Path, population: str | None, test: Counts) -> None:
    found = told(locked(tmp_path, test=test), population=population, cannot_tell=30)
    assert found.why.startswith("of the 1,000 with a verdict: ")
    assert not told(locked(tmp_path, test=test), population=population).why.startswith("of the")


@pytest.mark.parametrize("abstains", [(0.0, 0.24), (0.1, 0.0)])
def test_abstentions_that_tell_something_do_not_spoil_the_coverage(
    tmp_path: Path, abstains: tuple[float, float]
) -> None:
    """Rate .6, right 95 times of 100; no verdict on 24 % of what fails, or on 10 % of what passes."""
    judge, random, held = locked(tmp_path), np.random.default_rng(1), []
    passing = (1 - abstains[0]) * np.array([0.95, 0.05]), abstains[0]
    failing = (1 - abstains[1]) * np.array([0.05, 0.95]), abstains[1]
    shares = np.array([*(0.6 * passing[0]), 0.6 * passing[1], *(0.4 * failing[0]), 0.4 * failing[1]])
    for _ in range(150):
        (tp, fn, left, fp, tn, out), rest = (random.multinomial(n, shares) for n in (200, 1800))
        test = Counts(("pass", "fail"), ((tp, fn), (fp, tn)), int(left + out), cannot_tell_of=(int(left), int(out)))
        passed, failed = tp + fp + rest[0] + rest[3], fn + tn + rest[1] + rest[4]
        silent = int(left + out + rest[2] + rest[5])
        truth = (tp + fn + left + rest[:3].sum()) / 2000
        one = replace(judge, lock=replace(judge.lock, test=test))  # type: ignore[type-var]
        found = told(
            one, passed=passed, n=passed + failed, counts={"pass": passed, "fail": failed},
            cannot_tell=min(silent, 190), unread=max(0, silent - 190), population=HERE,
        ).interval  # fmt: skip
        assert found is not None
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.94


def test_random_labels_of_a_population_that_repeats_itself_say_its_rate(tmp_path: Path) -> None:
    """Half of it is one greeting, judged right; of the others half pass, and the judge is right 8 times of 10."""
    judge, off, held = locked(tmp_path), [], []
    for seed in range(30):
        random = np.random.default_rng(seed)
        same, coin, right = random.random(2000) < 0.5, random.random(2000) < 0.5, random.random(2000) < 0.8
        truth, said = same | coin, np.where(same, True, coin == right)
        word = np.array(["fail", "pass"])
        labels = label_set(
            labelled(f"{n}", str(word[int(truth[n])]), input="hi" if same[n] else f"question {n}", answer="Hello!")
            for n in random.choice(2000, 100, replace=False)
        )
        division = divide(labels, few_shot=0, dev=True, test=0.5, seed=0)
        places = [int(id) for id in division.test]
        test = counts_of(
            judge.scale,
            [str(word[int(truth[n])]) for n in places],
            [Verdict("verdict", str(word[int(said[n])])) for n in places],
            groups=[division.group[id] for id in division.test],
            drawn=[None] * len(places),
        )
        one = replace(judge, lock=replace(judge.lock, test=test))  # type: ignore[type-var]
        passed = int(said.sum())
        found = told(one, passed=passed, n=2000, counts={"pass": passed, "fail": 2000 - passed}, population=HERE)
        assert found.rate is not None and found.interval is not None
        off.append(found.rate - truth.mean())
        held.append(found.interval.low <= truth.mean() <= found.interval.high)
    assert abs(np.mean(off)) < 0.02
    assert np.mean(held) >= 0.9


@pytest.mark.parametrize(
    ("status", "changed", "why"),
    [
        ("uncalibrated", {}, "never measured against people: llmkit judge calibrate relevance"),
        ("refused", {"reasons": ("TPR 0.40 + TNR 0.50 ≤ 1",)}, "the judge was refused: TPR 0.40 + TNR 0.50 ≤ 1"),
        ("stale", {}, "not as it was measured: llmkit judge check relevance"),
        ("calibrated", {"sampling": None}, "labels.sampling in relevance.yaml"),
        ("calibrated", {"population": None, "stated": None}, "labels.population in relevance.yaml"),
        ("calibrated", {"test": Counts(("pass", "fail"), ((0, 0), (0, 0)), 4)}, "no labelled item of the test part"),
        ("calibrated", {"test": Counts(("pass", "fail"), ((9, 1), (0, 0)))}, "no labelled item fails"),
    ],
)
def test_there_is_no_corrected_rate_and_why(status: Any, changed: dict[str, Any], why: str, tmp_path: Path) -> None:
    found = told(locked(tmp_path, **changed), status)
    assert (found.rate, found.interval, found.estimator) == (None, None, None)
    assert why in found.why
    assert found.status == status


def test_a_judge_without_a_lock_has_none(tmp_path: Path) -> None:
    found = told(judge_in(tmp_path), "uncalibrated")
    assert (found.lock, found.rate) == (None, None)


def test_a_provisional_judge_has_one_with_its_word(tmp_path: Path) -> None:
    found = told(locked(tmp_path), "provisional")
    assert found.status == "provisional"
    assert found.rate is not None


def test_a_population_in_words_is_stated_but_never_the_same(tmp_path: Path) -> None:
    found = told(locked(tmp_path, population=None, stated="data:traffic in May"), population=HERE)
    assert found.estimator == "lang-reiczigel"


def test_no_verdict_has_no_rate(tmp_path: Path) -> None:
    found = told(locked(tmp_path), passed=0, n=0, counts={})
    assert (found.rate, found.why) == (None, "there is no verdict")


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ({"unread": 21}, "21 of 1,021 answers ended without a verdict, more than 2 %"),
        ({"cannot_tell": 112}, "of 112 of 1,112 answers the judge cannot tell, more than 10 %"),
        ({"unread": 1000, "cannot_tell": 1000}, "more than 2 %; of 1,000 of 3,000 answers the judge cannot tell"),
    ],
)
def test_more_without_a_verdict_than_may_be_have_no_rate(missing: dict[str, int], why: str, tmp_path: Path) -> None:
    """Who has no verdict need not be like the rest: at two answers of a hundred the rest speak for all."""
    judge = locked(tmp_path)
    for population in (HERE, None):
        found = told(judge, population=population, **missing)
        assert (found.rate, found.interval, found.estimator) == (None, None, None)
        assert why in found.why
    assert told(judge, unread=20, cannot_tell=112 - 1).rate is not None
    assert "was refused" in told(judge, "refused", unread=1000).why, "what no count would mend is said first"


GRADES = Counts(("1", "2", "3"), ((10, 2, 0), (3, 20, 5), (0, 4, 30)))


def test_a_mean_is_corrected_on_the_labelled_population_alone(tmp_path: Path) -> None:
    judge = locked(tmp_path, kind={"graded": {"min": 1, "max": 3}}, test=GRADES)
    counts = {"1": 113, "2": 226, "3": 335}
    here, elsewhere = (told(judge, counts=counts, population=p) for p in (HERE, "b" * 64))
    expected = post_stratified_mean(GRADES.table, [1, 2, 3], [100, 200, 300])
    assert here.estimator == "post-stratified"
    assert here.rate == pytest.approx(expected.value)
    assert elsewhere.rate is None
    assert "graded judge can be corrected only on the very items" in elsewhere.why


def test_a_win_rate_is_a_mean_of_preferences(tmp_path: Path) -> None:
    table = Counts(("a", "tie", "b"), ((30, 2, 3), (2, 5, 2), (4, 1, 20)))
    found = told(locked(tmp_path, kind="pairwise", test=table), counts={"a": 136, "tie": 8, "b": 25}, population=HERE)
    assert found.rate == pytest.approx(post_stratified_mean(table.table, [1, 0.5, 0], [100, 0, 0]).value)


def test_the_four_cells_are_read_by_their_words() -> None:
    assert confusion_of(Counts(("fail", "pass"), ((45, 5), (10, 90)))) == CELLS
    with pytest.raises(ValueError, match="not of a, tie, b"):
        confusion_of(Counts(("a", "tie", "b"), ((1, 0, 0), (0, 1, 0), (0, 0, 1))))
