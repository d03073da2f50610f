"""A type's patterns, where pydantic would leave them to Python's ``re``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from llmkit.structured.formats.json import JsonFormat
from llmkit.structured.patterns import guarded, patience

REPO = Path(__file__).parents[2]
HANGS = """\
import json, time
from typing import Optional
from pydantic import BaseModel, ConfigDict, Field
from llmkit.structured.formats.json import JsonFormat

class Cat(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    a: str = Field(pattern=r"^(a|aa|a.)+$")
    more: list[Optional["Cat"]] = []

bad = {"a": "aa" * 40 + "\\n!"}
for form, answer in (
    (JsonFormat.of(Cat), bad),
    (JsonFormat.of(list[Cat]), [bad] * 50),
    (JsonFormat.of(Cat), {"a": "a", "more": [bad]}),
):
    begin = time.thread_time()
    (issue,) = form.parse(json.dumps(answer)).issues
    assert issue.rule in ("time", "pattern"), issue
    assert time.thread_time() - begin < 1  # the deadline is half a second by the clock
print("bounded")
"""


def test_a_catastrophic_pattern_ends_in_time_wherever_the_type_has_it() -> None:
    # A process of its own: before patterns were guarded, it came to no end.
    done = subprocess.run([sys.executable, "-c", HANGS], cwd=REPO, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.returncode) == ("bounded\n", 0), done.stderr


def test_the_issue_names_the_pattern_that_took_too_long() -> None:
    form = JsonFormat.of(Annotated[str, Field(pattern=re.compile(r"^(a|aa|a.)+$"))])
    (issue,) = form.parse('"' + "aa" * 40 + '\\n!"').issues
    assert issue.rule == "time"
    assert issue.message == (
        "the pattern '^(a|aa|a.)+$' took too long on this answer: make it shorter and simpler"
    )  # fmt: skip


class Looking(BaseModel):
    model_config = ConfigDict(regex_engine="python-re", str_strip_whitespace=True)
    code: str = Field(pattern=r"^(?=.*\d)[a-z\d]+$", min_length=2)
    low: Annotated[str, StringConstraints(pattern=r"^A", to_lower=True)] = "a"


class Outer(BaseModel):
    """Its own patterns are left to pydantic's engine; those within are not."""

    plain: str = Field("ab", pattern=r"^a")
    inner: Looking
    byname: dict[Annotated[str, Field(pattern=re.compile(r"^k(?!x)", re.I))], Looking] = {}


@pydantic_dataclass(config={"regex_engine": "python-re"})
class Point:
    name: Annotated[str, Field(pattern=r"^(?!x)")]


@dataclass
class Plain:
    name: Annotated[str, Field(pattern=r"^x")]


STRINGS = st.sampled_from(["a1", " a1 ", "a", "1", "A1", "kx", "k", "K1", "x", "", "ab"])
INNER = st.fixed_dictionaries({"code": STRINGS}, optional={"low": STRINGS})
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Looking, INNER),
    (list[Looking | Point], st.lists(INNER | st.fixed_dictionaries({"name": STRINGS}), max_size=3)),
    (
        Outer,
        st.fixed_dictionaries(
            {"inner": INNER},
            optional={"plain": STRINGS, "byname": st.dictionaries(STRINGS, INNER, max_size=2)},
        ),
    ),
]


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1])))
def test_what_is_guarded_reads_what_pydantic_reads_and_says_the_same_of_the_rest(drawn: tuple[Any, Any]) -> None:
    kind, value = drawn
    adapter = TypeAdapter(kind)
    assert _read(guarded(adapter.core_schema), value) == _read(adapter, value)


def _read(reader: Any, value: Any) -> Any:
    try:
        with patience(1):
            return reader.validate_json(json.dumps(value))
    except ValidationError as error:
        return [(e["type"], e["loc"], e["msg"], e["input"]) for e in error.errors(include_url=False)]


@pytest.mark.parametrize("kind", [Plain, int, list[str], Annotated[str, Field(pattern="^(a+)+$")]])
def test_types_whose_patterns_pydantic_matches_in_linear_time_are_left_alone(kind: Any) -> None:
    assert guarded(TypeAdapter(kind).core_schema) is None
