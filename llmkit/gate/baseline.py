"""A baseline: a run's answers in a file, bound to what they are answers to.

JSON lines. The first says what was asked of whom; each other is one sample in one epoch with its answer. Scores are
not in it: both sides of a gate are scored by head's scorers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from llmkit.canonical import digest
from llmkit.documents.writing import written
from llmkit.errors import BudgetError, DataError, UsageError
from llmkit.gate.arms import Means, Piece, Stop, Take
from llmkit.prompts.fingerprint import messages_json
from llmkit.runs.entries import entries_of
from llmkit.runs.plan import Plan
from llmkit.runs.records import Answer, Job, Outcome, facts_json, facts_of, logprobs_list, logprobs_of
from llmkit.runs.result import conclude
from llmkit.runs.resume import new_run
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.settle import Settler
from llmkit.runs.state import Observer, State
from llmkit.runs.store import Store
from llmkit.types import Completion, Failure, GenerationFacts, Message, Request, RunResult, RunStatus, Usage

VERSION = 1
SAVE_ANEW = "Save a new one: llmkit eval SUITE, then llmkit baseline save"
BOUND = ("suite.name", "fingerprints.data", "suite.map", "limit")
"""What must be the same now, in the words of a run's configuration. Prompt, model and parameters are what changes."""


@dataclass(frozen=True)
class Recorded:
    """One recorded sample in one epoch: its answer, or why there is none."""

    messages: tuple[Message, ...]
    completion: Completion | None
    failure: Failure | None
    created_at: float
    generation: GenerationFacts | None = None


@dataclass(frozen=True)
class Baseline:
    """A run's answers, to compare with.

    Attributes:
        name: What the user called it.
        run_id: The run that answered.
        config: The run's configuration.
        answers: (sample id, epoch) → what was answered.
    """

    name: str
    run_id: str
    config: Mapping[str, Any]
    answers: Mapping[tuple[str, int], Recorded] = field(repr=False)

    @property
    def suite(self) -> str:
        """Its suite's name."""
        return str(self.config["suite"]["name"])

    @property
    def model(self) -> str:
        """Its model's name."""
        return f"{self.config['model']['provider']}/{self.config['model']['model']}"

    @property
    def epochs(self) -> int:
        """How often each sample was asked."""
        return int(self.config["epochs"])

    @property
    def served(self) -> set[str]:
        """Which models answered, in the server's words."""
        found = {r.completion.served_model for r in self.answers.values() if r.completion is not None}
        return {name for name in found if name is not None}

    def check_served(self, plan: Plan, now: set[str]) -> None:
        """Refuse a baseline that another model answered under the same name: the difference would be the model's.

        Raises:
            UsageError: Naming both.
        """
        if plan.model.name == self.model and now and self.served and not now <= self.served:
            then, today = ", ".join(sorted(self.served)), ", ".join(sorted(now))
            raise UsageError(
                f"the baseline was made of something else: served_model ({then}, now {today})",
                where=self.name,
                hint=SAVE_ANEW,
            )

    def check_complete(self, jobs: Iterable[Job]) -> None:
        """Refuse a baseline that lacks what is asked: a gap is no failure of base's.

        Raises:
            UsageError: Naming the first samples.
        """
        absent = [job.sample.id for job in jobs if (job.sample.id, job.epoch) not in self.answers]
        if absent:
            named = ", ".join(map(repr, absent[:3])) + (", …" if len(absent) > 3 else "")
            raise UsageError(
                f"the baseline has no answer for {len(absent)} samples: {named}", where=self.name, hint=SAVE_ANEW
            )

    def check(self, plan: Plan, identity: Mapping[str, str]) -> None:
        """Refuse a baseline of something else.

        Raises:
            UsageError: Naming each field that differs.
        """
        now = plan.config(identity)
        wrong = [name for name in BOUND if digest(_at(self.config, name)) != digest(_at(now, name))]
        if self.epochs < plan.epochs:
            wrong.append("epochs")
        if wrong:
            pairs = {name: (_short(_at(self.config, name)), _short(_at(now, name))) for name in wrong}
            said = ", ".join(f"{name} ({then}, now {today})" for name, (then, today) in pairs.items())
            raise UsageError(
                f"the baseline was made of something else: {said}",
                where=self.name,
                hint=SAVE_ANEW,
            )


def _at(config: Mapping[str, Any], name: str) -> Any:
    value: Any = config
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:12] + "…" if len(text) > 40 else text


def save(store: Store, run: RunRow, path: Path, *, force: bool = False) -> int:
    """Write a run's answers as a baseline, aside first and then renamed; returns how many.

    Raises:
        UsageError: The run is not complete, the file is there already, or it cannot be written.
    """
    _check_whole(run)
    count = sum(1 for _ in store.samples(run.run_id))
    header = {
        "llmkit_baseline": VERSION, "run_id": run.run_id, "saved_at": time.time(), "samples": count,
        "config": dict(run.config),
    }  # fmt: skip
    with written(path, force=force) as out:
        out.write(_encoded(header))
        for row in store.samples(run.run_id):
            out.write(_encoded(_line(row)))
    return count


def _check_whole(run: RunRow) -> None:
    """Refuse a run that need not have asked every sample."""
    if run.status != "completed":
        raise UsageError(f"run {run.run_id} is {run.status}: a baseline is a run that came to its end")
    if run.config.get("experiment"):
        said = f"run {run.run_id} is a side of a gate or of an A/A run, which may have asked a part of the samples"
        raise UsageError(said, hint=SAVE_ANEW)


def _encoded(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _line(row: SampleRow) -> dict[str, Any]:
    c = row.answer.completion if row.answer else None
    f = row.failure
    return {
        "id": row.sample_id,
        "epoch": row.epoch,
        "messages": [[m.role, m.content] for m in row.messages],
        "answer": None if c is None else c.text,
        "finish_reason": None if c is None else c.finish_reason,
        "usage": None if c is None else [c.usage.input, c.usage.output, c.usage.cached, c.usage.reasoning],
        "cost_usd": None if c is None else c.cost_usd,
        "latency_s": None if c is None else c.latency_s,
        "served_model": None if c is None else c.served_model,
        "request_id": None if c is None else c.request_id,
        "created_at": None if row.answer is None else row.answer.created_at,
        "failure": None if f is None else [f.stage, f.kind, f.message],
        **({} if row.generation is None else {"generation": facts_json(row.generation)}),
        **({} if c is None or c.logprobs is None else {"logprobs": logprobs_list(c.logprobs)}),
    }


def load(name: str, store: Store | None) -> Baseline:
    """Read a baseline: a file, or a run of the store.

    Raises:
        DataError: The file is no baseline, or is broken (``path:line``).
        UsageError: There is neither such a file nor such a run.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return _read(path)
    if store is None:
        raise UsageError("no such file, and there is no store with runs", where=name)
    if path.suffix or "/" in name:
        raise UsageError("no such file", where=name, hint="`llmkit baseline save` makes one")
    run = store.run(name)
    _check_whole(run)
    found = {(r.sample_id, r.epoch): _recorded(r) for r in store.samples(run.run_id)}
    return Baseline(f"run {run.run_id}", run.run_id, run.config, found)


def _recorded(row: SampleRow) -> Recorded:
    if row.answer is None or row.failure is not None:
        return Recorded(row.messages, None, row.failure, 0.0)
    return Recorded(row.messages, row.answer.completion, None, row.answer.created_at)


def _read(path: Path) -> Baseline:
    with path.open(encoding="utf-8", errors="strict") as lines:
        try:
            header = _header(lines.readline(), path)
            answers = dict(_rows(lines, path))
        except UnicodeDecodeError as error:
            raise DataError("this is no text", where=str(path)) from error
    if len(answers) != header.samples:
        said = f"the baseline holds {len(answers)} samples of {header.samples}"
        raise DataError(said, where=str(path), hint="It was cut or changed; save it anew")
    return Baseline(str(path), header.run_id, header.config.model_dump(), answers)


class _Suite(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    map: dict[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    provider: str
    model: str


class _Config(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    suite: _Suite
    fingerprints: dict[str, str]
    model: _Model
    params: dict[str, Any]
    epochs: int
    limit: int | None


class _Header(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    llmkit_baseline: int
    run_id: str
    samples: int
    config: _Config


def _header(line: str, path: Path) -> _Header:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict) or "llmkit_baseline" not in said:
        raise DataError("this is no baseline", where=f"{path}:1", hint="Make one with `llmkit baseline save`")
    if said["llmkit_baseline"] != VERSION:
        raise DataError("another llmkit wrote this baseline", where=f"{path}:1", hint="Save it anew, or upgrade llmkit")
    try:
        return _Header.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise DataError(f"{at}: {first['msg']}", where=f"{path}:1", hint="Save it anew") from None


def _rows(lines: Iterator[str], path: Path) -> Iterator[tuple[tuple[str, int], Recorded]]:
    for number, line in enumerate(lines, 2):
        try:
            row = json.loads(line)
            yield (row["id"], row["epoch"]), _of(row)
        except (ValueError, KeyError, TypeError) as error:
            said = f"this line is no sample of a baseline: {error}"
            raise DataError(said, where=f"{path}:{number}", hint="Save it anew") from None


def _of(row: Mapping[str, Any]) -> Recorded:
    messages = tuple(Message(role, content) for role, content in row["messages"])
    if row["failure"] is not None:
        return Recorded(messages, None, Failure(*row["failure"]), 0.0)
    tokens = dict(zip(("input", "output", "cached", "reasoning"), row["usage"], strict=True))
    completion = Completion(
        row["answer"], row["finish_reason"], Usage(**tokens), row["cost_usd"], row["latency_s"],
        served_model=row["served_model"], request_id=row["request_id"],
        logprobs=logprobs_of(row["logprobs"]) if "logprobs" in row else None,
    )  # fmt: skip
    if not isinstance(completion.text, str):
        raise ValueError("neither an answer nor a failure")
    facts = facts_of(row["generation"]) if row.get("generation") else None
    return Recorded(messages, completion, None, float(row["created_at"]), facts)


class FromBaseline:
    """A side whose answers were recorded: nothing is asked.

    Args:
        baseline: The answers.
        plan: Head's plan: the base is scored as head is.
        means: What the sides share.
        take: Is given the run's id and its outcomes.
        observer: Is told how it goes.
        total: Samples × epochs at the last look.
    """

    def __init__(
        self, baseline: Baseline, plan: Plan, means: Means, take: Take, observer: Observer | None, *, total: int
    ) -> None:
        self._baseline, self._means, self._plan = baseline, means, plan
        self.run_id, self._lock = new_run(means.store)
        self._settler = Settler(
            means.store, self.run_id, plan.suite.scorers, plan.suite.slice_names,
            state=State(total=total), seed=plan.seed, observer=observer, sink=partial(take, self.run_id),
            bench=means.bench.share(self.run_id),
        )  # fmt: skip
        self._began: float | None = None

    @property
    def state(self) -> State:
        """Its counts."""
        return self._settler.state

    def missing(self, pieces: Sequence[Piece]) -> list[Job]:
        """Return those that were not recorded."""
        jobs = (piece for piece in pieces if isinstance(piece, Job))
        return [job for job in jobs if (job.sample.id, job.epoch) not in self._baseline.answers]

    async def ask(self, pieces: Sequence[Piece]) -> Stop:
        """Look up, score and store them; head's judges judge them anew."""
        if self._began is None:
            self._began = time.perf_counter()
            self._begin()
        outcomes = await asyncio.gather(*map(self._outcome, pieces))  # together: one transaction for all
        await self._settler.settle(outcomes)
        if (stopped := self._settler.stopped) is None:
            return "completed", None
        return ("budget" if isinstance(stopped, BudgetError) else "failed"), stopped

    async def _outcome(self, piece: Piece) -> Outcome:
        if not isinstance(piece, Job):
            return piece
        recorded = self._baseline.answers[piece.sample.id, piece.epoch]
        messages = messages_json(recorded.messages)
        asked = replace(
            piece, request=Request(recorded.messages, piece.request.params), messages=messages,
            prompt=hashlib.sha256(messages.encode()).digest(),
        )  # fmt: skip
        outcome = Outcome(piece.sample.index, piece.epoch, piece.sample.id, asked, failure=recorded.failure)
        if recorded.completion is not None:
            key = digest(["llmkit baseline", self._baseline.run_id, piece.sample.id, piece.epoch]).encode()
            outcome.answer = await self._keep(key, recorded.completion)
            outcome.generation = recorded.generation
        return outcome

    async def _keep(self, key: bytes, completion: Completion) -> Answer:
        """Store a recorded answer; never as an answer to this prompt, which it may not be."""
        return await self._means.store.add_answer(f"baseline {self._baseline.run_id}", key, completion, cacheable=False)

    def _begin(self) -> None:
        plan, recorded = self._plan, self._baseline
        config = {
            **recorded.config,
            "suite": plan.suite.definition(),
            "fingerprints": {**recorded.config["fingerprints"], "scorers": plan.suite.fingerprints()["scorers"]},
            "experiment": dict(plan.experiment),
        }
        about = {
            "baseline": recorded.name,
            **entries_of(plan.suite.entries, plan.suite.scorers, plan.suite.path),
            "slices": list(plan.suite.slice_names),
        }
        row = RunRow(
            self.run_id, plan.suite.name, recorded.model, "running", digest(config), config, about, time.time(),
            0, 0, None,
        )  # fmt: skip
        self._means.store.start_run(row)

    def end(self, status: RunStatus, stopped_by: str | None) -> RunResult:
        """Conclude the run."""
        try:
            if self._began is None:
                self._began = time.perf_counter()
                self._begin()
            self.state.total = self.state.done
            return conclude(self._settler, self._means.store, status, time.perf_counter() - self._began, stopped_by)
        finally:
            self._lock.release()
