"""A gate on a judged metric, from end to end: a real repository, scripted models, a judge with labels and a lock."""

from __future__ import annotations

import pytest

from tests.gate.judged import FILES, Judged
from tests.gate.repository import needs_git

pytestmark = needs_git


@pytest.fixture
def judged(empty):
    return Judged(empty).start()


def asked(judged):
    """Runs that the store holds: what was asked at all."""
    with judged.store as store:
        return [run.run_id for run in store.runs()]


# --- what may not decide ---


async def test_without_a_lock_nothing_is_asked_and_nothing_decided(judged):
    (judged.repo.top / "judges/tone.lock").unlink()
    judged.prompt("Reply badly")
    report = await judged.gate()
    (suite,) = report.suites
    (metric,) = suite.metrics
    assert (report.verdict, report.exit_code, metric.verdict) == ("undecided", 3, "undecided")
    assert metric.reason == "the judge tone is uncalibrated: it has no lock (llmkit judge calibrate tone)"
    assert asked(judged) == []


async def test_a_changed_prompt_of_the_judge_is_named(judged):
    judged.repo.edit("prompts/tone.prompty", "Replied", "It replied")
    report = await judged.gate()
    (suite,) = report.suites
    assert report.exit_code == 3
    assert "stale: prompt: ../prompts/tone.prompty changed" in suite.metrics[0].reason
    assert [(change.part, change.path, change.asks) for change in suite.changes] == [
        ("judge", "prompts/tone.prompty", False)
    ]
    assert asked(judged) == []


async def test_no_option_makes_a_stale_lock_anything_else(judged):
    judged.repo.edit("judges/guidelines/tone.md", "good", "kind")
    judged.prompt("Reply badly")
    for meaning in ("pass", "warn", "fail"):
        report = await judged.gate(on_inconclusive=meaning)
        assert (report.verdict, report.exit_code) == ("undecided", 3)


async def test_a_lock_that_is_not_calibrated_decides_nothing(judged):
    judged.lock(status="provisional", reasons=("12 more labels that fail",))
    judged.prompt("Reply badly")
    report = await judged.gate()
    assert report.exit_code == 3
    assert report.suites[0].metrics[0].reason == "the judge tone is provisional: 12 more labels that fail"
    assert asked(judged) == []


async def test_the_listing_says_that_nothing_will_be_asked(judged):
    judged.repo.edit("judges/guidelines/tone.md", "good", "kind")
    report = await judged.gate(listed=True)
    assert report.exit_code == 0
    assert "criterion: guidelines/tone.md changed" in report.suites[0].reason


async def test_a_new_suite_is_told_what_its_judge_lacks(judged):
    (judged.repo.top / "judges/tone.lock").unlink()
    suite = FILES["suites/chat.yaml"].replace("name: chat", "name: talk")
    judged.repo.write({"suites/talk.yaml": suite})
    found = {suite.suite: suite for suite in (await judged.gate()).suites}
    assert (found["talk"].new, found["talk"].exit_code) == (True, 0)
    assert "the judge tone is uncalibrated" in found["talk"].notes[0]


async def test_a_judge_that_no_gating_metric_needs_may_be_as_it_is(judged):
    suite = FILES["suites/chat.yaml"].replace("gate: {tone: {max_drop: 0.2}}", "gate: {failures: {max_rise: 0.1}}")
    judged.repo.write({"suites/chat.yaml": suite})
    (judged.repo.top / "judges/tone.lock").unlink()
    assert (await judged.one()).exit_code == 0
