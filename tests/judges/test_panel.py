"""Votes, orders and probabilities make one verdict; what cannot be read is none, and is never scored."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import BudgetError, ProviderError, UsageError
from llmkit.judgements import Verdict
from llmkit.judges.panel import calls_of, check_seat, judge_many, judge_one
from llmkit.judges.request import fenced
from llmkit.judges.subject import Subject
from llmkit.providers.budget import Budget
from llmkit.providers.pricing import Prices
from llmkit.providers.scripted import Scripted
from llmkit.types import Completion, Request, TokenLogprob, Usage
from tests.judges.project import judge_of
from tests.judges.seats import OneSeat, always, says, seated, text_of

ITEM = Subject("1", input="What is 2 + 2?", answer="4")
PAIR = Subject("1", input="q", a="long", b="short")
GRADES = {"graded": {"min": 1, "max": 5}}


def turns(*texts: str) -> Any:
    """A model that says one after the other, and the last for ever."""
    left = list(texts)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


async def test_a_verdict_is_what_the_judge_says_and_why(tmp_path: Path) -> None:
    seat = seated(always("fail", "It is off topic."))
    verdict = await judge_one(judge_of(tmp_path), ITEM, seat)
    assert (verdict.state, verdict.label, verdict.value) == ("verdict", "fail", 0.0)
    assert verdict.reason == "It is off topic." and verdict.votes == ("fail",)
    assert verdict.paid.calls == verdict.made.calls == 1 and not verdict.cached
    assert verdict.served == "judge"


async def test_the_request_holds_criteria_fence_and_form(tmp_path: Path) -> None:
    judge, seat = judge_of(tmp_path), seated(always("pass"))
    await judge_one(judge, ITEM, seat)
    (request,) = seat.requests
    text = text_of(request)
    assert judge.criterion in text and fenced("answer", "4") in text
    assert '"verdict": "pass" | "fail" | "cannot_tell"' in text


async def test_cannot_tell_is_no_verdict_and_no_failure(tmp_path: Path) -> None:
    verdict = await judge_one(judge_of(tmp_path), ITEM, seated(always("cannot_tell", "Nothing to go by.")))
    assert (verdict.state, verdict.label, verdict.value) == ("cannot_tell", None, None)
    assert verdict.reason == "Nothing to go by." and verdict.votes == (None,)


async def test_what_cannot_be_read_is_asked_again(tmp_path: Path) -> None:
    seat = seated(turns("Well…", says("pass")))
    verdict = await judge_one(judge_of(tmp_path), ITEM, seat)
    assert verdict.label == "pass" and verdict.paid.calls == 2
    assert [attempt for _, attempt, _ in seat.asked] == [0, 1]
    assert "was not accepted" in text_of(seat.requests[1])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Well…", "unparsed: "),
        (says("maybe"), "unparsed: verdict"),
        (f"{says('pass')} {says('fail')}", "contradictory: two verdicts are given"),
        (says("pass", "Verdict: fail."), "contradictory: reason: the reason states the verdict fail"),
    ],
)
async def test_what_stays_unread_says_why_and_what_it_cost(tmp_path: Path, text: str, why: str) -> None:
    verdict = await judge_one(judge_of(tmp_path), ITEM, seated(lambda _: text))
    assert (verdict.state, verdict.label, verdict.value) == ("unread", None, None)
    assert verdict.why.startswith(why) and verdict.paid.calls == 2


@pytest.mark.parametrize("fault", ["empty", "refused"])
async def test_what_the_model_does_wrong_is_its_own_doing(tmp_path: Path, fault: Any) -> None:
    seat = OneSeat(Scripted("judge", {"faults_at": {1: fault, 2: fault}}, function=always("pass")))
    verdict = await judge_one(judge_of(tmp_path), ITEM, seat)
    assert verdict.state == "unread" and verdict.why.startswith(f"{fault}: ") and verdict.paid.calls == 2


async def test_an_item_that_is_too_long_for_the_judge_has_no_verdict_alone(tmp_path: Path) -> None:
    seat = OneSeat(Scripted("judge", {"faults_at": {1: "context_overflow"}}, function=always("pass")))
    one, two = await judge_many(judge_of(tmp_path), [ITEM, replace(ITEM, answer="5")], seat, workers=1)
    assert (one.state, two.state) == ("unread", "verdict") and one.why.startswith("too long: ")


async def test_a_cut_off_answer_is_unread(tmp_path: Path) -> None:
    cut = Completion(says("pass")[:20], finish_reason="length", usage=Usage(10, 8))
    verdict = await judge_one(judge_of(tmp_path, method={"max_attempts": 1}), ITEM, seated(lambda _: cut))
    assert verdict.state == "unread" and "cut off" in verdict.why


@pytest.mark.parametrize("fault", ["auth", "server", "connection", "not_found"])
async def test_what_the_server_does_wrong_is_raised(tmp_path: Path, fault: Any) -> None:
    seat = OneSeat(Scripted("judge", {"faults": {fault: 1.0}}, function=always("pass")))
    with pytest.raises(ProviderError) as failed:
        await judge_one(judge_of(tmp_path), ITEM, seat)
    assert failed.value.fault == fault


# Votes.


@pytest.mark.parametrize(
    ("said", "state", "label"),
    [
        (["pass", "fail", "pass"], "verdict", "pass"),
        (["fail", "cannot_tell", "fail"], "verdict", "fail"),
        (["cannot_tell", "cannot_tell", "pass"], "cannot_tell", None),
        (["pass", "fail", "cannot_tell"], "cannot_tell", None),
        (["pass", "fail", "nonsense"], "cannot_tell", None),
        (["pass", "pass", "nonsense"], "verdict", "pass"),
        (["pass", "nonsense", "nonsense"], "unread", None),
    ],
)
async def test_the_majority_of_the_votes_holds(tmp_path: Path, said: list[str], state: str, label: str | None) -> None:
    judge = judge_of(tmp_path, method={"samples": 3, "max_attempts": 1})
    verdict = await judge_one(judge, ITEM, ByVote(*said))
    assert (verdict.state, verdict.label) == (state, label)
    assert verdict.votes == tuple(word if word in ("pass", "fail") else None for word in said)
    assert verdict.paid.calls == 3
    if label is not None:
        assert verdict.reason == f"vote {said.index(label)}"


class ByVote(OneSeat):
    """A model whose answer depends on the vote, and on the order of a pair."""

    def __init__(self, *said: str, orders: tuple[str, ...] = ()) -> None:
        super().__init__(Scripted("judge", function=self._answer))
        self.said, self.orders, self._asking = said, orders, 0

    def ask(self, vote: int) -> Any:
        from llmkit.structured.loop import Answered

        async def ask(request: Request, attempt: int) -> Answered:
            self.asked.append((vote, attempt, request))
            swapped = fenced("a", PAIR.b or "") in text_of(request)
            said = self.orders[swapped] if self.orders else self.said[vote % len(self.said)]
            return Answered(Completion(says(said, f"vote {vote}"), usage=Usage(10, 5), cost_usd=0.01))

        return ask

    def _answer(self, request: Request) -> str:
        raise AssertionError("not asked")


async def test_grades_are_averaged(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, kind=GRADES, method={"samples": 4, "max_attempts": 1})
    verdict = await judge_one(judge, ITEM, ByVote("2", "4", "5", "cannot_tell"))
    assert verdict.value == pytest.approx(11 / 3) and verdict.label == "4"
    assert verdict.reason == "vote 1" and verdict.votes == ("2", "4", "5", None)


async def test_grades_of_which_half_cannot_tell_are_no_grade(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, kind=GRADES, method={"samples": 2})
    assert (await judge_one(judge, ITEM, ByVote("2", "cannot_tell"))).state == "cannot_tell"


async def test_votes_and_repetitions_share_no_answer(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"samples": 3}, params={"seed": 7})
    seat = seated(always("pass"), keeps=True)
    first = await judge_one(judge, ITEM, seat)
    again = await judge_one(judge, ITEM, seat)
    other = await judge_one(judge, ITEM, seat, replicate=1)
    assert [vote for vote, _, _ in seat.asked] == [0, 1, 2, 3, 4, 5]
    assert len({request.params["seed"] for request in seat.requests}) == 6 and seat.requests[0].params["seed"] == 7
    assert again.cached and again.paid.calls == 0 and again.made == first.made
    assert not other.cached


# Pairs.


@pytest.mark.parametrize(
    ("orders", "label", "value", "both"),
    [
        (("a", "b"), "a", 1.0, ("a", "a")),  # says a of both orders' first: the longer one
        (("b", "a"), "b", 0.0, ("b", "b")),
        (("a", "a"), "tie", 0.5, ("a", "b")),  # always the first
        (("b", "b"), "tie", 0.5, ("b", "a")),
        (("tie", "tie"), "tie", 0.5, ("tie", "tie")),
        (("a", "tie"), "tie", 0.5, ("a", "tie")),
    ],
)
async def test_a_verdict_that_flips_with_the_order_is_a_tie(
    tmp_path: Path, orders: tuple[str, str], label: str, value: float, both: tuple[str, str]
) -> None:
    judge = judge_of(tmp_path, kind="pairwise", method={"swap": True})
    verdict = await judge_one(judge, PAIR, ByVote(orders=orders))
    assert (verdict.label, verdict.value, verdict.orders) == (label, value, both)
    assert verdict.votes == both and verdict.paid.calls == 2


@pytest.mark.parametrize(
    ("orders", "state", "both"),
    [
        (("cannot_tell", "b"), "cannot_tell", (None, "a")),
        (("a", "nonsense"), "unread", ("a", None)),
        (("nonsense", "cannot_tell"), "unread", (None, None)),
    ],
)
async def test_a_pair_that_one_order_leaves_open_is_open(
    tmp_path: Path, orders: tuple[str, str], state: str, both: tuple[str | None, str | None]
) -> None:
    judge = judge_of(tmp_path, kind="pairwise", method={"swap": True, "max_attempts": 1})
    verdict = await judge_one(judge, PAIR, ByVote(orders=orders))
    assert (verdict.state, verdict.label, verdict.orders) == (state, None, both)


async def test_without_swap_a_stands_first(tmp_path: Path) -> None:
    seat = ByVote(orders=("a", "b"))
    verdict = await judge_one(judge_of(tmp_path, kind="pairwise"), PAIR, seat)
    assert verdict.label == "a" and verdict.orders is None and len(seat.asked) == 1


def test_calls_are_votes_times_orders(tmp_path: Path) -> None:
    assert calls_of(judge_of(tmp_path)) == 1
    assert calls_of(judge_of(tmp_path, kind="pairwise", method={"samples": 3, "swap": True})) == 6


# Log-probabilities.


def likely(shares: dict[str, float], *, said: str | None = None, reason: str | None = None) -> Completion:
    """An answer whose verdict's first token has these probabilities."""
    said = said or max(shares, key=lambda word: shares[word])
    head = json.dumps({} if reason is None else {"reason": reason})[:-1]
    head += ("" if reason is None else ", ") + '"verdict": "'
    top = tuple((word, math.log(share)) for word, share in shares.items())
    rest = ("", *said.partition("_")[1:]) if "_" in said else ("",)
    first = said.partition("_")[0]
    tokens = [TokenLogprob(piece, -0.01) for piece in (head[:-3], head[-3:])]
    tokens += [TokenLogprob(first, math.log(shares[first]), top)]
    tokens += [TokenLogprob(piece, -0.01) for piece in (*rest, '"}') if piece]
    return Completion("".join(t.token for t in tokens), usage=Usage(10, 5), logprobs=tuple(tokens))


@pytest.mark.parametrize(
    ("shares", "threshold", "label"),
    [
        ({"pass": 0.6, "fail": 0.2}, None, "pass"),
        ({"pass": 0.2, "fail": 0.6}, None, "fail"),
        ({"pass": 0.6, "fail": 0.2}, 0.8, "fail"),
        ({"pass": 0.2, "fail": 0.6}, 0.2, "pass"),
    ],
)
async def test_the_probability_of_pass_decides(
    tmp_path: Path, shares: dict[str, float], threshold: float | None, label: str
) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    judge = replace(judge, threshold=threshold)
    seat = seated(lambda _: likely(shares))
    verdict = await judge_one(judge, ITEM, seat)
    assert verdict.probability == pytest.approx(shares["pass"] / 0.8)
    assert (verdict.label, verdict.value) == (label, float(label == "pass"))
    assert seat.requests[0].params["logprobs"] is True


async def test_a_reason_that_mentions_a_verdict_is_not_taken_for_it(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "before", "logprobs": True})
    reason = 'It says {"verdict": "fail"} itself.'
    verdict = await judge_one(judge, ITEM, seated(lambda _: likely({"pass": 0.9, "fail": 0.1}, reason=reason)))
    assert verdict.probability == pytest.approx(0.9) and verdict.reason == reason


async def test_spellings_of_a_word_count_together_and_a_piece_counts_for_the_word_it_begins(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    shares = {"pass": 0.3, "Pass": 0.1, "fa": 0.1, "cannot": 0.3, "x": 0.2}
    verdict = await judge_one(judge, ITEM, seated(lambda _: likely(shares, said="pass")))
    assert verdict.probability == pytest.approx(0.4 / 0.5)


async def test_a_judge_that_cannot_tell_has_no_probability(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    verdict = await judge_one(judge, ITEM, seated(lambda _: likely({"cannot": 0.6, "pass": 0.4}, said="cannot_tell")))
    assert verdict.state == "cannot_tell" and verdict.probability is None


async def test_grades_are_expected_values(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, kind=GRADES, method={"reason": "none", "logprobs": True})
    verdict = await judge_one(judge, ITEM, seated(lambda _: likely({"2": 0.5, "4": 0.3, "5": 0.2})))
    assert verdict.value == pytest.approx(3.2) and verdict.label == "3" and verdict.votes == ("2",)


async def test_choices_are_expected_points_and_the_likeliest_word(tmp_path: Path) -> None:
    kind = {"choices": {"A": 1, "B": 0.5, "C": 0}}
    judge = judge_of(tmp_path, kind=kind, method={"reason": "none", "logprobs": True})
    verdict = await judge_one(judge, ITEM, seated(lambda _: likely({"A": 0.4, "B": 0.25, "C": 0.35})))
    assert (verdict.label, verdict.value) == ("A", pytest.approx(0.525))


async def test_pairs_have_the_probability_of_a_over_both_orders(tmp_path: Path) -> None:
    method = {"reason": "none", "logprobs": True, "swap": True}
    judge = judge_of(tmp_path, kind="pairwise", method=method)

    def answer(request: Request) -> Completion:
        swapped = fenced("a", "short") in text_of(request)
        return likely({"a": 0.4, "b": 0.6} if swapped else {"a": 0.8, "b": 0.2})

    verdict = await judge_one(judge, PAIR, seated(answer))
    assert (verdict.label, verdict.orders) == ("a", ("a", "a"))
    assert verdict.probability == pytest.approx((0.8 + 0.6) / 2)


async def test_log_probabilities_that_do_not_come_are_an_error(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    with pytest.raises(UsageError, match="scripted/judge was asked for log-probabilities and sent none"):
        await judge_one(judge, ITEM, seated(always("pass", None)))


async def test_log_probabilities_of_another_answer_are_an_error(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    torn = replace(likely({"pass": 0.9, "fail": 0.1}), logprobs=(TokenLogprob("Hello", -0.1),))
    with pytest.raises(UsageError, match="do not spell"):
        await judge_one(judge, ITEM, seated(lambda _: torn))


async def test_a_provider_without_log_probabilities_is_refused_before_any_call(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, method={"reason": "none", "logprobs": True})
    seat = OneSeat(Scripted("echo"))
    with pytest.raises(UsageError, match="scripted/echo gives no log-probabilities, and the judge relevance"):
        check_seat(judge, seat.provider)
    with pytest.raises(UsageError):
        await judge_one(judge, ITEM, seat)
    assert not seat.asked


# Many.


def items(n: int) -> list[Subject]:
    return [Subject(str(index), answer=f"answer number {index}.") for index in range(n)]


async def test_verdicts_come_in_the_subjects_order_and_are_told_as_they_come(tmp_path: Path) -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def answer(request: Request) -> str:
        index = next(n for n in range(3) if f"number {n}." in text_of(request))
        await gates[index].wait()
        return says("pass" if index else "fail")

    told: list[int] = []

    def done(index: int, verdict: Verdict) -> None:
        told.append(index)
        if index:
            gates[index - 1].set()

    gates[2].set()
    verdicts = await judge_many(judge_of(tmp_path), items(3), seated(answer), done=done)
    assert told == [2, 1, 0] and [v.label for v in verdicts] == ["fail", "pass", "pass"]


async def test_no_more_are_under_way_than_wanted(tmp_path: Path) -> None:
    under_way, most = 0, 0

    async def answer(request: Request) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return says("pass")

    await judge_many(judge_of(tmp_path), items(12), seated(answer), workers=3)
    assert most == 3


async def test_the_first_error_ends_the_others(tmp_path: Path) -> None:
    begun: list[str] = []
    cancelled: list[str] = []

    async def answer(request: Request) -> str:
        begun.append(text_of(request))
        if "number 0." in text_of(request):
            raise ProviderError("auth", "no such key")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(text_of(request))
            raise
        raise AssertionError("nobody sets it")

    with pytest.raises(ProviderError, match="no such key"):
        await judge_many(judge_of(tmp_path), items(9), seated(answer), workers=3)
    assert len(begun) == 3 and len(cancelled) == 2


async def test_where_the_money_runs_out_what_is_paid_for_is_waited_for(tmp_path: Path) -> None:
    told: list[int] = []
    seat = seated(always("pass"))
    ask, allowed = seat.ask, iter([True, True, False])

    def poor(vote: int) -> Any:
        inner = ask(vote)

        async def call(request: Request, attempt: int) -> Any:
            if not next(allowed, False):
                raise BudgetError("the next call does not fit")
            await asyncio.sleep(0)
            return await inner(request, attempt)

        return call

    seat.ask = poor  # type: ignore[method-assign]
    with pytest.raises(BudgetError):
        await judge_many(judge_of(tmp_path), items(6), seat, workers=3, done=lambda index, _: told.append(index))
    assert sorted(told) == [0, 1]


async def test_a_call_that_does_not_fit_is_not_made(tmp_path: Path) -> None:
    judge = judge_of(tmp_path, params={"max_tokens": 100})
    model = Scripted("judge", {"billed": True}, function=always("pass"))
    prices = Prices({"scripted/judge": {"input": 1.0, "output": 1_000.0}})  # a call: up to 0.1 dollars
    rich, poor = OneSeat(model, budget=Budget(0.2), prices=prices), OneSeat(model, budget=Budget(0.05), prices=prices)
    verdict = await judge_one(judge, ITEM, rich)
    assert verdict.paid.cost_usd is not None and 0 < verdict.paid.cost_usd < 0.1
    with pytest.raises(BudgetError):
        await judge_one(judge, ITEM, poor)
    assert model.made == 1


async def test_nothing_to_judge_is_nothing(tmp_path: Path) -> None:
    assert await judge_many(judge_of(tmp_path), [], seated(always("pass"))) == []
