"""What the shell offers when Tab is pressed. It has nowhere to show an error, so where one comes nothing is offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from llmkit.errors import LlmkitError

if TYPE_CHECKING:
    from llmkit.runs.rows import RunRow

RECENT = 50
"""Runs that are looked at."""
_YAML = frozenset({".yaml", ".yml"})


def complete_run(incomplete: str) -> list[str]:
    """Offer the ids of stored runs."""
    return _starting(["latest", *(run.run_id for run in _recent())], incomplete)


def complete_suite(incomplete: str) -> list[str]:
    """Offer built-in suites and the YAML files of the folder that is being typed and of the folders in it.

    After a colon, the variants of the suite before it.
    """
    from llmkit.suites.builtin import builtin_suites

    known = builtin_suites()
    return _starting([*known, *_files(incomplete), *_variants(incomplete, known)], incomplete)


def complete_stored_suite(incomplete: str) -> list[str]:
    """Offer the suites of stored runs."""
    return _starting([run.suite for run in _recent()], incomplete)


def complete_model(incomplete: str) -> list[str]:
    """Offer the project's models and aliases, those of earlier runs, and the built-in providers."""
    from llmkit.config import load_settings
    from llmkit.providers.registry import BUILT_IN

    try:
        settings = load_settings()
        named = [*settings.aliases, *settings.models, *([settings.model] if settings.model else [])]
    except LlmkitError:
        named = []
    return _starting(
        [
            *named,
            *(run.model for run in _recent() if "predictions" not in run.about),
            *(f"{name}/" for name in BUILT_IN),
        ],
        incomplete,
    )


def complete_metric(ctx: typer.Context, incomplete: str) -> list[str]:
    """Offer the metrics of the suites that stand on the command line already; where none does, of all scorers."""
    from llmkit.suites.load import load_suites

    names: list[str] = []
    for ref in ctx.params.get("suites") or ctx.args:  # an option that lacks its value leaves arguments unparsed
        try:
            names += [scorer.name for suite in load_suites(ref) for scorer in suite.scorers]
        except LlmkitError:
            continue
    return [f"{name}=" for name in _starting(names or complete_scorer(""), incomplete)]


def complete_scorer(incomplete: str) -> list[str]:
    """Offer the scorers that are installed, and the project's judges."""
    from llmkit.scoring.registry import known

    return _starting([*known(), *(f"judge:{name}" for name in complete_judge(""))], incomplete)


def complete_judge(incomplete: str) -> list[str]:
    """Offer the judges of the folder ``judges`` of this folder, or of the nearest one above that has some."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        try:
            names = sorted(path.stem for path in (folder / "judges").glob("[!.]*.yaml"))
        except OSError:
            return []
        if names:
            return _starting(names, incomplete)
    return []


def complete_format(incomplete: str) -> list[str]:
    """Offer formats with their colon, and after it the files of the folder that is being typed."""
    from llmkit.structured.registry import known

    name, colon, argument = incomplete.partition(":")
    if not colon:
        return _starting([f"{each}:" for each in known()], incomplete)
    return [f"{name}:{path}" for path in _starting(list(_any_files(argument)), argument)]


def complete_sandbox(incomplete: str) -> list[str]:
    """Offer the sandboxes that programs can run in."""
    from llmkit.sandbox.choose import AUTO, known

    return _starting([AUTO, *known()], incomplete)


def complete_strategy(incomplete: str) -> list[str]:
    """Offer the ways that a form can be obtained."""
    from llmkit.structured.strategy import STRATEGIES

    return _starting(list(STRATEGIES), incomplete)


def complete_strategies(incomplete: str) -> list[str]:
    """Offer one more strategy for a list with commas; each is compared once."""
    before, comma, last = incomplete.rpartition(",")
    named = before.split(",")
    return [f"{before}{comma}{name}" for name in complete_strategy(last) if name != "auto" and name not in named]


def complete_feedback(incomplete: str) -> list[str]:
    """Offer what a further attempt may see."""
    return _starting(["last", "all", "fresh"], incomplete)


def complete_validator(incomplete: str) -> list[str]:
    """Offer the validators that are installed, and the project's judges."""
    from llmkit.structured.validators import known

    judges = [f"judge:{name}" for name in complete_judge("")]
    return _starting([*(name for name in known() if name != "judge"), *judges], incomplete)


def _variants(incomplete: str, known: Mapping[str, Path]) -> list[str]:
    from llmkit.documents import read_yaml
    from llmkit.suites.variants import variant_names

    base, colon, _ = incomplete.rpartition(":")
    path = known.get(base, Path(base))
    try:
        names = variant_names(read_yaml(path).data) if colon and path.is_file() else []
    except (LlmkitError, OSError):
        return []
    return [f"{base}:{name}" for name in names]


def _starting(names: list[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _folder(incomplete: str) -> Path:
    typed = incomplete.rpartition("/")[0]
    return Path(f"{typed}/" if typed or incomplete.startswith("/") else ".")


def _any_files(incomplete: str) -> Iterator[str]:
    try:
        for path in sorted(_folder(incomplete).glob("[!.]*")):
            yield f"{path}/" if path.is_dir() else str(path)
    except OSError:
        return


def _files(incomplete: str) -> Iterator[str]:
    folder = _folder(incomplete)
    try:
        for path in sorted([*folder.glob("*"), *folder.glob("[!.]*/*")]):
            if path.suffix in _YAML and not path.name.startswith("."):
                yield str(path)
    except OSError:
        return  # a folder that may not be read has nothing to offer


def _recent() -> list[RunRow]:
    from llmkit.cli.opening import open_store

    try:
        with open_store(None) as store:
            return store.runs(limit=RECENT)
    except LlmkitError:
        return []
