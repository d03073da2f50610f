"""A gate on a judged metric, from end to end: a real repository, scripted models, a judge with labels and a lock."""

from __future__ import annotations

import pytest

from llmkit.errors import UnsoundLockError
from llmkit.gate.baseline import save
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.options import Options
from tests.gate.judged import BAD, FILES, GOOD, LABELS, QUICK, Judged, lines, says
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


async def test_a_lock_that_was_edited_by_hand_ends_the_gate(judged):
    judged.repo.edit("judges/tone.lock", '"status": "calibrated"', '"status": "refused"')
    judged.prompt("Reply badly")
    with pytest.raises(UnsoundLockError, match=r"judges/tone\.lock: edited by hand") as raised:
        await judged.gate(on_inconclusive="pass")
    assert raised.value.exit_code == 3
    assert asked(judged) == []


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


# --- verdicts ---


async def test_a_harmful_edit_fails_by_the_corrected_difference(judged):
    judged.prompt("Reply badly")
    report = await judged.gate()
    (metric,) = report.suites[0].metrics
    assert (report.verdict, report.exit_code, metric.verdict) == ("fail", 1, "fail")
    assert metric.judged.raw == pytest.approx(metric.head - metric.base)
    assert metric.difference == pytest.approx(metric.judged.raw / 0.8)
    assert metric.interval.low < metric.difference < metric.interval.high < 0
    assert (metric.judged.status, metric.judged.youden) == ("calibrated", pytest.approx(0.8))
    assert metric.judged.tpr.n == metric.judged.tnr.n == 100
    assert metric.judged.errors.startswith("that the judge errs alike on both sides is assumed, not checked")


async def test_a_harmless_edit_passes(judged):
    judged.prompt("Kindly reply")
    report = await judged.gate()
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("pass", 0)
    assert suite.metrics[0].ruled_out < 0.2
    assert suite.judges[0].judge == "tone"
    assert suite.judges[0].calls == 2 * suite.n
    assert suite.base.calls == suite.head.calls == suite.n


async def test_a_drop_that_the_judge_hides_in_part_is_not_passed_for_smaller(judged):
    """Of a true drop of .2 the judge shows .16: below a margin of .2, and no pass."""
    judged.prompt("Reply poorly")
    replies = [{"regex": "poorly.*[05]$", "text": BAD}, {"regex": ".", "text": GOOD}]
    judged.repo.write({"replies.jsonl": lines(replies)})
    assert (await judged.one()).verdict != "pass"


async def test_a_slice_is_corrected_as_the_whole_is(judged):
    suite = FILES["suites/chat.yaml"].replace("map: {id: id}", "map: {id: id, slices: [topic]}")
    gated = suite.replace("{max_drop: 0.2}", "{max_drop: 0.2, slices: {topic: 0.4}}")
    rows = lines({"id": f"s{n:03}", "question": f"question {n}", "topic": "ab"[n % 2]} for n in range(160))
    judged.repo.write({"suites/chat.yaml": gated, "suites/chat.jsonl": rows})
    judged.adopt()
    judged.prompt("Reply poorly")
    suite = await judged.one()
    assert [metric.slice for metric in suite.metrics] == [None, ("topic", "a"), ("topic", "b")]
    looked = [metric for metric in suite.metrics if metric.difference is not None]
    assert len(looked) > 1
    for metric in looked:
        assert metric.judged.raw == pytest.approx(metric.head - metric.base)
        assert metric.difference == pytest.approx(metric.judged.raw / 0.8)


# --- what the judge says nothing of ---


async def test_what_has_no_verdict_is_left_out_and_counted_a_side(judged):
    judged.verdicts({"regex": r"(?s)[02468]2\s*</input", "text": says("cannot_tell")})
    judged.prompt("Kindly reply")
    suite = await judged.one()
    (metric,) = suite.metrics
    assert suite.verdict == "pass"
    assert metric.n < suite.n == metric.judged.head.asked
    assert metric.judged.base.cannot_tell == metric.judged.head.cannot_tell == suite.n - metric.n


async def test_a_style_that_confuses_the_judge_is_not_passed_for_what_is_left(judged):
    judged.verdicts({"regex": r"(?s)Kindly.*5\s*</input", "text": "I would rather not."})
    judged.prompt("Kindly reply")
    suite = await judged.one()
    (metric,) = suite.metrics
    assert (suite.verdict, suite.exit_code, metric.verdict) == ("undecided", 3, "undecided")
    left_out = f"head: {metric.judged.head.unread} of {suite.n} answers ended without a verdict, more than 2 %"
    assert metric.reason.startswith(left_out)
    assert suite.n < suite.planned.n_max, "no verdict that is still to come could mend it"
    assert (suite.saved_calls, suite.warning) == (2 * (suite.planned.n_max - suite.n), None)
    again = await judged.one(on_inconclusive="pass")  # a want of evidence, which this option is for
    assert (again.verdict, again.exit_code) == ("undecided", 0)


async def test_a_judge_that_gives_no_verdict_makes_no_answer_a_failure(judged):
    gated = FILES["suites/chat.yaml"].replace("gate: {", "gate: {failures: {max_rise: 0.2}, ")
    judged.repo.write({"suites/chat.yaml": gated})
    judged.adopt()
    judged.verdicts({"match": "Kindly", "text": "no idea at all"})
    judged.prompt("Kindly reply")
    suite = await judged.one()
    failures, tone = suite.metrics
    assert (failures.metric, failures.verdict, failures.head) == ("failures", "pass", 0)
    assert (tone.verdict, tone.base, tone.head) == ("undecided", None, None)
    assert tone.reason.startswith(f"head: {suite.n} of {suite.n} answers ended without a verdict, more than 2 %")
    assert tone.judged.head.unread == tone.judged.head.asked > 0


# --- the same judge on both sides ---


async def test_a_changed_judge_judges_stored_answers_anew_and_asks_no_model(judged):
    judged.prompt("Kindly reply")
    first = await judged.one()
    judged.repo.edit("prompts/tone.prompty", "Replied", "It replied")
    judged.lock()
    suite = await judged.one(offline=False)
    assert {change.part for change in suite.changes} == {"prompt", "judge"}
    assert (suite.base.from_cache, suite.head.from_cache) == (suite.n, suite.n)
    assert suite.base.calls + suite.head.calls <= 2  # each side asks once which model answers now
    assert suite.judges[0].calls == 2 * suite.n
    assert first.judges[0].calls == 2 * first.n


async def test_a_judge_that_changed_alone_moves_no_side_and_makes_no_call(judged):
    judged.repo.edit("judges/guidelines/tone.md", "good", "kind")
    judged.lock()
    report = await judged.gate()
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("pass", 0)
    assert {change.path for change in suite.changes} == {"judges/guidelines/tone.md", "judges/tone.lock"}
    assert asked(judged) == []


async def test_a_gate_that_is_repeated_pays_for_no_verdict(judged):
    judged.prompt("Kindly reply")
    await judged.one()
    assert (await judged.one()).judges[0].calls == 0


async def test_labels_that_changed_make_the_lock_stale(judged):
    path = judged.repo.top / "judges/labels/tone.jsonl"
    path.write_text(path.read_text().replace('"fail"', '"pass"', 1))
    report = await judged.gate()
    assert report.exit_code == 3
    assert "stale: labels: labels/tone.jsonl changed" in report.suites[0].metrics[0].reason


async def test_another_served_model_ends_the_gate_at_the_first_look(judged):
    judged.lock(served="judge-2026-01")
    judged.prompt("Reply badly")
    report = await judged.gate(on_inconclusive="pass")
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    reason = "the judge tone is stale: served: judge answers now, and judge-2026-01 was measured"
    assert suite.metrics[0].reason == reason
    assert suite.judges[0].calls < suite.planned.n_max
    for _ in range(2):  # its verdicts stand now, and are no better for it
        (suite,) = (again := await judged.gate(on_inconclusive="pass")).suites
        assert (again.exit_code, suite.metrics[0].reason, suite.judges[0].calls) == (3, reason, 0)


# --- offline, money ---


async def test_offline_decides_from_stored_verdicts(judged):
    judged.prompt("Reply badly")
    online = await judged.one()
    offline = await judged.one(offline=True)
    assert (offline.verdict, offline.metrics[0].difference) == ("fail", online.metrics[0].difference)
    assert offline.judges[0].calls == 0


async def test_offline_lists_the_verdicts_that_are_missing(judged):
    judged.prompt("Kindly reply")
    await judged.one()
    judged.repo.edit("prompts/tone.prompty", "Replied", "It replied")
    judged.lock()
    report = await judged.gate(offline=True)
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert len(suite.missing) == 2 * suite.planned.n_max
    assert {name.split()[0] for name in suite.missing} == {"base", "head"}
    assert all(name.endswith(": verdict of tone") for name in suite.missing)


PRICES = """
[prices."scripted/judge"]
input = 1.0
output = 1.0
"""


def bill(judged, prices=PRICES, billed=False):
    """Let the judge's calls cost something: a model that nobody bills may have a price all the same."""
    config = FILES["llmkit.toml"].replace('replies.jsonl"', 'replies.jsonl"\nmax_tokens = 10')
    config = config.replace('verdicts.jsonl"', 'verdicts.jsonl"\nmax_tokens = 50' + "\nbilled = true" * billed)
    judged.repo.write({"llmkit.toml": config + prices})
    judged.lock()
    judged.adopt()
    judged.prompt("Kindly reply")


async def test_the_listing_counts_and_prices_the_judges_calls(judged):
    bill(judged)
    planned = (await judged.one(listed=True)).planned
    # Both sides, and the labelled answers that may be of either; what cannot be read is asked again.
    assert planned.judge_calls == {"tone": 2 * (2 * planned.n_max + len(LABELS))}
    assert planned.calls == 2 * planned.n_max
    paid = (await judged.one()).judges[0].cost_usd
    assert 0 < paid < planned.worst_case_usd


async def test_a_judge_without_a_price_leaves_the_worst_case_unknown(judged):
    bill(judged, prices="", billed=True)
    planned = (await judged.one(listed=True)).planned
    assert planned.worst_case_usd is None
    assert "scripted/judge" in planned.unknown


async def test_the_cap_holds_for_the_judges_calls_as_well(judged):
    bill(judged)
    report = await judged.gate(max_cost=0.002)
    (suite,) = report.suites
    assert report.exit_code == 3
    assert "0.002" in suite.stopped_by
    assert 0 < suite.judges[0].cost_usd <= 0.002


# --- errors on both sides ---


def labelled_on_both_sides(judged, style):
    """Good replies of either side, labelled as such."""
    rows = [
        {"id": f"{side}{n}", "label": "pass", "side": side, "input": f"{said} {n}", "answer": GOOD}
        for side, said in (("base", "plain"), ("head", style))
        for n in range(30)
    ]
    judged.repo.write({"judges/labels/tone.jsonl": lines([*LABELS, *rows])})
    judged.lock()
    judged.adopt()


async def test_a_judge_that_dislikes_heads_style_decides_nothing(judged):
    judged.verdicts({"match": "flowery 1", "text": says("fail")})
    labelled_on_both_sides(judged, "flowery")
    judged.prompt("Reply badly")
    report = await judged.gate(on_inconclusive="pass")
    (metric,) = report.suites[0].metrics
    assert (report.verdict, report.exit_code, metric.verdict) == ("undecided", 3, "undecided")
    assert metric.judged.differential
    assert "errs otherwise on head's answers than on base's" in metric.reason


async def test_a_judge_that_errs_alike_on_both_sides_decides(judged):
    labelled_on_both_sides(judged, "flowery")
    judged.prompt("Reply badly")
    suite = await judged.one()
    assert suite.verdict == "fail"
    assert suite.metrics[0].judged.errors.startswith("errors compared on labelled answers of both sides")


async def test_what_was_labelled_of_the_gates_own_answers_is_found(judged):
    rows = [{"id": f"b{n}", "label": "pass", "input": f"Reply: question {n}", "answer": GOOD} for n in range(160)]
    rows += [{"id": f"h{n}", "label": "pass", "input": f"Kindly reply: question {n}", "answer": GOOD} for n in range(9)]
    judged.repo.write({"judges/labels/tone.jsonl": lines(rows)})
    judged.lock()
    judged.adopt()
    judged.prompt("Kindly reply")
    suite = await judged.one()
    assert suite.verdict == "pass"
    assert suite.metrics[0].judged.errors.startswith("errors compared on labelled answers of both sides")


# --- a baseline ---


async def test_a_baselines_answers_are_judged_by_heads_judge(judged):
    (ended,) = await evaluate_async("suites/chat.yaml", options=Options(retry=QUICK))
    with judged.store as store:
        save(store, store.run(ended.result.run_id), judged.repo.top / "main.json")
    judged.prompt("Reply badly")
    report = await judged.gate(suites=("suites/chat.yaml",), baseline=("main.json",))
    (metric,) = report.suites[0].metrics
    assert (report.verdict, report.exit_code) == ("fail", 1)
    assert metric.difference == pytest.approx(metric.judged.raw / 0.8)
