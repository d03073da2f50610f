"""A suite can be made in Python, of rows in memory."""

from pathlib import Path

import pytest

from llmkit.errors import DataError, DocumentError
from llmkit.scoring import parse
from llmkit.suites import make_suite
from llmkit.types import Message

ROWS = [{"id": "a", "question": "1+1?", "answer": 2}, {"id": "b", "question": "1+2?", "answer": 3}]
MAP = {"id": "id", "target": "answer"}


def test_a_text_is_a_template_for_the_users_message():
    suite = make_suite(ROWS, prompt="Sum: {{question}}", scorers=["exact_match"], map=MAP)
    assert suite.check() == 2
    sample = next(suite.samples())
    assert (sample.id, sample.references, sample.where) == ("a", ("2",), "records:1")
    assert suite.prompt.render(sample.row) == (Message("user", "Sum: 1+1?"),)


def test_a_prompt_may_be_a_file_or_messages(project):
    file = make_suite(ROWS, prompt=Path("prompts/add.prompty"), scorers=["exact_match"], map=MAP)
    messages = [{"role": "system", "content": "Add."}, {"role": "user", "content": "{{question}}"}]
    inline = make_suite(ROWS, prompt=messages, scorers=["exact_match"], map=MAP)
    assert make_suite(ROWS, prompt=file.prompt, scorers=["exact_match"], map=MAP).prompt is file.prompt
    assert [len(suite.prompt.render(ROWS[0])) for suite in (file, inline)] == [1, 2]


def test_scorers_may_be_names_options_or_scorers():
    scorers = ["exact_match", {"numeric": {"tolerance": 1}}, parse("includes")]
    suite = make_suite(ROWS, prompt="{{question}}", scorers=scorers, map=MAP, epochs=2, slices=["id"])
    assert [scorer.name for scorer in suite.scorers] == ["exact_match", "numeric", "includes"]
    assert (suite.epochs, suite.slice_names) == (2, ("id",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"map": {"targt": "answer"}}, "targt.*'target'"),
        ({"epoch": 2}, "epoch.*'epochs'"),
        ({"scorers": ["includes", "includes"]}, "two scorers give the metric 'includes'"),
        ({"scorers": []}, "scorers"),
    ],
)
def test_mistakes_are_those_of_a_suite_file(change, message):
    with pytest.raises(DocumentError, match=message):
        make_suite(ROWS, **{"prompt": "{{question}}", "scorers": ["exact_match"], "map": MAP, **change})


def test_duplicate_ids_are_found_there_too():
    suite = make_suite([ROWS[0], ROWS[0]], prompt="{{question}}", scorers=["exact_match"], map=MAP)
    with pytest.raises(DataError, match="records:2: the id 'a' stands twice: first at records:1"):
        suite.check()
