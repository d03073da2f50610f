"""The store: runs, samples, answers and scores on disk, written in groups, read in batches."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit.errors import StoreError, UnknownNameError, UsageError
from llmkit.runs import behind, bills, chosen, records, rows, schema
from llmkit.runs.pace import pace
from llmkit.runs.records import ANSWER_COLUMNS, UNASKED, Answer, Outcome
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.types import Completion, Failure, GenerationFacts, RunStatus, Score, Totals
from llmkit.variants import Pace

FILE = "store.sqlite3"
RUN_COLUMNS = "run_id, suite, model, status, digest, config, about, started_at, wall_s, planned, result"
LATEST_FIRST = "started_at DESC, run_id DESC"


class Store:
    """One open store. Not shared between threads; several processes may hold one each.

    Args:
        folder: The folder that holds the file (``.llmkit``).
        create: Whether to make it where it is not there.
        read_only: Whether nothing will be written, so that it may lie where nothing can be.
    """

    def __init__(self, folder: Path, *, create: bool = True, read_only: bool = False) -> None:
        self.path = folder / FILE
        self._db = schema.connect_to_read(self.path) if read_only else schema.connect(self.path, create=create)
        self._answers: list[tuple[tuple[Any, ...], GenerationFacts | None, str | None, asyncio.Future[int]]] = []
        self._flush_due = False

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise schema.explain(self.path, error) from error

    def _read(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._db.execute(sql, values)
        except sqlite3.Error as error:
            raise schema.explain(self.path, error) from error

    # --- runs ---

    def start_run(self, run: RunRow) -> None:
        """Record a new run."""
        config, about = json.dumps(run.config, sort_keys=True), json.dumps(run.about, sort_keys=True)
        row = (run.run_id, run.suite, run.model, run.status, run.digest, config, about, run.started_at, run.planned)
        with self._transaction() as db:
            db.execute(
                "INSERT INTO runs (run_id, suite, model, status, digest, config, about, started_at, planned)"
                " VALUES (?,?,?,?,?,?,?,?,?)",
                row,
            )

    def set_status(
        self,
        run_id: str,
        status: RunStatus,
        *,
        wall_s: float = 0.0,
        planned: int | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> None:
        """Set a run's status; ``wall_s`` is added to what earlier stretches of the run took."""
        sql = (
            "UPDATE runs SET status=?, wall_s=wall_s+?, planned=coalesce(?, planned), result=coalesce(?, result),"
            " reserved_usd=0 WHERE run_id=?"
        )
        with self._transaction() as db:
            db.execute(sql, (status, wall_s, planned, None if result is None else json.dumps(result), run_id))

    def reserve(self, run_id: str, usd: float) -> None:
        """Record what the calls in flight may cost at most; a run's highest mark stands. See ``charge_killed``."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET reserved_usd=max(reserved_usd, ?) WHERE run_id=?", (usd, run_id))

    def charge_killed(self, run_id: str) -> None:
        """Charge a run that was killed for the calls that were in flight: nobody knows what became of them."""
        with self._transaction() as db:
            row = db.execute("SELECT reserved_usd FROM runs WHERE run_id=?", (run_id,)).fetchone()
            if row and row[0]:
                db.execute("INSERT INTO charges VALUES (?,NULL,?,'killed',?)", (run_id, row[0], time.time()))
                db.execute("UPDATE runs SET reserved_usd=0 WHERE run_id=?", (run_id,))

    def note(self, run_id: str, more: Mapping[str, Any]) -> None:
        """Add to what is stored about a run."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET about=json_patch(about, ?) WHERE run_id=?", (json.dumps(more), run_id))

    def runs(self, *, digest: str | None = None, limit: int | None = None) -> list[RunRow]:
        """Return runs, the latest first."""
        where, values = ("WHERE digest=?", [digest]) if digest else ("", [])
        sql = f"SELECT {RUN_COLUMNS} FROM runs {where} ORDER BY {LATEST_FIRST} LIMIT ?"
        found = self._read(sql, [*values, -1 if limit is None else limit])
        return [rows.run_of(row) for row in found]

    def has_run(self, run_id: str) -> bool:
        """Whether a run of exactly this id is stored."""
        return any(self._read("SELECT 1 FROM runs WHERE run_id=?", (run_id,)))

    def run(self, name: str) -> RunRow:
        """Find a run by its id, the start of it, ``latest`` or ``latest~N``.

        Raises:
            UsageError: No such run, or several.
        """
        found = self._ids_of(name)
        if len(found) > 1:
            raise UsageError(f"{name!r} is the start of {len(found)} runs", hint="Write more of the id")
        if found:
            sql = f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id=?"
            return rows.run_of(next(self._read(sql, found)))
        known = [run_id for (run_id,) in self._read(f"SELECT run_id FROM runs ORDER BY {LATEST_FIRST} LIMIT 20")]
        if not known:
            raise UsageError("the store has no runs", where=str(self.path), hint="`llmkit eval SUITE` makes one")
        raise UnknownNameError("run", name, ["latest", *known])

    def _ids_of(self, name: str) -> list[str]:
        """Return the ids that a name may mean; configurations are large, so none is read for this."""
        if name == "latest" or name.startswith("latest~"):
            return [self._latest(name)]
        if self.has_run(name):
            return [name]
        after = name + chr(0x10FFFF)  # above every id that begins so
        sql = "SELECT run_id FROM runs WHERE run_id BETWEEN ? AND ?"
        return [run_id for (run_id,) in self._read(sql, (name, after))]

    def _latest(self, name: str) -> str:
        back = name.removeprefix("latest").removeprefix("~") or "0"
        if back.isdecimal() and len(back) < 10:
            sql = f"SELECT run_id FROM runs ORDER BY {LATEST_FIRST} LIMIT 1 OFFSET ?"
            for (run_id,) in self._read(sql, (int(back),)):
                return str(run_id)
        (count,) = next(self._read("SELECT count(*) FROM runs"))
        if not count:
            raise UsageError("the store has no runs", where=str(self.path), hint="`llmkit eval SUITE` makes one")
        raise UsageError(f"no run {name!r}: the store has {count}", hint="`llmkit runs list` shows them")

    # --- answers: the cache ---

    def find_answers(
        self,
        keys: Sequence[bytes],
        run_id: str,
        *,
        others: bool = True,
        since: float = 0.0,
        served: str | None = None,
        earliest: bool = False,
    ) -> dict[bytes, Answer]:
        """Return the answer to use for each key that has one: what ``run_id`` paid for itself, else the earliest.

        Args:
            keys: Cache keys.
            run_id: The run that asks.
            others: Whether answers that other runs paid for count.
            since: Seconds of the epoch; older answers of other runs do not count.
            served: The model that must have answered other runs, in the server's words; None: any.
            earliest: The run's own answers do not come first: a run that is repeated takes the same ones again.
        """
        found: dict[bytes, Answer] = {}
        for some in rows.parts(keys):
            marks = ",".join("?" * len(some))
            sql = (
                f"SELECT key, {ANSWER_COLUMNS} FROM answers WHERE key IN ({marks}) AND cacheable"
                " AND (run_id=? OR (? AND created_at>=? AND (? IS NULL OR served_model=?)))"
                " ORDER BY ? AND run_id=? DESC, answer_id"
            )
            values = [*some, run_id, others, since, served, served, not earliest, run_id]
            for row in self._read(sql, values):
                found.setdefault(row[0], records.answer_of(row[1:]))
        return found

    def generations(self, answer_ids: Sequence[int]) -> dict[int, GenerationFacts]:
        """Return what the loop did for those answers that are sums of attempts."""
        found: dict[int, GenerationFacts] = {}
        if not self._keeps_generations():
            return found
        for some in rows.parts(answer_ids):
            marks = ",".join("?" * len(some))
            for answer_id, facts in self._read(f"SELECT * FROM generations WHERE answer_id IN ({marks})", some):
                found[answer_id] = records.facts_of(facts)
        return found

    def _keeps_generations(self) -> bool:
        """Whether the file has their table: one of the first release that is open for reading alone has not."""
        return any(self._read("SELECT 1 FROM sqlite_master WHERE name='generations'"))

    def served_models(self, keys: Sequence[bytes], since: float = 0.0) -> dict[str | None, tuple[int, float]]:
        """Return which models answered, in the server's words → how many of the keys, and when last."""
        found: dict[str | None, tuple[int, float]] = {}
        for some in rows.parts(keys):
            marks = ",".join("?" * len(some))
            sql = (
                "SELECT served_model, count(DISTINCT key), max(created_at) FROM answers"
                f" WHERE key IN ({marks}) AND cacheable AND created_at>=? GROUP BY served_model"
            )
            for model, count, last in self._read(sql, [*some, since]):
                before = found.get(model, (0, 0.0))
                found[model] = (before[0] + count, max(before[1], last))
        return found

    async def add_answer(
        self,
        run_id: str,
        key: bytes,
        completion: Completion,
        *,
        cacheable: bool,
        facts: GenerationFacts | None = None,
        judge: str | None = None,
    ) -> Answer:
        """Store a paid answer; returns once it is committed. Answers that arrive together share a transaction.

        Args:
            run_id: The run that paid.
            key: Its cache key.
            completion: The answer.
            cacheable: Whether it answers further requests.
            facts: Where it is the sum of several attempts, stored already, what those were.
            judge: Where a judge was asked, its name.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        now = time.time()
        self._answers.append(((key, run_id, cacheable, now, *records.answer_row(completion)), facts, judge, future))
        if not self._flush_due:
            self._flush_due = True
            loop.call_soon(self.flush)
        return Answer(await future, run_id, now, completion)

    def flush(self) -> None:
        """Commit the answers that wait."""
        self._flush_due = False
        waiting, self._answers = self._answers, []
        if not waiting:
            return
        ids = []
        try:
            with self._transaction() as db:
                for row, facts, judge, _ in waiting:
                    answer_id = db.execute(records.INSERT_ANSWER, row).lastrowid
                    ids.append(answer_id)
                    if judge is not None:
                        db.execute("INSERT INTO judging VALUES (?,?,?)", (row[1], judge, answer_id))
                    if facts is not None:
                        db.execute("INSERT INTO generations VALUES (?,?)", (answer_id, records.facts_json(facts)))
        except StoreError as error:
            for *_, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (*_, future), answer_id in zip(waiting, ids, strict=True):
            if not future.done():
                future.set_result(answer_id or 0)

    def charge(self, run_id: str, cost_usd: float | None, charged_usd: float, reason: str) -> None:
        """Record an attempt without an answer: its cost where that is known, and what the budget was charged."""
        with self._transaction() as db:
            db.execute("INSERT INTO charges VALUES (?,?,?,?,?)", (run_id, cost_usd, charged_usd, reason, time.time()))

    def lost(self, run_id: str, *, judge: str | None = None) -> tuple[int, float | None]:
        """Count attempts that may have been paid for and brought no answer, and sum their dollars; None: not all known.

        ``judge`` takes those of one of the run's judges; None: those of the model under test.
        """
        return bills.lost(self._read, run_id, judge)

    def note_judging(self, run_id: str, used: Iterable[tuple[str, int]]) -> None:
        """Record which stored answers a run's judges used: (judge, answer's id)."""
        with self._transaction() as db:
            values = ((run_id, judge, answer_id) for judge, answer_id in used)
            db.executemany("INSERT OR IGNORE INTO judging VALUES (?,?,?)", values)

    def judging(self, run_id: str) -> dict[str, Totals]:
        """Return the sums over the calls of a run's judges, by name; over all the times that it went on."""
        return bills.of_judges(self._read, run_id)

    def judges_served(self, run_id: str, signatures: Mapping[str, str]) -> dict[str, list[str]]:
        """Return judge → the models that gave its verdicts in a run, in the server's words, sorted.

        Those behind scores that stood already are among them.

        Args:
            run_id: The run.
            signatures: Metric → scorer signature, of its judges.
        """
        asked, stood = bills.served(self._read, run_id), behind.served(self._read, run_id, signatures)
        return {name: sorted({*asked.get(name, ()), *stood.get(name, ())}) for name in sorted({*asked, *stood})}

    def spent(self, run_id: str, *, certain: bool = False) -> float:
        """Return the dollars that a run has paid or, unless ``certain``, may have paid; unknown prices left out."""
        return bills.spent(self._read, run_id, certain=certain)

    def pace(self, run: RunRow) -> Pace | None:
        """Return how fast the answers came that a run asked for itself; None where it asked for none."""
        return pace(self._read, run)

    def used_tokens(self, run_id: str) -> int:
        """Return the tokens, of prompts and answers, that a run's answers took, as far as the provider said."""
        sql = "SELECT coalesce(sum(coalesce(input_tokens,0)+coalesce(output_tokens,0)),0) FROM answers WHERE run_id=?"
        (used,) = next(self._read(sql, (run_id,)))
        return int(used)

    # --- samples and scores ---

    def find_scores(self, answer_ids: Sequence[int]) -> dict[tuple[int, bytes, str], Score | Failure]:
        """Return every stored score of the given answers, keyed (answer, input, signature)."""
        found: dict[tuple[int, bytes, str], Score | Failure] = {}
        for some in rows.parts(answer_ids):
            sql = (
                "SELECT answer_id, input, signature, value, stats, answer, kind, message"
                f" FROM scores WHERE answer_id IN ({','.join('?' * len(some))})"
            )
            for answer_id, input_, signature, *rest in self._read(sql, some):
                found[answer_id, input_, signature] = records.score_of(tuple(rest))
        return found

    def chosen(self, answer_ids: Sequence[int]) -> Iterator[tuple[int, chosen.Chosen]]:
        """Stream how answers came about, by their ids."""
        return chosen.chosen(self._read, answer_ids)

    def find_judged(self, answer_ids: Sequence[int]) -> set[behind.Key]:
        """Return the keys of those scores, of judges, of which it is known whose answers they were read from."""
        return {key for some in rows.parts(answer_ids) for key in behind.known(self._read, some)}

    def judges_said(self, answer_ids: Sequence[int]) -> dict[behind.Key, str]:
        """Return what judges said for the given answers' scores, keyed (answer, input, signature)."""
        return {k: text for some in rows.parts(answer_ids) for k, text in behind.said(self._read, some).items()}

    def add_outcomes(self, run_id: str, outcomes: Sequence[Outcome], signatures: Mapping[str, str]) -> None:
        """Store samples with their inputs, prompts and scores, in one transaction.

        Args:
            run_id: The run.
            outcomes: What became of the samples.
            signatures: Metric name → scorer signature.
        """
        with self._transaction() as db:
            jobs = [o.job for o in outcomes if o.job is not None]
            db.executemany("INSERT OR IGNORE INTO inputs VALUES (?,?,?,?,?)", map(rows.input_row, jobs))
            db.executemany("INSERT OR IGNORE INTO prompts VALUES (?,?)", ((j.prompt, j.messages) for j in jobs))
            samples = (rows.sample_row(run_id, o) for o in outcomes)
            db.executemany("INSERT OR REPLACE INTO samples VALUES (?,?,?,?,?,?,?,?,?,?)", samples)
            scored = list(rows.score_rows(outcomes, signatures))
            for how, unasked in (("REPLACE", False), ("IGNORE", True)):
                some = (row for row in scored if (row[rows.SCORE_KIND] in UNASKED) == unasked)
                db.executemany(f"INSERT OR {how} INTO scores VALUES (?,?,?,?,?,?,?,?)", some)
            for key, used in behind.keys_of(outcomes, signatures):
                db.execute(behind.FORGET, key)
                db.executemany(behind.NOTE, ((*key, answer_id) for answer_id in used))

    def samples(self, run_id: str, *, failed: bool = False, sample_id: str | None = None) -> Generator[SampleRow]:
        """Stream a run's samples in the data set's order."""
        where = " AND s.stage IS NOT NULL" if failed else ""
        where += " AND s.sample_id=?" if sample_id is not None else ""
        columns = ", ".join(f"a.{c.strip()}" for c in ANSWER_COLUMNS.split(","))
        kept = self._keeps_generations()
        facts, join = ("g.facts", " LEFT JOIN generations g ON g.answer_id=s.answer_id") if kept else ("NULL", "")
        sql = (
            "SELECT s.idx, s.epoch, s.sample_id, i.fields, i.refs, i.cluster, i.slices, p.messages, s.input, s.prompt,"
            f" s.stage, s.kind, s.message, {facts}, {columns}"
            " FROM samples s LEFT JOIN inputs i ON i.digest=s.input LEFT JOIN prompts p ON p.digest=s.prompt"
            f" LEFT JOIN answers a ON a.answer_id=s.answer_id{join} WHERE s.run_id=?{where} ORDER BY s.idx, s.epoch"
        )
        for row in self._read(sql, (run_id, sample_id) if sample_id is not None else (run_id,)):
            yield rows.sample_of(row)

    def check(self) -> str:
        """Return ``ok``, or what SQLite's quick check finds wrong."""
        return str(next(self._read("PRAGMA quick_check"))[0])
