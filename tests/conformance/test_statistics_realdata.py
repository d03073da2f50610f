"""Whole reports over real judges' and people's answers, case by case: every figure through llmkit's own functions."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from llmkit.stats.agreement.alpha import krippendorff_alpha
from llmkit.stats.agreement.categories import contingency, tally
from llmkit.stats.agreement.kappa import cohen_kappa
from llmkit.stats.annotators.answers import Answers
from llmkit.stats.annotators.dawid_skene import dawid_skene
from llmkit.stats.annotators.exam import exam
from llmkit.stats.annotators.majority import concord, majority
from llmkit.stats.mcnemar import mcnemar_exact
from llmkit.stats.proportion import wilson

FOLDER = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors"))
JUDGING = FOLDER.parent / "data/judging"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no conformance vectors: set LLMKIT_VECTORS")


def cases(method=None):
    path = FOLDER / "statistics/realdata.json"
    found = json.loads(path.read_text())["cases"] if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found if method in (None, case["method"])]


def rows_of(case):
    path = JUDGING / Path(case["inputs"]["file"]).name
    if not path.is_file():
        pytest.skip(f"no {path.name} in data/judging beside the vectors")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def assert_close(case, **computed):
    """Every number that the case expects, and no other."""
    assert computed.keys() == case["expected"].keys()
    for name, value in computed.items():
        assert value == pytest.approx(case["expected"][name], abs=case["tolerance"], rel=0), name


def ends(interval):
    return [interval.low, interval.high]


@pytest.mark.parametrize("case", cases("pairwise_judge_report"))
def test_a_judge_of_pairs_in_both_orders(case):
    """Verdicts are in words of the outputs, whichever came first; a flip of 1, then 2 is one toward the first place."""
    given, rows = case["inputs"], rows_of(case)
    rows = [row for row in rows if given["subset"] in ("ALL", row["subset"])]
    read = [(row["gold"], *map(int, row["judges"][given["judge"]])) for row in rows if _parsed(row, given["judge"])]
    gold, first, second = (np.array(column) for column in zip(*read, strict=True))
    n, right = len(read), [int((verdict == gold).sum()) for verdict in (first, second)]
    flips = first != second
    flipped, toward_first = int(flips.sum()), int((flips & (first == 1)).sum())
    kept = ~flips
    assert_close(
        case,
        n=n,
        unparsed=len(rows) - n,
        correct_order1=right[0],
        correct_order2=right[1],
        acc_order1=right[0] / n,
        wilson=ends(wilson(right[0], n)),
        avg_acc=sum(right) / (2 * n),
        kappa_order1=cohen_kappa(contingency(first.tolist(), gold.tolist(), [1, 2])).value,
        flips=flipped,
        flip_rate=flipped / n,
        flip_wilson=ends(wilson(flipped, n)),
        first_pos=toward_first,
        position_p=mcnemar_exact(toward_first, flipped - toward_first),
        consistent_n=int(kept.sum()),
        consistent_acc=float((first == gold)[kept].mean()),
    )


def _parsed(row, judge):
    return all(verdict in ("1", "2") for verdict in row["judges"][judge])


@pytest.mark.parametrize("case", cases("judge_vs_majority"))
def test_a_judge_against_the_majority_of_people(case):
    rows = rows_of(case)
    answers = three_people(rows)
    voted = majority(answers)
    said = {item: answers.labels[place] for item, place in zip(answers.items, voted.label, strict=True)}
    tied = {item for item, is_tied in zip(answers.items, voted.tied, strict=True) if is_tied}
    pairs = [(row["judges"][case["inputs"]["judge"]], said[row["id"]]) for row in rows if row["id"] not in tied]
    judge, people = zip(*[pair for pair in pairs if pair[0] in (0, 1, 2)], strict=True)
    agree = sum(a == b for a, b in zip(judge, people, strict=True))
    assert_close(
        case,
        n=len(judge),
        agree=agree,
        acc=agree / len(judge),
        wilson=ends(wilson(agree, len(judge))),
        kappa=cohen_kappa(contingency(judge, people, range(3))).value,
    )


ALONE = ("dawid_skene", "leave_one_out_human", "annotator_gold_accuracy", "krippendorff_nominal_123x350")
"""Methods with one case each."""


def one(method):
    """The case of a method that has one, and the rows of its file."""
    found = cases(method)
    if not found:
        pytest.skip(f"no case of {method} in realdata.json")
    return found[0].values[0], rows_of(found[0].values[0])


def three_people(rows):
    return Answers.of((row["id"], who, label) for row in rows for who, label in row["annotations"].items())


def test_dawid_and_skene_on_real_labels():
    """The reference stops after 5 rounds: its bound counts the prior once an answer, so that it seems to fall then.

    With as many rounds all is the same to 1e-6; llmkit goes on until nothing moves, and no label changes.
    """
    case, rows = one("dawid_skene")
    answers = three_people(rows)
    as_far, to_the_end = dawid_skene(answers, rounds=5), dawid_skene(answers, rounds=case["inputs"]["n_iter"])
    expected = [case["expected"]["priors"][str(label)] for label in answers.labels]
    assert as_far.prior == pytest.approx(expected, abs=case["tolerance"], rel=0)
    assert to_the_end.prior == pytest.approx(expected, abs=3e-6, rel=0)
    assert to_the_end.converged
    assert to_the_end.log_likelihood > as_far.log_likelihood
    voted = majority(answers)
    assert (voted.label != to_the_end.label).sum() == case["expected"]["n_differs_from_strict_majority"]
    assert voted.tied.sum() == case["expected"]["n_no_majority"]


def test_how_often_people_meet_the_others_majority():
    case, rows = one("leave_one_out_human")
    assert np.array(concord(three_people(rows))).T.tolist() == case["expected"]["per_annotator"]


def test_how_far_three_people_agree():
    """PandaLM's kappas between its three people, and their alpha."""
    _, rows = one("leave_one_out_human")
    ratings = [list(row["annotations"].values()) for row in rows]
    pairs = itertools.combinations(zip(*ratings, strict=True), 2)
    kappas = [cohen_kappa(contingency(first, second, range(3))).value for first, second in pairs]
    assert [round(kappa, 3) for kappa in kappas] == [0.852, 0.879, 0.862]
    assert round(krippendorff_alpha(tally(ratings, range(3))), 3) == 0.864


def test_an_exam_of_real_workers():
    case, rows = one("annotator_gold_accuracy")
    expected = case["expected"]["workers"]
    right = {who: sum(row["label"] == row["gold"] for row in rows if row["worker"] == who) for who in expected}
    answered = {who: sum(row["worker"] == who for row in rows) for who in expected}
    overall = sum(right.values()) / len(rows)
    assert overall == pytest.approx(case["expected"]["overall"], abs=case["tolerance"])
    results = dict(zip(expected, exam([*right.values()], [*answered.values()], overall), strict=True))
    for who, found in results.items():
        assert (found.correct, found.answered) == (expected[who]["correct"], expected[who]["n"])
        computed = [found.accuracy, found.p_value, found.interval.low, found.interval.high]
        wanted = [expected[who]["acc"], expected[who]["p_below_overall"], *expected[who]["wilson"]]
        assert computed == pytest.approx(wanted, abs=case["tolerance"], rel=0)
    assert [who for who, found in results.items() if found.flagged] == ["w27"]


def test_alpha_of_123_people_and_their_majority_against_an_expert():
    case, rows = one("krippendorff_nominal_123x350")
    scale = list(case["inputs"]["map"])
    answers = Answers.of((row["id"], place, said) for row in rows for place, said in enumerate(row["crowd"]))
    voted = majority(answers)
    assert answers.items == tuple(row["id"] for row in rows)
    assert voted.tied.sum() == 2  # the reference takes the tied answer that came first
    firsts = [max(dict.fromkeys(row["crowd"]), key=row["crowd"].count) for row in rows]
    labels = [answers.labels[place] for place in voted.label]
    crowd = np.where(voted.tied, firsts, labels).tolist()
    expert = [row["expert"] for row in rows]
    assert_close(
        case,
        alpha=krippendorff_alpha(tally([row["crowd"] for row in rows], scale)),
        majority_vs_expert_agree=sum(a == b for a, b in zip(crowd, expert, strict=True)),
        n=len(rows),
        kappa=cohen_kappa(contingency(crowd, expert, scale)).value,
    )


def test_every_case_is_run():
    """And each file with them: a skipped one would be none."""
    run = {"pairwise_judge_report", "judge_vs_majority", *ALONE}
    found = [param.values[0] for param in cases()]
    assert {case["method"] for case in found} == run
    assert all(len(cases(method)) == 1 for method in ALONE)
