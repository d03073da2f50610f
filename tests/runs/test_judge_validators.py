"""A judge among a suite's validators: asked while the answers are made, on the run's bill, and a part of what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.runs.evaluate import evaluate_async
from llmkit.runs.options import Options
from tests.judges.project import project
from tests.judges.seats import says

SUITE = """\
version: 1
name: places
data: rows.jsonl
map: {target: country}
messages: [{role: user, content: "Where is {{city}}?"}]
format: text
generate: {validators: ["judge:relevance"]}
scorers: [exact_match, valid, valid_first]
model: scripted/model
params: {max_tokens: 20}
"""


def lines(path: Path, *answers: tuple[str, str]) -> None:
    path.write_text("".join(json.dumps({"match": match, "text": text}) + "\n" for match, text in answers))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    project(tmp_path)
    lines(tmp_path / "model.jsonl", ("not accepted", "Switzerland"), ("Bern", "Somewhere"), ("Ulm", "Germany"))
    lines(tmp_path / "judge.jsonl", ("Somewhere", says("fail", "No place.")), ("answer", says("pass")))
    files = "".join(f"[models.'scripted/{name}']\nfile = '{name}.jsonl'\n" for name in ("model", "judge"))
    (tmp_path / "llmkit.toml").write_text(files)
    (tmp_path / "rows.jsonl").write_text(
        '{"city": "Bern", "country": "Switzerland"}\n{"city": "Ulm", "country": "Germany"}\n'
    )
    (tmp_path / "places.yaml").write_text(SUITE)
    return tmp_path


async def test_what_the_judge_fails_is_asked_again_and_its_calls_are_counted_apart(here: Path) -> None:
    (ending,) = await evaluate_async("places.yaml")
    result = ending.result
    assert result is not None and ending.error is None
    assert {name: metric.value for name, metric in result.metrics.items()} == {
        "exact_match": 1.0, "valid": 1.0, "valid_first": 0.5, "attempts": 1.5
    }  # fmt: skip
    assert result.judging["relevance"].calls == 3 and result.usage.calls == 3


async def test_a_changed_judge_makes_another_run(here: Path) -> None:
    (before,) = await evaluate_async("places.yaml")
    (here / "judges" / "guidelines" / "relevance.md").write_text("Another criterion.")
    (after,) = await evaluate_async("places.yaml")
    assert before.result is not None and after.result is not None
    assert before.result.digest != after.result.digest


async def test_under_a_cap_a_judge_without_a_bound_is_refused_before_any_call(here: Path) -> None:
    with (here / "llmkit.toml").open("a") as file:
        file.write("billed = true\n[prices.'scripted/judge']\ninput = 1.0\noutput = 1.0\n")
    with pytest.raises(UsageError, match="max_tokens"):
        await evaluate_async("places.yaml", options=Options(max_cost=1.0))
