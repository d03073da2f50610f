"""``llmkit init``: a small working project."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

NEXT = {
    "hello": "Run it: {inside}llmkit eval suites/hello.yaml",
    "cities": "Commit it: {inside}git init && git add -A && git commit -m base\n"
    "Then edit prompts/city.prompty and gate the change: llmkit gate",
    "messages": "Ask for a form: {inside}llmkit generate prompts/user.prompty --format json:suites/forms/user.json"
    " -i suites/data/messages.jsonl --limit 3",
    "replies": "Measure its judge: {inside}llmkit judge calibrate courtesy",
    "variants": "Run two configurations of its model: {inside}llmkit eval suites/repeat.yaml -m plain -m ngram",
}


def complete_example(incomplete: str) -> list[str]:
    """Offer the projects that there are."""
    return [name for name in NEXT if name.startswith(incomplete)]


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made where it is not there.", metavar="FOLDER")] = Path(),
    example: Annotated[
        str,
        typer.Option(
            help="hello: six questions; cities: a gate; messages: answers in a form; replies: a judge; variants: vLLM.",
            metavar="NAME",
            autocompletion=complete_example,
        ),
    ] = "hello",
) -> None:
    """Write a small working project: a suite, its data, its prompt and llmkit.toml."""
    from llmkit.suites.init import init as write_project

    for path in write_project(folder, example):
        typer.echo(f"wrote {path}")
    inside = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    typer.echo(f"\n{NEXT[example].format(inside=inside)}")
