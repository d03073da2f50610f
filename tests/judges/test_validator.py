"""A judge checks generated answers: what it fails is asked again, and what it cannot decide nobody takes for right."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from llmkit.errors import DocumentError, UnknownNameError, UsageError
from llmkit.generation.generator import Generator
from llmkit.generation.models import Models
from llmkit.generation.options import GenerateOptions
from llmkit.generations import GenerationFailed, Issue
from llmkit.judges.request import fenced
from llmkit.judges.validator import JUDGES, JudgeValidator, subject_of
from llmkit.prompts import prompt_from_messages
from llmkit.providers.base import ModelRef
from llmkit.structured.format import Context
from llmkit.structured.formats.text import TextFormat
from llmkit.structured.validators import GROUP, ValidatorCrash, check, find, signature_of
from llmkit.types import Message, Totals
from tests.judges.project import project
from tests.judges.seats import OneSeat, Table, always, says, seated, text_of

ASKED = Context(row={"city": "Bern"}, messages=(Message("user", "Where is Bern?"),))


@pytest.fixture
def relevance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JudgeValidator:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = find("judge:relevance")
    assert isinstance(found, JudgeValidator)
    return found


async def said(validator: JudgeValidator, value: Any, seat: OneSeat, context: Context = ASKED) -> tuple[Issue, ...]:
    with JUDGES.seated(lambda name: Table(seat)):
        return await check(value, [validator], context)


def test_the_family_is_registered() -> None:
    (point,) = [point for point in entry_points(group=GROUP) if point.name == "judge"]
    assert point.load() is JUDGES


async def test_what_the_judge_passes_is_accepted(relevance: JudgeValidator) -> None:
    assert await said(relevance, "In Switzerland.", seated(always("pass"))) == ()


async def test_what_it_fails_is_an_issue_with_its_reason(relevance: JudgeValidator) -> None:
    (issue,) = await said(relevance, "Yes.", seated(always("fail", "It names\nno place.")))
    assert issue.message == "the judge relevance does not pass it: It names no place."
    assert issue.rule == "judge:relevance"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says("cannot_tell", "No map."), "the judge relevance cannot tell: No map."),
        ("Well…", "the judge relevance gave no verdict: unparsed: "),
    ],
)
async def test_what_it_cannot_decide_is_no_verdict(relevance: JudgeValidator, answer: str, why: str) -> None:
    with pytest.raises(ValidatorCrash) as crash:
        await said(relevance, "Yes.", seated(lambda _: answer))
    assert str(crash.value).startswith(why)


async def test_it_looks_at_the_answer_and_what_was_asked(relevance: JudgeValidator) -> None:
    seat = seated(always("pass"))
    await said(relevance, {"place": "Zürich"}, seat)
    text = text_of(seat.requests[0])
    assert fenced("answer", '{"place": "Zürich"}') in text and fenced("input", "Where is Bern?") in text


def test_without_messages_the_row_says_what_was_asked() -> None:
    class City(BaseModel):
        name: str

    subject = subject_of(City(name="Bern"), replace(ASKED, messages=()))
    assert (json.loads(subject.answer), json.loads(subject.input)) == ({"name": "Bern"}, {"city": "Bern"})
    assert subject_of("as it is", Context()).answer == "as it is" and subject_of("", Context()).input == ""


async def test_what_it_paid_is_told(relevance: JudgeValidator) -> None:
    told: list[tuple[str, Totals]] = []
    context = replace(ASKED, charge=lambda name, paid: told.append((name, paid)))
    await said(relevance, "x", seated(always("fail")), context)
    ((name, paid),) = told
    assert name == "judge:relevance" and paid.calls == 1


async def test_where_nobody_seats_it_the_error_says_where_it_can_be_used(relevance: JudgeValidator) -> None:
    with pytest.raises(UsageError, match=r"judge:relevance has no model here.*there is llmkit judge run relevance"):
        await check("x", [relevance], ASKED)


def test_its_signature_is_that_of_the_judge_and_its_note_says_how_far_it_is_believed(
    relevance: JudgeValidator,
) -> None:
    assert signature_of(relevance) == relevance.judge.signature
    assert relevance.notes == ("the judge relevance asks scripted/judge, 1 call an answer (uncalibrated judge)",)


def test_a_suites_file_names_judges_of_its_own_project(tmp_path: Path) -> None:
    project(tmp_path)
    folder = tmp_path / "suites"
    folder.mkdir()
    assert find("judge:relevance", imports=False, where="suites/s.yaml:3", folder=folder)
    with pytest.raises(UnknownNameError, match=r"s\.yaml:3: unknown judge 'relevanse'.*Did you mean 'relevance'"):
        find("judge:relevanse", imports=False, where="s.yaml:3", folder=folder)
    with pytest.raises(DocumentError, match="leads out of"):
        find("judge:../../x.yaml", imports=False, where="s.yaml:3", folder=folder)


@pytest.mark.parametrize("kind", [{"graded": {"min": 1, "max": 5}}, "pairwise", {"choices": {"x": 1, "y": 0}}])
def test_only_a_judge_that_passes_and_fails_can_be_one(tmp_path: Path, kind: Any) -> None:
    project(tmp_path, kind=kind)
    with pytest.raises(UsageError, match=r"s\.yaml:2: the judge relevance is .*pass or fail"):
        find("judge:relevance", where="s.yaml:2", folder=tmp_path)


def test_a_family_alone_is_no_validator() -> None:
    with pytest.raises(UsageError, match="Write judge:NAME"):
        find("judge")


# In a generation.

SCRIPT = '{{"match": "{match}", "text": {text}}}\n'


def written(folder: Path) -> None:
    """A model whose second answer is better, and a judge that knows."""
    lines = [("was not accepted", '"In Switzerland."'), ("Where is Bern?", '"Yes."')]
    (folder / "model.jsonl").write_text("".join(SCRIPT.format(match=m, text=t) for m, t in lines))
    lines = [("Yes.", json.dumps(says("fail", "No place."))), ("In Switzerland.", json.dumps(says("pass")))]
    (folder / "judge.jsonl").write_text("".join(SCRIPT.format(match=m, text=t) for m, t in lines))


async def obtained(folder: Path, validator: JudgeValidator, **options: Any) -> Any:
    from llmkit.config import load_settings

    written(folder)
    prompt = prompt_from_messages([{"role": "user", "content": "Where is Bern?"}], where="test")
    model = ModelRef("scripted/model", {"max_tokens": 50}, {"file": str(folder / "model.jsonl")})
    async with Models([model], GenerateOptions(**options), load_settings(folder)) as models:
        await models.prepare([validator])
        return await Generator(prompt, TextFormat(), models, (validator,)).one({})


def judged_by_script(folder: Path, *, more: str = "", **fields: Any) -> JudgeValidator:
    project(folder, **fields)
    (folder / "llmkit.toml").write_text(f"[models.'scripted/judge']\nfile = '{folder / 'judge.jsonl'}'\n{more}")
    found = JUDGES.of("relevance", folder=folder)
    assert isinstance(found, JudgeValidator)
    return found


@pytest.mark.parametrize("stored", [False, True])
async def test_an_answer_that_the_judge_fails_is_asked_again_and_its_calls_are_on_the_bill(
    tmp_path: Path, stored: bool
) -> None:
    validator = judged_by_script(tmp_path)
    store = tmp_path / ".llmkit" if stored else None
    result = await obtained(tmp_path, validator, store=store)
    assert result.value == "In Switzerland." and len(result.attempts) == 2
    assert [issue.rule for issue in result.attempts[0].issues] == ["judge:relevance"]
    assert result.ledger.checks["judge:relevance"].calls == 2 and result.ledger.totals.calls == 2
    assert any("uncalibrated" in note for note in result.ledger.notes)
    assert [rule.rule for rule in result.ledger.rules][-1] == "judge:relevance"
    if stored:
        again = await obtained(tmp_path, validator, store=store)
        assert again.ledger.checks["judge:relevance"].calls == 0 and again.value == result.value


BILLED = "billed = true\n[prices.'scripted/judge']\ninput = 1.0\noutput = 1000.0\n"


async def test_a_cap_holds_over_answers_and_verdicts_together(tmp_path: Path) -> None:
    validator = judged_by_script(tmp_path, more=BILLED, params={"max_tokens": 100})  # a call: up to 0.1 dollars
    with pytest.raises(GenerationFailed) as failed:
        await obtained(tmp_path, validator, max_cost=0.05)
    assert failed.value.exit_code == 3 and failed.value.ledger.stop == "budget"
    assert [attempt.issues[0].rule for attempt in failed.value.attempts] == ["unchecked"]
    result = await obtained(tmp_path, validator, max_cost=1.0)
    checked = result.ledger.checks["judge:relevance"]
    assert checked.cost_usd is not None and 0 < checked.cost_usd == result.cost_usd


async def test_a_judge_whose_calls_have_no_bound_is_refused_under_a_cap(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="max_tokens"):
        await obtained(tmp_path, judged_by_script(tmp_path, more=BILLED), max_cost=1.0)


async def test_a_cap_on_tokens_is_refused_beside_a_judge(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--max-total-tokens is not held over the calls of a judge"):
        await obtained(tmp_path, judged_by_script(tmp_path), max_total_tokens=1000)


async def test_a_judge_that_cannot_be_asked_is_told_before_any_answer(tmp_path: Path) -> None:
    validator = judged_by_script(tmp_path, method={"reason": "none", "logprobs": True})
    with pytest.raises(UsageError, match="gives no log-probabilities"):
        await obtained(tmp_path, validator)
