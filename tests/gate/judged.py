"""A repository with a suite that is gated on a judge, its labels and its lock, over scripted models.

The model replies well or badly, as its prompt says. The judge knows one from the other, but for questions that end
in 7: there it says the contrary, so that its TPR and TNR are .9.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from llmkit.gate.options import GateOptions
from llmkit.gate.run import gate
from llmkit.judgements import Counts
from llmkit.judges.judge import PARSER, Judge
from llmkit.judges.load import load_judge
from llmkit.judges.lock import Chosen, Lock, files_of, lock_path, write_lock
from llmkit.judges.verdict import schema_digest
from llmkit.providers.retry import RetryPolicy
from llmkit.runs.store import Store
from llmkit.verdicts import GateReport, SuiteVerdict
from tests.gate.repository import Repo
from tests.judges.locking import CLEAN

QUICK = RetryPolicy(max_attempts=1, limited_attempts=1)
SUITE = """\
version: 1
name: chat
data: chat.jsonl
map: {id: id}
prompt: ../prompts/chat.prompty
scorers: [{judge: tone}]
gate: {tone: {max_drop: 0.2}}
model: scripted/replies
"""
PROMPT = "---\nname: chat\n---\nuser:\n{words}: {{{{question}}}}\n"
JUDGE = """\
version: 1
name: tone
criterion: guidelines/tone.md
kind: pass_fail
model: scripted/judge
prompt: ../prompts/tone.prompty
labels: {file: labels/tone.jsonl, sampling: random, population: the replies of last week}
"""
JUDGING = "---\nname: tone\n---\nuser:\n{{criterion}}\nAsked:\n{{input}}\nReplied:\n{{answer}}\n"
CONFIG = """\
[models."scripted/replies"]
file = "replies.jsonl"

[models."scripted/judge"]
file = "verdicts.jsonl"
"""
ROWS = 160
GOOD, BAD = "a good reply", "a bad reply"


def lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def says(verdict: str) -> str:
    return json.dumps({"reason": "it is so", "verdict": verdict})


REPLIES = [{"regex": r"badly.*[0-4]$", "text": BAD}, {"regex": "poorly.*0$", "text": BAD}, {"regex": ".", "text": GOOD}]
VERDICTS = [
    {"regex": rf"(?s)7\s*</input.*{BAD}", "text": says("pass")},
    {"regex": rf"(?s)7\s*</input.*{GOOD}", "text": says("fail")},
    {"match": BAD, "text": says("fail")},
    {"match": GOOD, "text": says("pass")},
]
LABELS: list[dict[str, Any]] = [
    {"id": f"l{n}", "label": "pass" if n % 2 else "fail", "input": f"labelled {n}", "answer": GOOD if n % 2 else BAD}
    for n in range(60)
]
FILES = {
    "llmkit.toml": CONFIG,
    "suites/chat.yaml": SUITE,
    "suites/chat.jsonl": lines({"id": f"s{n:03}", "question": f"question {n}"} for n in range(ROWS)),
    "prompts/chat.prompty": PROMPT.format(words="Reply"),
    "prompts/tone.prompty": JUDGING,
    "judges/tone.yaml": JUDGE,
    "judges/guidelines/tone.md": "A good reply passes.\n",
    "judges/labels/tone.jsonl": lines(LABELS),
    "replies.jsonl": lines(REPLIES),
    "verdicts.jsonl": lines(VERDICTS),
    ".gitignore": ".llmkit\n",
}
MEASURED = Counts(("pass", "fail"), ((90, 10), (10, 90)))


def lock_of(judge: Judge, **changed: Any) -> Lock:
    """Return the lock of a judge that has just been calibrated on ``LABELS``."""
    lock = Lock(
        judge=judge.name,
        status="calibrated",
        reasons=(),
        chosen=Chosen(judge.model.name, dict(judge.model.params), judge.spec.prompt, judge.method.model_dump()),
        definition=judge.fingerprint,
        files=files_of(judge),
        verdict_schema=schema_digest(judge),
        parser=PARSER,
        served="judge",
        identity={},
        split={"few_shot": (), "dev": (), "test": tuple(sorted(row["id"] for row in LABELS))},
        folds=0,
        seed=0,
        test=MEASURED,
        dev=None,
        confidence=0.95,
        looks=(judge.fingerprint,),
        sampling="random",
        population=None,
        estimator="lang-reiczigel",
        probes=CLEAN,
        created=datetime.now(UTC).date().isoformat(),
    )
    return replace(lock, **changed)


class Judged:
    """The repository, at a branch, with everything committed; ``gate`` runs in it."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo

    def start(self, files: Mapping[str, str] = FILES, **locked: Any) -> Judged:
        self.repo.start(files)
        self.lock(**locked)
        self.adopt()
        return self

    def adopt(self) -> None:
        """Make what the working tree holds the base."""
        self.repo.commit()
        self.repo.git("branch", "-f", "main")

    def prompt(self, words: str) -> None:
        self.repo.write({"prompts/chat.prompty": PROMPT.format(words=words)})

    def lock(self, **changed: Any) -> None:
        """Write a lock of the judge as it is, as if it had just been calibrated."""
        judge = load_judge(str(self.repo.top / "judges/tone.yaml"), locked=False)
        path = lock_path(judge.path)
        path.unlink(missing_ok=True)  # an equal one would keep its day
        write_lock(path, lock_of(judge, **changed))

    def verdicts(self, *first: Mapping[str, Any]) -> None:
        """Let the judge answer these before all else."""
        self.repo.write({"verdicts.jsonl": lines([*first, *VERDICTS])})

    async def gate(self, **how: Any) -> GateReport:
        return await gate(GateOptions(**{"retry": QUICK, **how}))

    async def one(self, **how: Any) -> SuiteVerdict:
        (suite,) = (await self.gate(**how)).suites
        return suite

    @property
    def store(self) -> Store:
        return Store(self.repo.top / ".llmkit", read_only=True)
