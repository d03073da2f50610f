"""Several runs against each other: both orders, ties, flips, strengths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.calibration.tournament import tournament, write_pairs
from llmkit.calibration.work import WorkOptions
from llmkit.errors import UsageError
from llmkit.providers.scripted import Function, Scripted
from llmkit.types import Request
from tests.calibration.stored import good_share, run_of
from tests.judges.project import judge_of
from tests.judges.seats import says, text_of

N = 24


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LLMKIT_MODEL", "LLMKIT_STORE"):
        monkeypatch.delenv(name, raising=False)


def options(folder: Path, function: Function, **fields: Any) -> WorkOptions:
    model = Scripted("judge", {"revision": "1"}, function=function)
    return WorkOptions(store=folder / ".llmkit", providers={"scripted/judge": model}, **fields)


def pair_of(request: Request) -> dict[str, str]:
    return dict(re.findall(r"<(a|b)-[^>]*>\s*(.*?)\s*</", text_of(request))[-2:])


def longer(request: Request) -> str:
    """Prefers the longer answer."""
    words = pair_of(request)
    one, two = len(words["a"]), len(words["b"])
    return says("tie" if one == two else "a" if one > two else "b")


def first(request: Request) -> str:
    """Prefers what stands first, whatever it is."""
    return says("a")


def strong(level: int) -> Callable[[int], str]:
    """Answers whose length goes up with the level, but for some samples."""
    return lambda n: "x" * (level if (n * 7 + level) % 5 else 6 - level)


async def test_wins_are_the_second_runs_and_counted_in_both_orders(tmp_path: Path) -> None:
    a = await run_of(tmp_path, lambda n: "short", n=N, model="a")
    b = await run_of(tmp_path, lambda n: "much longer" if n < 18 else "tiny" if n < 22 else "equal", n=N, model="b")
    asked: list[Request] = []

    def judge(request: Request) -> str:
        asked.append(request)
        return longer(request)

    held = await tournament(judge_of(tmp_path, kind="pairwise"), [a, b], options(tmp_path, judge))

    (duel,) = held.report.duels
    assert (duel.a, duel.b) == ("scripted/a", "scripted/b")
    assert (duel.wins, duel.losses, duel.ties, duel.flips) == (18, 4, 2, 0)
    assert duel.win_rate.value == pytest.approx(19 / 24)
    assert duel.p_value == pytest.approx(0.004344, abs=1e-5)  # two-sided binomial, 18 of 22
    assert len(asked) == 2 * N


async def test_a_preference_for_what_stands_first_wins_nothing_and_is_counted_as_flips(tmp_path: Path) -> None:
    a = await run_of(tmp_path, good_share(1.0, N), n=N, model="a")
    b = await run_of(tmp_path, good_share(0.0, N), n=N, model="b")
    held = await tournament(judge_of(tmp_path, kind="pairwise"), [a, b], options(tmp_path, first))

    (duel,) = held.report.duels
    assert (duel.wins, duel.losses, duel.ties, duel.flips) == (0, 0, N, N)
    assert duel.win_rate.value == 0.5
    assert duel.p_value == 1.0
    assert "both were asked here" in " ".join(held.report.notes)


async def test_what_has_no_verdict_is_no_tie(tmp_path: Path) -> None:
    def judge(request: Request) -> str:
        number = int(re.findall(r"question of s(\d{3})", text_of(request))[-1])
        return "hm" if number < 3 else says("cannot_tell") if number < 5 else longer(request)

    a = await run_of(tmp_path, lambda n: "x", n=N, model="a")
    b = await run_of(tmp_path, lambda n: "xx", n=N, model="b")
    held = await tournament(judge_of(tmp_path, kind="pairwise"), [a, b], options(tmp_path, judge))

    (duel,) = held.report.duels
    assert (duel.wins, duel.ties, duel.unread, duel.cannot_tell) == (N - 5, 0, 3, 2)
    assert duel.win_rate.n == N - 5


async def test_three_runs_have_strengths_in_order_with_intervals(tmp_path: Path) -> None:
    runs = [await run_of(tmp_path, strong(level), n=N, model=f"m{level}") for level in (2, 5, 4)]
    held = await tournament(judge_of(tmp_path, kind="pairwise"), runs, options(tmp_path, longer))

    assert len(held.report.duels) == 3
    standings = held.report.standings
    assert [each.name for each in standings] == ["scripted/m5", "scripted/m4", "scripted/m2"]
    assert [each.rank for each in standings] == [1, 2, 3]
    assert sum(each.strength for each in standings) == pytest.approx(0, abs=1e-9)
    for each in standings:
        assert each.interval is not None and each.interval.low < each.strength < each.interval.high
        assert each.interval.method == "cluster-sandwich"


async def test_who_never_loses_has_no_finite_strength_and_that_is_said(tmp_path: Path) -> None:
    a = await run_of(tmp_path, lambda n: "x", n=N, model="a")
    b = await run_of(tmp_path, lambda n: "xx", n=N, model="b")
    held = await tournament(judge_of(tmp_path, kind="pairwise"), [a, b], options(tmp_path, longer))

    assert held.report.standings == ()
    assert "no finite estimate" in " ".join(held.report.notes)


async def test_epochs_and_clusters_are_no_further_evidence(tmp_path: Path) -> None:
    def grown(n: int) -> str:
        return "xx" if n % 4 else "-"

    judge = judge_of(tmp_path, kind="pairwise")
    how = options(tmp_path, longer)
    plain = [await run_of(tmp_path, each, n=N, model=name) for name, each in (("a", lambda n: "x."), ("b", grown))]
    many = [
        await run_of(tmp_path, each, n=N, model=name, epochs=2)
        for name, each in (("c", lambda n: "x."), ("d", grown))
    ]  # fmt: skip
    (one,) = (await tournament(judge, plain, how)).report.duels
    (two,) = (await tournament(judge, many, how)).report.duels

    assert (one.losses, two.losses) == (6, 12)
    assert two.win_rate.n == one.win_rate.n == N
    assert two.p_value == pytest.approx(one.p_value, abs=0.01)


async def test_runs_of_one_model_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    runs = [await run_of(tmp_path, good_share(s, N), n=N, model="a") for s in (0.5, 0.6)]
    held = await tournament(judge_of(tmp_path, kind="pairwise"), runs, options(tmp_path, first))
    assert [held.report.duels[0].a, held.report.duels[0].b] == [f"scripted/a ({run})" for run in runs]


async def test_samples_that_one_run_lacks_are_left_out_and_said(tmp_path: Path) -> None:
    a = await run_of(tmp_path, lambda n: "x", n=N, model="a")
    b = await run_of(tmp_path, lambda n: "xx", n=N - 4, model="b")
    held = await tournament(judge_of(tmp_path, kind="pairwise"), [a, b], options(tmp_path, longer))
    assert held.report.duels[0].wins == N - 4
    assert "4 answers of scripted/a have none of scripted/b beside them, and are left out" in held.report.notes


@pytest.mark.parametrize(
    ("kind", "runs", "said"),
    [
        ("pass_fail", 2, "only a pairwise one sets runs against each other"),
        ("pairwise", 1, "two runs or more"),
    ],
)
async def test_what_is_no_tournament_is_refused(tmp_path: Path, kind: str, runs: int, said: str) -> None:
    run = await run_of(tmp_path, good_share(1.0, 2), n=2)
    with pytest.raises(UsageError, match=said):
        await tournament(judge_of(tmp_path, kind=kind), [run] * runs, options(tmp_path, first))


async def test_each_pair_is_a_line(tmp_path: Path) -> None:
    runs = [await run_of(tmp_path, good_share(s, 2), n=2, model=m) for s, m in ((1.0, "a"), (0.0, "b"))]
    held = await tournament(judge_of(tmp_path, kind="pairwise"), runs, options(tmp_path, first))
    path = tmp_path / "pairs.jsonl"

    assert write_pairs(held, path) == 2
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (line["id"], line["a"], line["b"]) == ("s000", "scripted/a", "scripted/b")
    assert (line["verdict"], line["orders"]) == ("tie", ["a", "b"])


async def test_a_judge_that_asks_both_orders_anyway_says_nothing_of_it(tmp_path: Path) -> None:
    runs = [await run_of(tmp_path, good_share(s, 2), n=2, model=m) for s, m in ((1.0, "a"), (0.0, "b"))]
    judge = judge_of(tmp_path, kind="pairwise", method={"swap": True})
    held = await tournament(judge, runs, options(tmp_path, first))
    assert "both were asked" not in " ".join(held.report.notes)
    assert replace(held.report, notes=(), paid=held.report.paid).status == "uncalibrated"
