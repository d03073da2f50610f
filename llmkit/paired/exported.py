"""A file that ``llmkit runs export`` wrote, as a comparison reads it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from llmkit.errors import DataError, UsageError
from llmkit.paired.rows import Chosen, Key, Row, Setup, Texts, hash_of
from llmkit.paired.stored import question_of, sizes_of
from llmkit.runs.export import NESTED
from llmkit.runs.records import references_json
from llmkit.samples import Row as FileRow
from llmkit.samples.jsonl import read_jsonl
from llmkit.samples.parquet import read_parquet
from llmkit.scoring.base import Item
from llmkit.types import BadRow, Message, RunStatus
from llmkit.variants import Pace

PARQUET = ".parquet"
ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson", PARQUET)
HINT = "`llmkit runs export` writes what can be compared"
_MODEL = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _Setup(BaseModel):
    model_config = _MODEL
    status: RunStatus
    data: str
    prompt: str
    map: dict[str, str]
    params: dict[str, Any]
    options: dict[str, Any] | None = None
    alias: str | None = None
    epochs: int
    limit: int | None
    seed: int
    gate: str | None = None
    scorers: list[str | dict[str, Any]]
    higher_is_better: dict[str, bool]
    judges: dict[str, str] = {}


class _Message(BaseModel):
    model_config = _MODEL
    role: str
    content: str


class _Usage(BaseModel):
    model_config = _MODEL
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Failure(BaseModel):
    model_config = _MODEL
    kind: str
    metric: str | None = None


class _Line(BaseModel):
    """One line; what an older llmkit did not write may be absent."""

    model_config = _MODEL
    run_id: str
    suite: str
    model: str
    id: str
    epoch: int
    references: list[str]
    cluster: str | None = None
    slices: dict[str, str]
    messages: list[_Message]
    answer: str | None
    scores: dict[str, float | None]
    extracted: dict[str, str]
    usage: _Usage | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    from_cache: bool = False
    stats: dict[str, list[float]] = {}
    failures: list[_Failure] = []
    row: dict[str, Any] = {}
    signatures: dict[str, str] | None = None
    setup: _Setup | None = None


class ExportedRun:
    """A run in a file.

    Args:
        name: The path, as the user wrote it.

    Raises:
        UsageError: No such file, or none of the formats that an export has.
    """

    def __init__(self, name: str) -> None:
        self.path = Path(name).expanduser()
        if not self.path.is_file():
            raise UsageError(f"no file {name!r}", hint=HINT)
        if not self.path.name.lower().endswith(ENDINGS):
            raise UsageError(f"{name!r} is no export of a run", hint=f"Those end in {', '.join(ENDINGS)}")

    @cached_property
    def setup(self) -> Setup:
        """How the run was set up, as the first line says; each line says the same.

        Raises:
            DataError: The file is empty, or its first line is no sample.
        """
        for _, line in self._lines():
            return _setup(line, str(self.path))
        raise DataError("the file holds no samples", where=str(self.path), hint=HINT)

    def rows(self) -> Iterator[Row]:
        """Stream its samples in the file's order.

        Raises:
            DataError: A line that is no sample, or one of another run (``path:line``).
        """
        first: _Line | None = None
        for where, line in self._lines():
            first = first or line
            if (line.run_id, line.signatures, line.setup) != (first.run_id, first.signatures, first.setup):
                raise DataError(
                    f"a sample of run {line.run_id} after those of run {first.run_id}",
                    where=where,
                    hint="A file holds one run; leave the others out",
                )
            yield _row(line, where)

    def texts(self, keys: Collection[Key]) -> dict[Key, Texts]:
        """Return what people read of some of its samples."""
        if not keys:
            return {}
        return {(line.id, line.epoch): _texts(line) for _, line in self._lines() if (line.id, line.epoch) in keys}

    def items(self, keys: Collection[Key]) -> Iterator[tuple[Key, Item]]:
        """Stream some of its samples as scorers see them, in one pass."""
        for _, line in self._lines() if keys else ():
            if (key := (line.id, line.epoch)) in keys:
                yield key, Item(line.answer or "", tuple(line.references), line.row, id=line.id, messages=_asked(line))

    def chosen(self, answers: Sequence[int]) -> dict[int, Chosen]:
        """Return nothing: log-probabilities are not exported."""
        return {}

    def pace(self) -> Pace | None:
        """Return nothing: when answers came is not exported."""
        return None

    def _lines(self) -> Iterator[tuple[str, _Line]]:
        parquet = self.path.name.lower().endswith(PARQUET)
        for row in read_parquet(self.path) if parquet else read_jsonl(self.path):
            if isinstance(row, BadRow):
                raise DataError(row.message, where=row.where, hint=HINT)
            where = f"{self.path}:{row.line}"
            yield where, _line(_unpacked(row, where) if parquet else row.values, where)


def _unpacked(row: FileRow, where: str) -> dict[str, Any]:
    """Read the fields that Parquet holds as JSON text."""
    values = dict(row.values)
    for name in NESTED:
        text = values.get(name)
        if text is None:
            values.pop(name, None)
            continue
        try:
            values[name] = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise DataError(f"is no exported sample: {name} is not JSON text", where=where, hint=HINT) from error
    return values


def _line(values: Any, where: str) -> _Line:
    try:
        return _Line.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"]))
        said = f"it lacks {at!r}" if first["type"] == "missing" else f"{at}: {first['msg']}"
        raise DataError(f"is no exported sample: {said}", where=where, hint=HINT) from None


def _setup(line: _Line, name: str) -> Setup:
    said, common = line.setup, (name, line.run_id, line.suite, line.model)
    if said is None:
        return Setup(*common, status=None, signatures=line.signatures, stored=False)
    return Setup(
        *common, status=said.status, data=said.data, prompt=said.prompt, map=said.map, signatures=line.signatures,
        scorers=said.scorers, higher_is_better=said.higher_is_better, params=said.params,
        sizes=sizes_of(said.epochs, said.limit, said.seed), stored=False, gate=said.gate, judges=said.judges,
        options=said.options, alias=said.alias,
    )  # fmt: skip


def _row(line: _Line, where: str) -> Row:
    return Row(
        key=(line.id, line.epoch),
        where=where,
        references=references_json(tuple(line.references)) if line.messages else None,
        cluster=line.cluster,
        slices=line.slices,
        values={name: value for name, value in line.scores.items() if value is not None},
        stats=line.stats,
        answer=None,
        answered=line.answer is not None,
        cost_usd=line.cost_usd,
        output_tokens=line.usage.output_tokens if line.usage else None,
        latency_s=line.latency_s,
        fresh=not line.from_cache,
        said=None if line.answer is None else hash_of(line.answer),
        unscored={failure.metric: failure.kind for failure in line.failures if failure.metric is not None},
        input_tokens=line.usage.input_tokens if line.usage else None,
    )


def _texts(line: _Line) -> Texts:
    return Texts(question_of(_asked(line)), tuple(line.references), line.answer, line.extracted)


def _asked(line: _Line) -> tuple[Message, ...]:
    return tuple(Message("user" if m.role == "user" else "system", m.content) for m in line.messages)
