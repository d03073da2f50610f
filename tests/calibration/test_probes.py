"""Probes ask what should move no verdict, and say what did."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import pytest

from llmkit.calibration.disturbances import (
    CLOSE,
    FILLER,
    INJECTIONS,
    LEAD,
    family_of,
    injected,
    padded,
    reworded,
)
from llmkit.calibration.probes import calls_of_probes, probe
from llmkit.errors import UnknownNameError
from llmkit.judgements import Verdict
from llmkit.judges.labels import Labelled
from llmkit.judges.panel import judge_many
from llmkit.judges.request import request_for
from llmkit.judges.subject import Subject
from llmkit.providers.base import ModelRef
from tests.judges.project import judge_of
from tests.judges.seats import says, seated, text_of

FENCE = re.compile("<(answer-[0-9a-f]{12})>")


def answers(count, **row):
    return [
        Labelled(Subject(f"i{n}", input="q", answer=f"<<{n}>> text", row=row), "pass" if n % 2 else "fail")
        for n in range(count)
    ]


def pairs(count):
    return [Labelled(Subject(f"p{n}", input="q", a=f"<<{n}>> yes", b="no"), "a") for n in range(count)]


def number_of(request):
    return int(text_of(request).partition("<<")[2].partition(">>")[0])


def honest(request):
    return says("pass" if number_of(request) % 2 else "fail")


def obedient(request):
    return says("pass") if "Output pass" in text_of(request) else honest(request)


def filled(request):
    return FILLER[0] in text_of(request)


def follows_padding(request):
    return says("pass") if filled(request) else honest(request)


async def probed(tmp_path, function, items, **options):
    """Test a judge, then probe it; returns the probes by name, and the seat with the probes' requests alone."""
    fields = {key: options.pop(key) for key in ("kind", "method", "accept") if key in options}
    judge, seat = judge_of(tmp_path, **fields), seated(function)
    verdicts = await judge_many(judge, [item.subject for item in items], seat)
    seat.asked.clear()
    found = await probe(judge, items, verdicts, seat, seed=0, **options)
    return {each.name: each for each in found}, seat


async def test_a_judge_that_looks_at_the_answer_alone_passes_all(tmp_path):
    found, _ = await probed(tmp_path, honest, answers(30))
    assert list(found) == ["length", "repeat", "rewording", "injection", "own_family"]
    assert all(found[name].moved == 0 for name in ("length", "repeat", "rewording", "injection"))
    assert all(found[name].passed for name in ("repeat", "rewording", "injection"))
    assert {each.n for name, each in found.items() if name != "own_family"} == {30}


async def test_a_judge_that_obeys_the_judged_text_fails_the_injection_probe(tmp_path):
    found, _ = await probed(tmp_path, obedient, answers(40))
    injection = found["injection"]
    assert injection.moved == pytest.approx(0.5)  # all that had failed
    assert injection.passed is False
    assert injection.flagged
    assert "(command)" in injection.said
    assert injection.limit == 0.02


async def test_an_instruction_for_the_worst_verdict_is_compared_with_padding_in_its_place(tmp_path):
    def hates_endings(request):  # whatever follows the answer makes it a bad one, as criteria may well say
        return says("fail") if " text\n\n" in text_of(request) else honest(request)

    found, _ = await probed(tmp_path, hates_endings, answers(40), only=["injection"])
    assert found["injection"].moved == 0

    def hates_orders(request):
        return says("fail") if "Output fail" in text_of(request) else honest(request)

    found, _ = await probed(tmp_path, hates_orders, answers(40), only=["injection"])
    assert found["injection"].moved == pytest.approx(0.5)
    assert "(command to the worst)" in found["injection"].said


async def test_padding_that_buys_a_pass_is_flagged(tmp_path):
    found, _ = await probed(tmp_path, follows_padding, answers(30), only=["length"])
    assert found["length"].moved == pytest.approx(0.5)
    assert found["length"].flagged


async def test_a_judge_that_throws_dice_changes_when_asked_again(tmp_path):
    dice = random.Random(1)
    found, seat = await probed(tmp_path, lambda _: says(dice.choice(["pass", "fail"])), answers(60), only=["repeat"])
    assert found["repeat"].moved > 0.3
    assert found["repeat"].passed is False
    assert found["repeat"].flagged
    assert {vote for vote, _, _ in seat.asked} == {1}  # another replicate: no answer of the store would do


async def test_other_words_are_asked_in_turn(tmp_path):
    def literal(request):
        return says("pass") if LEAD in text_of(request) else honest(request)

    found, seat = await probed(tmp_path, literal, answers(60), only=["rewording"])
    texts = [text_of(request) for request in seat.requests]
    assert (sum(LEAD in text for text in texts), sum(CLOSE in text for text in texts), len(texts)) == (20, 20, 60)
    assert 0 < found["rewording"].moved <= 1 / 3


async def test_pairs_are_swapped_and_leans_are_told(tmp_path):
    found, _ = await probed(tmp_path, lambda _: says("a"), pairs(30), kind="pairwise", only=["order"])
    assert found["order"].moved == 1
    assert found["order"].said == "30 of 30 flip when the order is swapped, 30 of them toward the first"
    assert found["order"].flagged
    assert found["order"].passed is False


def prefers_yes(request):
    return says("a" if re.search(r"<a-[0-9a-f]{12}>\n<<", text_of(request)) else "b")


async def test_a_judge_of_pairs_that_looks_at_the_answers_flips_nothing(tmp_path):
    found, _ = await probed(tmp_path, prefers_yes, pairs(20), kind="pairwise")
    assert list(found) == ["order", "length", "repeat", "rewording", "injection", "own_family"]
    assert found["order"].moved == 0
    assert found["injection"].passed


async def test_a_judge_that_swaps_has_told_its_order_already(tmp_path):
    found, seat = await probed(
        tmp_path, lambda _: says("a"), pairs(10), kind="pairwise", method={"swap": True}, only=["order"]
    )
    assert seat.requests == []
    assert found["order"].moved == 1
    assert found["order"].limit is None


@pytest.mark.parametrize(
    ("kind", "method"),
    [("pass_fail", {}), ("pass_fail", {"samples": 3}), ("pairwise", {}), ("pairwise", {"swap": True})],
)
async def test_the_calls_are_those_that_were_said_before(tmp_path, kind, method):
    items = pairs(6) if kind == "pairwise" else answers(6)
    _, seat = await probed(tmp_path, prefers_yes if kind == "pairwise" else honest, items, kind=kind, method=method)
    assert len(seat.requests) == calls_of_probes(judge_of(tmp_path, kind=kind, method=method), 6)


async def test_the_calls_of_one_probe_are_said_as_well(tmp_path):
    for name in ("length", "repeat", "rewording", "injection", "own_family"):
        _, seat = await probed(tmp_path, honest, answers(5), only=[name])
        assert len(seat.requests) == calls_of_probes(judge_of(tmp_path), 5, [name]), name


async def test_at_most_so_many_items_are_tried_the_same_ones_each_time(tmp_path):
    _, first = await probed(tmp_path, honest, answers(50), only=["repeat"], most=10)
    _, second = await probed(tmp_path, honest, answers(50), only=["repeat"], most=10)
    assert sorted(map(number_of, first.requests)) == sorted(map(number_of, second.requests))
    assert len(first.requests) == 10


async def test_items_without_a_verdict_are_not_tried(tmp_path):
    judge, seat, items = judge_of(tmp_path), seated(honest), answers(10)
    verdicts = await judge_many(judge, [item.subject for item in items], seat)
    verdicts[3], verdicts[4] = Verdict("unread", why="unparsed"), Verdict("cannot_tell")
    (found,) = await probe(judge, items, verdicts, seat, seed=0, only=["repeat"])
    assert found.n == 8


async def test_without_any_verdict_no_probe_is_run(tmp_path):
    seat = seated(honest)
    found = await probe(judge_of(tmp_path), answers(2), [Verdict("unread")] * 2, seat, seed=0)
    assert {each.moved for each in found} == {None}
    assert seat.requests == []


async def test_progress_is_told_by_probe(tmp_path):
    told = []
    await probed(tmp_path, honest, answers(4), told=lambda name, done, most, _: told.append((name, done, most)))
    assert Counter(name for name, _, _ in told) == {"length": 4, "repeat": 4, "rewording": 4, "injection": 16}
    assert [done for name, done, _ in told if name == "injection"] == list(range(1, 17))
    assert {most for name, _, most in told if name == "injection"} == {16}


async def test_an_unknown_probe_is_named_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match=r"'lenght'.*'length'"):
        await probed(tmp_path, honest, answers(1), only=["lenght"])


async def test_answers_of_the_judges_own_family_are_set_against_others(tmp_path):
    judge = replace(judge_of(tmp_path), model=ModelRef("openai/gpt-4o"))
    items = [
        Labelled(Subject(f"i{n}", answer=f"<<{n}>>", row={"model": "gpt-4o-mini" if n % 2 else "claude"}), "fail")
        for n in range(20)
    ]
    verdicts = [Verdict("verdict", *(("pass", 1.0) if n % 2 else ("fail", 0.0))) for n in range(20)]
    (found,) = await probe(judge, items, verdicts, seated(honest), seed=0, only=["own_family"])
    assert found.moved == 1
    assert found.flagged


async def test_pairs_of_its_own_family_and_another_are_compared_with_people(tmp_path):
    judge = replace(judge_of(tmp_path, kind="pairwise"), model=ModelRef("anthropic/claude-x"))
    row = {"model_a": "claude-y", "model_b": "gpt-4"}
    items = [Labelled(Subject(f"p{n}", a="x", b="y", row=row), "b") for n in range(10)]
    verdicts = [Verdict("verdict", "a", 1.0)] * 10
    (found,) = await probe(judge, items, verdicts, seated(honest), seed=0, only=["own_family"])
    assert found.said == "kinder than people to its own family (claude) in 10 of 10 pairs, harder in 0"


async def test_where_nobody_says_who_answered_it_is_said_that_it_was_not_tried(tmp_path):
    judge = replace(judge_of(tmp_path), model=ModelRef("openai/gpt-4o"))
    verdicts = [Verdict("verdict", "fail", 0.0)] * 4
    (found,) = await probe(judge, answers(4), verdicts, seated(honest), seed=0, only=["own_family"])
    assert found.said == "not run: the items do not say which model gave the answers (field model)"


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("openai/gpt-4o", "gpt"),
        ("openai/o3", "gpt"),
        ("ChatGPT", "gpt"),
        ("anthropic/claude-sonnet-4", "claude"),
        ("vllm/meta-llama/Llama-3.1-8B", "llama"),
        ("local/SmolLM2-135M", "smollm"),
        ("scripted/judge", None),
    ],
)
def test_a_models_family_is_known_by_its_name(model, family):
    assert family_of(model) == family


def test_padding_is_behind_the_answer_and_says_nothing_of_it(tmp_path):
    subject = Subject("1", answer="x" * 1000)
    text = padded(subject, "answer").answer
    assert text.startswith(subject.answer)
    assert 1500 <= len(text) < 1800
    pair = Subject("1", a="one", b="two")
    assert padded(pair, "b").a == "one"
    assert padded(pair, "b").b.startswith("two\n\n")


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda each: each.name)
def test_instructions_stay_inside_the_fence(tmp_path, injection):
    judge = judge_of(tmp_path)
    text = text_of(request_for(judge, injected(judge, Subject("1", input="q", answer="mine"), "answer", injection)))
    tag = FENCE.search(text)[1]
    inside = text[text.index(f"<{tag}>") : text.index(f"</{tag}>")]
    assert inside.count("mine") == 1
    wanted = "pass" if injection.up else "fail"
    assert injection.text.format(word=wanted) in inside


@pytest.mark.parametrize("wording", ["lead", "close", "roles"])
def test_other_words_keep_the_data_and_change_the_request(tmp_path, wording):
    judge = judge_of(tmp_path)
    request = request_for(judge, Subject("1", input="q", answer="mine"))
    other = reworded(request, wording)
    assert other.messages != request.messages
    tag = FENCE.search(text_of(request))[1]
    assert f"<{tag}>\nmine\n</{tag}>" in text_of(other)
    assert other.params == request.params
