"""Two stored runs, from the models' answers to what is said of them."""

import contextlib
import json
import sqlite3

import pytest

import llmkit
from llmkit.errors import StoreError, UnknownNameError, UsageError
from llmkit.runs.evaluate import Hooks
from llmkit.runs.export import write
from llmkit.runs.rescore import rescore
from llmkit.runs.store import Store
from tests.paired.conftest import COUNT


async def both(asked, **how):
    return (await asked("good", **how)).run_id, (await asked("bad", **how)).run_id


async def test_a_comparison_pairs_scores_counts_and_shows(asked):
    good, bad = await both(asked)
    found = llmkit.compare(good, bad)
    exact = found.metrics["exact_match"]
    assert (found.pairs, found.only_a, found.only_b) == (12, 0, 0)
    assert (exact.n, exact.won, exact.lost, exact.tied, exact.failed_a, exact.failed_b) == (11, 0, 4, 7, 0, 1)
    assert (exact.a, exact.b, exact.difference) == (1.0, pytest.approx(7 / 11), pytest.approx(-4 / 11))
    assert exact.p_value == pytest.approx(2 * 0.5**4)
    assert list(found.metrics) == ["exact_match", "bleu"]
    assert [f.sample_id for f in found.flips] == ["s00", "s03", "s06", "s09"]
    flip = found.flips[0]
    assert (flip.question, flip.references) == ("What is 0+1?", ("the sum is 1",))
    assert (flip.a.text, flip.a.value, flip.b.text, flip.b.value) == ("the sum is 1", 1.0, "the sum is not known", 0.0)
    assert (found.flipped, found.forced) == (4, ())
    (note,) = found.notes
    assert note.startswith("bleu: 11 samples leave open")
    assert found.differs == ("model: scripted/good → scripted/bad", "file: good.jsonl → bad.jsonl")
    assert (found.a.run_id, found.a.model, found.a.failed, found.b.failed) == (good, "scripted/good", 0, 1)


async def test_the_values_are_those_of_the_runs_where_all_is_paired(asked):
    bad, good = await asked("bad"), await asked("good")
    found = llmkit.compare(bad.run_id, good.run_id)
    assert found.metrics["bleu"].a == pytest.approx(bad.metrics["bleu"].value)
    assert found.metrics["exact_match"].slices["topic"]["odd"].failed_a == 1


async def test_runs_are_named_as_everywhere(asked):
    good, bad = await both(asked)
    found = llmkit.compare("latest~1", bad[:-1])
    assert (found.a.run_id, found.b.run_id) == (good, bad)
    with pytest.raises(UnknownNameError, match="latest"):
        llmkit.compare("latst", bad)


async def test_flips_are_of_the_metric_asked_for(asked):
    good, bad = await both(asked)
    assert {f.metric for f in llmkit.compare(good, bad, metric="bleu").flips} == {"bleu"}
    with pytest.raises(UnknownNameError, match="Did you mean 'bleu'"):
        llmkit.compare(good, bad, metric="blue")


async def test_another_data_set_is_refused_and_forced_comparisons_say_so(asked, project):
    good, _ = await both(asked)
    data = project.folder / "rows.jsonl"
    data.write_text(data.read_text().replace("the sum is 12", "the sum is twelve"))
    other = (await asked("good")).run_id
    with pytest.raises(UsageError, match=r"data: .* ≠ .*; target: 1 of 12 pairs have other right answers"):
        llmkit.compare(good, other)
    forced = llmkit.compare(good, other, force=True).forced
    assert [line.partition(":")[0] for line in forced] == ["data", "target"]


async def test_another_scorer_is_refused_by_the_part_that_differs(asked, project):
    good, _ = await both(asked)
    suite = (project.folder / "sums.yaml").read_text()
    (project.folder / "loose.yaml").write_text(suite.replace("exact_match", "{exact_match: {ignore_case: true}}"))
    other = (await asked("good", "loose.yaml")).run_id
    with pytest.raises(UsageError, match="exact_match: signature: case:mixed ≠ case:"):
        llmkit.compare(good, other)
    metric = llmkit.compare(good, other, force=True).metrics["exact_match"]
    assert metric.signature_a is not None
    assert metric.signature_a != metric.signature


async def test_another_prompt_and_other_parameters_are_what_one_compares(asked, project):
    good, _ = await both(asked)
    suite = (project.folder / "sums.yaml").read_text()
    (project.folder / "again.yaml").write_text(
        suite.replace("What is {{", "Please: what is {{").replace("name: sums", "name: again")
    )
    other = await asked("good", "again.yaml", params={"temperature": 0.5}, limit=6, seed=3)
    found = llmkit.compare(good, other.run_id)
    assert set(found.differs) == {
        "suite: sums → again",
        "prompt",
        "temperature: not set → 0.5",
        "seed: not set → 3",
        "limit: not set → 6",
        "seed of the bootstrap: 0 → 3",
    }
    assert (found.pairs, found.only_a) == (6, 6)


async def test_metrics_of_one_side_alone_are_noted(asked, project):
    good, _ = await both(asked)
    suite = (project.folder / "sums.yaml").read_text()
    (project.folder / "fewer.yaml").write_text(suite.replace("[exact_match, bleu]", "[exact_match, f1]"))
    other = (await asked("bad", "fewer.yaml")).run_id
    found = llmkit.compare(good, other)
    assert list(found.metrics) == ["exact_match"]
    assert {"only a has bleu", "only b has f1"} <= set(found.notes)


async def test_pairs_that_share_an_answer_are_noted_and_have_no_latency(asked):
    one, two = (await asked("good")).run_id, (await asked("good")).run_id
    found = llmkit.compare(one, two)
    assert found.notes == ("12 of 12 pairs share one stored answer: it was asked once, and cannot differ",)
    seconds = [a for a in found.amounts if a.name == "latency_s"]
    assert {a.unknown for a in seconds} == {"the answers of b come from the cache"}


async def test_a_rescored_run_took_the_time_of_the_answers_that_it_scored(asked, project):
    good, bad = await both(asked)
    with Store(project.store) as store:
        again = (await rescore(store, store.run(bad), ["exact_match"])).run_id
    found = llmkit.compare(good, again)
    assert [a.n for a in found.amounts if a.name == "latency_s"] == [11, 11]


async def test_epochs_pair_with_epochs(asked):
    good, bad = (await asked("good", epochs=2)).run_id, (await asked("bad", epochs=3)).run_id
    found = llmkit.compare(good, bad)
    assert (found.pairs, found.only_b, found.metrics["exact_match"].n) == (24, 12, 11)
    assert "epochs: 2 → 3" in found.differs


async def test_a_run_that_did_not_end_is_compared_by_what_it_has(asked, project):
    good, _ = await both(asked)

    class Enough(Hooks):
        def shown(self, plan, results):
            return False

    stopped = await asked("bad", hooks=Enough(), sample=5, fresh=True, cache=False)
    assert stopped.status == "interrupted"
    found = llmkit.compare(good, stopped.run_id)
    assert found.b.status == "interrupted"
    assert f"run {stopped.run_id} (b) is interrupted: only what it has is compared" in found.notes
    assert (found.pairs, found.only_a, found.metrics["exact_match"].n) == (
        4,
        8,
        4,
    )  # the fifth failed, and is asked again


async def test_a_killed_run_has_no_result_and_is_compared_all_the_same(asked, project):
    good, bad = await both(asked)
    whole = llmkit.compare(good, bad)
    with contextlib.closing(sqlite3.connect(project.store / "store.sqlite3")) as db, db:
        db.execute("UPDATE runs SET result=NULL, status='running' WHERE run_id=?", (bad,))
    found = llmkit.compare(good, bad)
    assert found.b.status == "killed"
    assert found.notes[0] == f"run {bad} (b) is killed: only what it has is compared"
    assert found.metrics == whole.metrics


def test_without_a_store_there_is_one_line(project):
    with pytest.raises(StoreError, match="there is no store yet"):
        llmkit.compare("latest", "latest~1")


async def test_the_seed_and_the_confidence_are_kept(asked):
    good, bad = await both(asked)
    found = llmkit.compare(good, bad, seed=7, confidence=0.9)
    assert (found.seed, found.confidence) == (7, 0.9)
    interval = found.metrics["exact_match"].interval
    assert interval is not None
    assert interval.confidence == 0.9


def alternatives(project, name, change):
    """Write a model's answers with log-probabilities; ``change`` gives each sample's text and the gap to the other."""
    lines = []
    for n in range(COUNT):
        text, other, gap = change(n)
        token = {"token": text, "logprob": -0.5, "top": [[text, -0.5], [other, -0.5 - gap]]}
        lines.append({"match": f"is {n}+1?", "text": text, "logprobs": [token]})
    (project.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


async def test_answers_that_differ_are_held_to_their_stored_log_probabilities(asked, project):
    right = [f"the sum is {n + 1}" for n in range(COUNT)]
    alternatives(project, "good", lambda n: (right[n], "no idea", 0.05 if n < 2 else 3.0))
    alternatives(project, "bad", lambda n: ("no idea", right[n], 0.05) if n < 3 else (right[n], "no idea", 3.0))
    good, bad = await both(asked, params={"logprobs": True, "top_logprobs": 2})
    found = llmkit.compare(good, bad).sameness
    assert found is not None
    assert (found.pairs, found.same, found.tied, found.beyond, found.unknown) == (12, 9, 2, 1, 0)
    assert found.examples[0] == "s02"
    assert llmkit.compare(good, bad, tie_tolerance=0.01).sameness.beyond == 3


async def test_margins_are_decided_from_the_store_and_from_files_alike(asked, project):
    good, bad = await both(asked)
    margins = {"exact_match": 0.05, "bleu": 5.0}
    found = llmkit.compare(good, bad, margins=margins, confidence=0.8)
    assert [(m.metric, m.verdict) for m in found.margins] == [("exact_match", "fail"), ("bleu", "fail")]
    assert found.verdict == "fail"
    exact = found.margins[0]
    assert (exact.n, exact.left_out, exact.failures_wrong) == (11, 1, "fail")
    with Store(project.store) as store:
        for name, run in (("a", good), ("b", bad)):
            write(store, store.run(run), project.folder / f"{name}.jsonl", "jsonl")
            write(store, store.run(run), project.folder / f"{name}.parquet", "parquet")
    for ending in ("jsonl", "parquet"):
        files = [str(project.folder / f"{side}.{ending}") for side in "ab"]
        again = llmkit.compare(*files, margins=margins, confidence=0.8)
        assert again.margins == found.margins
        assert (again.sameness.same, again.sameness.unknown) == (found.sameness.same, found.sameness.unknown)


async def test_without_margins_there_is_no_verdict(asked):
    found = llmkit.compare(*await both(asked))
    assert (found.margins, found.verdict) == ((), None)


async def test_a_run_compared_with_its_own_answers_passes_nothing(asked):
    one, two = (await asked("good")).run_id, (await asked("good")).run_id
    found = llmkit.compare(one, two, margins={"exact_match": 0.5})
    assert found.verdict == "undecided"
    assert found.sameness is not None
    assert (found.sameness.pairs, found.sameness.shared) == (0, 12)
