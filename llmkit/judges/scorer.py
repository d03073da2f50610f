"""A judge as a scorer of a suite: ``scorers: [{judge: relevance}]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import DocumentError, LlmkitError, ScorerError, nearest
from llmkit.judgements import Verdict
from llmkit.judges.judge import Judge
from llmkit.judges.load import load_judge
from llmkit.judges.panel import check_seat, judge_one
from llmkit.judges.seat import Seats
from llmkit.judges.subject import Subject, subject_of_answer
from llmkit.providers.base import ModelRef, Provider, identity
from llmkit.providers.registry import create
from llmkit.scoring.base import Item, MetricKind
from llmkit.text import quoted
from llmkit.types import Failure, Score

ENTRY = "judge"
"""The key of a suite's entry that names a judge."""
OPTIONS = ("judge", "name")
CANNOT_TELL, NO_VERDICT = "cannot_tell", "no_verdict"
UNJUDGED = frozenset({CANNOT_TELL, NO_VERDICT})
"""Kinds of failures that are a judge's doing. They say nothing of the answer: none is a wrong one."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}")


class JudgeScorer:
    """One metric whose scores are a judge's verdicts.

    An answer of which the judge cannot tell, or of which there is no verdict, has no score: it is a failure of the kind
    ``cannot_tell`` or ``no_verdict``, counted apart and read as neither right nor wrong. An answer that is missing is
    wrong where failures are counted as wrong: it has the judge's worst value.

    Args:
        judge: Who decides.
        name: The metric's name; the judge's where None.
    """

    heavy = False
    higher_is_better = True

    def __init__(self, judge: Judge, name: str | None = None) -> None:
        self.judge, self.name = judge, name or judge.name

    @cached_property
    def signature(self) -> str:
        """All that makes two figures comparable: the judge's definition, and who answers under its model's name.

        The latter is the endpoint, the weights' hash, the engine (``providers.base.identity``), as far as this machine
        knows it: verdicts of other weights are never taken for those of these. Of pairs, what an answer is held
        against.
        """
        signature = f"{self.judge.signature}{_identified(self.judge.model)}"
        return f"{signature}|against:reference" if self.needs_references else signature

    @property
    def kind(self) -> MetricKind:
        """``proportion`` for pass and fail, else ``mean``."""
        return self.judge.scale.metric

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value of a verdict."""
        return self.judge.scale.bounds

    @property
    def needs_references(self) -> bool:
        """A judge of pairs compares the answer with the sample's first reference."""
        return self.judge.scale.kind == "pairwise"

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """Who is asked."""
        return (self.judge.model,)

    def subject(self, item: Item) -> Subject:
        """Return what the judge looks at of an answer."""
        return subject_of_answer(item, pair=self.needs_references)

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Refuse: a verdict takes a model, which only a run can ask.

        Raises:
            ScorerError: Always.
        """
        raise ScorerError(f"{self.name} is a judge: it asks a model, and is scored by a run alone")

    async def ask(self, items: Sequence[Item], seats: Seats) -> Sequence[Score | Failure]:
        """Score a batch, one item after the other; whoever runs it asks several batches at once.

        Raises:
            BudgetError: The next call does not fit under the cap.
            ProviderError: The judge's server is of no use.
            UsageError: The model cannot be had, or not be asked as the judge's method wants.
        """
        seat = await seats.seat(self.judge.model)
        return [self.read(await judge_one(self.judge, self.subject(item), seat)) for item in items]

    def check(self, provider_of: Callable[[ModelRef], Provider]) -> None:
        """Say before any call what the judge's model lacks.

        Args:
            provider_of: Returns the provider of a model.

        Raises:
            UsageError: It has no log-probabilities, where the method needs them.
        """
        check_seat(self.judge, provider_of(self.judge.model))

    def read(self, verdict: Verdict) -> Score | Failure:
        """Return a verdict as a score, or as the failure that stands in its place."""
        if verdict.state == "verdict" and verdict.value is not None:
            return Score(verdict.value, answer=verdict.label)
        if verdict.state == "cannot_tell":
            why = verdict.reason or "it gives no reason"
            return Failure("scorer", CANNOT_TELL, f"{self.name}: the judge cannot tell: {quoted(why)}")
        return Failure("scorer", NO_VERDICT, f"{self.name}: no verdict: {verdict.why}")

    def wrong(self, item: Item) -> Score:
        """Return the score of an answer that is not there: the judge's worst value.

        What the judge itself failed to decide is never read so (``UNJUDGED``).
        """
        return Score(self.bounds[0])


def is_entry(entry: object) -> bool:
    """Whether a suite's scorer entry names a judge."""
    return isinstance(entry, Mapping) and len(entry) == 1 and ENTRY in entry


def scorer_of(
    entry: Mapping[str, Any], *, folder: Path | None = None, roots: Sequence[Path] = (), where: str | None = None
) -> JudgeScorer:
    """Build the scorer of a suite's entry: ``{judge: NAME}``, or ``{judge: {judge: NAME or path, name: METRIC}}``.

    Args:
        entry: As the suite writes it.
        folder: Of the suite; judges are looked for from there upwards to the project's root.
        roots: Further folders that they may lie in.
        where: ``path:line`` of the entry; files are then confined to ``folder`` and ``roots``.

    Raises:
        UnknownNameError: No such judge.
        DocumentError: The entry is none of these, or the judge's file is wrong.
    """
    said = entry[ENTRY]
    options = said if isinstance(said, Mapping) else {"judge": said}
    for option in options:
        if option not in OPTIONS:
            hint = nearest(str(option), OPTIONS)
            raise DocumentError(f"scorer judge has no option {str(option)!r}", where=where, hint=hint)
    ref, name = options.get("judge"), options.get("name")
    if not isinstance(ref, str) or not ref:
        raise DocumentError(
            f"scorer judge needs a judge's name, not {quoted(ref)}", where=where, hint="Write {judge: relevance}"
        )
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise DocumentError(
            f"option 'name' of scorer judge cannot be {quoted(name)}: letters, digits, '_', '.', '@' and '-' alone",
            where=where,
        )
    return JudgeScorer(load_judge(ref, folder=folder, roots=roots, where=where), name)


def _identified(model: ModelRef) -> str:
    """Return what a signature says of who answers under a model's name; nothing where that is not known."""
    try:
        known = identity(create(model, display=True))
    except LlmkitError:  # whoever asks it will say what is missing
        return ""
    said = {key: value for key, value in known.items() if key not in ("provider", "model")}
    return f"|identity:{digest(said)[:8]}" if said else ""
