"""How to evaluate, beside what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmkit.providers.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Options:
    """How to evaluate, beside what.

    Attributes:
        data: Replaces the suite's data source.
        fields: Name → field or template: further fields of each row, beside those that the suite's map adds.
        few_shot: How many examples prompts show, in place of what suites say.
        few_shot_data: A file that the examples come from.
        tokenizer: What counts the lengths of rows that are made at run time, in place of what the suite says.
        limit: Only the first rows.
        epochs: Replaces the suite's number of epochs.
        pass_k: Replaces the suite's k's of pass@k and pass^k.
        seed: Of the bootstrap, and of sampling where the provider sends one; 0 where not set, and then not sent.
        params: ``-M key=value`` pairs.
        concurrency: Calls at once; None adapts.
        max_cost: Hard cap in dollars, for all runs of the call together, what resumed runs paid before included.
        cache: Whether other runs' answers count.
        fresh: Start anew even where an unfinished run could go on.
        resume: Insist on going on: the latest unfinished run of this suite and model, or ``resume_run``.
        resume_run: Which run to go on with.
        sample: How many samples to show in full before the rest is asked.
        store: Folder of the store; from the settings where None.
        retry: How calls are repeated.
        sandbox: Where models' programs run: ``bubblewrap``, ``namespaces``, ``docker``; None: the best that works.
        unsafe_local: Whether they may run as this user, with nothing to isolate them, where nothing can.
    """

    data: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    few_shot: int | None = None
    few_shot_data: str | None = None
    tokenizer: str | None = None
    limit: int | None = None
    epochs: int | None = None
    pass_k: tuple[int, ...] | None = None
    seed: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int | None = None
    max_cost: float | None = None
    cache: bool = True
    fresh: bool = False
    resume: bool = False
    resume_run: str | None = None
    sample: int = 0
    store: Path | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    sandbox: str | None = None
    unsafe_local: bool = False
