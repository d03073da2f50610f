"""The store's file: one SQLite database, its tables, its version.

    runs ──< samples >── inputs     what a row held: fields, references, cluster, slices (shared by all runs)
               │  └───── prompts    the rendered messages (shared by all runs)
               └──────── answers    one row a paid call; `key` makes it the cache
                            └──< scores   keyed (answer, input, scorer signature), so rescoring needs no call
               answers ──── generations   what the loop did, where an answer is the sum of several attempts
               answers >── judging      which judge of which run used an answer: of those that are a judge's
                            └── behind      which answers of a judge a score was read from
    looks                           definitions of judges that were tested, and on which items
    charges                         attempts that may have been paid for and brought no answer

Answers are never updated or deleted by a run, and a run's samples only point to them.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path

from llmkit.errors import StoreError

SCHEMA_VERSION = 1
APPLICATION_ID = 0x6C6C6D6B  # "llmk", so that `file` and we can tell the store from any other database
BUSY_MS = 30_000  # another run's transaction takes milliseconds; half a minute means that something is wrong
LEAST_ROOM = 64 * 1024  # the index of a write-ahead log takes 32 KiB, and its first transaction as much

TABLES = """
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, suite TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL, digest TEXT NOT NULL,
  config TEXT NOT NULL, about TEXT NOT NULL, started_at REAL NOT NULL, wall_s REAL NOT NULL DEFAULT 0,
  planned INTEGER NOT NULL DEFAULT 0, result TEXT, reserved_usd REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX runs_by_digest ON runs (digest, started_at);
CREATE TABLE inputs (
  digest BLOB PRIMARY KEY, fields TEXT NOT NULL, refs TEXT NOT NULL, cluster TEXT, slices TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE prompts (digest BLOB PRIMARY KEY, messages TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE answers (
  answer_id INTEGER PRIMARY KEY, key BLOB NOT NULL, run_id TEXT NOT NULL, cacheable INTEGER NOT NULL,
  created_at REAL NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
  input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, cache_write_tokens INTEGER,
  reasoning_tokens INTEGER, cost_usd REAL, latency_s REAL NOT NULL, http_attempts INTEGER NOT NULL,
  served_model TEXT, request_id TEXT, logprobs TEXT
);
CREATE INDEX answers_by_key ON answers (key);
CREATE INDEX answers_by_run ON answers (run_id);
CREATE TABLE samples (
  run_id TEXT NOT NULL, idx INTEGER NOT NULL, epoch INTEGER NOT NULL, sample_id TEXT NOT NULL,
  input BLOB, prompt BLOB, answer_id INTEGER, stage TEXT, kind TEXT, message TEXT,
  PRIMARY KEY (run_id, idx, epoch)
) WITHOUT ROWID;
CREATE INDEX samples_by_id ON samples (run_id, sample_id);
CREATE TABLE scores (
  answer_id INTEGER NOT NULL, input BLOB NOT NULL, signature TEXT NOT NULL,
  value REAL, stats TEXT, answer TEXT, kind TEXT, message TEXT,
  PRIMARY KEY (answer_id, input, signature)
) WITHOUT ROWID;
CREATE TABLE charges (
  run_id TEXT NOT NULL, cost_usd REAL, charged_usd REAL NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX charges_by_run ON charges (run_id);
"""

# Stores of the first release lack it; an older llmkit does without, so that it makes no new version of the file.
GENERATIONS = "CREATE TABLE IF NOT EXISTS generations (answer_id INTEGER PRIMARY KEY, facts TEXT NOT NULL)"

# The same holds of this one. A judge's answers are told from those of the model under test by it.
JUDGING = (
    "CREATE TABLE IF NOT EXISTS judging (run_id TEXT NOT NULL, judge TEXT NOT NULL, answer_id INTEGER NOT NULL,"
    " PRIMARY KEY (run_id, judge, answer_id)) WITHOUT ROWID"
)

# And of this one: a judge's score of which it says nothing is not taken again, for nobody knows which model gave it.
BEHIND = (
    "CREATE TABLE IF NOT EXISTS behind (answer_id INTEGER NOT NULL, input BLOB NOT NULL, signature TEXT NOT NULL,"
    " used INTEGER NOT NULL, PRIMARY KEY (answer_id, input, signature, used)) WITHOUT ROWID"
)

# And of this one: ``judge calibrate`` reads it by ``runs.looks``.
LOOKS = (
    "CREATE TABLE IF NOT EXISTS looks (judge TEXT NOT NULL, test TEXT NOT NULL, definition TEXT NOT NULL,"
    " PRIMARY KEY (judge, test, definition)) WITHOUT ROWID"
)
ADDED = (GENERATIONS, JUDGING, BEHIND, LOOKS)


def connect(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open the store, creating it where it is not there.

    Raises:
        StoreError: The folder cannot be written, the file is no store of ours, or a newer llmkit wrote it.
    """
    if not create and not path.exists():
        raise _none(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _cannot(path, error) from error
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise _cannot(path, error) from error
    except StoreError:
        db.close()
        raise
    return db


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a store that is there and write nothing, so that one on a read-only disk can be read.

    Raises:
        StoreError: There is none, it is none of ours, or it cannot be read.
    """
    if not path.exists():
        raise _none(path)
    if not path.is_file():
        raise StoreError("the store cannot be read: this is no file", where=str(path))
    try:
        return _reader(path, "mode=ro")
    except sqlite3.Error as error:
        if "unable to open" not in str(error) and "readonly" not in str(error):
            raise _cannot(path, error) from error
    # A write-ahead log wants its index beside it, which cannot be made here. SQLite can be told that nothing changes.
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:  # but then it reads past the log, in which the last answers may be
        raise StoreError(
            "the store was not closed before it became read-only, and its last answers cannot be read here",
            where=str(path),
            hint="Copy the folder to a writable place and name that with --store PATH",
        )
    try:
        return _reader(path, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        if "unable to open" in str(error):
            raise StoreError("the store cannot be read", where=str(path)) from error
        raise _cannot(path, error) from error


def _reader(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        if _version(db, path) == 0:
            raise _none(path)
    except BaseException:
        db.close()
        raise
    return db


def _none(path: Path) -> StoreError:
    return StoreError("there is no store yet", where=str(path), hint="`llmkit eval SUITE` makes one")


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    version = _version(db, path)  # first: a file that is not ours is left as it is
    _log_ahead(db)
    # NORMAL survives kill -9 without loss (the write-ahead log is in the kernel's hands) and spares an fsync a commit.
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA cache_size=-16384")
    if version == SCHEMA_VERSION:
        for statement in ADDED:
            db.execute(statement)
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db, path) == 0:  # again, under the lock: two first runs may race
            for statement in (*TABLES.split(";\n"), *ADDED):
                db.execute(statement)
            db.execute(f"PRAGMA application_id={APPLICATION_ID}")
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _log_ahead(db: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait for its lock here, so that two first runs would collide."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _version(db: sqlite3.Connection, path: Path) -> int:
    """Return the schema version, 0 for an empty file."""
    # The tables first: another process may commit all three between two of these reads, and then none is behind it.
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if tables and application != APPLICATION_ID:
        raise StoreError("this is not an llmkit store", where=str(path), hint="Name another with --store PATH")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"a newer llmkit wrote this store (schema {version}, this one reads {SCHEMA_VERSION})",
            where=str(path),
            hint="Upgrade llmkit, or name another store with --store PATH",
        )
    return version


def explain(path: Path, error: BaseException) -> StoreError:
    """Turn what SQLite or the file system said into one line."""
    return _cannot(path, error)


def _cannot(path: Path, error: BaseException) -> StoreError:
    said, where = str(error), str(path)
    if "full" in said or "No space" in said or ("disk I/O error" in said and _no_room(path.parent)):
        hint = "Free space, then run the same command again"
        return StoreError("the disk is full; everything committed is kept", where=where, hint=hint)
    if "readonly" in said or "unable to open" in said or isinstance(error, OSError):
        hint = "Name a writable place with --store PATH or LLMKIT_STORE"
        return StoreError("the store cannot be written", where=where, hint=hint)
    if "not a database" in said or "malformed" in said:
        return StoreError("the store is damaged or no SQLite file", where=where, hint="Move it away and run again")
    if "locked" in said:
        hint = "Wait for it to end, or see `llmkit doctor`"
        return StoreError("another process holds the store", where=where, hint=hint)
    return StoreError(f"the store failed: {said}", where=where)


def _no_room(folder: Path) -> bool:
    """Whether a disk is full: SQLite calls it an I/O error where the index of the write-ahead log does not fit."""
    try:
        return shutil.disk_usage(folder).free < LEAST_ROOM
    except OSError:
        return False
