"""The views of ``llmkit runs show``."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path

from llmkit.cli.console import out, print_json, say
from llmkit.documents.writing import written
from llmkit.errors import UsageError
from llmkit.reports.document import document
from llmkit.reports.heat import heat_maps
from llmkit.reports.heat_html import heat_html
from llmkit.reports.table import print_results
from llmkit.reports.transcript import print_transcript
from llmkit.reports.wrong import print_wrong, wrong_document
from llmkit.runs.export import answered_wrongly, curl, record, sample_record, scored, test_case
from llmkit.runs.outcome import outcome_of, sample_result
from llmkit.runs.result import result_of
from llmkit.runs.rows import RunRow
from llmkit.runs.store import Store
from llmkit.types import RunResult


def results(run: RunRow, *, as_json: bool) -> None:
    """Show a run's result as it was stored.

    Raises:
        UsageError: The run has none, because it was killed.
    """
    result = _result(run)
    if as_json:
        print_json(document([result]))
    else:
        print_results([result], out())


def page(run: RunRow, path: Path, *, force: bool) -> None:
    """Write the heat maps of a run as one HTML file.

    Raises:
        UsageError: The run has none, or the file cannot be written.
    """
    result = _result(run)
    found = heat_maps(result)
    if not found:
        hint = "A suite's slices make one: slices: [length, depth, cell], as in `llmkit eval needle`"
        raise UsageError(f"run {run.run_id} has no heat map", hint=hint)
    with written(path, force=force) as out_file:
        out_file.write(heat_html(result, found).encode())
    say(f"wrote {path}")


def _result(run: RunRow) -> RunResult:
    result = result_of(run)
    if result is None:
        raise UsageError(f"run {run.run_id} has no result yet ({run.status})", hint="The same `llmkit eval` goes on")
    return result


def failures(store: Store, run: RunRow, limit: int, *, as_json: bool) -> None:
    """Show the samples that failed, or whose scorers did."""
    found = list(itertools.islice(scored(store, run, failed=True), limit + 1))
    if as_json:
        print_json([record(run, sample, scores) for sample, scores in found[:limit]])
        return
    console = out()
    for sample, scores in found[:limit]:
        print_transcript(sample_result(outcome_of(sample, scores), run.run_id), console)
    if not found:
        say(f"run {run.run_id} has no failures")
    elif len(found) > limit:
        say(f"the first {limit}; see more with --limit N, or all with `llmkit runs export {run.run_id} --failed`")


def wrong(store: Store, run: RunRow, limit: int, *, as_json: bool) -> None:
    """List the samples that were answered wrongly, with what the scorers say of them."""
    found = list(itertools.islice(answered_wrongly(store, run), limit + 1))
    shown = [sample_result(outcome_of(sample, scores), run.run_id) for sample, scores in found[:limit]]
    if as_json:
        print_json(wrong_document(shown, run.run_id))
        return
    print_wrong(shown, out())
    if not found:
        say(f"run {run.run_id} has no wrong answers")
        return
    more = f"the first {limit}; see more with --limit N. " if len(found) > limit else ""
    say(f"{more}One in full: llmkit runs show {run.run_id} --sample {shlex.quote(shown[0].sample_id)}")


def one_sample(store: Store, run: RunRow, sample_id: str, form: str) -> None:
    """Show one sample in one of its forms."""
    sample, scores = sample_record(store, run, sample_id)
    if form == "json":
        print_json(record(run, sample, scores))
    elif form == "transcript":
        print_transcript(sample_result(outcome_of(sample, scores), run.run_id), out())
    else:
        print(curl(run, sample) if form == "curl" else test_case(sample))  # noqa: T201
