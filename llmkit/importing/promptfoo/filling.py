"""Rows that hold what prompts ask of them: what a test does not set is empty in promptfoo, and a failure in llmkit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmkit.errors import LlmkitError
from llmkit.importing.items import Items
from llmkit.importing.promptfoo.prompting import Messages
from llmkit.importing.promptfoo.testing import Test
from llmkit.prompts import Prompt, prompt_from_messages


def fill(prompts: Sequence[Messages], rows: Sequence[tuple[dict[str, Any], Test]], items: Items) -> None:
    """Put an empty text in the place of each variable that a prompt uses and a test does not set, and say so.

    Source: ``src/util/templates.ts`` (Nunjucks, which prints nothing for what is not set). A prompt that asks whether
    a variable is set, or gives a default, does without it; one that fails on a row as it is then is listed.

    Args:
        prompts: The prompts.
        rows: The rows, each with its test; they are changed.
        items: Takes what is filled in, and what fails.

    Raises:
        DocumentError: A prompt is no template.
    """
    made = [
        prompt_from_messages([{"role": role, "content": text} for role, text in messages], where=rows[0][1].where)
        for messages in prompts
    ]
    asked = frozenset[str]().union(*(prompt.variables for prompt in made))
    needed = frozenset[str]().union(*(prompt.variables - prompt.optional for prompt in made))
    optional = frozenset[str]().union(*(prompt.optional for prompt in made))
    for name in sorted(asked):
        without = [(row, test) for row, test in rows if name not in test.values]
        for row, _ in without:
            row.pop(name, None)  # a description, which is no variable
        if without and name in needed:
            _empty(name, without, items, also_optional=name in optional)
    for prompt in made:
        _rendered(prompt, rows, items)


def _empty(name: str, without: Sequence[tuple[dict[str, Any], Test]], items: Items, *, also_optional: bool) -> None:
    for row, _ in without:
        row[name] = ""
    count = "the test does not set it" if len(without) == 1 else f"{len(without)} tests do not set it"
    where = without[0][1].where
    if also_optional:
        why = f"{count}, and it is empty there; another prompt asks whether it is set, and takes it for set here"
        items.changed(where, f"vars: {name}", why, "Import the prompts one by one")
    else:
        items.note(where, f"vars: {name}", f"{count}: it is empty there, as it is in promptfoo")


def _rendered(prompt: Prompt, rows: Sequence[tuple[dict[str, Any], Test]], items: Items) -> None:
    """List the first row that a prompt cannot be rendered for: what is Nunjucks' or JavaScript's alone shows there."""
    for row, test in rows:
        try:
            prompt.render(row)
        except LlmkitError as error:
            why = f"it cannot be rendered for this test: {error.message}"
            items.lost(test.where, "prompt", why, "Write it as Jinja has it, and import anew")
            return
