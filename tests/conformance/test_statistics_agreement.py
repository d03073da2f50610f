"""llmkit's agreement between raters and its annotator models against reference packages, case by case."""

import json
import os
from pathlib import Path

import pytest

from llmkit.stats.agreement.ac1 import counts_of_table, gwet
from llmkit.stats.agreement.alpha import krippendorff_alpha
from llmkit.stats.agreement.categories import categories_of, contingency, tally
from llmkit.stats.agreement.kappa import cohen_kappa, fleiss_kappa, randolph_kappa
from llmkit.stats.alt_test import alt_test
from llmkit.stats.annotators.answers import Answers
from llmkit.stats.annotators.dawid_skene import dawid_skene
from llmkit.stats.annotators.exam import exam
from llmkit.stats.annotators.majority import majority
from llmkit.stats.annotators.wawa import wawa

FOLDER = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors"))
JUDGING = FOLDER.parent / "data/judging"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no conformance vectors: set LLMKIT_VECTORS")


def cases(name):
    path = FOLDER / "statistics" / name
    found = json.loads(path.read_text())["cases"] if path.is_file() else []
    return [pytest.param(case, id=case["id"]) for case in found]


def assert_close(case, **computed):
    """Every number that the case expects, and no other."""
    assert computed.keys() == case["expected"].keys()
    for name, value in computed.items():
        assert value == pytest.approx(case["expected"][name], abs=case["tolerance"], rel=0), name


def cohen(case):
    given = case["inputs"]
    scale = given.get("labels") or categories_of(given["a"] + given["b"])
    table = contingency(given["a"], given["b"], scale)
    assert_close(case, kappa=cohen_kappa(table, given.get("weights") or "identity").value)


def cohen_with_interval(case):
    found = cohen_kappa(case["inputs"]["table"], confidence=1 - case["inputs"]["alpha"])
    assert_close(
        case,
        kappa=found.value,
        se=found.se,
        se0=found.se0,
        low=found.interval.low,
        high=found.interval.high,
        max_kappa=found.most,
        z=found.z,
    )


KAPPAS = {
    "cohen_kappa": cohen,
    "cohen_kappa_ci": cohen_with_interval,
    "fleiss_kappa": lambda case: assert_close(case, kappa=fleiss_kappa(case["inputs"]["counts"])),
    "randolph_free_marginal": lambda case: assert_close(case, kappa=randolph_kappa(case["inputs"]["counts"])),
}


@pytest.mark.parametrize("case", cases("kappa.json"))
def test_kappa(case):
    KAPPAS[case["method"]](case)


@pytest.mark.parametrize("case", cases("alpha.json"))
def test_krippendorffs_alpha(case):
    by_item = list(zip(*case["inputs"]["raters_by_items"], strict=True))
    scale = categories_of(rating for row in by_item for rating in row)
    assert_close(case, alpha=krippendorff_alpha(tally(by_item, scale), case["inputs"]["level"], scores=scale))


@pytest.mark.parametrize("case", cases("ac1.json"))
def test_gwets_coefficients(case):
    given = case["inputs"]
    if "table" in given:
        found = gwet(counts_of_table(given["table"]))
        assert_close(case, coef=found.value, pa=found.observed, pe=found.expected)
        return
    ratings = given["items_by_raters"]
    scale = categories_of(rating for row in ratings for rating in row)
    found = gwet(tally(ratings, scale), given["weights"])
    assert_close(
        case,
        coef=found.value,
        pa=found.observed,
        pe=found.expected,
        se=found.se,
        ci=[found.interval.low, found.interval.high],
        p=found.p_value,
    )


def named(answers, places):
    return {item: answers.labels[place] for item, place in zip(answers.items, places, strict=True)}


def table(names, rows, columns):
    return {name: dict(zip(map(str, columns), row, strict=True)) for name, row in zip(names, rows, strict=True)}


def aggregated(case):
    given = case["inputs"]
    answers = Answers.of(given["annotations"])
    found, voted = dawid_skene(answers, rounds=given["n_iter"], tolerance=given["tol"]), majority(answers)
    errors = {  # one row an annotator and answer, over the true labels, of those answers that the annotator gave
        f"{annotator}|{label}": dict(zip(map(str, answers.labels), found.confusion[a, :, place], strict=True))
        for a, annotator in enumerate(answers.annotators)
        for place, label in enumerate(answers.labels)
        if ((answers.annotator == a) & (answers.label == place)).any()
    }
    expected = case["expected"]
    close = {"abs": case["tolerance"], "rel": 0}
    probas = table(answers.items, found.posterior, answers.labels)
    assert named(answers, found.label) == expected["labels"]
    assert named(answers, voted.label) == expected["majority"]
    assert probas.keys() == expected["probas"].keys()
    assert all(probas[item] == pytest.approx(row, **close) for item, row in expected["probas"].items())
    assert errors.keys() == expected["errors"].keys()
    assert all(errors[key] == pytest.approx(row, **close) for key, row in expected["errors"].items())
    assert dict(zip(map(str, answers.labels), found.prior, strict=True)) == pytest.approx(expected["priors"], **close)
    skills = dict(zip(answers.annotators, wawa(answers).skills, strict=True))
    assert skills == pytest.approx(expected["wawa_skills"], **close)


def examined(case):
    given = case["inputs"]
    (found,) = exam([given["correct"]], [given["n"]], given["required"])
    assert found.flagged
    assert_close(case, p_value=found.p_value, clopper_upper_95=found.upper)


ANNOTATORS = {"dawid_skene": aggregated, "exam_binomial": examined}


@pytest.mark.parametrize("case", cases("annotators.json"))
def test_annotators(case):
    ANNOTATORS[case["method"]](case)


@pytest.mark.parametrize("case", cases("alt_test.json"))
def test_the_alternative_annotator_test(case):
    given = case["inputs"]
    path = JUDGING / Path(given["file"]).name
    if not path.is_file():
        pytest.skip(f"no {path.name} in data/judging beside the vectors")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = rows[:100] if given["rows"] == "first100" else rows
    people = [list(row["annotations"].values()) for row in rows]
    verdicts = [row["judges"][given["judge"]] for row in rows]
    wrong = -1  # no person says so
    judge = [verdict if verdict in (0, 1, 2) else wrong for verdict in verdicts]
    found = alt_test(judge, people, epsilon=given["epsilon"], score=given["score"], fdr=given["q_fdr"])
    assert_close(case, winning_rate=found.winning_rate, average_advantage_probability=found.advantage)


def test_every_case_has_a_method_that_is_run():
    methods = {name: {case.values[0]["method"] for case in cases(name)} for name in ("kappa.json", "annotators.json")}
    assert methods == {"kappa.json": KAPPAS.keys(), "annotators.json": ANNOTATORS.keys()}
    assert {case.values[0]["method"] for case in cases("alpha.json")} == {"krippendorff_alpha"}
    assert {case.values[0]["method"] for case in cases("ac1.json")} == {"gwet_ac1", "gwet_ac2"}
    assert {case.values[0]["method"] for case in cases("alt_test.json")} == {"alt_test"}
