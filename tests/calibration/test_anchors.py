"""A locked judge's anchors, asked again: whether it still says what it said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmkit.calibration.anchors import Drift, anchors_of, check_anchors, drift_of
from llmkit.calibration.work import WorkOptions
from llmkit.judgements import Check, Probe, Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.labels import read_labels
from llmkit.judges.load import load_judge
from llmkit.judges.lock import lock_path, write_lock
from llmkit.providers.scripted import Scripted
from llmkit.types import Completion, Request, Totals
from tests.judges.locking import DAY, labelled_project, lock_for, locked_project
from tests.judges.seats import says

N = 20
SAID = {f"i{at}": "fail" if at % 2 else "pass" for at in range(N)}
"""What a perfect judge says of the labelled project."""


def judge_with(folder: Path, **lock: Any) -> Judge:
    path = labelled_project(folder, N)
    judge = load_judge(str(path))
    made = {"anchors": SAID, "created": DAY, "served": "judge", **lock}
    write_lock(lock_path(path), lock_for(judge, **made))
    return load_judge(str(path))


def drift(judge: Judge, *verdicts: Verdict) -> Drift:
    assert judge.lock is not None
    return drift_of(judge.lock, anchors_of(judge, judge.lock), verdicts, 0.1, 0.02)


def words(judge: Judge, **other: str | None) -> list[Verdict]:
    """What the judge says of its anchors now: as it did, but for ``other``; None: unread."""
    assert judge.lock is not None
    said = [other.get(item.subject.id, SAID[item.subject.id]) for item in anchors_of(judge, judge.lock)]
    return [Verdict("unread", why="unparsed") if word is None else Verdict("verdict", word) for word in said]


def test_the_same_verdicts_are_no_drift(tmp_path: Path) -> None:
    judge = judge_with(tmp_path)
    found = drift(judge, *words(judge))
    assert (found.n, found.changed, found.unread, found.right_then, found.right_now, found.proven) == (
        20,
        0,
        0,
        20,
        20,
        (),
    )


def test_one_changed_verdict_proves_nothing(tmp_path: Path) -> None:
    judge = judge_with(tmp_path)
    found = drift(judge, *words(judge, i0="fail"))
    assert (found.changed, found.right_now, found.proven) == (1, 19, ())


def test_many_that_got_wrong_prove_that_it_is_another_judge(tmp_path: Path) -> None:
    judge = judge_with(tmp_path)
    found = drift(judge, *words(judge, **{f"i{at}": "fail" for at in range(0, 16, 2)}))
    assert (found.changed, found.right_now) == (8, 12)
    assert set(found.proven) == {"verdicts", "agreement"}
    assert found.said.startswith("8 of 20 verdicts changed; right 12 times, 20 when it was locked (least p 4.5e-07)")


def test_a_judge_that_flips_when_asked_again_may_flip_here(tmp_path: Path) -> None:
    unsteady = judge_with(tmp_path, probes=(Probe("repeat", 0.4, 40, "16 of 40 change"),))
    other = {"i0": "fail", "i2": "fail", "i4": "fail", "i1": "pass", "i3": "pass"}
    assert "verdicts" not in drift(unsteady, *words(unsteady, **other)).proven
    steady = judge_with(tmp_path)
    assert "verdicts" in drift(steady, *words(steady, **other)).proven


def test_without_a_repeat_probe_flips_are_held_against_what_is_allowed(tmp_path: Path) -> None:
    judge = judge_with(tmp_path, probes=())
    assert drift(judge, *words(judge, i0="fail", i1="pass")).proven == ()
    assert "verdicts" in drift(judge, *words(judge, **{f"i{at}": "pass" for at in range(1, 16, 2)})).proven


def test_verdicts_that_cannot_be_read_any_more_are_drift_of_their_own(tmp_path: Path) -> None:
    judge = judge_with(tmp_path)
    found = drift(judge, *words(judge, i0=None, i1=None, i2=None, i3=None))
    assert (found.changed, found.unread, "unread" in found.proven) == (0, 4, True)
    assert "4 without a verdict" in found.said


def test_a_judge_that_got_better_is_not_called_worse(tmp_path: Path) -> None:
    half_wrong = {name: "pass" for name in SAID}
    judge = judge_with(tmp_path, anchors=half_wrong, probes=(Probe("repeat", 0.5, 40, "20 of 40 change"),))
    found = drift(judge, *words(judge))
    assert (found.right_then, found.right_now) == (10, 20)
    assert "agreement" not in found.proven


Answers = Callable[[Request], str | Completion]


async def asked(folder: Path, judge: Judge, answers: Answers) -> tuple[Check, Totals, Scripted]:
    model = Scripted("judge", {"revision": "1"}, function=answers)
    options = WorkOptions(store=folder / "store", providers={"scripted/judge": model})
    check, paid = await check_anchors(judge, options)
    return check, paid, model


def word_of(request: Request) -> str:
    found = re.search(r"answer (\d+)", request.messages[-1].content)
    assert found is not None
    return SAID[f"i{found[1]}"]


async def test_a_sound_judge_is_sound_still_and_is_asked_without_the_cache(tmp_path: Path) -> None:
    judge = judge_with(tmp_path)
    for _ in range(2):
        found, paid, model = await asked(tmp_path, judge, lambda request: says(word_of(request)))
        assert (found.status, found.stale) == ("calibrated", ())
        assert found.anchors == "0 of 20 verdicts changed; right 20 times, 20 when it was locked (least p 1)"
        assert len(model.calls) == paid.calls == N


async def test_drift_names_the_anchors(tmp_path: Path) -> None:
    found, _, _ = await asked(tmp_path, judge_with(tmp_path), lambda request: says("pass"))
    assert found.status == "stale"
    assert [line.partition(":")[0] for line in found.stale] == ["anchors"]
    assert "10 of 20 verdicts changed" in found.stale[0]


async def test_another_served_model_is_seen_here(tmp_path: Path) -> None:
    def answers(request: Request) -> Completion:
        return Completion(says(word_of(request)), served_model="judge-2027")

    found, _, _ = await asked(tmp_path, judge_with(tmp_path), answers)
    assert found.status == "stale"
    assert found.stale == ("served: judge-2027 answers now, and judge was measured",)


@pytest.mark.parametrize("lock", [{"verdict_schema": "0" * 64}, {"anchors": {}}])
async def test_nothing_is_asked_where_it_would_say_nothing(tmp_path: Path, lock: dict[str, Any]) -> None:
    found, paid, model = await asked(tmp_path, judge_with(tmp_path, **lock), lambda request: says("pass"))
    assert (len(model.calls), paid.calls) == (0, 0)
    assert found.anchors is not None
    assert found.anchors.startswith("not asked again")


async def test_a_judge_without_a_lock_has_no_anchors(tmp_path: Path) -> None:
    judge = load_judge(str(labelled_project(tmp_path)))
    found, _, _ = await asked(tmp_path, judge, lambda request: says("pass"))
    assert (found.status, found.anchors) == ("uncalibrated", None)


def test_anchors_are_items_of_the_labels(tmp_path: Path) -> None:
    judge = load_judge(str(locked_project(tmp_path, lock={"anchors": {"i3": "fail", "gone": "pass", "i1": "fail"}})))
    assert judge.lock is not None
    assert [item.subject.id for item in anchors_of(judge, judge.lock)] == ["i1", "i3"]
    assert len(read_labels(judge).items) == 8
