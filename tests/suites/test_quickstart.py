"""The built-in suite quickstart: enough rows, fair gold answers, and prompts that fit them."""

import json
from collections import Counter
from functools import cache
from importlib.util import find_spec

import pytest

from llmkit.scoring import Item
from llmkit.suites import load_suites
from llmkit.types import Failure

MODEL = "local/smollm2-135m-instruct"


@cache
def suites():
    return {suite.name: suite for suite in load_suites("quickstart")}


NAMES = ["arithmetic", "extraction", "classification", "yes_no", "translation", "format"]


def test_it_lists_six_suites_in_order():
    assert list(suites()) == NAMES


def test_it_asks_at_least_sixty_samples():
    counts = {name: suite.check() for name, suite in suites().items()}
    assert sum(counts.values()) >= 60
    assert min(counts.values()) >= 10


def test_it_scores_with_the_metrics_that_a_newcomer_should_see():
    names = {scorer.name for suite in suites().values() for scorer in suite.scorers}
    assert names >= {"exact_match", "numeric", "chrf", "bleu", "bertscore"}


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_the_embedded_model_without_chance(name):
    suite = suites()[name]
    assert suite.model == MODEL
    assert suite.params["temperature"] == 0
    assert suite.params["max_tokens"] <= 48


@pytest.mark.parametrize("name", NAMES)
def test_every_gold_answer_gets_full_marks(name):
    suite = suites()[name]
    for scorer in suite.scorers:
        if scorer.name == "bertscore" and find_spec("onnxruntime") is None:
            continue
        items = [
            Item(reference, sample.references, sample.row)
            for sample in suite.samples()
            for reference in sample.references
        ]
        for item, score in zip(items, scorer.score(items), strict=True):
            assert not isinstance(score, Failure), (name, item)
            best = 100.0 if scorer.name in ("chrf", "bleu") else 1.0
            if scorer.name == "bleu" and len(item.text.split()) < 4:
                continue  # BLEU of a text without a 4-gram is not 100, even for itself
            assert score.value == pytest.approx(best, abs=1e-3), (name, scorer.name, item)


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_asked_once_and_examples_give_none_away(name):
    suite = suites()[name]
    requests = [suite.prompt.render(sample.row) for sample in suite.samples()]
    asked = [messages[-1].content for messages in requests]
    assert len(set(asked)) == len(asked)
    examples = {message.content for message in requests[0][:-1] if message.role == "user"}
    assert not examples & set(asked)
    assert all(message.role == ("user" if i % 2 else "assistant") for i, message in enumerate(requests[0]) if i)


@pytest.mark.parametrize(("name", "field"), [("classification", "answer"), ("yes_no", "answer")])
def test_no_answer_is_the_majority(name, field):
    rows = [sample.row for sample in suites()[name].samples()]
    for _, group in _groups(rows, "labels" if name == "classification" else None).items():
        counts = Counter(row[field] for row in group)
        assert len(set(counts.values())) == 1


def test_arithmetic_is_right():
    for sample in suites()["arithmetic"].samples():
        words = sample.row["question"].removeprefix("What is ").removesuffix("?").split()
        if len(words) == 3 and words[1] in "+-*":
            a, b = int(words[0]), int(words[2])
            assert sample.references == (str({"+": a + b, "-": a - b, "*": a * b}[words[1]]),)


def test_what_is_extracted_stands_in_the_text():
    for sample in suites()["extraction"].samples():
        assert sample.row["text"].count(sample.row["answer"]) == 1


def test_labels_hold_the_answer():
    for sample in suites()["classification"].samples():
        assert sample.row["answer"] in sample.row["labels"].split(", ")


def test_spellings_of_a_json_answer_are_one_document():
    for sample in suites()["format"].samples():
        if sample.row["kind"] == "json":
            assert len({json.dumps(json.loads(text), sort_keys=True) for text in sample.references}) == 1


def _groups(rows, field):
    groups = {}
    for row in rows:
        groups.setdefault(row[field] if field else None, []).append(row)
    return groups
