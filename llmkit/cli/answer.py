"""One answer at a terminal: the value on standard output, its bill on standard error."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from llmkit.cli.console import err, out, print_json, print_text, say
from llmkit.cli.generating import Setup
from llmkit.errors import LlmkitError
from llmkit.generation.generator import Generator
from llmkit.generation.models import Models
from llmkit.generations import Attempt, GenerationFailed, Ledger, Result
from llmkit.reports.bill import print_bill
from llmkit.reports.generation_document import generation_document
from llmkit.reports.numbers import counted
from llmkit.reports.plain import plain
from llmkit.reports.waiting import Waiting
from llmkit.runs.evaluate import run_async
from llmkit.structured.attempts import interrupted


def run(setup: Setup, *, verbose: bool = False) -> int:
    """Generate one answer, and print it with its bill; a failure's bill, too, and an interrupted one's.

    Raises:
        GenerationFailed: No valid answer; the bill is printed already.
        LlmkitError: Nothing could be asked.
        KeyboardInterrupt: By the user; what was paid is said already.
    """
    waiting = _Kept()
    try:
        with waiting:
            result: Result[Any] = run_async(_obtain(setup, waiting))
    except GenerationFailed as failed:
        if failed.hint is None:
            failed.hint = _hint(failed.ledger, setup)
        _show(setup, failed.ledger, error=failed, verbose=verbose)
        raise
    except KeyboardInterrupt:
        _interrupted(setup, waiting.ledger(), verbose=verbose)
        raise
    _show(setup, result.ledger, value=result.value, text=result.text, verbose=verbose)
    return 0


def forecast(setup: Setup) -> int:
    """Show what would be asked, and ask nothing; no API key is needed."""
    from llmkit.generation.preview import preview
    from llmkit.reports.preview import preview_document, print_preview

    found = asyncio.run(
        preview(setup.prompt, setup.form, setup.refs, setup.validators, setup.options, setup.settings, setup.values)
    )
    if setup.as_json:
        print_json(preview_document(found))
    else:
        print_preview(found, out())
    return 0


class _Kept(Waiting):
    """The waiting line, and what it saw: on Ctrl-C the ledger is made of it.

    Attributes:
        free: Names of the models whose calls are not billed.
    """

    def __init__(self) -> None:
        super().__init__(err())
        self.free: frozenset[str] = frozenset()

    def ledger(self) -> Ledger:
        """Return the bill of what was interrupted; what was under way may have been paid for."""
        attempts, under_way = self._attempts, self._under_way
        if under_way is not None:  # the generation itself had no time to say what became of it
            attempts = (*attempts, interrupted(under_way, None, billed=under_way.model not in self.free))
        return Ledger(tuple(attempts), "interrupted")


class _Interrupted(LlmkitError):
    """By the user; the process exits with what the shell knows a SIGINT by."""

    exit_code = 130


async def _obtain(setup: Setup, waiting: _Kept) -> Result[Any]:
    async with Models(setup.refs, setup.options, setup.settings) as models:
        await models.prepare(setup.validators)
        both = zip(models.refs, models.providers, strict=True)
        waiting.free = frozenset(ref.name for ref, provider in both if not provider.capabilities.billed)
        generator = Generator(setup.prompt, setup.form, models, setup.validators)
        return await generator.one(setup.values, watch=waiting.update)


def _show(
    setup: Setup,
    ledger: Ledger,
    *,
    verbose: bool,
    value: Any = None,
    text: str | None = None,
    error: LlmkitError | None = None,
) -> None:
    if setup.as_json:
        print_json(generation_document(ledger, value=value, text=text, error=error))
        return
    if ledger.valid:
        _print_value(value)
        sys.stdout.flush()  # the answer comes first where both are seen
    print_bill(ledger, err(), verbose=verbose)


def _print_value(value: Any) -> None:
    shown = plain(value)
    if isinstance(shown, str):
        print_text(shown)
    else:
        print_json(shown)


def _interrupted(setup: Setup, ledger: Ledger, *, verbose: bool) -> None:
    from llmkit.cli.session import this_command

    _show(setup, ledger, error=_Interrupted("interrupted"), verbose=verbose)
    kept = _kept(ledger.attempts)
    if kept and setup.options.cache:
        say(f"{counted(kept, 'answer')} {'is' if kept == 1 else 'are'} kept; go on with: {this_command()}")
    else:
        say("interrupted")


def _kept(attempts: Sequence[Attempt]) -> int:
    return sum(a.text is not None and a.failure is None for a in attempts)


def _hint(ledger: Ledger, setup: Setup) -> str | None:
    """Say what can be done about it, where that is so."""
    last = ledger.attempts[-1] if ledger.attempts else None
    if last is None or ledger.stop == "failed":
        return None
    if ledger.stop == "deadline":
        return "Give it more with --deadline"
    if last.finish_reason == "length" and last.max_tokens is not None:
        return f"It was cut off: -M max_tokens={4 * last.max_tokens}"
    free = "; the answers so far come from the cache" if setup.options.cache else ""
    if last.strategy == "plain":
        return f"Tell the model what is wrong, and ask again: --strategy reprompt{free}"
    if setup.options.max_attempts == 1:
        return f"Ask more than once: --max-attempts 3{free}"
    if len(setup.refs) == 1:
        return f"Ask a stronger model next: --escalate MODEL{free}"
    return f"Show what it was told: --verbose{free}"
