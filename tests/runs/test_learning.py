"""Scorers that learn from a run's references: figures and signature are the same however the answers came."""

import json

import pytest

from llmkit.runs.given import of_rows, of_suite
from llmkit.runs.predictions import open_predictions
from llmkit.runs.rescore import build_scorers, rescore, scorers_of
from llmkit.runs.score import score
from llmkit.runs.store import Store
from llmkit.scoring.registry import create
from tests.providers.server import Server
from tests.runs.project import answering, rows

pytest.importorskip("onnxruntime", reason="needs the extra [bertscore]")
pytest.importorskip("tokenizers", reason="needs the extra [bertscore]")

WORDS = ("a red apple", "a green pear", "three ripe plums", "a red plum", "the last apple")
IDF = "[{bertscore: {idf: true}}]"


def fruit(count=5):
    return [{**row, "answer": WORDS[n]} for n, row in enumerate(rows(count))]


async def run(project, data, **suite):
    async with Server(default=answering(lambda text: "a ripe apple")) as server:
        return await project.one(server, project.suite(data, **{"scorers": IDF, **suite}))


async def again(project, run_id, scorers=None):
    with Store(project.store) as store:
        row = store.run(run_id)
        return await rescore(store, row, scorers_of(row) if scorers is None else scorers)


def learnt(result):
    (part,) = [part for part in result.metrics["bertscore"].signature.split("|") if part.startswith("idf:")]
    return part


async def test_the_references_of_all_rows_are_known_before_the_first_is_scored(project):
    result = await run(project, fruit())
    expected = create("bertscore", {"idf": True}).learn([(word,) for word in WORDS])
    assert learnt(result) == next(part for part in expected.signature.split("|") if part.startswith("idf:"))


async def test_epochs_make_no_further_references(project):
    once = await run(project, fruit(3))
    twice = await run(project, fruit(3), more="epochs: 2\n")
    assert learnt(twice) == learnt(once)


async def test_scored_anew_the_figures_are_the_same(project):
    data = fruit()
    del data[1]["question"]  # cannot be asked, and is not learnt from
    first = await run(project, data, more="epochs: 2\n")
    second = await again(project, first.run_id)
    assert learnt(first).startswith("idf:refs.4.")
    assert second.metrics == first.metrics


async def test_a_scorer_that_is_named_for_a_stored_run_learns_from_its_references(project):
    first = await run(project, fruit())
    plain = await run(project, fruit(), scorers="[exact_match]")
    assert learnt(await again(project, plain.run_id, [{"bertscore": {"idf": True}}])) == learnt(first)


async def test_other_references_make_another_signature(project):
    first = await run(project, fruit())
    second = await run(project, [*fruit(4), {**fruit()[4], "answer": "the first apple"}])
    assert learnt(first) != learnt(second)


async def test_a_baseline_of_the_suites_folder_is_found_when_its_run_is_scored_anew(project, monkeypatch, tmp_path):
    (project.folder / "b.tsv").write_text("LAYER,P,R,F\n6,0.25,0.5,0.2\n")
    first = await run(project, fruit(2), scorers="[{bertscore: {rescale: b.tsv}}]")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert (await again(project, first.run_id)).metrics == first.metrics


async def test_answers_of_a_file_are_scored_alike(project):
    first = await run(project, fruit())
    predictions = project.folder / "answers.jsonl"
    lines = [{"id": row["id"], "answer": "a ripe apple", "target": row["answer"]} for row in fruit()]
    predictions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    entries = [{"bertscore": {"idf": True}}]
    of_a_suite = of_suite(str(project.folder / "sums.yaml"), open_predictions(str(predictions)))
    of_its_own = of_rows(
        open_predictions(str(predictions)), entries, build_scorers(entries, "--scorer"), target="target"
    )
    for given in (of_a_suite, of_its_own):
        with Store(project.store) as store:
            result = await score(store, given)
        assert result.metrics["bertscore"] == first.metrics["bertscore"]
