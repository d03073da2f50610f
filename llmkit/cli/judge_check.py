"""``llmkit judge check``: whether judges still are what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmkit.cli.complete import complete_judge
from llmkit.cli.options import Concurrency, Json, MaxCost, StoreFolder
from llmkit.errors import LlmkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmkit.calibration.work import WorkOptions
    from llmkit.judgements import Check
    from llmkit.types import JudgeStatus, Totals

EXIT: dict[JudgeStatus, int] = {"calibrated": 0, "uncalibrated": 3, "provisional": 3, "refused": 1, "stale": 4}
"""As ``judge calibrate`` ends; and 4 where something is not as it was locked, which no option softens."""
_WORST = (4, 1, 3, 0)


def check(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A judge: judges/NAME.yaml, or a path. Without it all of the project.",
            metavar="[NAME]",
            autocompletion=complete_judge,
            show_default=False,
        ),
    ] = None,
    rerun_anchors: Annotated[
        bool,
        typer.Option(
            "--rerun-anchors", help="Also ask the lock's anchors again, without the cache, and test for drift."
        ),
    ] = False,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    json: Json = False,
    store: StoreFolder = None,
) -> int:
    """Check judges against their locks: files, model, parser, age. Makes no call without --rerun-anchors.

    Exit codes: 0 calibrated and as locked; 4 something is not as it was, and is named; 1 refused; 3 provisional or not
    calibrated. Of several judges the worst counts; one without a lock only where a suite of the project names it.
    """
    from llmkit.calibration.work import WorkOptions
    from llmkit.cli.console import out, print_json
    from llmkit.judgements import Check
    from llmkit.reports.judge_check import checks_document, print_checks

    if not rerun_anchors and (max_cost is not None or concurrency is not None or store is not None):
        raise UsageError("--max-cost, --concurrency and --store are for --rerun-anchors: nothing else is asked")
    options = WorkOptions(max_cost=max_cost, concurrency=concurrency, store=store) if rerun_anchors else None
    files, bare = _files(name)
    checks, paid = _checked(files, options)
    unused = _unused(bare)
    checks = sorted([*checks, *(Check(path.stem, "uncalibrated", None) for path in bare)], key=lambda each: each.judge)
    if json:
        print_json(checks_document(checks, paid, unused=unused))
    else:
        print_checks(checks, out(), paid)
    codes = {EXIT[found.status] for found in checks if found.judge not in unused}
    return next((code for code in _WORST if code in codes), 0)


def _files(name: str | None) -> tuple[list[Path], list[Path]]:
    """Return the judges to check, and those that have no lock to be checked against."""
    from llmkit.judges.card import all_files
    from llmkit.judges.load import judge_path
    from llmkit.judges.lock import lock_path

    if name is not None:
        return [judge_path(name)], []
    found = all_files()
    if not found:
        raise UsageError("there are no judges here", hint="Make one: llmkit judge new NAME")
    bare = [path for path in found if not lock_path(path).exists()]
    return [path for path in found if path not in bare], bare


def _unused(bare: Sequence[Path]) -> set[str]:
    """Return which judges without a lock no suite of the project names; of the others, say which suite does."""
    from llmkit.cli.console import say
    from llmkit.judges.card import judges_root
    from llmkit.suites.judged import judges_named

    named = judges_named(judges_root()) if bare else {}
    for path in bare:
        if where := named.get(path.resolve()):
            say(f"{where}: the judge {path.stem!r} has no lock. Measure it: llmkit judge calibrate {path.stem}")
    return {path.stem for path in bare if path.resolve() not in named}


def _checked(files: Sequence[Path], options: WorkOptions | None) -> tuple[list[Check], Totals | None]:
    from llmkit.judges.check import check_file

    if options is None or not files:
        return [check_file(path)[0] for path in files], None
    return _rerun(files, options)


def _rerun(files: Sequence[Path], options: WorkOptions) -> tuple[list[Check], Totals]:
    from llmkit.calibration.anchors import check_anchors
    from llmkit.cli.console import say
    from llmkit.cli.judging import Watching
    from llmkit.judges.check import check_file
    from llmkit.runs.evaluate import run_async
    from llmkit.types import summed

    found = [check_file(path) for path in files]
    checks, bills = [check for check, _ in found], []
    try:
        with Watching(cache=False) as watching:
            for number, (_, judge) in enumerate(found):
                if judge is not None:
                    checks[number], paid = run_async(check_anchors(judge, options, told=watching.told))
                    bills.append(paid)
    except LlmkitError as error:
        if not any(check.stale for check in checks):
            raise
        say(str(error))  # what was found stands, and decides
    return checks, summed(bills)
