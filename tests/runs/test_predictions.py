"""A file of predictions: what its rows say, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import DataError, UnknownNameError, UsageError
from llmkit.runs.prediction_rows import OwnRows
from llmkit.runs.predictions import Predictions, open_predictions
from llmkit.suites.expression import compile_expression


def write(folder: Path, rows: list[Any], name: str = "p.jsonl") -> str:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def said(predictions: Predictions) -> list[tuple[str | None, tuple[str | None, ...]]]:
    return [(p.id, p.answers) for _, p in predictions.both() if p is not None]


def test_an_answer_is_a_text_or_what_people_would_write_of_it(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "answer": "a"},
        {"id": 2, "answer": 2.5},
        {"id": 3, "answer": {"x": 1}},
        {"id": 4, "answer": True},
    ]
    found = said(open_predictions(write(tmp_path, rows)))
    assert found == [("1", ("a",)), ("2", ("2.5",)), ("3", ('{"x": 1}',)), ("4", ("true",))]


def test_a_list_holds_an_answer_an_epoch(tmp_path: Path) -> None:
    rows = [{"id": 1, "out": {"all": ["a", None, "b"]}}, {"id": 2, "out": {"all": ["c"]}}]
    predictions = open_predictions(write(tmp_path, rows), "out.all")
    assert said(predictions) == [("1", ("a", None, "b")), ("2", ("c",))]
    survey = predictions.survey()
    assert (survey.rows, survey.answers, survey.fewest, survey.epochs) == (2, 3, 1, 3)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": 1, "answer": None}, "the field 'answer' is null"),
        ({"id": 1, "anser": "a"}, "no field 'answer'. Did you mean 'anser'?"),
        ({"id": 1, "answer": " \n"}, "the answer is empty"),
        ({"id": 1, "answer": []}, "the field 'answer' is an empty list"),
        ({"id": 1, "answer": [["a"]]}, "the field 'answer' holds lists within its list, and not answers"),
        ({"id": 1, "answer": ["a", ""]}, "an answer of the list is null or empty"),
    ],
)
def test_a_row_without_an_answer_says_why(tmp_path: Path, row: dict[str, Any], why: str) -> None:
    predictions = open_predictions(write(tmp_path, [{"id": 0, "answer": "x"}, row]))
    *_, (_, last) = predictions.both()
    assert last is not None and None in last.answers
    assert last.why == why
    assert predictions.survey().empty == (1, str(tmp_path / "p.jsonl") + ":2")


def test_rows_are_numbered_where_they_have_no_id(tmp_path: Path) -> None:
    assert [name for name, _ in said(open_predictions(write(tmp_path, [{"answer": "a"}, {"answer": "b"}])))] == [
        "1",
        "2",
    ]


def test_what_cannot_be_told_apart_is_counted_with_its_place(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "answer": "1"},
        {"answer": "2"},
        "broken",
        {"id": "a", "answer": "3"},
        {"id": [], "answer": "4"},
    ]
    path = write(tmp_path, rows)
    survey = open_predictions(path).survey()
    assert survey.unreadable == (1, f"{path}:3")
    assert survey.nameless == (2, f"{path}:2")
    assert survey.doubled == {"a": [f"{path}:1", f"{path}:4"]}


def test_a_field_that_no_row_has_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    path = write(tmp_path, [{"id": 1, "output": "a"}])
    with pytest.raises(UnknownNameError, match=r"unknown field 'outputs'. Did you mean 'output'.* --answer"):
        open_predictions(path, "outputs")
    with pytest.raises(UnknownNameError, match="--id"):
        open_predictions(path, "output", "key")


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PREDICTIONS: no file"):
        open_predictions(str(tmp_path / "gone.jsonl"))
    with pytest.raises(DataError, match="there are no rows"):
        open_predictions(write(tmp_path, []))
    with pytest.raises(DataError, match=r"p\.jsonl:1: no row can be read"):
        open_predictions(write(tmp_path, ["broken"]))


def own(folder: Path, rows: list[Any], name: str = "p.jsonl") -> OwnRows:
    predictions = open_predictions(write(folder, rows, name))
    return OwnRows(predictions, predictions.survey().doubled, (compile_expression("gold", "--target"),))


def test_the_same_ids_and_right_answers_are_the_same_data_whatever_else_rows_hold(tmp_path: Path) -> None:
    rows = [{"id": n, "answer": f"a{n}", "gold": n} for n in range(5)]
    first = own(tmp_path, rows).fingerprint()
    others = [{**row, "answer": "x", "seconds": 3} for row in reversed(rows)]
    assert own(tmp_path, others, "q.jsonl").fingerprint() == first
    assert own(tmp_path, rows[1:]).fingerprint() != first
    assert own(tmp_path, [*rows[1:], {"id": 0, "answer": "a", "gold": 9}]).fingerprint() != first


def test_an_id_that_stands_twice_is_one_row_that_is_bad(tmp_path: Path) -> None:
    rows = [{"id": "a", "answer": "1"}, {"id": "b", "answer": "2"}, {"id": "a", "answer": "3"}]
    first, second = own(tmp_path, rows).rows()
    assert "the id 'a' stands 2 times, also at" in getattr(first, "message", "")
    assert dict(getattr(second, "values", {})) == {"id": "b"}
