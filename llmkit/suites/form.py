"""The form that a suite's answers must have, and how they come by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.documents import Document
from llmkit.errors import UsageError
from llmkit.prompts import Prompt
from llmkit.structured.format import Binds, Format
from llmkit.structured.loop import Policy
from llmkit.structured.strategy import Wanted
from llmkit.structured.validators import Validator, find, name_of, signature_of
from llmkit.structured.wording import describe
from llmkit.suites.spec import GenerateSpec, SuiteSpec
from llmkit.types import Message


@dataclass(frozen=True)
class Form:
    """What the answers of a suite go through before they are scored.

    Attributes:
        format: What is wanted.
        strategy: How it is obtained.
        policy: When to ask again.
        validators: What else must hold.
    """

    format: Format[Any]
    strategy: Wanted = "auto"
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    validators: tuple[tuple[str, Validator], ...] = ()

    def of(self, row: Mapping[str, Any]) -> Format[Any]:
        """Return the format for one row."""
        return self.format.bind(row) if isinstance(self.format, Binds) else self.format

    @property
    def checks(self) -> tuple[Validator, ...]:
        """The validators."""
        return tuple(validator for _, validator in self.validators)

    @property
    def bound(self) -> bool:
        """Whether each row has a format of its own."""
        return isinstance(self.format, Binds)

    def described(self, messages: tuple[Message, ...], row: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages of a first attempt."""
        return describe(messages, self.of(row).describe())

    def definition(self) -> dict[str, Any]:
        """Return all that decides which answers are taken, as plain data."""
        return {
            "format": [self.format.name, dict(self.format.definition())],
            "strategy": self.strategy,
            "feedback": self.policy.feedback,
            "max_attempts": self.policy.max_attempts,
            "validators": [name if signature_of(v) == name_of(v) else signature_of(v) for name, v in self.validators],
        }


def form_of(
    spec: SuiteSpec, prompt: Prompt, *, folder: Path, roots: tuple[Path, ...] = (), document: Document | None = None
) -> Form | None:
    """Return the form that a suite or its prompt asks for; None: answers are taken as they are, or none are generated.

    Args:
        spec: What the suite says.
        prompt: Its ``outputs`` are the form where the suite names none.
        folder: Where files that the format names are looked for.
        roots: Further folders that they may lie in.
        document: For the lines of fields.

    Raises:
        UsageError: The format or a validator is wrong, or there is a ``generate:`` and no form.
    """
    if spec.likelihood is not None:  # nothing is generated that a prompt's outputs could be the form of
        return None
    where = document.where("format") if document else None
    found = _format(spec, prompt, folder, roots, where)
    if found is None:
        if spec.generate is not None:
            raise UsageError(
                "generate: says how answers come by their form, and none is named",
                where=document.where("generate") if document else None, hint="Write format: json:schema.json",
            )  # fmt: skip
        return None
    generate = spec.generate or GenerateSpec()
    policy = Policy(generate.max_attempts, generate.feedback)
    places = [
        document.where("generate", "validators", i) if document else None for i in range(len(generate.validators))
    ]
    validators = tuple(
        (name, find(name, imports=False, where=place, folder=folder))
        for name, place in zip(generate.validators, places, strict=True)
    )
    return Form(found, generate.strategy, policy, validators)


def _format(
    spec: SuiteSpec, prompt: Prompt, folder: Path, roots: tuple[Path, ...], where: str | None
) -> Format[Any] | None:
    from llmkit.structured.registry import Source, create

    if spec.format is not None:
        return create(spec.format, Source(folder, confined=True, where=where, roots=roots))
    return format_of_outputs(prompt)


def format_of_outputs(prompt: Prompt) -> Format[Any] | None:
    """Return the form that a prompt's ``outputs`` are; None where it declares none."""
    if not prompt.outputs:
        return None
    from llmkit.structured.formats.json import JsonFormat
    from llmkit.structured.outputs import schema_of

    form: Format[Any] = JsonFormat.of(schema_of(prompt.outputs))
    return form
