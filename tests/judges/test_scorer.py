"""A judge as a scorer of a suite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DocumentError, ScorerError, UnknownNameError, UsageError
from llmkit.judges.scorer import JudgeScorer, is_entry, scorer_of
from llmkit.judges.seat import Asks
from llmkit.providers.base import Capabilities
from llmkit.providers.scripted import Scripted
from llmkit.scoring.base import Item, bounds_of
from llmkit.types import Failure, Message, Score
from tests.judges.project import judge_of, project
from tests.judges.seats import Table, always, seated, text_of

ITEM = Item("Paris", ("Lyon",), {"lang": "en"}, id="s1", messages=(Message("user", "The capital of France?"),))


async def scored(scorer: JudgeScorer, said: str, item: Item = ITEM) -> Score | Failure:
    (score,) = await scorer.ask([item], Table(seated(lambda request: said)))
    return score


async def test_a_verdict_is_a_score_with_its_word(tmp_path: Path) -> None:
    scorer = JudgeScorer(judge_of(tmp_path))
    assert isinstance(scorer, Asks)
    assert await scorer.ask([ITEM], Table(seated(always("pass")))) == [Score(1.0, answer="pass")]
    assert await scorer.ask([ITEM], Table(seated(always("fail")))) == [Score(0.0, answer="fail")]
    assert (scorer.name, scorer.kind, bounds_of(scorer), scorer.needs_references) == (
        "relevance", "proportion", (0.0, 1.0), False,
    )  # fmt: skip


async def test_the_judge_sees_what_was_asked_and_answered(tmp_path: Path) -> None:
    seat = seated(always("pass"))
    await JudgeScorer(judge_of(tmp_path)).ask([ITEM], Table(seat))
    (request,) = seat.requests
    assert "The capital of France?" in text_of(request)
    assert "Paris" in text_of(request)


async def test_who_cannot_tell_gives_no_score(tmp_path: Path) -> None:
    (said,) = await JudgeScorer(judge_of(tmp_path)).ask([ITEM], Table(seated(always("cannot_tell", "too vague"))))
    assert isinstance(said, Failure)
    assert (said.stage, said.kind) == ("scorer", "cannot_tell")
    assert "too vague" in said.message


@pytest.mark.parametrize("answer", ["no idea", '{"verdict": "maybe", "reason": "x"}'])
async def test_what_cannot_be_read_is_no_verdict(tmp_path: Path, answer: str) -> None:
    said = await scored(JudgeScorer(judge_of(tmp_path)), answer)
    assert isinstance(said, Failure)
    assert said.kind == "no_verdict"


async def test_a_judge_of_pairs_holds_the_answer_against_the_first_reference(tmp_path: Path) -> None:
    scorer, seat = JudgeScorer(judge_of(tmp_path, kind="pairwise")), seated(always("tie"))
    assert await scorer.ask([ITEM], Table(seat)) == [Score(0.5, answer="tie")]
    assert text_of(seat.requests[0]).index("Paris") < text_of(seat.requests[0]).index("Lyon")
    assert (scorer.kind, scorer.needs_references) == ("mean", True)
    assert scorer.signature.endswith("|against:reference")


async def test_grades_have_their_own_bounds(tmp_path: Path) -> None:
    scorer = JudgeScorer(judge_of(tmp_path, kind={"graded": {"min": 1, "max": 5}}))
    assert await scorer.ask([ITEM], Table(seated(always("4")))) == [Score(4.0, answer="4")]
    assert (bounds_of(scorer), scorer.wrong(ITEM)) == ((1.0, 5.0), Score(1.0))


def test_without_a_model_there_is_no_score(tmp_path: Path) -> None:
    with pytest.raises(ScorerError, match="relevance is a judge: it asks a model"):
        JudgeScorer(judge_of(tmp_path)).score([ITEM])


def test_a_changed_judge_has_another_signature(tmp_path: Path) -> None:
    one = JudgeScorer(judge_of(tmp_path / "one"))
    two = JudgeScorer(judge_of(tmp_path / "two", guideline="An answer passes where it is short."))
    assert one.signature != two.signature
    assert one.signature.startswith("judge:relevance|kind:pass_fail|model:scripted/judge|definition:")


def test_log_probabilities_are_asked_of_a_model_that_has_them(tmp_path: Path) -> None:
    plain = Scripted("judge", {}, function=lambda request: "pass")
    plain.capabilities = Capabilities()
    scorer = JudgeScorer(judge_of(tmp_path, method={"logprobs": True, "reason": "none"}))
    with pytest.raises(UsageError, match="gives no log-probabilities"):
        scorer.check(lambda model: plain)


def test_an_entry_names_a_judge_of_the_project(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "suites").mkdir()
    named = scorer_of({"judge": "relevance"}, folder=tmp_path / "suites", where="suite.yaml:3")
    renamed = scorer_of({"judge": {"judge": "relevance", "name": "on_topic"}}, folder=tmp_path)
    assert (named.name, renamed.name) == ("relevance", "on_topic")
    assert named.signature == renamed.signature


def test_an_entry_is_a_mapping_with_the_one_key_judge() -> None:
    assert is_entry({"judge": "relevance"})
    assert not is_entry("judge")
    assert not is_entry({"judge": "relevance", "numeric": {}})
    assert not is_entry({"numeric": {}})


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"judge": {"judge": "relevance", "nmae": "x"}}, "suite.yaml:3: scorer judge has no option 'nmae'. Did you"),
        ({"judge": None}, "suite.yaml:3: scorer judge needs a judge's name, not None"),
        ({"judge": {"judge": "relevance", "name": "a b"}}, "suite.yaml:3: option 'name' of scorer judge cannot be"),
        ({"judge": "../../etc/passwd.yaml"}, "suite.yaml:3"),
    ],
)
def test_a_wrong_entry_is_one_line(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    project(tmp_path)
    with pytest.raises(DocumentError) as caught:
        scorer_of(entry, folder=tmp_path, where="suite.yaml:3")
    assert str(caught.value).startswith(said)


def test_an_unknown_judge_is_offered_the_nearest(tmp_path: Path) -> None:
    project(tmp_path)
    with pytest.raises(UnknownNameError, match=r"suite\.yaml:3: unknown judge 'relevanse'\. Did you mean 'relevance'"):
        scorer_of({"judge": "relevanse"}, folder=tmp_path, where="suite.yaml:3")


def test_who_answers_under_the_models_name_is_a_part_of_the_signature(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    (tmp_path / "project").mkdir()
    judge = judge_of(tmp_path / "project")
    judge = replace(judge, model=replace(judge.model, options={"file": str(script)}))
    script.write_text('{"match": "x", "text": "pass"}\n', encoding="utf-8")
    before = JudgeScorer(judge).signature
    assert JudgeScorer(judge).signature == before and "|identity:" in before
    script.write_text('{"match": "x", "text": "fail"}\n', encoding="utf-8")
    assert JudgeScorer(judge).signature != before
