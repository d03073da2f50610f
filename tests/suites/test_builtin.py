"""Every built-in benchmark says where it comes from, renders rows of the hub's shape, and tells right from wrong."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from llmkit.documents import read_yaml
from llmkit.errors import DataError, NoIsolationError
from llmkit.prompts.source import read_source
from llmkit.providers.scripted import Scripted
from llmkit.scoring import Item
from llmkit.suites import Suite, builtin_suites, load_suites
from llmkit.suites.adapt import adapted
from llmkit.suites.spec import HubData
from llmkit.suites.variants import variant_names
from llmkit.types import Request, Score
from tests.suites.benchmarks import CASES, LIKELY, Case

NAMES = [name for name in builtin_suites() if name != "quickstart"]
REFS = [
    ref
    for name in NAMES
    for ref in (name, *(f"{name}:{v}" for v in variant_names(read_yaml(builtin_suites()[name]).data)))
]
MADE = {"needle", "needle_facts"}  # their rows are made at run time
LICENCES = {"Apache-2.0", "CC-BY-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "MIT", "research use", "llmkit's own"}
MOST_LINES = 70
"""Of a suite's file: what a newcomer reads in a minute. The longest lists the 27 tasks of BIG-Bench Hard."""


@cache
def named(ref: str) -> Suite:
    (suite,) = load_suites(ref)
    return suite


def loaded(ref: str, rows: list[dict], folder: Path, **how) -> Suite:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (suite,) = load_suites(ref, data=str(path))
    return adapted(suite, **how)


def test_there_are_the_known_benchmarks():
    assert set(NAMES) >= {
        "arc", "bbh", "cnn_dailymail", "gsm8k", "hellaswag", "humaneval", "ifeval", "math500", "mbpp", "mmlu",
        "mmlu_pro", "squad", "truthfulqa", "winogrande", "wmt16",
    }  # fmt: skip


def test_each_suite_and_variant_is_tried_below():
    assert set(CASES) | set(LIKELY) == {ref for ref in REFS if ref not in MADE}


@pytest.mark.parametrize("name", NAMES)
def test_its_file_is_short_and_named_like_it(name):
    lines = builtin_suites()[name].read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 120
    assert f"name: {name}" in lines


@pytest.mark.parametrize("ref", [ref for ref in REFS if ref.endswith(":likelihood")])
def test_what_compares_likelihoods_speaks_of_no_letter_that_is_settled_on(ref):
    assert "likel" in named(ref).spec.about.normalisation


def test_a_prompt_without_examples_is_not_said_to_have_some():
    assert "no examples" in named("gsm8k:direct").spec.about.prompt


@pytest.mark.parametrize("ref", REFS)
def test_it_says_what_it_is_and_where_everything_comes_from(ref):
    suite = named(ref)
    about = suite.spec.about
    assert suite.spec.description
    assert about is not None and None not in about.model_dump().values()
    assert about.licence in LICENCES


@pytest.mark.parametrize("ref", [ref for ref in REFS if ref not in MADE])
def test_its_rows_are_read_at_a_commit(ref):
    suite = named(ref)
    shots = suite.spec.few_shot.data if suite.spec.few_shot is not None else None
    for data in (suite.spec.data, shots):
        if data is not None:
            assert isinstance(data, HubData) and re.fullmatch("[0-9a-f]{40}", data.revision or "")
    if isinstance(shots, HubData):
        assert (shots.hf, shots.revision) == (suite.spec.data.hf, suite.spec.data.revision)
        assert shots.split != suite.spec.data.split


@pytest.mark.parametrize("ref", REFS)
def test_its_prompt_is_short(ref):
    suite = named(ref)
    if suite.prompt.path is not None:
        assert len(read_source(suite.prompt.path).body.splitlines()) <= 45


@pytest.mark.parametrize("ref", sorted(CASES))
def test_it_renders_a_row_of_the_hubs_shape(ref, tmp_path):
    case = CASES[ref]
    suite = loaded(ref, [case.row], tmp_path)
    assert suite.check() == 1
    (sample,) = suite.samples()
    messages = suite.render(sample.row)
    assert messages[-1].role == "user"
    text = "\n".join(message.content for message in messages)
    for words in case.asked:
        assert words in text
    assert "{{" not in text and "\n\n\n" not in text
    assert all(message.content == message.content.strip() for message in messages)


@pytest.mark.parametrize("ref", sorted(ref for ref, case in CASES.items() if case.other is not None))
def test_it_shows_an_example_with_its_answer(ref, tmp_path):
    case = CASES[ref]
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(case.other) + "\n", "utf-8")
    suite = loaded(ref, [case.row], tmp_path, few_shot=1, few_shot_data=str(other))
    (sample,) = suite.samples()
    *shown, last = suite.render(sample.row)
    assert [message.role for message in shown[-2:]] == ["user", "assistant"]
    assert last.role == "user"
    text = "\n".join(message.content for message in shown)
    for words in case.shown:
        assert words in text
    (of_other,) = loaded(ref, [case.other], tmp_path).samples()
    answer = Item(shown[-1].content, of_other.references, of_other.row)
    for scorer in suite.scorers:
        assert _value(scorer, answer) == _best(case, scorer.name)  # what it shows is an answer that it takes


@pytest.mark.parametrize("ref", sorted(CASES))
async def test_a_right_answer_scores_and_a_wrong_one_does_not(ref, tmp_path):
    case = CASES[ref]
    suite = loaded(ref, [case.row], tmp_path)
    right, wrong = [await _answered(suite, answer) for answer in (case.right, case.wrong)]
    for scorer in suite.scorers:
        best, worst = _best(case, scorer.name), (case.worst or {}).get(scorer.name, 0.0)
        assert _value(scorer, right) == best
        got = _value(scorer, wrong)
        assert got != best if worst is None else got == worst


@pytest.mark.parametrize("ref", sorted(LIKELY))
async def test_the_likeliest_continuation_is_the_answer(ref, tmp_path):
    row, right, wrong = LIKELY[ref]
    suite = loaded(ref, [row], tmp_path)
    assert suite.check() == 1
    for likely, value in ((right, 1.0), (wrong, 0.0)):
        item = await _compared(suite, likely)
        assert [_value(scorer, item) for scorer in suite.scorers] == [value] * len(suite.scorers)


@pytest.mark.parametrize("name", ["bbh", "mmlu"])
def test_where_the_hub_cannot_be_reached_the_line_says_what_to_do(name, monkeypatch):
    pytest.importorskip("datasets", reason="needs the extra [datasets]")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    (suite,) = load_suites(name)
    with pytest.raises(DataError, match=rf"{name}\.yaml:\d+: hf:.*Pass --data FILE"):
        suite.check()
    with pytest.raises(DataError, match=r"hf:cais/mmlu/all/dev.*Pass --few-shot-data FILE"):
        list(adapted(load_suites("mmlu")[0], few_shot=5).examples.of({"question": "?"}))


async def _answered(suite: Suite, answer: str) -> Item:
    """Ask a model that has its answer written down."""
    (sample,) = suite.samples()
    completion = await Scripted(function=lambda request: answer).complete(Request(suite.render(sample.row)))
    return Item(completion.text, sample.references, sample.row)


async def _compared(suite: Suite, likely: str) -> Item:
    (sample,) = suite.samples()
    messages = suite.render(sample.row)
    assert suite.likelihood is not None

    def likelihood(request: Request, text: str) -> float:
        return -1.0 if likely in text or request.messages[-1].content.endswith(likely) else -200.0

    request = Request(messages, {}, suite.likelihood.of(sample.row, messages))
    completion = await Scripted(likelihood=likelihood).loglikelihoods(request)
    return Item(completion.text, sample.references, sample.row, logprobs=completion.logprobs)


def _best(case: Case, name: str) -> float:
    return (case.best or {}).get(name, 1.0)


def _value(scorer, item: Item) -> float:
    try:
        (found,) = scorer.score([item])
    except NoIsolationError as error:
        pytest.skip(str(error))
    assert isinstance(found, Score), found
    return pytest.approx(found.value, abs=1e-9)
