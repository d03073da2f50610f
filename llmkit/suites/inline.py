"""Suites made in Python: records in, a suite out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import UsageError
from llmkit.judges.scorer import is_entry
from llmkit.prompts import Prompt, prompt_from_messages
from llmkit.samples import Row
from llmkit.scoring import Scorer, check_names
from llmkit.structured.registry import format_of
from llmkit.suites.form import Form, form_of
from llmkit.suites.gating import gating
from llmkit.suites.scorers import build
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.suite import Suite
from llmkit.suites.validity import with_validity
from llmkit.types import BadRow


@dataclass(frozen=True)
class Records:
    """Rows that lie in memory, as a data set.

    Attributes:
        values: One mapping a row; JSON's types only.
        name: For people.
    """

    values: Sequence[Mapping[str, Any]]
    name: str = "records"

    @property
    def path(self) -> Path | None:
        """None: there is no file."""
        return None

    def describe(self) -> str:
        """Name it for people."""
        return self.name

    def where(self, line: int) -> str:
        """Name one row for people."""
        return f"{self.name}[{line - 1}]"

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows."""
        for line, values in enumerate(self.values, 1):
            yield Row(values, line)

    def fingerprint(self) -> str:
        """Hash the content.

        Raises:
            UsageError: A row holds what JSON cannot.
        """
        try:
            return digest(list(self.values))
        except ValueError as error:
            raise UsageError(f"the rows of {self.name}: {error}") from error

    def notes(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


def make_suite(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    prompt: Prompt | None = None,
    messages: Sequence[Mapping[str, str]] | None = None,
    scorers: Sequence[str | Mapping[str, Any] | Scorer],
    target: str | None = "target",
    references: str | None = None,
    id: str | None = None,
    cluster: str | None = None,
    slices: Sequence[str] | Mapping[str, str] = (),
    epochs: int = 1,
    pass_k: Sequence[int] = (),
    gate: Mapping[str, Mapping[str, Any]] | None = None,
    format: Any = None,
    likelihood: Mapping[str, Any] | None = None,
    model: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Suite:
    """Make a suite of records, as a suite file makes one of a data file.

    Args:
        name: In results.
        rows: One mapping a row.
        prompt: What is asked, see ``load_prompt``; or
        messages: The conversation, ``{"role": …, "content": template}`` each.
        scorers: Names, ``{name: {option: value}}``, ``{"judge": name}``, or scorers.
        target: Field or template of the right answer; None for none.
        references: A field that holds a list of right answers, in place of ``target``.
        id: Field that tells a row from all others; its number where None.
        cluster: Field of what makes rows dependent.
        slices: Fields, or name → field, that results are also reported by.
        epochs: How often each row is asked.
        pass_k: For which k pass@k and pass^k are made of metrics whose values are right or wrong.
        gate: Metric → ``{"max_drop": margin}``, as in a suite file.
        format: The form that answers must have: a pydantic model, a JSON Schema, ``"choice:yes,no"``, a format.
        likelihood: What is compared in place of answers, ``{"choices": field}``, as in a suite file.
        model: ``provider/model`` where none is given to ``evaluate``.
        params: Sampling parameters.

    Raises:
        UsageError: Neither prompt nor messages, or both; a scorer or template that is wrong.
    """
    if (prompt is None) == (messages is None):
        raise UsageError(f"suite {name}: give either prompt or messages")
    if format is not None and likelihood is not None:
        raise UsageError(f"suite {name}: with likelihood nothing is generated; remove format")
    if prompt is None:
        prompt = prompt_from_messages(list(messages or ()), where=f"suite {name}")
    built = tuple(_scorer(s, f"suite {name}") if isinstance(s, (str, Mapping)) else s for s in scorers)
    check_names(built, lambda position: f"suite {name}")
    mapped = {"id": id, "target": None if references else target, "references": references, "cluster": cluster}
    spec = SuiteSpec.model_validate(
        {
            "version": 1,
            "name": name,
            "data": name,
            "prompt": prompt.name,
            "map": {key: value for key, value in mapped.items() if value is not None},
            "slices": (dict(slices) if isinstance(slices, Mapping) else list(slices)) or None,
            "scorers": [s if isinstance(s, (str, Mapping)) else s.name for s in scorers],
            "epochs": epochs,
            "pass_k": list(pass_k) or None,
            "gate": gate,
            "likelihood": likelihood,
            "model": model,
            "params": dict(params) if params else None,
        }
    )
    form = form_of(spec, prompt, folder=Path.cwd()) if format is None else Form(format_of(format))
    suite = Suite(
        name=name, path=None, spec=spec, prompt=prompt, source=Records(rows, name),
        scorers=with_validity(built, form), form=form,
    )  # fmt: skip
    gating(suite)
    return suite


def _scorer(entry: str | Mapping[str, Any], where: str) -> Scorer:
    """Build a scorer; whoever writes Python may name a judge's file anywhere."""
    return build(entry, None if is_entry(entry) else where)
