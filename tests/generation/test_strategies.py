"""Strategies on the same rows: what is asked, what is shared, what is paid, and what happens where something breaks."""

import asyncio
import json
import math
from dataclasses import replace

import pytest

from llmkit.errors import BudgetError, EngineError, LlmkitError, ProviderError, UnknownNameError, UsageError
from llmkit.generation.arms import arms_of
from llmkit.providers.openai import OpenAI
from llmkit.structured.loop import Policy
from tests.generation.weak import FREE, TOML, colour, compared, row_of, rows, weak, without
from tests.providers.server import Server, ok, status

PER_TOKEN = {"in": 1.0 / 1e6, "out": 10.0 / 1e6}


def strategy(seen, name):
    return next(each for each in seen.comparison.strategies if each.name == name)


def names(found):
    return [arm.name for arm in found]


# --- which strategies ---


@pytest.mark.parametrize(
    ("asked", "compared_with"),
    [
        (["plain", "reprompt", "native"], ["plain", "reprompt", "resample", "native"]),
        (["native"], ["native", "resample"]),
        (["constrained", "plain"], ["constrained", "plain", "resample"]),
        (["reprompt", "plain", "reprompt"], ["reprompt", "resample", "plain"]),
        (["resample", "plain"], ["resample", "plain"]),
        (["resample", "reprompt"], ["resample", "reprompt"]),
        ([" plain ", "", "auto"], ["plain", "auto", "resample"]),
    ],
)
def test_the_control_comes_by_itself_where_errors_are_told(asked, compared_with):
    assert names(arms_of(asked, Policy())) == compared_with


def test_the_control_asks_as_often_and_tells_nothing():
    (_, control) = arms_of(["reprompt"], Policy(max_attempts=5, repair=True))
    assert (control.strategy, control.policy) == ("reprompt", Policy(5, "fresh", repair=True))


def test_an_unknown_strategy_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"--compare: unknown strategy 'repromt'. Did you mean 'reprompt'\?"):
        arms_of(["plain", "repromt"], Policy())


@pytest.mark.parametrize(
    ("asked", "policy", "said"),
    [
        ([], Policy(), "names no strategy"),
        (["plain"], Policy(), "plain alone is no comparison"),
        (["reprompt"], Policy(feedback="fresh"), "nothing to compare"),
    ],
)
def test_what_compares_nothing_is_refused(asked, policy, said):
    with pytest.raises(UsageError, match=said):
        arms_of(asked, policy)


# --- what is asked, and what is paid ---


async def test_equal_requests_are_asked_once_and_each_strategy_is_billed_for_its_own(folder):
    async with Server(default=weak(colour(0.3))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(20), folder)
    firsts = [[seen.attempts[name][n][0].text for n in range(20)] for name in ("plain", "reprompt", "resample")]
    assert firsts[0] == firsts[1] == firsts[2]
    made = {name: sum(len(a) for a in found.values()) for name, found in seen.attempts.items()}
    # The first answers are shared by three; of the others none is.
    assert len(server.log) == seen.comparison.calls == sum(made.values()) - 2 * 20
    for name in made:
        dollars = sum(
            a.usage.input * PER_TOKEN["in"] + a.usage.output * PER_TOKEN["out"]
            for found in seen.attempts[name].values()
            for a in found
        )
        assert strategy(seen, name).cost_usd == pytest.approx(dollars, rel=1e-9)
    paid = sum(i * PER_TOKEN["in"] + o * PER_TOKEN["out"] for i, o in server.billed)
    assert seen.comparison.paid_usd == pytest.approx(paid, rel=1e-9)
    assert paid < sum(each.cost_usd for each in seen.comparison.strategies)


async def test_the_control_is_never_told_what_was_wrong(folder):
    async with Server(default=weak(colour(0.2))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(10), folder)
    told = [a.feedback for found in seen.attempts["reprompt"].values() for a in found[1:]]
    assert told
    assert all("was not accepted" in text for text in told)
    assert all(a.feedback is None for found in seen.attempts["resample"].values() for a in found)
    assert strategy(seen, "resample").answers > 10


async def test_the_same_command_again_asks_nothing_and_says_the_same(folder):
    behaviour = weak(colour(0.4, 0.7))
    async with Server(default=behaviour) as server:
        first = await compared(server, ["plain", "reprompt"], rows(15), folder)
        asked = len(server.log)
        again = await compared(server, ["plain", "reprompt"], rows(15), folder)
        assert len(server.log) == asked
    assert again.comparison.calls == 0
    assert again.comparison.paid_usd == 0
    assert [r.figures for r in again.comparison.strategies] == [r.figures for r in first.comparison.strategies]
    assert again.comparison.differences == first.comparison.differences


async def test_an_interrupted_comparison_goes_on_with_what_is_paid(folder):
    behaviour = weak(colour(0.4, 0.7))
    async with Server(default=behaviour) as server:
        task = asyncio.create_task(compared(server, ["plain", "reprompt"], rows(30), folder, concurrency=1))
        await server.wait_for(20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        before = len(server.log)
        seen = await compared(server, ["plain", "reprompt"], rows(30), folder)
        assert before >= 20
        # At most the one call in flight is asked twice.
        assert len(server.log) - before == seen.comparison.calls
        unique = {(name, n, a.number, a.text) for name, f in seen.attempts.items() for n, x in f.items() for a in x}
        assert seen.comparison.calls <= len(unique) - (before - 1)
    assert seen.comparison.rows == 30


async def test_rows_that_ask_the_same_have_draws_of_their_own(folder):
    async with Server(default=weak(colour(0.5))) as server:
        same = [*rows(1), *rows(1), *rows(1), *rows(1)]
        same = [type(row)(n, 1, row.row, row.where) for n, row in enumerate(same)]
        seen = await compared(server, ["plain", "resample"], same, folder)
        texts = [seen.attempts["plain"][n][0].text for n in range(4)]
    assert len(set(texts)) > 1
    assert any("3 rows ask what an earlier row asks" in note for note in seen.comparison.notes)


async def test_without_a_store_each_strategy_asks_for_itself(folder):
    async with Server(default=weak(colour(1.0))) as server:
        seen = await compared(server, ["plain", "resample"], rows(5), folder, store=None)
        assert len(server.log) == seen.comparison.calls == 10
    assert any("without a store" in note for note in seen.comparison.notes)


# --- what cannot be had ---


async def test_a_strategy_that_cannot_be_had_is_a_row_that_says_why(folder):
    async with Server(default=weak(colour(1.0))) as server:
        seen = await compared(server, ["plain", "constrained", "native"], rows(3), folder)
    constrained, native = strategy(seen, "constrained"), strategy(seen, "native")
    assert "takes no grammar" in constrained.unavailable
    assert "cannot be held to a choice" in native.unavailable
    assert constrained.figures == {}
    assert strategy(seen, "plain").valid == 3
    assert not [d for d in seen.comparison.differences if "constrained" in (d.a, d.b)]


async def test_where_none_can_be_had_it_is_an_error_before_any_call(folder):
    async with Server(default=weak(colour(1.0))) as server:
        with pytest.raises(UsageError, match="takes no grammar"):
            await compared(server, ["constrained"], rows(3), folder)
        assert server.log == []


# --- what breaks ---


def broken_on(broken, draw, code=400):
    """Answer as ``draw`` does, but to the rows in ``broken``, which get an error at each attempt."""
    usual = weak(draw)

    async def behave(exchange):
        text = exchange.seen.body["messages"][-1]["content"]
        await (status(code) if row_of(text) in broken else usual)(exchange)

    return behave


async def test_rows_whose_server_failed_are_counted_apart_and_both_readings_shown(folder):
    async with Server(default=broken_on({1, 4}, colour(1.0))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(8), folder)
    plain = strategy(seen, "plain")
    assert (plain.rows, plain.valid, plain.failed) == (8, 6, 2)
    assert (plain.figures["valid@k"].value, plain.figures["valid@k"].n) == (1.0, 6)
    assert plain.figures["valid@k"].failures_wrong == 6 / 8
    assert list(plain.faults) == ["provider/bad_request"]
    assert plain.faults["provider/bad_request"][0] == 2
    assert plain.figures["cost_usd"].n == 6
    assert all(d.n == 6 for d in seen.comparison.differences if d.figure == "valid@k")


async def test_a_refused_answer_is_an_invalid_one_and_no_failure(folder):
    async def behave(exchange):
        refuse = row_of(exchange.seen.body["messages"][-1]["content"]) % 2
        await (ok(None, finish="content_filter") if refuse else ok("red"))(exchange)

    async with Server(default=behave) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(6), folder)
    plain = strategy(seen, "plain")
    assert (plain.valid, plain.failed) == (3, 0)
    assert plain.figures["valid@k"].value == 0.5
    assert strategy(seen, "resample").answers == 3 + 3 * 3


async def test_a_row_that_cannot_be_read_or_rendered_fails_alone_under_every_strategy(folder):
    pieces = rows(6)
    pieces[2] = type(pieces[2])(2, 1, {}, "rows.jsonl:3", bad="not JSON")
    pieces[3] = without(pieces[3:4], "thing")[0]
    async with Server(default=weak(colour(1.0))) as server:
        seen = await compared(server, ["plain", "resample"], pieces, folder)
    for each in seen.comparison.strategies:
        assert (each.rows, each.valid, each.failed) == (6, 4, 2)
    assert "rows.jsonl:3: not JSON" in strategy(seen, "plain").faults["prompt/row"][1]


async def test_a_wrong_key_ends_it_at_once(folder):
    async with Server(default=status(401)) as server:
        with pytest.raises(ProviderError) as raised:
            await compared(server, ["plain", "reprompt"], rows(50), folder, concurrency=1)
        assert len(server.log) == 1
    assert raised.value.fault == "auth"


async def test_an_engine_that_dies_ends_it_and_is_no_strategys_failure(folder, monkeypatch):
    """Also where it dies in the middle of the last row, after answers that were not valid."""
    complete = OpenAI.complete

    async def dies(self, request):
        if server.log:  # in the row's second attempt
            raise EngineError("the engine died")
        return await complete(self, request)

    monkeypatch.setattr(OpenAI, "complete", dies)
    async with Server(default=weak(colour(0.0))) as server:
        with pytest.raises(EngineError, match="the engine died"):
            await compared(server, ["plain", "reprompt"], rows(1), folder)


async def test_where_every_row_broke_there_is_nothing_to_compare(folder):
    async with Server(default=weak(colour(1.0))) as server:
        with pytest.raises(LlmkitError, match="every row broke"):
            await compared(server, ["plain", "resample"], without(rows(3), "thing"), folder)
        assert server.log == []


# --- the cap ---


async def test_the_cap_holds_over_all_strategies_and_what_all_have_ended_is_compared(folder):
    async with Server(default=weak(colour(0.5))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(60), folder, max_cost=0.006)
        paid = sum(i * PER_TOKEN["in"] + o * PER_TOKEN["out"] for i, o in server.billed)
    found = seen.comparison
    assert paid <= 0.006
    assert found.paid_usd == pytest.approx(paid, rel=1e-9)
    assert found.stopped_by is not None
    assert 0 < found.rows < found.planned == 60
    assert {each.rows for each in found.strategies} == {found.rows}
    assert all(row in seen.trials[name] for name in seen.trials for row in range(found.rows))


async def test_a_cap_that_a_higher_one_replaces_goes_on_without_paying_twice(folder):
    async with Server(default=weak(colour(0.5))) as server:
        await compared(server, ["plain", "reprompt"], rows(40), folder, max_cost=0.006)
        before = len(server.log)
        seen = await compared(server, ["plain", "reprompt"], rows(40), folder, max_cost=1.0)
        assert len(server.log) - before == seen.comparison.calls
    assert seen.comparison.stopped_by is None
    assert before + seen.comparison.calls == sum(r.answers for r in seen.comparison.strategies) - 2 * 40


async def test_a_cap_that_no_row_fits_under_is_a_budget_error(folder):
    async with Server(default=weak(colour(0.0))) as server:
        with pytest.raises(BudgetError):
            await compared(server, ["plain", "reprompt"], rows(4), folder, max_cost=0.0002)


# --- what a reader must know ---


async def test_a_target_that_no_value_has_is_said(folder):
    async with Server(default=weak(lambda *_: '{"colour": "red"}')) as server:
        (folder / "schema.json").write_text('{"type": "object"}')
        seen = await compared(server, ["plain", "resample"], rows(3), folder, form="json:schema.json")
        found = await compared(
            server, ["plain", "resample"], rows(3), folder, form="json:schema.json", target="answer=colour"
        )
    assert any("no valid answer has 'answer'" in note for note in seen.comparison.notes)
    assert not any("no valid answer has" in note for note in found.comparison.notes)
    assert strategy(found, "plain").figures["accuracy"].value == pytest.approx(1 / 3)


async def test_accuracy_is_over_the_rows_that_have_a_right_answer(folder):
    pieces = [*rows(4), *without(rows(6)[4:], "answer")]
    async with Server(default=weak(colour(1.0))) as server:
        seen = await compared(server, ["plain", "resample"], pieces, folder)
    assert strategy(seen, "plain").figures["accuracy"].n == 4
    assert any("some rows have no 'answer'" in note for note in seen.comparison.notes)


async def test_a_model_without_a_price_is_compared_in_tokens(folder):
    async with Server(default=weak(colour(0.6))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(12), folder, toml=FREE)
    assert seen.comparison.unit == "tokens"
    trials = seen.trials["reprompt"].values()
    spent = sum(t.input_tokens + t.output_tokens for t in trials)
    assert strategy(seen, "reprompt").figures["per_valid"].value == pytest.approx(spent / sum(t.valid for t in trials))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"max_attempts": 1}, "with one attempt"),
        ({"params": {"max_tokens": 16, "temperature": 0}}, "at temperature 0"),
    ],
)
async def test_what_makes_the_control_say_little_is_noted(folder, how, said):
    async with Server(default=weak(colour(0.6))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(4), folder, **how)
    assert any(said in note for note in seen.comparison.notes)


async def test_each_row_starts_with_another_strategy(folder):
    """What the server does meanwhile, and what it caches, must not always meet the same one first."""
    async with Server(default=weak(colour(1.0))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(6), folder, concurrency=1)
    paid = [next(name for name in seen.attempts if not seen.attempts[name][n][0].cached) for n in range(6)]
    assert paid == ["plain", "reprompt", "resample"] * 2


async def test_a_generation_takes_the_seconds_of_all_its_attempts(folder):
    async with Server(default=weak(colour(0.3))) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(10), folder)
    for name, found in seen.attempts.items():
        for row, attempts in found.items():
            assert seen.trials[name][row].seconds == pytest.approx(math.fsum(a.latency_s for a in attempts))


# --- forms and models of other kinds ---


async def test_native_asks_with_the_providers_own_structured_output_and_shares_nothing(folder):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    async with Server(default=ok('{"a": "red"}')) as server:
        seen = await compared(server, ["plain", "native"], rows(4), folder, form="json:schema.json", target="answer=a")
        asked = ["response_format" in each.body for each in server.log]
    assert sorted(asked) == [False] * 4 + [True] * 4
    assert seen.comparison.calls == 8
    assert strategy(seen, "native").valid == 4
    assert {a.strategy for found in seen.attempts["native"].values() for a in found} == {"native"}


async def test_a_form_of_each_row_is_bound_to_it_and_a_row_without_fails_alone(folder):
    pieces = [replace(p, row={**p.row, "labels": ["red", f"only {p.index}"]}) for p in rows(5)]
    pieces[3] = without(pieces[3:4], "labels")[0]
    async with Server(default=weak(lambda numbers, told, before: "only 1")) as server:
        seen = await compared(server, ["plain", "resample", "native"], pieces, folder, form="choice:field=labels")
    plain = strategy(seen, "plain")
    assert (plain.rows, plain.valid, plain.failed) == (5, 1, 1)
    assert "labels" in plain.faults["prompt/row"][1]
    assert strategy(seen, "native").unavailable is not None


async def test_a_stronger_model_is_a_part_of_each_strategy(folder):
    toml = TOML + TOML.replace("weak", "strong")
    usual = weak(colour(0.3))

    async def behave(exchange):
        await (ok("blue") if exchange.seen.body["model"] == "strong" else usual)(exchange)

    async with Server(default=behave) as server:
        seen = await compared(
            server, ["plain", "reprompt"], rows(20), folder, toml=toml, escalate=["openai/strong"], max_attempts=2
        )
    assert seen.comparison.model == "openai/weak → openai/strong"
    plain = strategy(seen, "plain")
    assert plain.valid == 20
    assert 1 < plain.figures["attempts"].value < 2
    assert plain.figures["attempts"].interval.high <= 2
    assert max(t.attempts for t in seen.trials["reprompt"].values()) == 3


async def test_a_validator_that_crashes_breaks_its_row_and_what_it_found_else_counts(folder):
    def picky(value, context):
        if context.row["number_of_row"] == 2:
            raise RuntimeError("boom")
        return "no blue" if value == "blue" else None

    async with Server(
        default=weak(lambda numbers, told, before: "blue" if numbers.random() < 0.5 else "red")
    ) as server:
        seen = await compared(server, ["plain", "reprompt"], rows(12), folder, validators=(picky,))
    for each in seen.comparison.strategies:
        assert each.failed == 1
        assert each.faults == {"scorer/crash": (1, each.faults["scorer/crash"][1])}
        assert "picky crashed: RuntimeError: boom" in each.faults["scorer/crash"][1]
    assert strategy(seen, "plain").valid < 11
    assert strategy(seen, "resample").valid > strategy(seen, "plain").valid
