"""``llmkit judge``: one sub-command a file."""

from __future__ import annotations

import typer

from llmkit.cli import judge_calibrate, judge_check, judge_list, judge_new, judge_run, judge_show

app = typer.Typer(
    help="Make, measure, lock and check the models that grade answers.", no_args_is_help=True, rich_markup_mode=None
)
app.command("new")(judge_new.new)
app.command("calibrate")(judge_calibrate.calibrate)
app.command("check")(judge_check.check)
app.command("run")(judge_run.run)
app.command("list")(judge_list.list_)
app.command("show")(judge_show.show)
