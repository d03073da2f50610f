"""Data whose fields are called otherwise: the suite's own fields for them, and ``--map``."""

import pytest

from llmkit.errors import DocumentError
from llmkit.suites import load_suites
from llmkit.suites.adapt import adapted
from llmkit.types import BadRow
from tests.suites.conftest import ADD

FOREIGN = [{"id": "a", "q": {"text": "1+1?"}, "answer": 2}, {"id": "b", "q": {"text": "1+2?"}, "answer": 3}]


@pytest.fixture
def load(write):
    def load(text=ADD, rows=FOREIGN, **fields):
        (suite,) = load_suites(write(text, rows))
        return adapted(suite, fields=fields)

    return load


def test_a_field_may_be_called_otherwise_in_the_data(load):
    suite = load(question="q.text")
    assert suite.check() == 2
    assert [suite.render(sample.row)[0].content for sample in suite.samples()] == ["1+1?", "1+2?"]


def test_the_suite_may_say_so_itself(load):
    suite = load(ADD.replace("map: {", "map: {fields: {question: q.text}, "))
    assert [sample.row["question"] for sample in suite.samples()] == ["1+1?", "1+2?"]


def test_a_template_makes_a_text_and_a_list_makes_a_list(load):
    text = ADD.replace("map: {", "map: {fields: {question: '{{ q.text }}!', both: [id, answer]}, ")
    (first, _) = load(text).samples()
    assert (first.row["question"], first.row["both"]) == ("1+1?!", ["a", 2])


def test_a_field_may_be_made_of_one_before_it(load):
    text = ADD.replace("map: {", "map: {fields: {question: q.text, loud: '{{ question }}!'}, ")
    assert next(iter(load(text).samples())).row["loud"] == "1+1?!"


def test_the_map_may_use_them(load):
    suite = load(ADD.replace("target: answer", "target: right"), right="answer")
    assert [sample.references for sample in suite.samples()] == [("2",), ("3",)]


def test_they_are_another_experiment_on_the_same_data(load):
    one, other = load(question="q.text"), load(question="id")
    assert one.fingerprints()["map"] != other.fingerprints()["map"]
    assert one.fingerprints()["data"] == other.fingerprints()["data"]


def test_a_row_that_lacks_it_keeps_its_own(load):
    rows = [*FOREIGN, {"id": "c", "question": "2+2?", "answer": 4}]
    assert [sample.row["question"] for sample in load(rows=rows, question="q.text").samples()][2] == "2+2?"


def test_a_field_that_no_row_has_is_an_error(load):
    with pytest.raises(DocumentError, match=r"have no field 'q.txt'. Did you mean 'q.text'\?"):
        load(question="q.txt").check()


def test_a_template_that_fails_on_a_row_fails_it_alone(load):
    found = list(load(rows=[*FOREIGN, {"id": "c", "answer": 4}], question="{{ q.text }}").samples())
    assert [isinstance(each, BadRow) for each in found] == [False, False, True]
    assert "'q'" in found[2].message


def test_a_template_that_is_none_is_said_with_the_option(load):
    with pytest.raises(DocumentError, match=r"--map question: "):
        load(question="{{ q")


def test_the_prompt_names_the_option_that_helps(load):
    with pytest.raises(DocumentError, match=r"the prompt uses 'question', .*--map question=FIELD"):
        load().check()
