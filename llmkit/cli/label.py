"""``llmkit label``: one sub-command a file."""

from __future__ import annotations

import typer

from llmkit.cli import label_agreement, label_annotators, label_export, label_start

app = typer.Typer(help="Label items, and see how far people agree.", no_args_is_help=True, rich_markup_mode=None)
app.command("start")(label_start.start)
app.command("agreement")(label_agreement.agreement)
app.command("annotators")(label_annotators.annotators)
app.command("export")(label_export.export)
