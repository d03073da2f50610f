"""Suites that a model of 135 million parameters answers well, and that one beyond repair does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TEXT = (
    "apple river stone window garden mountain winter kitchen yellow silver monkey dragon market bottle candle pepper "
    "rabbit summer island bridge forest guitar hammer jacket ladder mirror needle orange pencil rocket school tiger "
    "uncle village wagon camera doctor engine finger hotel insect jungle kettle lemon muscle nation ocean palace"
)
WORDS = tuple(_TEXT.split())
REPEAT = """\
version: 1
name: repeat
data: words.jsonl
map: {{id: id, target: word}}
messages: [{{role: user, content: "Repeat these two words: {{{{lead}}}} {{{{word}}}}"}}]
scorers: [{{includes: {{name: said, ignore_case: true}}}}]
params: {{temperature: 0, max_tokens: {tokens}{more}}}
"""
COPY = """\
version: 1
name: copy
data: words.jsonl
map: {id: id, target: word}
messages: [{role: user, content: "{{lead}} {{lead}}\\nhouse house\\n{{word}}"}]
likelihood: {choices: choices, template: none}
scorers: [{likelihood: {name: right}}]
"""


def words(count: int) -> list[dict[str, Any]]:
    """Rows: a word, another that leads, and four to choose from."""
    found = []
    for n in range(count):
        word, lead = WORDS[n % len(WORDS)], WORDS[(n * 5 + n // len(WORDS) * 11 + 3) % len(WORDS)]
        others = [WORDS[(n + step) % len(WORDS)] for step in (7, 19, 31)]
        found.append({"id": f"w{n}", "word": word, "lead": lead, "choices": sorted([word, *others])})
    return found


def project(folder: Path, *, rows: int = 12, tokens: int = 8, more: str = "") -> Path:
    """Write both suites and their rows.

    Args:
        folder: The project's.
        rows: How many.
        tokens: Of an answer to ``repeat``, at most.
        more: Further parameters of ``repeat``: ``, logprobs: true``.
    """
    (folder / "llmkit.toml").touch()
    _lines(folder / "words.jsonl", words(rows))
    (folder / "repeat.yaml").write_text(REPEAT.format(tokens=tokens, more=more))
    (folder / "copy.yaml").write_text(COPY)
    return folder


def _lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
