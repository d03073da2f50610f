"""People's labels of real data, read from label files, give the published figures."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmkit.judges.judge import Judge
from llmkit.judges.labels import LabelSet, read_labels
from llmkit.judges.people import agreement, annotators, ceiling, consensus
from tests.judges.labelling import judge_in, write

FOLDER = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors"))
JUDGING = FOLDER.parent / "data/judging"

pytestmark = pytest.mark.skipif(not JUDGING.is_dir(), reason="no conformance data: set LLMKIT_VECTORS")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (JUDGING / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def expected(case: str) -> dict[str, Any]:
    cases = json.loads((FOLDER / "statistics/realdata.json").read_text())["cases"]
    found: dict[str, Any] = next(each["expected"] for each in cases if each["id"] == case)
    return found


def on_disk(
    folder: Path, kind: Any, items: list[dict[str, Any]], labels: list[dict[str, Any]]
) -> tuple[LabelSet, Judge]:
    judge = judge_in(folder, kind=kind)
    write(folder / "items.jsonl", items)
    write(folder / "labels.jsonl", labels)
    return read_labels(judge), judge


@pytest.fixture(scope="module")
def pandalm(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelSet, Judge]:
    found = rows("pandalm_pairwise_3annotators")
    word = {0: "tie", 1: "a", 2: "b"}
    return on_disk(
        tmp_path_factory.mktemp("pandalm"),
        "pairwise",
        [
            {"id": r["id"], "input": r["instruction"], "a": str(r["response_1"]), "b": str(r["response_2"])}
            for r in found
        ],
        [
            {"id": r["id"], "label": word[said], "annotator": name}
            for r in found
            for name, said in r["annotations"].items()
        ],
    )


def test_three_people_on_pandalm_agree_as_published(pandalm: tuple[LabelSet, Judge]) -> None:
    found = agreement(*pandalm)
    assert {pair: round(rate.value or 0, 3) for pair, rate in found.kappas.items()} == {
        ("a1", "a2"): 0.852,
        ("a1", "a3"): 0.879,
        ("a2", "a3"): 0.862,
    }
    assert found.alpha is not None
    assert found.alpha.value == pytest.approx(0.864, abs=5e-4)
    assert found.alpha.interval is not None
    assert found.alpha.interval.low < 0.864 < found.alpha.interval.high
    assert found.fleiss is not None
    assert found.fleiss.interval is not None


def test_the_human_ceiling_on_pandalm(pandalm: tuple[LabelSet, Judge]) -> None:
    per = expected("pandalm_human_ceiling")["per_annotator"]
    people = {one.name: one.agreement for one in annotators(*pandalm)}
    found = [people[name] for name in ("a1", "a2", "a3")]
    assert [[round(rate.value * rate.n), rate.n] for rate in found if rate and rate.value] == per
    top = ceiling(*pandalm)
    assert top is not None
    assert top.value == pytest.approx(sum(k for k, _ in per) / sum(n for _, n in per))


def test_dawid_and_skene_on_pandalm_say_what_the_majority_says(pandalm: tuple[LabelSet, Judge]) -> None:
    want = expected("pandalm_ds")
    found = agreement(*pandalm)
    assert len(found.differing) == want["n_differs_from_strict_majority"]
    assert all(one.probability > 0.5 for one in consensus(*pandalm).values())


def test_on_bbq_only_one_worker_is_flagged(tmp_path: Path) -> None:
    found = rows("bbq_round1_workers_gold")
    name = {id(r): f"{r['round']} {r['item']}" for r in found}
    gold = {name[id(r)]: r["gold"] for r in found}
    labels, judge = on_disk(
        tmp_path,
        {"choices": {"0": 0, "1": 0.5, "2": 1}},
        [{"id": item, "input": item, "answer": "-"} for item in gold],
        [{"id": item, "label": said, "gold": True} for item, said in gold.items()]
        + [{"id": name[id(r)], "label": r["label"], "annotator": r["worker"]} for r in found],
    )
    people = annotators(labels, judge)
    want = expected("bbq_round1_exam")["workers"]
    assert [one.name for one in people if one.flagged] == ["w27"]
    for one in people:
        assert one.gold is not None
        assert one.gold.value == pytest.approx(want[one.name]["acc"])
        assert one.gold.interval is not None
        assert [one.gold.interval.low, one.gold.interval.high] == pytest.approx(want[one.name]["wilson"], abs=1e-9)
        assert one.p_value == pytest.approx(want[one.name]["p_below_overall"], abs=1e-9)
        assert one.n >= 10 or (one.p_adjusted is None and not one.flagged)


def test_alpha_of_123_raters_on_dices(tmp_path: Path) -> None:
    found = rows("dices350_safety_123raters")
    labels, judge = on_disk(
        tmp_path,
        {"choices": {"No": 0, "Yes": 1, "Unsure": 0.5}},
        [{"id": r["id"], "input": r["context"], "answer": r["response"]} for r in found],
        [
            {"id": r["id"], "label": said, "annotator": f"{n:03}"}
            for r in found
            for n, said in enumerate(r["crowd"])
            if said
        ],
    )
    want = expected("dices_alpha")
    crowd = agreement(labels, judge)
    assert crowd.alpha is not None
    assert crowd.alpha.value == pytest.approx(want["alpha"], abs=1e-9)
    expert = {r["id"]: r["expert"] for r in found}
    met = sum(one.majority == expert[id] for id, one in consensus(labels, judge).items())
    assert met <= want["majority_vs_expert_agree"] <= met + crowd.ties  # which breaks ties, where there is no majority
    assert crowd.ties == 2
