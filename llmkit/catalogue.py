"""The frozen records of the suites that there are, and of one of them in full. They hold data and do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmkit.types import Message

SuiteClass = Literal["exact", "checkable", "judged"]
"""``exact``: an answer is compared with a right one; ``checkable``: a program finds whether it is right; ``judged``: a
model says so."""


@dataclass(frozen=True, slots=True)
class VariantCard:
    """A variant of a suite.

    Attributes:
        name: As it is run: ``mmlu:cot``.
        description: What it does otherwise; empty where the suite does not say.
    """

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """A suite, as a list of suites has it.

    Attributes:
        name: As it is run.
        kind: Its class; None where the suite does not say, as below.
        rows: Of its data set.
        licence: Of its data.
        description: What it measures; empty where the suite does not say.
        variants: Its variants, in order.
    """

    name: str
    kind: SuiteClass | None
    rows: int | None
    licence: str | None
    description: str
    variants: tuple[VariantCard, ...] = ()


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """One suite in full.

    Attributes:
        entry: What the list says of it.
        path: Its file.
        source: Who made the data; None where the suite does not say, as below.
        data: The data set, as the suite names it: ``hf:cais/mmlu/all/test``, or a path.
        revision: The commit that the rows are read at; None where it names none, and for files.
        prompt_source: Where the prompt comes from.
        normalisation: Where the rule comes from by which answers are compared.
        prompt: The prompt: its file, ``builtin:mmlu``, or ``messages``.
        template: What is asked, as it is written: lines of roles, and what each says.
        messages: What one row sends, where one was read; empty otherwise.
        row: That row, ``path:line``.
        few_shot: Examples in the prompt, and where they come from; empty where it shows none.
        scorers: Metric → signature.
        pass_k: For which k pass@k and pass^k are made.
        epochs: How often each row is asked.
        params: Sampling parameters; none where nothing is sampled.
        compares: Which continuations are compared in place of answers, as the suite's ``likelihood`` says; empty where
            answers are asked for.
        slices: Groups that results are also reported by.
        parts: The suites that it lists, where it is such a list; then all that follows from one suite is empty.
        commands: What to type next, the most useful first.
    """

    entry: SuiteEntry
    path: str
    source: str | None = None
    data: str | None = None
    revision: str | None = None
    prompt_source: str | None = None
    normalisation: str | None = None
    prompt: str | None = None
    template: str = ""
    messages: tuple[Message, ...] = ()
    row: str | None = None
    few_shot: str = ""
    scorers: Mapping[str, str] = field(default_factory=dict)
    pass_k: tuple[int, ...] = ()
    epochs: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    compares: Mapping[str, Any] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    parts: tuple[SuiteEntry, ...] = ()
    commands: tuple[str, ...] = ()
