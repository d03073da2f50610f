"""Variants of one model measured: what drafts tokens ahead keeps its quality, what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.vllm.command import run
from tests.vllm.models import ENGINE, folder, typed
from tests.vllm.suites import project
from tests.vllm.test_speculation import NGRAM

ROWS = 96
MARGIN = 0.15


async def asked(where: Path, *suites: str, model: str = "smollm2", **options: Any) -> dict[str, str]:
    """Run suites on a variant; returns the runs' ids by suite."""
    command = ["eval", *suites, "-m", f"vllm/{folder(model)}", *typed({**ENGINE, **options}), "--json"]
    said = await run(where, *command)
    assert said.code == 0, said.err
    return {each["suite"]: each["run_id"] for each in json.loads(said.out)["runs"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def compared(tmp_path_factory):
    """Three runs of one project: as it is, with n-grams drafted, damaged."""
    where = project(tmp_path_factory.mktemp("variants"), rows=ROWS, more=", top_logprobs: 5")
    plain = await asked(where, "repeat.yaml", "copy.yaml")
    drafted = await asked(where, "repeat.yaml", speculative_config=NGRAM)
    damaged = await asked(where, "copy.yaml", model="damaged")
    return where, plain, drafted, damaged


async def test_n_grams_change_no_greedy_answer_beyond_ties_and_pass_the_margin(compared):
    where, plain, drafted, _ = compared
    said = await run(where, "compare", plain["repeat"], drafted["repeat"], "--margin", f"said={MARGIN}", "--json")
    assert said.code == 0, said.out + said.err
    document = json.loads(said.out)
    assert document["verdict"] == "pass"
    assert document["margins"][0]["n"] == ROWS
    sameness = document["sameness"]
    assert sameness["pairs"] == ROWS
    assert sameness["same"] + sameness["tied"] == ROWS
    assert sameness["beyond_tie"] == sameness["unknown"] == sameness["shared"] == 0
    assert sameness["tied"] <= ROWS // 10


async def test_the_comparison_tells_what_was_drafted_and_how_fast_both_were(compared):
    where, plain, drafted, _ = compared
    said = await run(where, "compare", plain["repeat"], drafted["repeat"], "--json")
    speed = json.loads(said.out)["speed"]
    assert speed["a"]["speculation"] is None
    found = speed["b"]["speculation"]
    assert 0 < found["accepted"] <= found["drafted"]
    assert found["acceptance_rate"] == found["accepted"] / found["drafted"]
    assert 1 < found["accepted_length"] <= 1 + NGRAM["num_speculative_tokens"]
    assert speed["a"]["output_tokens_per_s"] > 0 and speed["b"]["output_tokens_per_s"] > 0
    assert (speed["tokens"], speed["ratio"] > 0) == ("output", True)
    assert speed["unknown"] is None


async def test_a_damaged_model_fails_the_margin(compared):
    where, plain, _, damaged = compared
    said = await run(where, "compare", plain["copy"], damaged["copy"], "--margin", f"right={MARGIN}", "--json")
    assert said.code == 1, said.out + said.err
    document = json.loads(said.out)
    (margin,) = document["margins"]
    assert (document["verdict"], margin["verdict"], margin["n"]) == ("fail", "fail", ROWS)
    assert margin["beyond_margin"]
    assert margin["a"] > 0.9
    assert margin["b"] < 0.6
