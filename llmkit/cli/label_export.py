"""``llmkit label export``: each item with what people say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from llmkit.cli.options import JudgeName


def export(
    name: JudgeName,
    format: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="What to write.")] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to FILE, not to standard output.", metavar="FILE")
    ] = None,
) -> None:
    """Print each labelled item with its label, the majority, each person's label, and Dawid and Skene's probability."""
    from llmkit.cli.console import print_text, say
    from llmkit.documents.writing import write_text
    from llmkit.judges.exported import as_csv, as_jsonl, rows
    from llmkit.judges.labels import read_labels
    from llmkit.judges.load import load_judge

    judge = load_judge(name, locked=False)
    labels = read_labels(judge)
    for note in labels.notes:
        say(note)
    found = list(rows(labels, judge))
    text = as_jsonl(found) if format == "jsonl" else as_csv(found)
    if output is None:
        if text:
            print_text(text)
        return
    write_text(output, text)
    say(f"{len(found)} items written to {output}")
