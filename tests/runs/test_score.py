"""Answers that are there already, as runs: stored, compared, rescored, exported; paid for by nobody here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError, UsageError
from llmkit.paired.compare import compare
from llmkit.runs.export import curl, rows, sample_record
from llmkit.runs.given import Given, of_rows, of_suite
from llmkit.runs.predictions import open_predictions
from llmkit.runs.rescore import build_scorers, rescore
from llmkit.runs.result import result_of
from llmkit.runs.score import score
from llmkit.runs.store import Store
from llmkit.types import RunResult
from tests.judges.seats import says
from tests.providers.server import Server
from tests.runs.judged import both, with_judge
from tests.runs.project import Project, answering
from tests.runs.project import rows as sums

PREDICTED = [
    {"id": "a", "q": "1+1", "gold": "2", "answer": "2", "kind": "easy"},
    {"id": "b", "q": "2+2", "gold": "4", "answer": "5", "kind": "easy"},
    {"id": "c", "q": "3+3", "gold": "6", "answer": None, "kind": "hard"},
]


def write(project: Project, records: list[dict[str, Any]], name: str = "p.jsonl") -> str:
    (project.folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return name


def own(path: str, *scorers: str, **how: Any) -> Given:
    entries = list(scorers or ("exact_match",))
    return of_rows(open_predictions(path), entries, build_scorers(entries, "--scorer"), **{"target": "gold", **how})


async def scored(project: Project, given: Given, **how: Any) -> RunResult:
    with Store(project.store) as store:
        return await score(store, given, **how)


def stored(project: Project, run: str = "latest") -> list[dict[str, Any]]:
    with Store(project.store, read_only=True) as store:
        return list(rows(store, store.run(run)))


async def test_a_file_becomes_a_run_of_which_nothing_was_paid(project: Project) -> None:
    result = await scored(project, own(write(project, PREDICTED), slices={"kind": "kind"}))
    assert (result.suite, result.model, result.status) == ("predictions", "predictions/p", "completed")
    metric = result.metrics["exact_match"]
    assert (metric.value, metric.n, metric.failed, metric.value_failures_wrong) == (0.5, 2, 1, pytest.approx(1 / 3))
    assert metric.slices["kind"]["easy"].n == 2
    usage = result.usage
    assert (usage.calls, usage.http_attempts, usage.cost_usd, usage.cached_cost_usd, usage.input) == (0, 0, 0.0, 0.0, 0)
    assert result.from_cache == 0
    with Store(project.store, read_only=True) as store:
        assert result_of(store.run("latest")) == result


async def test_what_an_answer_took_is_unknown_and_a_missing_one_is_a_failure(project: Project) -> None:
    await scored(project, own(write(project, PREDICTED), prompt="q"))
    first, _, last = stored(project)
    assert [first[key] for key in ("answer", "cost_usd", "latency_s", "http_attempts")] == ["2", None, None, 0]
    assert first["usage"]["input_tokens"] is None
    assert first["messages"] == [{"role": "user", "content": "1+1"}]
    assert "answer" not in first["row"]
    assert last["failures"] == [
        {"stage": "data", "kind": "no_answer", "message": "p.jsonl:3: the field 'answer' is null", "metric": None}
    ]


async def test_several_answers_to_a_row_are_its_epochs(project: Project) -> None:
    records = [{"id": "a", "gold": "2", "answer": ["2", "3"]}, {"id": "b", "gold": "4", "answer": ["4", "4"]}]
    result = await scored(project, own(write(project, records), pass_k=[1, 2]))
    assert result.total == 4
    assert {name: metric.value for name, metric in result.metrics.items()} == {
        "exact_match": 0.75, "exact_match_pass@1": 0.75, "exact_match_pass@2": 1.0, "exact_match_pass^2": 0.5
    }  # fmt: skip


async def test_files_over_the_same_rows_are_compared_pair_by_pair(project: Project) -> None:
    await scored(project, own(write(project, PREDICTED)))
    better = [{**row, "answer": row["gold"], "seconds": 1} for row in reversed(PREDICTED)]
    await scored(project, own(write(project, better, "q.jsonl")))
    found = compare("latest~1", "latest", store=project.store)
    assert (found.pairs, found.only_a, found.forced) == (3, 0, ())
    metric = found.metrics["exact_match"]
    assert (metric.a, metric.b, metric.won, metric.lost) == (0.5, 1.0, 1, 0)
    assert not any("share one stored answer" in note for note in found.notes)
    assert all(amount.a is None for amount in found.amounts)


async def test_files_over_other_rows_are_not_comparable(project: Project) -> None:
    await scored(project, own(write(project, PREDICTED)))
    await scored(project, own(write(project, [{**row, "gold": "0"} for row in PREDICTED], "q.jsonl")))
    with pytest.raises(UsageError, match="not comparable"):
        compare("latest~1", "latest", store=project.store)


async def test_the_same_file_again_takes_the_same_answers(project: Project) -> None:
    path = write(project, PREDICTED)
    await scored(project, own(path))
    with Store(project.store, read_only=True) as store:
        one = [sample.answer and sample.answer.answer_id for sample in store.samples(store.run("latest").run_id)]
    await scored(project, own(path, "includes"))
    with Store(project.store, read_only=True) as store:
        two = [sample.answer and sample.answer.answer_id for sample in store.samples(store.run("latest").run_id)]
    assert one == two


async def test_a_scored_file_is_rescored_and_never_asked_again(project: Project) -> None:
    await scored(project, own(write(project, PREDICTED)))
    with Store(project.store) as store:
        run = store.run("latest")
        again = await rescore(store, run, ["includes"])
        assert (again.metrics["includes"].n, again.usage.calls) == (2, 0)
        with pytest.raises(UsageError, match=r"scored p\.jsonl: there is no request to repeat"):
            curl(run, sample_record(store, run, "a")[0])


async def test_a_suite_says_what_is_right_and_rows_are_matched_by_id(project: Project) -> None:
    suite = project.suite(4, more="pass_k: [1]\n")
    records = [
        {"key": "s2", "out": "3"},
        {"key": "s0", "out": "1"},
        {"key": "s1", "out": "7"},
        {"key": "x", "out": "1"},
    ]
    given = of_suite(suite, open_predictions(write(project, records), "out", "key"), model="my system")
    found = given.findings()
    assert found.missing["an id that the suite does not have"] == (1, "p.jsonl:4")
    assert found.unanswered == (1, f"{project.folder / 'sums.jsonl'}:4")
    result = await scored(project, given)
    assert (result.suite, result.model, result.total, result.failed) == ("sums", "my system", 4, 1)
    assert result.metrics["exact_match"].value == pytest.approx(2 / 3)
    assert result.faults["data/no_prediction"][0] == 1
    assert stored(project)[0]["messages"] == [{"role": "user", "content": "0+1"}]


async def test_a_scored_file_is_compared_with_a_model_on_the_same_suite(project: Project) -> None:
    suite = project.suite(4)
    records = [{"id": row["id"], "answer": row["answer"]} for row in sums(4)]
    await scored(project, of_suite(suite, open_predictions(write(project, records))))
    async with Server(default=answering(lambda text: "0")) as server:
        asked = await project.one(server, suite)
    assert asked.usage.calls == 4
    metric = compare("latest~1", "latest", store=project.store).metrics["exact_match"]
    assert (metric.a, metric.b, metric.lost) == (1.0, 0.0, 4)


async def test_an_answer_to_an_id_that_stands_twice_is_no_answer(project: Project) -> None:
    suite = project.suite(3)
    records = [{"id": name, "answer": "1"} for name in ("s0", "s1", "s0", "s2")]
    given = of_suite(suite, open_predictions(write(project, records)))
    result = await scored(project, given)
    assert result.faults["data/doubled_id"] == (1, "p.jsonl:1: the id 's0' stands 2 times, also at p.jsonl:3")
    result = await scored(project, own(write(project, [*PREDICTED, PREDICTED[0]])))
    assert result.faults["data/bad_row"] == (1, "p.jsonl:1: the id 'a' stands 2 times, also at p.jsonl:4")
    assert (result.total, result.completed) == (3, 1)


@pytest.mark.parametrize(
    ("more", "records", "words"),
    [
        ("", [{"answer": "1"}], "the rows have no id, and the suite's have"),
        ("", [{"id": "x", "answer": "1"}], "no row has an id of"),
        ("likelihood: {choices: [a, b]}\n", [{"id": "s0", "answer": "1"}], "measures how likely continuations are"),
    ],
)
def test_predictions_that_do_not_fit_a_suite_are_one_line(
    project: Project, more: str, records: list[dict[str, Any]], words: str
) -> None:
    scorers = "[likelihood]" if more else "[exact_match]"
    suite = project.suite(3, more=more, scorers=scorers)
    with pytest.raises(UsageError, match=words):
        of_suite(suite, open_predictions(write(project, records)))


def test_a_scorer_that_compares_needs_to_know_with_what(project: Project) -> None:
    with pytest.raises(DocumentError, match="compares with a right answer, and none is named"):
        own(write(project, PREDICTED), target=None)


async def test_answers_of_a_suite_with_a_form_are_read_in_it_once(project: Project) -> None:
    suite = project.suite(3, more='format: "choice:1,2"\n')
    records = [{"id": "s0", "answer": "1"}, {"id": "s1", "answer": "two"}, {"id": "s2", "answer": "3"}]
    result = await scored(project, of_suite(suite, open_predictions(write(project, records))))
    assert (result.metrics["valid"].value, result.metrics["attempts"].value) == (pytest.approx(1 / 3), 1.0)
    assert (result.metrics["exact_match"].n, result.metrics["exact_match"].failed) == (1, 2)
    assert stored(project)[1]["generation"]["strategy"] == "given"


async def test_a_judge_is_asked_and_paid_for_as_in_any_run(project: Project) -> None:
    entry = with_judge(project)
    assert "relevance" in entry
    async with Server(default=both(lambda answer: says("pass" if answer == "2" else "fail"))) as server:
        project.at(server)
        entries = [{"judge": "relevance"}]
        given = of_rows(
            open_predictions(write(project, PREDICTED)), entries, build_scorers(entries, "--scorer"), prompt="q"
        )
        result = await scored(project, given)
        assert {seen.body["model"] for seen in server.log} == {"judge"}
        asked = len(server.log)
        again = await scored(project, given)
        assert len(server.log) == asked  # what it said is kept
    assert result.metrics["relevance"].value == again.metrics["relevance"].value == 0.5
    assert (result.usage.calls, result.judging["relevance"].calls) == (0, 2)


async def test_an_unfinished_one_is_nothing_to_resume(project: Project) -> None:
    given = own(write(project, PREDICTED), model="openai/adder", name="sums")
    with Store(project.store) as store:
        await score(store, given)
        store.set_status(store.run("latest").run_id, "interrupted")
    async with Server(default=answering()) as server:
        (ending,) = await project.run(server, project.suite(2))
        assert ending.result.total == 2
        with pytest.raises(UsageError, match=r"scored the answers in p\.jsonl: there is nothing to ask"):
            await project.run(server, project.suite(2), resume_run=result_id(project))


def result_id(project: Project) -> str:
    with Store(project.store, read_only=True) as store:
        return next(run.run_id for run in store.runs() if "predictions" in run.about)


def test_names_of_fields_may_lead_into_what_a_row_holds(project: Project, tmp_path: Path) -> None:
    records = [{"id": 1, "doc": {"gold": "2", "asked": [{"role": "user", "content": "1+1"}]}, "answer": "2"}]
    given = own(write(project, records), target="doc.gold", prompt="doc.asked")
    ((sample, said),) = given.pairs()
    assert getattr(sample, "references", None) == ("2",)
    assert said is not None and said.answers == ("2",)
    assert given.plan.suite.render(records[0])[0].content == "1+1"
