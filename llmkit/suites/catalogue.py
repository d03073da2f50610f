"""The suites that come with llmkit, and any suite in full: read, and nothing of their data fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from llmkit.catalogue import SuiteCard, SuiteEntry, VariantCard
from llmkit.documents import read_yaml, validate
from llmkit.prompts.source import read_source
from llmkit.samples import NeedleSource
from llmkit.suites.adapt import adapted
from llmkit.suites.builtin import builtin_suites
from llmkit.suites.few_shot import VARIABLE
from llmkit.suites.load import find_suite, load_suites
from llmkit.suites.spec import AboutSpec, HubData, SuiteSpec
from llmkit.suites.suite import Suite
from llmkit.suites.variants import with_variant
from llmkit.types import BadRow, Message

MODEL = "provider/model"
"""Where the model's name belongs in a command that is shown."""
FIRST_LIMIT = 50
"""Rows of the first try that is proposed: enough to see that all works, for little money."""


def entries() -> list[SuiteEntry]:
    """Return the suites that come with llmkit, by name.

    Raises:
        DocumentError: A file is wrong.
    """
    return [_entry(name, path) for name, path in builtin_suites().items()]


def card(
    ref: str,
    *,
    data: str | None = None,
    few_shot: int | None = None,
    few_shot_data: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> SuiteCard:
    """Return one suite in full.

    Args:
        ref: A built-in suite's name, or a file's path; ``:VARIANT`` behind it.
        data: A file, whose first row the prompt is shown with.
        few_shot: How many examples it is shown with.
        few_shot_data: A file that the examples come from.
        fields: Name → field or template: further fields of its rows.

    Raises:
        UnknownNameError: No such suite.
        DocumentError: It is wrong.
        DataError: The file has no row that can be shown.
    """
    path, variant = find_suite(ref)
    entry = _entry(ref, path, variant)
    suites = load_suites(ref, data=data)
    if variant is None and validate(SuiteSpec, read_yaml(path)).suites:
        return SuiteCard(
            entry,
            str(path),
            parts=tuple(_of(suite.spec, suite.name) for suite in suites),
            commands=(_run(ref, suites[0]),),
        )
    suite = adapted(suites[0], few_shot=few_shot, few_shot_data=few_shot_data, fields=fields)
    messages, row = _first(suite) if data is not None else ((), None)
    about, hub = suite.spec.about or AboutSpec(), suite.spec.data
    return SuiteCard(
        entry=entry,
        path=str(path),
        source=about.source,
        data=_data(suite),
        revision=hub.revision if isinstance(hub, HubData) else None,
        prompt_source=about.prompt,
        normalisation=about.normalisation,
        prompt=suite.spec.prompt or "messages",
        template=_template(suite),
        messages=messages,
        row=row,
        few_shot=_few_shot(suite),
        scorers={scorer.name: scorer.signature for scorer in suite.scorers},
        pass_k=suite.pass_k,
        epochs=suite.epochs,
        params={} if suite.spec.likelihood is not None else suite.params,
        compares={} if suite.spec.likelihood is None else suite.spec.likelihood.model_dump(exclude_none=True),
        slices=suite.slice_names,
        commands=tuple(_commands(ref, suite, entry)),
    )


def _entry(name: str, path: Path, variant: str | None = None) -> SuiteEntry:
    document = read_yaml(path)
    spec = validate(SuiteSpec, document)
    if variant is not None:
        return _of(validate(SuiteSpec, with_variant(document, variant)), name)
    variants = spec.variants or {}
    return _of(spec, name, [VariantCard(f"{name}:{each}", variants[each].description or "") for each in variants])


def _of(spec: SuiteSpec, name: str, variants: Sequence[VariantCard] = ()) -> SuiteEntry:
    about = spec.about or AboutSpec()
    return SuiteEntry(name, about.kind, about.rows, about.licence, spec.description or "", tuple(variants))


def _data(suite: Suite) -> str:
    data = suite.spec.data
    if not isinstance(data, HubData):
        return data if isinstance(data, str) else "made at run time"
    config = f"{len(data.config)} configurations" if isinstance(data.config, list) else data.config
    return "hf:" + "/".join(part for part in (data.hf, config, data.split) if part)


def _template(suite: Suite) -> str:
    if suite.prompt.path is not None:
        return read_source(suite.prompt.path).body.rstrip()
    return "\n\n".join(f"{message.role}:\n{message.content}" for message in suite.spec.messages or ())


def _first(suite: Suite) -> tuple[tuple[Message, ...], str | None]:
    """Render the first row that can be read."""
    suite.check()
    sample = next(each for each in suite.samples() if not isinstance(each, BadRow))
    return suite.render(sample.row), sample.where


def _few_shot(suite: Suite) -> str:
    spec = suite.spec.few_shot
    if spec is None or VARIABLE not in suite.prompt.variables:
        return ""
    data = spec.data
    of = "the suite's own rows, never the one that is asked"
    if isinstance(data, HubData):
        config = data.config if isinstance(data.config, str) else None
        of = "hf:" + "/".join(part for part in (data.hf, config, data.split) if part)
    elif isinstance(data, str):
        of = data
    same = f", of the same {spec.by}" if spec.by else ""
    number = f"{spec.count}" if spec.count else "none; --few-shot N shows some"
    return f"{number}, from {of}{same}"


def _run(ref: str, suite: Suite) -> str:
    return f"llmkit eval {quote(ref)}" + ("" if suite.model or suite.prompt.model else f" -m {MODEL}")


def _commands(ref: str, suite: Suite, entry: SuiteEntry) -> list[str]:
    run = _run(ref, suite)
    limit = f" --limit {FIRST_LIMIT}" if entry.rows is None or entry.rows > FIRST_LIMIT else ""
    more = [f"{run}{limit}"]
    if isinstance(suite.spec.data, HubData):
        more.append(f"{run} --data FILE")
    if isinstance(suite.source, NeedleSource) and suite.source.wants_model:
        more.append(f"{run} --tokenizer characters:4")
    if len(suite.pass_k) > 1:
        more.append(f"{run} --epochs {suite.pass_k[1]} -M temperature=0.8")
    more += [f"llmkit suites {quote(each.name)}" for each in entry.variants[:1]]
    return more
