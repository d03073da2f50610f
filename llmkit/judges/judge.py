"""A judge, ready to be asked: criteria, words, prompt, model, method, examples, and its lock where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmkit.canonical import digest
from llmkit.documents import Document
from llmkit.judges.kinds import Scale
from llmkit.judges.spec import JudgeSpec, MethodSpec
from llmkit.judges.subject import Subject
from llmkit.prompts import Prompt
from llmkit.providers.base import ModelRef

if TYPE_CHECKING:
    from llmkit.judges.lock import Lock

PARSER = 1
"""Version of the road from an answer to a verdict: request, fences, schema, reading. It is a part of every lock."""


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled item shown in the prompt."""

    subject: Subject
    label: str


@dataclass(frozen=True)
class Judge:
    """What decides a verdict, and where it is written.

    Attributes:
        name: Its name.
        path: ``judges/NAME.yaml``.
        spec: What the file says.
        scale: What it can say.
        criterion: The guideline's text.
        criterion_path: Its file.
        prompt: What it is asked.
        model: Who is asked, with params and options; the lock's choice goes before the file's.
        method: How a verdict is obtained; likewise.
        examples: Labelled items in the prompt, in order.
        threshold: Probability of ``pass`` from which on the verdict is that, where log-probabilities are asked for; a
            half where nothing was learnt.
        document: The file as read, for lines.
        lock: What was measured of it; None where it was not.
    """

    name: str
    path: Path
    spec: JudgeSpec
    scale: Scale
    criterion: str
    criterion_path: Path
    prompt: Prompt
    model: ModelRef
    method: MethodSpec
    examples: tuple[Example, ...] = ()
    threshold: float | None = None
    document: Document | None = field(default=None, repr=False, compare=False)
    lock: Lock | None = field(default=None, compare=False)

    def where(self, *keys: str | int) -> str:
        """``path:line`` of a field of the file."""
        return self.document.where(*keys) if self.document else str(self.path)

    def definition(self) -> Mapping[str, Any]:
        """Return all that decides a verdict, as plain data. What it is measured against is not among it."""
        return {
            "parser": PARSER,
            "scale": [self.scale.kind, list(self.scale.points.items())],
            "criterion": digest(self.criterion),
            "prompt": self.prompt.template_fingerprint or self.prompt.fingerprint,
            "model": [self.model.name, dict(self.model.params), dict(self.model.options)],
            "method": self.method.model_dump(),
            "examples": [[example.subject.digest(), example.label] for example in self.examples],
            **({} if self.threshold is None else {"threshold": self.threshold}),
        }

    @property
    def fingerprint(self) -> str:
        """The hash of the definition."""
        return digest(self.definition())

    @property
    def signature(self) -> str:
        """What makes two figures comparable: ``judge:relevance|kind:pass_fail|model:…|definition:3f9c…``."""
        head = f"judge:{self.name}|kind:{self.scale.kind}|model:{self.model.name}"
        return f"{head}|definition:{self.fingerprint[:16]}"
