"""Where programs that models wrote may run: the options of all commands that score answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer

from llmkit.cli.complete import complete_sandbox

SandboxName = Annotated[
    str | None,
    typer.Option(
        "--sandbox",
        help="Where models' programs run: bubblewrap, namespaces, docker. Default: the best there is.",
        metavar="NAME",
        autocompletion=complete_sandbox,
    ),
]
UnsafeLocal = Annotated[
    bool,
    typer.Option("--unsafe-local", help="Run models' programs also where nothing can isolate them, as this user."),
]


@contextlib.contextmanager
def sandboxing(name: str | None, unsafe: bool) -> Iterator[None]:
    """Choose sandboxes as the command line says; where there is none, say so once.

    Raises:
        UnknownNameError: No such sandbox.
    """
    from llmkit.cli.console import say
    from llmkit.sandbox.choose import asked

    with asked(name, unsafe=unsafe, tell=say):
        yield
