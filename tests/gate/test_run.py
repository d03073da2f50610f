"""The gate from end to end: a real repository, a real server on loopback, a verdict."""

import json

import pytest

from llmkit.errors import UsageError
from llmkit.gate.baseline import save
from llmkit.gate.options import GateOptions
from llmkit.gate.run import gate
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.options import Options
from llmkit.runs.store import Store
from tests.gate.repository import Repo, needs_git
from tests.providers.server import Server, Tokens, ok, status
from tests.runs.project import add, answering, question

pytestmark = needs_git

QUICK = RetryPolicy(max_attempts=2, limited_attempts=2, base_s=0.0, limited_base_s=0.0, cap_s=0.0)
SUITE = """\
version: 1
name: sums
data: sums.jsonl
map: {{id: id, target: answer{mapped}}}
prompt: ../prompts/add.prompty
scorers: [exact_match]
gate: {{{gate}}}
model: openai/adder
params: {{max_tokens: 8}}
"""
PROMPT = "---\nname: add\n---\nuser:\n{words}: {{{{question}}}}\n"
CONFIG = '[prices."openai/adder"]\ninput = 1.0\noutput = 2.0\n'


def rows(count):
    return "".join(
        json.dumps(
            {"id": f"s{n:04}", "question": f"{n}+1", "answer": str(n + 1), "topic": "ab"[n % 2], "doc": f"d{n // 4}"}
        )
        + "\n"
        for n in range(count)
    )


def answer(text):
    """Add; asked badly, get every third sum wrong; asked oddly, get other ones wrong than asked plainly."""
    number = int(text.rpartition(" ")[2].partition("+")[0])
    wrong = ("badly" in text and number % 3 == 0) or ("oddly" in text and number % 10 == 0)
    return "wrong" if wrong else add(text)


class Bench:
    """A repository with one gated suite, and the model that it asks."""

    def __init__(self, repo, server):
        self.repo, self.server = repo, server

    def prompt(self, words):
        self.repo.write({"prompts/add.prompty": PROMPT.format(words=words)})

    def suite(self, gate="exact_match: {max_drop: 0.1}", mapped=""):
        self.repo.write({"suites/sums.yaml": SUITE.format(gate=gate, mapped=mapped)})

    async def gate(self, **how):
        return await gate(GateOptions(**{"retry": QUICK, **how}))

    async def one(self, **how):
        report = await self.gate(**how)
        assert len(report.suites) == 1, report
        return report.suites[0]

    @property
    def asked(self):
        return [question(seen) for seen in self.server.log]

    @property
    def store(self):
        return Store(self.repo.top / ".llmkit", read_only=True)


@pytest.fixture
async def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    async with Server(default=answering(answer, Tokens(40, 8))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        repo = Repo(tmp_path / "repo", monkeypatch)
        files = {
            "llmkit.toml": CONFIG,
            "suites/sums.yaml": SUITE.format(gate="exact_match: {max_drop: 0.1}", mapped=""),
            "suites/sums.jsonl": rows(400),
            "prompts/add.prompty": PROMPT.format(words="Add"),
            ".gitignore": ".llmkit\n",
        }
        yield Bench(repo.start(files), server)


# --- verdicts ---


async def test_a_harmless_reformatting_makes_no_call(bench):
    bench.repo.write(
        {"prompts/add.prompty": "---\n# a comment\nname:   add\n---\nuser:\n{# why #}Add: {{ question }}\n"}
    )
    report = await bench.gate()
    assert (report.verdict, report.exit_code, report.suites, report.untouched) == ("pass", 0, (), ("sums",))
    assert bench.asked == []


async def test_a_template_that_renders_the_same_requests_makes_no_call(bench):
    bench.repo.write(
        {"prompts/add.prompty": "---\nname: add\n---\nuser:\n{% if question %}Add: {{question}}{% endif %}\n"}
    )
    suite = await bench.one()
    assert suite.verdict == "pass"
    assert "same on both sides" in suite.reason
    assert bench.asked == []


async def test_a_harmful_edit_fails_with_the_flipped_samples(bench):
    bench.prompt("Add badly")
    report = await bench.gate()
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("fail", 1)
    (metric,) = suite.metrics
    assert metric.interval.high < 0
    assert metric.losses == suite.flipped > 0 == metric.gains
    assert [flip.change for flip in suite.flips] == [-1.0] * 5
    assert all((flip.a.text, flip.b.text) == (flip.references[0], "wrong") for flip in suite.flips)


async def test_a_proven_drop_is_never_more_than_what_was_seen(bench):
    bench.prompt("Add badly")
    (metric,) = (await bench.one()).metrics
    assert metric.interval.low <= metric.difference <= metric.interval.high
    assert metric.difference == pytest.approx(-metric.losses / metric.n)


async def test_an_equal_edit_passes(bench):
    bench.prompt("Please add")
    report = await bench.gate()
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("pass", 0)
    assert suite.metrics[0].ruled_out < 0.1


async def test_a_tiny_suite_says_what_it_needs(bench):
    bench.repo.write({"suites/sums.jsonl": rows(20)})
    bench.repo.commit()
    bench.prompt("Please add")
    report = await bench.gate()
    (metric,) = report.suites[0].metrics
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert 30 <= metric.needs.samples <= 200
    assert 0.1 < metric.needs.margin < 1
    assert metric.ruled_out > 0.1


@pytest.mark.parametrize(("meaning", "code"), [(None, 3), ("fail", 1), ("warn", 0), ("pass", 0)])
async def test_what_too_little_evidence_means_is_the_users_choice(bench, meaning, code):
    bench.repo.write({"suites/sums.jsonl": rows(20)})
    bench.prompt("Please add")
    report = await bench.gate(on_inconclusive=meaning)
    assert (report.verdict, report.exit_code) == ("undecided", code)


async def test_it_stops_as_soon_as_a_verdict_stands(bench):
    bench.prompt("Please add")
    suite = await bench.one()
    assert suite.look < suite.looks
    assert suite.n < suite.planned.n_max
    assert len(bench.asked) == 2 * suite.n
    assert suite.saved_calls == 2 * (suite.planned.n_max - suite.n)
    assert suite.saved_usd == pytest.approx((40 * 1 + 8 * 2) / 1e6 * suite.saved_calls)


async def test_the_same_gate_gives_the_same_verdict_again_for_the_cache_alone(bench):
    bench.prompt("Add oddly")
    first = await bench.one()
    made = len(bench.asked)
    again = await bench.one()
    assert (again.verdict, again.metrics[0].difference) == (first.verdict, first.metrics[0].difference)
    assert len(bench.asked) - made <= 2  # each side asks once which model answers now


async def test_both_sides_are_asked_the_same_samples_interleaved(bench):
    bench.prompt("Please add")
    await bench.gate(concurrency=4)
    asked = bench.asked
    assert {text.rpartition(" ")[2] for text in asked if text.startswith("Please")} == {
        text.rpartition(" ")[2] for text in asked if text.startswith("Add")
    }
    half = asked[: len(asked) // 2]
    assert 0.25 < sum(text.startswith("Please") for text in half) / len(half) < 0.75


async def test_a_gate_that_failed_is_no_measure_of_noise(bench):
    bench.prompt("Add badly")
    await bench.one()
    bench.prompt("Please add")
    planned = (await bench.one(listed=True)).planned
    assert planned.spread.startswith("assumed")


async def test_a_gate_that_passed_is_the_measure_of_the_next_ones_noise(bench):
    bench.prompt("Please add")
    await bench.one()
    bench.prompt("Kindly add")
    assert (await bench.one(listed=True)).planned.spread.startswith("gate run")


# --- what changed ---


async def test_a_scorer_that_changed_scores_both_sides_and_asks_nothing(bench):
    text = SUITE.format(gate="exact_match: {max_drop: 0.1}", mapped="")
    bench.repo.write({"suites/sums.yaml": text.replace("[exact_match]", "[{exact_match: {ignore_case: true}}]")})
    report = await bench.gate()
    assert report.verdict == "pass"
    assert bench.asked == []


async def test_a_parameter_that_changed_is_gated(bench):
    bench.repo.edit("suites/sums.yaml", "max_tokens: 8", "max_tokens: 16")
    suite = await bench.one()
    assert [change.part for change in suite.changes] == ["params"]
    assert {seen.body["max_tokens"] for seen in bench.server.log} == {8, 16}


async def test_a_new_suite_has_nothing_to_be_compared_with(bench):
    bench.repo.write(
        {
            "suites/more.yaml": SUITE.format(gate="exact_match: {max_drop: 0.1}", mapped="").replace(
                "name: sums", "name: more"
            )
        }
    )
    report = await bench.gate()
    assert (report.suites[0].suite, report.verdict, report.exit_code) == ("more", "pass", 0)
    assert "new suite" in report.suites[0].reason
    assert bench.asked == []


async def test_a_base_that_is_broken_is_no_base(bench):
    bench.repo.write({"prompts/add.prompty": b"\xff\xfe\x00broken"})
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Add")
    report = await bench.gate()
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert "add.prompty" in report.suites[0].reason


async def test_a_base_prompt_that_wants_other_fields_is_no_base(bench):
    bench.repo.write({"suites/sums.jsonl": rows(60).replace('"question"', '"sum"')})
    bench.repo.write({"prompts/add.prompty": "---\nname: add\n---\nuser:\nAdd: {{sum}}\n"})
    suite = await bench.one()
    assert suite.verdict == "undecided"
    assert "cannot be rendered" in suite.reason


async def test_the_plan_alone_makes_no_call_and_needs_no_key(bench, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    bench.prompt("Add badly")
    report = await bench.gate(listed=True)
    planned = report.suites[0].planned
    assert (report.exit_code, bench.asked) == (0, [])
    assert (planned.calls, planned.from_cache) == (2 * planned.n_max, 0)
    assert planned.worst_case_usd > 0


async def test_the_plans_worst_case_is_that_no_stored_answer_counts(bench):
    bench.prompt("Please add")
    before = (await bench.one()).planned
    planned = (await bench.one(listed=True)).planned
    assert (planned.calls, planned.worst_case_usd) == (before.calls, before.worst_case_usd)
    assert planned.from_cache > 0


# --- the cache ---


async def test_base_answers_of_an_earlier_gate_are_not_paid_for_again(bench):
    bench.prompt("Please add")
    first = await bench.one()
    bench.prompt("Kindly add")
    second = await bench.one()
    assert second.n <= first.n
    assert (second.base.calls, second.base.from_cache) == (1, second.n)  # one, to know which model answers now
    assert second.head.from_cache == 0


async def test_answers_that_are_too_old_do_not_count(bench):
    bench.prompt("Please add")
    await bench.one()
    suite = await bench.one(max_age=0)
    assert suite.base.from_cache == suite.head.from_cache == 0


async def test_answers_of_another_served_model_do_not_count(bench):
    bench.prompt("Please add")
    first = await bench.one()

    async def renamed(exchange):
        await ok(answer(question(exchange.seen)), Tokens(40, 8), model="adder-2")(exchange)

    bench.server.default = renamed
    bench.prompt("Kindly add")
    second = await bench.one()
    assert first.base.calls == first.n
    assert second.base.from_cache == 0
    assert second.base.calls == second.n


async def test_a_model_that_changes_its_mind_does_not_move_a_gate_that_is_repeated(bench):
    times = 0

    async def fickle(exchange):
        nonlocal times
        times += 1
        text = question(exchange.seen)
        await ok(answer(text) if times % 7 else "another answer", Tokens(40, 8))(exchange)

    bench.server.default = fickle
    bench.prompt("Please add")
    first, again = await bench.one(), await bench.one()
    assert [(m.difference, m.losses, m.gains) for m in again.metrics] == [
        (m.difference, m.losses, m.gains) for m in first.metrics
    ]


async def test_where_no_sample_tells_which_model_answers_no_stored_answer_counts(bench):
    bench.prompt("Please add")
    first = await bench.one()
    silent = {question(seen) for seen in bench.server.log[:20]}

    async def renamed(exchange):
        text = question(exchange.seen)
        said = status(400) if text in silent else ok(answer(text), Tokens(40, 8), model="adder-2")
        await said(exchange)

    bench.server.default = renamed
    second = await bench.one()
    assert first.base.calls > 0
    assert second.base.from_cache == second.head.from_cache == 0


async def test_the_number_of_samples_is_kept_until_a_new_plan_is_asked_for(bench):
    bench.prompt("Please add")
    first = await bench.one()
    kept = await bench.one()
    fresh = await bench.one(fresh=True)
    assert kept.planned.n_max == first.planned.n_max
    assert fresh.planned.n_max < first.planned.n_max  # nothing differed, so less is expected to


async def test_without_the_cache_everything_is_asked(bench):
    bench.prompt("Please add")
    await bench.one()
    suite = await bench.one(cache=False)
    assert suite.base.from_cache == suite.head.from_cache == 0


# --- offline ---


async def test_offline_decides_from_the_cache_without_a_key(bench, monkeypatch):
    bench.prompt("Add badly")
    online = await bench.one()
    made = len(bench.asked)
    monkeypatch.delenv("OPENAI_API_KEY")
    offline = await bench.one(offline=True)
    assert (offline.verdict, offline.metrics[0].difference) == ("fail", online.metrics[0].difference)
    assert len(bench.asked) == made


async def test_offline_lists_what_is_missing(bench, monkeypatch):
    bench.prompt("Please add")
    await bench.one()
    monkeypatch.delenv("OPENAI_API_KEY")
    bench.prompt("Add badly")
    report = await bench.gate(offline=True)
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert suite.missing
    assert all(name.startswith("head s") for name in suite.missing)


async def test_offline_lists_all_that_is_missing_and_not_the_first_look_alone(bench):
    bench.prompt("Please add")
    suite = await bench.one(offline=True)
    assert len(suite.missing) == 2 * suite.planned.n_max


async def test_offline_never_sets_the_answers_of_two_models_against_each_other(bench):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))

    async def renamed(exchange):
        await ok(answer(question(exchange.seen)), Tokens(40, 8), model="adder-2")(exchange)

    bench.server.default = renamed
    bench.prompt("Please add")
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    report = await bench.gate(offline=True)
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert {name.split()[0] for name in report.suites[0].missing} == {"base"}


async def test_offline_takes_the_model_that_answered_on_both_sides(bench):
    bench.prompt("Add badly")
    await bench.one()

    async def renamed(exchange):
        await ok(answer(question(exchange.seen)), Tokens(40, 8), model="adder-2")(exchange)

    bench.server.default = renamed
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK, cache=False))
    assert (await bench.one(offline=True)).verdict == "fail"


# --- metrics beside the scores ---


async def test_a_latency_is_measured_by_calls_made_now_on_both_sides(bench):
    bench.suite("exact_match: {max_drop: 0.1}, latency_mean: {max_rise: 9.0}")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    await bench.one()
    again = await bench.one()
    assert again.base.from_cache == again.head.from_cache == 0
    latency = again.metrics[1]
    assert latency.base > 0
    assert latency.reason is None


async def test_a_latency_offline_is_unknown_and_no_pass(bench):
    bench.suite("exact_match: {max_drop: 0.1}, latency_p95: {max_rise: 9.0}")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    await bench.one()
    report = await bench.gate(offline=True)
    latency = next(m for m in report.suites[0].metrics if m.metric == "latency_p95")
    assert report.exit_code == 3
    assert latency.verdict == "undecided"


async def test_a_cost_that_rises_fails(bench):
    bench.suite("cost: {max_rise: 0.2}")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")

    async def dear(exchange):
        text = question(exchange.seen)
        await ok(answer(text), Tokens(400 + len(text) if "Please" in text else 40 + len(text), 8))(exchange)

    bench.server.default = dear
    bench.prompt("Please add")
    report = await bench.gate()
    (cost,) = report.suites[0].metrics
    assert report.exit_code == 1
    assert cost.relative
    assert cost.difference == pytest.approx(cost.head / cost.base - 1)


async def test_a_cost_without_a_price_is_said_before_anything_is_paid_for(bench):
    bench.suite("cost: {max_rise: 0.2}")
    bench.repo.write({"llmkit.toml": ""})
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    with pytest.raises(UsageError, match=r"sums\.yaml:7.*price of openai/adder is unknown"):
        await bench.gate()
    assert bench.asked == []


async def test_slices_have_margins_of_their_own(bench):
    bench.suite("exact_match: {max_drop: 0.1, slices: {topic: 0.2}}", ", slices: [topic]")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    suite = await bench.one()
    assert [m.slice for m in suite.metrics] == [None, ("topic", "a"), ("topic", "b")]
    assert suite.verdict == "pass"


async def test_clusters_are_asked_whole_and_counted_as_one(bench):
    bench.suite(mapped=", cluster: doc")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    suite = await bench.one()
    assert (suite.planned.unit, suite.planned.available) == ("clusters", 100)
    assert len(bench.asked) == 2 * 4 * suite.n


async def test_the_figures_of_a_metric_are_of_one_and_the_same_pairs(bench):
    bench.suite("exact_match: {max_drop: 0.3}, failures: {max_rise: 0.05}")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Add oddly")
    exact, failures = (await bench.one()).metrics
    assert exact.verdict == failures.verdict == "pass"
    assert exact.look < failures.look
    assert exact.difference == pytest.approx(exact.head - exact.base)
    assert exact.difference == pytest.approx((exact.gains - exact.losses) / exact.n)


async def test_epochs_are_averaged(bench):
    bench.prompt("Please add")
    suite = await bench.one(epochs=2)
    assert len(bench.asked) == 4 * suite.n
    assert suite.metrics[0].n == suite.n


# --- what goes wrong ---


async def test_a_budget_that_runs_out_decides_by_what_there_is_and_never_passes_silently(bench):
    bench.prompt("Please add")
    report = await bench.gate(max_cost=0.003, concurrency=2)
    (suite,) = report.suites
    assert (report.verdict, report.exit_code) == ("undecided", 3)
    assert "budget" in suite.stopped_by or "--max-cost" in suite.stopped_by
    assert 0 < suite.n < suite.planned.n_max
    assert suite.base.cost_usd + suite.head.cost_usd <= 0.003


async def test_what_a_budget_pays_for_decides(bench):
    bench.prompt("Please add")
    suite = await bench.one(max_cost=0.005)
    asked = suite.base.calls + suite.head.calls
    assert 2 * suite.n >= asked - 2 * 16  # of the last pairs begun, sixteen at most lack a side


async def test_a_budget_that_runs_out_after_a_proof_still_fails(bench):
    bench.prompt("Add badly")
    whole = await bench.one()
    assert whole.verdict == "fail"
    report = await bench.gate(max_cost=whole.base.cost_usd + whole.head.cost_usd + 1e-4, cache=False, concurrency=1)
    assert report.exit_code == 1


async def test_a_server_that_fails_is_no_verdict(bench):
    async def broken(exchange):
        await status(500)(exchange)

    bench.server.default = broken
    bench.prompt("Please add")
    report = await bench.gate()
    assert (report.verdict, report.exit_code) == ("undecided", 4)


async def test_failures_on_one_side_only_are_left_out_and_counted(bench):
    async def flaky(exchange):
        text = question(exchange.seen)
        number = int(text.rpartition(" ")[2].partition("+")[0])
        bad = "Please" in text and number % 20 == 0
        await (status(400) if bad else ok(answer(text), Tokens(40, 8)))(exchange)

    bench.server.default = flaky
    bench.suite("exact_match: {max_drop: 0.1}, failures: {max_rise: 0.5}")
    bench.repo.commit()
    bench.repo.git("branch", "-f", "main")
    bench.prompt("Please add")
    suite = await bench.one()
    assert suite.verdict == "pass"
    assert suite.dropped == suite.head.failed > 0 == suite.base.failed
    exact, failures = suite.metrics
    assert exact.n + suite.dropped >= failures.n
    assert (exact.base, exact.head) == (1.0, 1.0)
    assert failures.head > failures.base == 0
    assert "left out" in suite.rule


async def test_a_head_that_answers_less_is_no_silent_pass(bench):
    async def flaky(exchange):
        text = question(exchange.seen)
        number = int(text.rpartition(" ")[2].partition("+")[0])
        bad = "Please" in text and number % 2 == 0
        await (status(400) if bad else ok(answer(text), Tokens(40, 8)))(exchange)

    bench.server.default = flaky
    bench.prompt("Please add")
    suite = await bench.one()
    assert suite.verdict == "pass"
    assert "head alone has no usable answer" in suite.warning
    assert "gate failures" in suite.warning


async def test_failures_on_both_sides_alike_are_no_warning(bench):
    async def flaky(exchange):
        text = question(exchange.seen)
        bad = int(text.rpartition(" ")[2].partition("+")[0]) % 4 == 0
        await (status(400) if bad else ok(answer(text), Tokens(40, 8)))(exchange)

    bench.server.default = flaky
    bench.prompt("Please add")
    assert (await bench.one()).warning is None


async def test_a_metric_without_room_to_drop_is_said(bench):
    bench.server.default = answering(lambda text: "no", Tokens(40, 8))
    bench.prompt("Please add")
    suite = await bench.one()
    assert any("no room to drop" in note for note in suite.notes)


async def test_an_interval_stays_within_what_the_metric_can_be(bench):
    bench.server.default = answering(lambda text: "no" if "worst" in text else add(text), Tokens(40, 8))
    bench.prompt("Add worst")
    (metric,) = (await bench.one()).metrics
    assert metric.interval.low >= -1


async def test_all_samples_failing_on_one_side_is_said(bench):
    async def one_sided(exchange):
        text = question(exchange.seen)
        await (status(400) if "Please" in text else ok(answer(text), Tokens(40, 8)))(exchange)

    bench.server.default = one_sided
    bench.prompt("Please add")
    report = await bench.gate()
    assert report.exit_code == 4
    assert report.verdict == "undecided"


async def test_an_interrupted_gate_keeps_its_answers(bench):
    calls = 0

    async def interrupting(exchange):
        nonlocal calls
        calls += 1
        if calls == 30:
            raise_interrupt()
        await ok(answer(question(exchange.seen)), Tokens(40, 8))(exchange)

    import asyncio

    task = asyncio.current_task()

    def raise_interrupt():
        task.cancel()

    bench.server.default = interrupting
    bench.prompt("Please add")
    with pytest.raises(asyncio.CancelledError):
        await bench.gate(concurrency=4)
    task.uncancel()
    with bench.store as store:
        assert {run.status for run in store.runs()} == {"interrupted"}
    bench.server.default = answering(answer, Tokens(40, 8))
    suite = await bench.one()
    assert suite.verdict == "pass"
    assert suite.base.from_cache + suite.head.from_cache > 15


# --- baselines ---


async def test_a_baseline_stands_in_for_a_base_branch(bench, tmp_path):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    made = len(bench.asked)
    with bench.store as store:
        save(store, store.run("latest"), tmp_path / "main.jsonl")
    bench.prompt("Add badly")
    report = await bench.gate(suites=("suites/sums.yaml",), baseline=(str(tmp_path / "main.jsonl"),))
    (suite,) = report.suites
    assert report.exit_code == 1
    assert suite.base.calls == 0
    assert len(bench.asked) - made == suite.n
    assert suite.flips[0].a.text == suite.flips[0].references[0]


async def test_a_baseline_may_be_a_run(bench):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    bench.prompt("Please add")
    report = await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))
    assert report.exit_code == 0


async def test_a_side_of_a_gate_is_no_baseline(bench, tmp_path):
    bench.prompt("Please add")
    await bench.one()
    with bench.store as store, pytest.raises(UsageError, match="a part of the samples"):
        save(store, store.run("latest"), tmp_path / "x.jsonl")
    with pytest.raises(UsageError, match="a part of the samples"):
        await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))


@pytest.mark.parametrize("options", [{"limit": 5}, {"epochs": 3}])
async def test_a_baseline_of_something_else_is_refused_though_the_prompt_is_the_same(bench, options):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    with pytest.raises(UsageError, match="made of something else"):
        await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",), **options)


async def test_a_latency_cannot_be_gated_against_a_baseline(bench):
    bench.suite("latency_p95: {max_rise: 1.0}")
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    made = len(bench.asked)
    bench.prompt("Please add")
    with pytest.raises(UsageError, match="side by side"):
        await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))
    assert len(bench.asked) == made


async def test_a_baseline_of_other_data_is_refused(bench):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    bench.prompt("Please add")
    bench.repo.write({"suites/sums.jsonl": rows(30)})
    with pytest.raises(UsageError, match=r"fingerprints\.data"):
        await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))


async def test_a_baseline_of_another_served_model_is_refused(bench):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))

    async def renamed(exchange):
        await ok(answer(question(exchange.seen)), Tokens(40, 8), model="adder-2")(exchange)

    bench.server.default = renamed
    bench.prompt("Please add")
    with pytest.raises(UsageError, match="served_model"):
        await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))


async def test_an_unchanged_suite_costs_nothing_against_its_baseline(bench):
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    made = len(bench.asked)
    report = await bench.gate(suites=("suites/sums.yaml",), baseline=("latest",))
    assert (report.exit_code, report.untouched, len(bench.asked)) == (0, ("sums",), made)


async def test_a_cost_that_did_not_change_passes_at_its_planned_n(bench):
    # Every answer costs nearly the same: it is the rule's floor that says how many are needed.
    bench.suite("cost: {max_rise: 0.2}")
    bench.repo.commit()
    await evaluate_async("suites/sums.yaml", options=Options(retry=QUICK))
    bench.prompt("Please add")
    suite = await bench.one()
    assert 66 <= suite.planned.n_max < 100
    assert suite.metrics[0].verdict == "pass"


async def test_an_undecided_cost_is_told_how_many_samples_it_needs(bench):
    bench.repo.write({"suites/sums.jsonl": rows(30)})
    bench.suite("cost: {max_rise: 0.2}")
    bench.repo.commit()
    bench.prompt("Please add")
    suite = await bench.one()
    (cost,) = suite.metrics
    assert cost.verdict == "undecided"
    assert 66 <= cost.needs.samples < 100
    assert (cost.needs.available, cost.needs.of_all) == (30, None)
    assert 0.2 < cost.needs.margin < 1


async def test_too_few_latencies_to_plan_with_are_said(bench):
    bench.repo.write({"suites/sums.jsonl": rows(30)})
    bench.suite("latency_p95: {max_rise: 9.0}")
    bench.repo.commit()
    bench.prompt("Please add")
    (latency,) = (await bench.one()).metrics
    assert (latency.verdict, latency.needs) == ("undecided", None)
    assert "too few latencies" in latency.reason


async def test_a_slice_needs_samples_of_its_own(bench):
    bench.repo.write({"suites/sums.jsonl": rows(40)})
    bench.suite("exact_match: {max_drop: 0.5, slices: {topic: 0.1}}", mapped=", slices: [topic]")
    bench.repo.commit()
    bench.prompt("Please add")
    parts = [m for m in (await bench.one()).metrics if m.slice is not None]
    assert [m.needs.available for m in parts] == [20, 20]
    assert all(m.needs.of_all == 2 * m.needs.samples > 40 for m in parts)
