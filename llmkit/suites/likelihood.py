"""From a row to the continuations that a suite compares, as its ``likelihood`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from llmkit.documents import Document
from llmkit.errors import DocumentError
from llmkit.providers.likelihood import gap, opening, plain_text
from llmkit.suites.expression import MISSING, Expression, as_text, compile_expression
from llmkit.suites.spec import LikelihoodSpec
from llmkit.types import Continuation, Continuations, Message

Values = Mapping[str, Any]
Text = Callable[[Values], str]

MOST_CHOICES = 1000
"""Of one row. The longest lists of benchmarks are some hundred labels; each is computed, and data are untrusted."""


class Likelihood:
    """A suite's ``likelihood``, made ready.

    Args:
        spec: What the suite says.
        document: The suite's file, for the lines of its fields.

    Raises:
        DocumentError: A template is wrong.
    """

    def __init__(self, spec: LikelihoodSpec, document: Document | None = None) -> None:
        def where(*keys: str | int) -> str:
            return document.where("likelihood", *keys) if document else ".".join(map(str, ("likelihood", *keys)))

        self.spec = spec
        self._field: Expression | None = None
        self._choices: list[Text] = []
        if isinstance(spec.choices, str):
            self._field = compile_expression(spec.choices, where("choices"))
            if self._field.is_template:
                hint = 'Write a field that holds a list, or a list of templates: ["{{a}}", "{{b}}"]'
                raise DocumentError("choices is one template, which gives one text", where=where("choices"), hint=hint)
        else:
            self._choices = [_text(text, where("choices", i)) for i, text in enumerate(spec.choices)]
        prefixes = [spec.prefix] if isinstance(spec.prefix, str) else spec.prefix
        self._prefixes = [_text(text, where("prefix", i)) for i, text in enumerate(prefixes)]
        self._alone = None if spec.unconditional is None else _text(spec.unconditional, where("unconditional"))

    def of(self, row: Values, messages: Sequence[Message]) -> Continuations:
        """Return what is compared for one row.

        Args:
            row: Its fields.
            messages: What is asked, rendered.

        Raises:
            ValueError: With one line for people.
        """
        choices = self._texts(row)
        prefixes = [text(row) for text in self._prefixes]
        if len(prefixes) == 1:
            prefixes *= len(choices)
        if len(prefixes) != len(choices):
            raise ValueError(f"the row has {len(choices)} choices, and the suite {len(prefixes)} prefixes")
        before = opening(messages)[1] if self.spec.template == "chat" else plain_text(messages)
        return Continuations(
            tuple(
                Continuation(choice, self._space(prefix or before, choice), prefix)
                for choice, prefix in zip(choices, prefixes, strict=True)
            ),
            self.spec.template == "chat",
            None if self._alone is None else self._alone(row),
        )

    def absent(self, rows: Sequence[Values]) -> Iterator[tuple[tuple[str, ...], Expression]]:
        """Yield the field of the choices where none of the rows has it."""
        if self._field is not None and all(self._field.get(row) is MISSING for row in rows):
            yield ("likelihood", "choices"), self._field

    def definition(self) -> dict[str, Any]:
        """Return all that decides what is compared, as plain data."""
        return self.spec.model_dump()

    def _space(self, before: str, choice: str) -> str:
        if self.spec.separator is not None:
            return self.spec.separator
        return gap(before, choice)

    def _texts(self, row: Values) -> list[str]:
        choices = [text(row) for text in self._choices] if self._field is None else self._listed(self._field, row)
        empty = next((number for number, choice in enumerate(choices, 1) if not choice.strip()), None)
        if empty is not None:
            raise ValueError(f"choice {empty} of the row is empty")
        return choices

    @staticmethod
    def _listed(field: Expression, row: Values) -> list[str]:
        value = field.value(row)
        if not isinstance(value, list):
            raise ValueError(f"the field {field.text!r} is no list of choices, but {as_text(value)[:40]!r}")
        if any(item is None or isinstance(item, (dict, list)) for item in value):
            raise ValueError(f"the field {field.text!r} holds what is no text")
        if not 2 <= len(value) <= MOST_CHOICES:
            raise ValueError(f"the field {field.text!r} holds {len(value)} choices, not 2 to {MOST_CHOICES}")
        return [as_text(item) for item in value]


def _text(text: str, where: str) -> Text:
    """Make a text ready that may be a template."""
    if "{{" in text or "{%" in text:
        return partial(_rendered, compile_expression(text, where))
    return lambda row: text


def _rendered(expression: Expression, row: Values) -> str:
    return as_text(expression.value(row))
