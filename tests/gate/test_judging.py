"""Which judges may decide, and what is said of those that may not."""

from dataclasses import replace

import pytest

from llmkit.gate.judging import deciding, refused
from llmkit.judgements import Counts
from llmkit.judges.kinds import Scale
from llmkit.judges.scorer import JudgeScorer
from llmkit.scoring import parse
from llmkit.suites.gating import Gating, shrink_of
from tests.gate.judged import lock_of
from tests.judges.labelling import judge_in, write_items, write_labels


@pytest.fixture
def judge(tmp_path):
    write_items(tmp_path, ["a", "b"])
    found = judge_in(tmp_path, sampling="random", population="last week's replies")
    write_labels(tmp_path, {"id": "a", "label": "pass"}, {"id": "b", "label": "fail"})
    found.path.write_text("version: 1\n")
    return replace(found, lock=lock_of(found))


def gating(judge, **more):
    scorer = JudgeScorer(judge, **more)
    return Gating(scorer.name, "score", 0.1, True, scorer)


def why(judge):
    found = refused(deciding([gating(judge)]))
    return found[0].reason if found else None


def locked(judge, **changed):
    return replace(judge, lock=replace(judge.lock, **changed))


def test_a_judge_that_passes_its_check_may_decide(judge):
    (one,) = deciding([gating(judge), Gating("cost", "cost", 0.1)]).values()
    assert one.refused is None
    behind = one.verdict()
    assert (behind.status, behind.lock, behind.youden) == ("calibrated", judge.lock.id, pytest.approx(0.8))
    assert (behind.tpr.value, behind.tpr.n) == (0.9, 100)


def test_scores_that_are_computed_have_no_judge():
    exact = parse("exact_match", "test")
    assert deciding([Gating("exact_match", "score", 0.1, True, exact), Gating("failures", "failures", 0.1)]) == {}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "provisional", "reasons": ("12 more labels that fail",)}, "is provisional: 12 more labels that"),
        ({"status": "refused", "reasons": ("TPR is provably below 0.8",)}, "is refused: TPR is provably below 0.8"),
        ({"status": "refused"}, "the judge relevance is refused"),
        ({"created": "2020-01-01"}, "is stale: created: "),
        ({"sampling": None}, "cannot be corrected: how the labelled items were sampled is not stated"),
        ({"parser": 999}, "is stale: parser: version 999"),
        ({"definition": "0" * 64}, "is stale: definition: "),
        ({"test": Counts(("pass", "fail"), ((3, 1), (1, 3)))}, "is stale: status: it says calibrated, its counts"),
        ({"test": Counts(("pass", "fail"), ((9, 1), (0, 0)))}, "is stale: status: it says calibrated, its counts"),
    ],
)
def test_a_lock_that_does_not_hold_says_which_of_it(judge, changed, said):
    assert said in why(locked(judge, **changed))


def test_a_judge_that_must_show_little_may_have_too_few_labels_for_a_gate(judge):
    accept = judge.spec.accept.model_copy(update={"tpr_lower": 0.2, "tnr_lower": 0.2})
    lenient = replace(judge, spec=judge.spec.model_copy(update={"accept": accept}))
    said = why(locked(lenient, test=Counts(("pass", "fail"), ((3, 1), (1, 3)))))
    assert "has too few labels for a gate" in said


def test_a_judge_without_a_lock_is_uncalibrated(judge):
    said = why(replace(judge, lock=None))
    assert said == "the judge relevance is uncalibrated: it has no lock (llmkit judge calibrate relevance)"


@pytest.mark.parametrize("kind", ["graded", "choices", "pairwise"])
def test_there_is_no_corrected_difference_of_other_kinds(judge, kind):
    said = why(replace(judge, scale=Scale(kind, {"1": 1.0, "2": 2.0})))
    assert f"is of kind {kind}: a gate decides on a corrected difference" in said


def test_one_judge_may_give_two_metrics(judge):
    found = deciding([gating(judge), gating(judge, name="again")])
    assert list(found) == ["relevance", "again"]


def test_a_difference_shrinks_by_youden_and_by_what_its_labels_leave_open(judge):
    many = locked(judge, test=Counts(("pass", "fail"), ((9000, 1000), (1000, 9000))))
    assert shrink_of(judge) < shrink_of(many) < 0.8
    assert shrink_of(many) == pytest.approx(0.8, abs=0.001)


def test_nothing_shrinks_without_a_judge_or_its_lock(judge):
    assert shrink_of(None) == shrink_of(replace(judge, lock=None)) == 1
