"""The Python API, as its users write it."""

from __future__ import annotations

from pathlib import Path

import pytest

import llmkit

ROWS = [{"question": f"What is {a} + 1?", "answer": str(a + 1)} for a in range(8)]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "llmkit.toml").write_text("")
    return tmp_path


def arithmetic() -> llmkit.Suite:
    return llmkit.make_suite(
        "arithmetic",
        ROWS,
        messages=[{"role": "user", "content": "{{question}}"}],
        scorers=["exact_match", "includes"],
        target="answer",
    )


def test_records_in_records_out() -> None:
    (result,) = llmkit.evaluate(arithmetic(), "scripted/echo")
    assert (result.status, result.completed, result.failed) == ("completed", 8, 0)
    assert result.metrics["exact_match"].value == 0.0
    assert result.metrics["includes"].value == sum(r["answer"] in r["question"] for r in ROWS) / 8


def test_a_stored_run_is_read_back_sample_by_sample() -> None:
    (result,) = llmkit.evaluate(arithmetic(), "scripted/echo")
    samples = list(llmkit.read_samples(result.run_id))
    assert [s.completion.text for s in samples if s.completion] == [r["question"] for r in ROWS]
    assert all(isinstance(s.scores["includes"], llmkit.Score) for s in samples)


def test_several_models_give_one_result_each_in_order() -> None:
    results = llmkit.evaluate(arithmetic(), ["scripted/echo", "scripted/constant"])
    assert [r.model for r in results] == ["scripted/echo", "scripted/constant"]


def test_a_second_evaluation_comes_from_the_cache() -> None:
    first, second = (llmkit.evaluate(arithmetic(), "scripted/echo")[0] for _ in range(2))
    assert (second.from_cache, second.usage.calls) == (8, 0)
    assert second.metrics == first.metrics
    assert second.run_id != first.run_id


async def test_an_evaluation_runs_inside_a_running_loop() -> None:
    (ending,) = await llmkit.evaluate_async(arithmetic(), "scripted/echo", options=llmkit.Options(limit=3))
    assert ending.error is None
    assert ending.result.completed == 3


async def test_inside_a_running_loop_the_other_function_is_named() -> None:
    with pytest.raises(llmkit.UsageError, match=r"await llmkit\.evaluate_async"):
        llmkit.evaluate(arithmetic(), "scripted/echo")


def test_what_stops_a_run_is_raised() -> None:
    with pytest.raises(llmkit.LlmkitError, match=r"names no provider|unknown model"):
        llmkit.evaluate(arithmetic(), "gpt-4o")
