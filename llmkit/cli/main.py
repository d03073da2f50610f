"""The entry point: one app, one command a file, and what every ending means to the shell.

Exit codes: 0 done or passed; 1 a threshold, gate or validation failed, and nothing else; 2 usage; 3 not enough
evidence, or the budget ran out; 4 something broke; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException

from llmkit.cli import (
    baseline,
    compare,
    doctor,
    evaluate,
    forms,
    gate,
    generate,
    importing,
    init,
    judge,
    label,
    plan,
    prompt,
    rescore,
    runs,
    score,
    suites,
    validate,
)
from llmkit.cli.console import complain, err, give_up_stdout, open_streams, say
from llmkit.errors import LlmkitError, UsageError
from llmkit.providers.starting import Watcher, watching

INTERRUPTED = 130
BROKE = 4
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What a disk says that takes no more."""

app = typer.Typer(
    name="llmkit",
    help="LLM evaluation and structured generation whose numbers hold up.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or passed, 1 a threshold, gate or validation failed, 2 usage, 3 not enough evidence or "
    "the budget ran out, 4 something broke, 130 interrupted.",
)
app.command("eval")(evaluate.eval_)
app.command("suites")(suites.suites)
app.command("generate")(generate.generate)
app.command("compare")(compare.compare)
app.command("plan")(plan.plan)
app.command("rescore")(rescore.rescore)
app.command("score")(score.score)
app.command("import")(importing.import_)
app.command("validate")(validate.validate)
app.add_typer(forms.app, name="format")
app.add_typer(runs.app, name="runs")
app.add_typer(prompt.app, name="prompt")
app.command("gate")(gate.gate)
app.add_typer(baseline.app, name="baseline")
app.add_typer(judge.app, name="judge")
app.add_typer(label.app, name="label")
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)


def _version(show: bool) -> None:
    if show:
        from llmkit.version import __version__

        typer.echo(f"llmkit {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show where an error was raised. May stand anywhere on the line.")
    ] = False,
) -> None:
    """LLM evaluation and structured generation whose numbers hold up."""


def run() -> None:
    """Run the command line and leave the process with its exit code."""
    open_streams()
    arguments, traceback = sys.argv[1:], False
    if "--traceback" in arguments:
        arguments, traceback = [a for a in arguments if a != "--traceback"], True
    _handle_signals()
    code = main(arguments, traceback=traceback)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        os._exit(code)  # Python would complain at its exit, and leave with a code of its own
    if code == INTERRUPTED:
        os._exit(code)  # a scorer's thread cannot be stopped; all is kept and said, so nothing waits for it
    sys.exit(code)


def _handle_signals() -> None:
    """Have SIGTERM end a run as Ctrl-C does, in order and with all kept."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script's shell starts ``llmkit … &`` so
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def main(arguments: list[str], *, traceback: bool = False) -> int:
    """Run one command line.

    Args:
        arguments: Without the program's name.
        traceback: Whether errors show where they were raised.

    Returns:
        The exit code.
    """
    try:
        with watching(_tell_start):
            code = _command()(arguments, standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED  # the command has said what is kept and how to go on
    except TyperException as error:
        return _misused(error)
    except BrokenPipeError:
        give_up_stdout()
        return 0
    except SystemExit as error:  # typer's answer to a closed pipe, wherever it was met
        if isinstance(error.__context__, BrokenPipeError):
            give_up_stdout()
            return 0
        return error.code if isinstance(error.code, int) else BROKE
    except Exception as error:
        if traceback:
            _show(error)
        return _failed(error)


def _tell_start(who: str, stage: str | None) -> None:
    """Show that a model starts; what draws it is loaded with the first one."""
    _starting()(who, stage)


@cache
def _starting() -> Watcher:
    from llmkit.reports.starting import Starting

    return Starting(err())


@cache
def _command() -> Callable[..., object]:
    """Build the tree of commands, once a process: it takes as long as a small command."""
    return typer.main.get_command(app)


def _failed(error: Exception) -> int:
    """Say in one line what went wrong, and return its exit code."""
    if isinstance(error, LlmkitError):
        return _say(str(error), error.exit_code)
    if isinstance(error, OSError) and error.errno in FULL:
        what = error.filename
        if what is None:  # no file of ours: all of them are named
            what = "standard output"
            give_up_stdout()
        return _say(f"{what}: cannot be written: {error.strerror}", BROKE)
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return _say(f"this is a bug in llmkit: {text}. See where with --traceback", BROKE)


def _show(error: Exception) -> None:
    """Print where an error was raised, as Python would, secrets taken out."""
    import traceback

    complain("".join(traceback.format_exception(error)))


def _misused(error: TyperException) -> int:
    """Say in one line what is wrong with the command line; a command without arguments shows its help."""
    # The words that pydantic puts before its own are no news to who typed an option.
    message = error.format_message().replace(": Value error, ", ": ").replace(": Input should", ": should")
    context = getattr(error, "ctx", None)
    if context is not None and message == context.get_help():
        print(message, file=sys.stderr)  # noqa: T201
        return UsageError.exit_code
    message = " ".join(message.split())  # choices stand below each other
    sentence = message if message.endswith("?") else f"{message.rstrip('.')}."
    return _say(f"{sentence} See {context.command_path if context else 'llmkit'} --help", error.exit_code)


def _say(message: str, code: int) -> int:
    say(message)
    return code


if __name__ == "__main__":
    run()
