"""What is printed inside GitHub Actions, kept from being obeyed: names and answers are not the workflow's words."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from typing import TextIO


def inside(environment: Mapping[str, str]) -> bool:
    """Return whether this is a step of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


@contextlib.contextmanager
def unheard(environment: Mapping[str, str], stream: TextIO) -> Iterator[None]:
    """Keep GitHub Actions from obeying what is printed within."""
    if not inside(environment):
        yield
        return
    token = secrets.token_hex(16)
    stream.write(f"::stop-commands::{token}\n")
    try:
        yield
    finally:
        stream.write(f"::{token}::\n")
        stream.flush()


def harmless(text: str, environment: Mapping[str, str]) -> str:
    """Return lines that GitHub Actions does not obey, for what goes where nothing can be printed around it.

    A command starts a line with ``::``, blanks before it apart, or stands anywhere as ``##[…]``, its older form.
    """
    if not inside(environment):
        return text
    lines = (f"| {line}" if line.lstrip().startswith("::") else line for line in text.split("\n"))
    return "\n".join(lines).replace("##[", "# #[")
