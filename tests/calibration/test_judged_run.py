"""A judge at work on stored runs: its raw rate, the corrected one, and never one without its status."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmkit.calibration.judged_run import judge_file, judge_runs, lines_of, write_verdicts
from llmkit.calibration.work import WorkOptions, status_of
from llmkit.errors import BudgetError, DocumentError, ProviderError, UsageError
from llmkit.judged_runs import RawDifference
from llmkit.judgements import Counts, Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.load import load_judge
from llmkit.judges.subject import Population, Subject
from llmkit.providers.retry import RetryPolicy
from llmkit.providers.scripted import Function, Scripted
from llmkit.types import Request
from tests.calibration.measuring import right_at
from tests.calibration.stored import good_share, run_of
from tests.judges.locking import locked_project
from tests.judges.project import judge_of
from tests.judges.seats import always, says, text_of


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)


def options(folder: Path, function: Function, **fields: Any) -> WorkOptions:
    model = Scripted("judge", {"revision": "judge-2026"}, function=function)
    return WorkOptions(store=folder / ".llmkit", providers={"scripted/judge": model}, **fields)


def locked(folder: Path, **lock: Any) -> Judge:
    said = {"served": None, "population": "0" * 64, "created": datetime.now(UTC).date().isoformat(), **lock}
    return load_judge(str(locked_project(folder, lock=said)))


async def test_an_uncalibrated_judges_rate_carries_the_word_and_nothing_is_corrected(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75))
    (found,) = await judge_runs(judge_of(tmp_path), [run], options(tmp_path, right_at(1.0)))

    report = found.report
    assert (report.status, report.lock, report.corrected) == ("uncalibrated", None, None)
    assert (report.raw.value, report.raw.n) == (0.75, 40)
    assert report.verdicts == {"pass": 30, "fail": 10}
    assert "llmkit judge calibrate relevance" in report.why


async def test_on_another_run_than_the_labelled_one_lang_and_reiczigel_correct(tmp_path: Path) -> None:
    judge = locked(tmp_path)
    run = await run_of(tmp_path, good_share(0.75))
    (found,) = await judge_runs(judge, [run], options(tmp_path, right_at(1.0)))

    report = found.report
    assert report.status == "calibrated"
    assert report.estimator == "lang-reiczigel"
    assert report.corrected is not None and report.corrected.interval is not None
    assert report.corrected.interval.low < 0.75 < report.corrected.interval.high
    assert report.lock == judge.lock.id  # type: ignore[union-attr]


async def test_on_the_labelled_population_itself_verdicts_are_post_stratified(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75))
    population = Population()
    for number in range(40):
        name = f"s{number:03d}"
        answer = f"{name} {'good' if number < 30 else 'bad'}"
        population.add(Subject(name, f"question of {name}.", answer, reference=f"{name} reference"))
    judge = locked(tmp_path, population=population.fingerprint(), test=Counts(("pass", "fail"), ((20, 0), (0, 20))))
    (found,) = await judge_runs(judge, [run], options(tmp_path, right_at(1.0)))

    assert found.report.estimator == "post-stratified"


def test_another_model_behind_the_name_makes_the_judge_stale(tmp_path: Path) -> None:
    judge = locked(tmp_path, served="judge-2026")
    said = Verdict("verdict", "pass", 1.0, served="judge-2026")

    assert status_of(judge, [said, said]) == ("calibrated", ())
    status, stale = status_of(judge, [said, replace(said, served="judge-2027")])
    assert status == "stale"
    assert "judge-2027" in " ".join(stale)


async def test_what_cannot_be_told_or_read_is_counted_apart_and_is_no_verdict(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        number = int(re.findall(r"s(\d{3}) (?:good|bad)", text_of(request))[-1])
        return says("cannot_tell") if number < 4 else "hm" if number < 6 else says("pass")

    run = await run_of(tmp_path, good_share(0.5))
    (found,) = await judge_runs(judge_of(tmp_path), [run], options(tmp_path, answer))

    report = found.report
    assert (report.n, report.cannot_tell, report.unread) == (40, 4, 2)
    assert (report.raw.value, report.raw.n) == (1.0, 34)
    assert "2 of 40 answers ended without a verdict, more than 2 %" in report.notes


async def test_epochs_of_one_sample_are_one_observation(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.5, n=20), n=20, epochs=3)
    (found,) = await judge_runs(judge_of(tmp_path), [run], options(tmp_path, right_at(1.0)))

    assert found.report.n == 60
    assert found.report.raw.n == 20


async def test_clusters_widen_the_interval(tmp_path: Path) -> None:
    alone = await run_of(tmp_path, good_share(0.5), model="alone")
    judge = judge_of(tmp_path)
    (found,) = await judge_runs(judge, [alone], options(tmp_path, right_at(1.0)))
    together = await run_of(tmp_path, lambda n: f"s{n:03d} {'good' if n % 4 < 2 else 'bad'}", model="two", talks=4)
    (grouped,) = await judge_runs(judge, [together], options(tmp_path, right_at(1.0)))

    def width(report: Any) -> float:
        return float(report.raw.interval.high - report.raw.interval.low)

    assert found.report.raw.value == grouped.report.raw.value == 0.5
    assert width(grouped.report) > 1.5 * width(found.report)


async def test_the_second_run_says_how_its_raw_figure_differs_from_the_first_ones(tmp_path: Path) -> None:
    first = await run_of(tmp_path, good_share(0.5), model="first")
    second = await run_of(tmp_path, good_share(0.75), model="second")
    found = await judge_runs(judge_of(tmp_path), [first, second], options(tmp_path, right_at(1.0)))

    assert found[0].report.against is None
    against = found[1].report.against
    assert against is not None and against.interval is not None and against.p_value is not None
    assert (against.run, against.before, against.after, against.difference) == (first, 0.5, 0.75, 0.25)
    assert 0.1 < against.interval.low < 0.25 < against.interval.high
    assert (against.n, against.p_value < 0.05) == (40, True)
    assert found[1].report.notes == ()


async def test_runs_that_share_no_judged_sample_have_no_difference(tmp_path: Path) -> None:
    def by_run(request: Request) -> str:
        return says("pass" if "good" in text_of(request) else "cannot_tell")

    runs = [await run_of(tmp_path, good_share(share), n=4, model=f"m{share}") for share in (1.0, 0.0)]
    found = await judge_runs(judge_of(tmp_path), runs, options(tmp_path, by_run))
    assert found[1].report.against == RawDifference(runs[0], None, None, None, None, None, None, 0)


async def test_each_run_has_a_bill_of_its_own_and_equal_answers_are_paid_once(tmp_path: Path) -> None:
    first = await run_of(tmp_path, good_share(0.5), model="first")
    second = await run_of(tmp_path, good_share(0.75), model="second")
    found = await judge_runs(judge_of(tmp_path), [first, second], options(tmp_path, right_at(1.0)))

    assert [each.report.paid.calls for each in found] == [40, 10]


async def test_again_and_offline_it_says_the_same_and_pays_nothing(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75))
    judge = judge_of(tmp_path)
    (first,) = await judge_runs(judge, [run], options(tmp_path, right_at(0.9)))
    (again,) = await judge_runs(judge, [run], options(tmp_path, always("fail"), offline=True))

    assert again.report.paid.calls == 0
    assert replace(again.report, paid=first.report.paid) == first.report


async def test_offline_without_stored_answers_is_an_error(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75))
    with pytest.raises(ProviderError, match="no call may be made"):
        await judge_runs(judge_of(tmp_path), [run], options(tmp_path, right_at(1.0), offline=True))


async def test_a_cap_that_is_reached_stops_and_keeps_what_is_paid(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75))
    (tmp_path / "llmkit.toml").write_text('[prices."scripted/judge"]\ninput = 1000.0\noutput = 1000.0\n')
    judge = judge_of(tmp_path, params={"max_tokens": 20})
    model = Scripted("judge", {"billed": True}, function=right_at(1.0))
    how = WorkOptions(store=tmp_path / ".llmkit", providers={"scripted/judge": model}, concurrency=1)
    with pytest.raises(BudgetError):
        await judge_runs(judge, [run], replace(how, max_cost=4.0))
    (found,) = await judge_runs(judge, [run], how)
    assert 0 < found.report.paid.calls < 40
    assert found.report.paid.cached_cost_usd


async def test_told_of_every_verdict(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.75), n=5)
    seen: list[tuple[str, int, int]] = []
    await judge_runs(
        judge_of(tmp_path), [run], options(tmp_path, right_at(1.0)),
        told=lambda what, done, total, cost: seen.append((what, done, total)),
    )  # fmt: skip
    assert seen == [(run, done, 5) for done in range(1, 6)]


async def test_what_is_told_of_the_money_counts_calls_in_that_may_have_been_paid_for_and_brought_nothing(
    tmp_path: Path,
) -> None:
    run = await run_of(tmp_path, good_share(0.75), n=1)
    asked: list[Request] = []

    def late_once(request: Request) -> str:
        asked.append(request)
        if len(asked) == 1:
            raise ProviderError("timeout", "no answer in time", maybe_billed=True)
        return says("pass")

    told: list[float | None] = []
    (tmp_path / "llmkit.toml").write_text('[prices."scripted/judge"]\ninput = 1000.0\noutput = 1000.0\n')
    model = Scripted("judge", {"billed": True}, function=late_once)
    how = WorkOptions(store=tmp_path / ".llmkit", providers={"scripted/judge": model}, retry=RetryPolicy(base_s=0))
    judging = await judge_runs(judge_of(tmp_path), [run], how, told=lambda *state: told.append(state[-1]))
    paid = judging[0].report.paid
    assert paid.cost_usd and paid.lost_attempts == 1
    assert told == [paid.dollars] == [None]


async def test_each_verdict_is_a_line(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.5, n=2), n=2)
    found = await judge_runs(judge_of(tmp_path), [run], options(tmp_path, right_at(1.0)))
    path = tmp_path / "verdicts.jsonl"

    assert write_verdicts(found, path) == 2
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == list(lines_of(found[0]))
    assert {key: lines[0][key] for key in ("id", "epoch", "verdict", "value", "state", "reason", "status")} == {
        "id": "s000", "epoch": 1, "verdict": "pass", "value": 1.0, "state": "verdict", "reason": "because",
        "status": "uncalibrated",
    }  # fmt: skip
    with pytest.raises(UsageError, match="there already"):
        write_verdicts(found, path)


async def test_a_file_of_items_is_judged_like_a_run(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    rows = [{"id": f"i{n}", "input": "why?", "answer": f"i{n} {'good' if n else 'bad'}"} for n in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = await judge_file(judge_of(tmp_path), path, options(tmp_path, right_at(1.0)))

    assert found.report.source == "items.jsonl"
    assert found.report.verdicts == {"pass": 2, "fail": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"id": "x", "input": "q"}\n', "items.jsonl:1: the item has no field 'answer'"),
        ('{"id": "x", "input": "q", "answer": "a"}\n' * 2, "items.jsonl:2: the id 'x' stands twice"),
        ('{"input": "q", "answer": "a"}\n', "items.jsonl:1: no id"),
    ],
)
async def test_items_that_are_wrong_are_named_by_their_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(said)):
        await judge_file(judge_of(tmp_path), path, options(tmp_path, right_at(1.0)))


async def test_a_file_that_is_not_there_or_empty_is_an_error(tmp_path: Path) -> None:
    how = options(tmp_path, right_at(1.0))
    with pytest.raises(DocumentError, match=r"no file"):
        await judge_file(judge_of(tmp_path), tmp_path / "none.jsonl", how)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UsageError, match="there are no items"):
        await judge_file(judge_of(tmp_path), tmp_path / "empty.jsonl", how)


async def test_a_pairwise_judge_holds_one_run_against_its_references(tmp_path: Path) -> None:
    def prefers_good(request: Request) -> str:
        said = re.findall(r"<(a|b)-[^>]*>\s*(.*?)\s*</", text_of(request))
        words = dict(said[-2:])
        return says("a" if "good" in words["a"] else "b")

    run = await run_of(tmp_path, good_share(0.25))
    (found,) = await judge_runs(judge_of(tmp_path, kind="pairwise"), [run], options(tmp_path, prefers_good))
    assert found.report.verdicts == {"a": 10, "tie": 0, "b": 30}
    assert found.report.raw.value == 0.25


async def test_grades_have_a_mean(tmp_path: Path) -> None:
    run = await run_of(tmp_path, good_share(0.25))
    judge = judge_of(tmp_path, kind={"graded": {"min": 1, "max": 5}})

    def grades(request: Request) -> str:
        return says("5" if re.findall(r"s\d{3} (good|bad)", text_of(request))[-1] == "good" else "1")

    (found,) = await judge_runs(judge, [run], options(tmp_path, grades))
    assert found.report.raw.value == 2.0
    assert found.report.verdicts == {"1": 30, "2": 0, "3": 0, "4": 0, "5": 10}
