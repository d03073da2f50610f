"""From a name or a path to suites."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from llmkit.config import project_root
from llmkit.documents import Document, confined, read_yaml, validate
from llmkit.errors import DocumentError, UnknownNameError, UsageError, nearest
from llmkit.prompts import Prompt, load_prompt, prompt_from_messages
from llmkit.providers.params import check_params
from llmkit.samples import Source, is_data, open_source
from llmkit.scoring import Scorer, check_names
from llmkit.shipped import shipped
from llmkit.suites.adapt import check_shown
from llmkit.suites.builtin import FOLDER, builtin_suites
from llmkit.suites.form import Form, form_of
from llmkit.suites.gating import gating
from llmkit.suites.scorers import build
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.suite import Suite
from llmkit.suites.validity import entries_of
from llmkit.suites.variants import split_ref, with_variant

BUILTIN = "builtin:"
SUITES = "suites"
"""Folder of a project's suites, where ``llmkit init`` makes the first."""
PROMPT_ENDINGS = (".prompty", ".md")
_YAML = (".yaml", ".yml")
OWN_FILES = "A suite may name files of its own folder and of its project (where llmkit.toml lies)"


def load_suites(ref: str, *, data: str | None = None, root: Path | None = None) -> list[Suite]:
    """Load a suite, a variant of one, or all those that a file lists; each once, in order.

    Args:
        ref: A built-in suite's name, or a file's path; with ``:VARIANT`` behind it, that variant of the suite.
        data: A file that replaces the suite's data; it may lie anywhere.
        root: The folder that files named in suites must lie in; by default the project's (``llmkit.toml``, else the
            git repository), else the current folder.

    Raises:
        UnknownNameError: No such suite, or no such variant of it.
        DocumentError: The file, or one that it names, is wrong.
    """
    suites = [_suite(one, data=data, root=root) for one in _flat(find_suite(ref), root, [], set())]
    if data is not None and len(suites) > 1:
        raise UsageError(f"--data replaces the data of one suite, and {ref} lists {len(suites)}")
    check_suite_names(suites)
    return suites


def check_suite_names(suites: Iterable[Suite]) -> None:
    """Refuse suites that share a name: results and ``--resume`` tell suites apart by it.

    Raises:
        UsageError: Naming both files.
    """
    seen: dict[str, Suite] = {}
    for suite in suites:
        if (other := seen.setdefault(suite.name, suite)) is not suite:
            one, two = (str(s.path) if s.path else "one made in Python" for s in (other, suite))
            both = f"{one} is named twice" if one == two else f"two suites are called {suite.name!r}: {one} and {two}"
            hint = "Once is enough; for more answers a row there is --epochs"
            raise UsageError(both, hint=hint if one == two else "Give one of them another name")


class Named(NamedTuple):
    """What a user or a file names: a file, and which variant of the suite in it."""

    path: Path
    variant: str | None = None


class _Read(NamedTuple):
    """A suite's file as read, with what its variant says in place of what the suite says."""

    document: Document
    spec: SuiteSpec
    variant: str | None


def find_suite(ref: str) -> Named:
    """Find what a user named: a built-in suite first, so that no file changes what its name means.

    A file whose name holds a colon is that file; only where there is none, what follows the colon is a variant.

    Raises:
        UnknownNameError: There is neither.
        UsageError: It is data or a prompt.
    """
    known = builtin_suites()
    if ref in known:
        return Named(known[ref])
    parts = None if Path(ref).expanduser().is_file() else split_ref(ref)
    if parts is not None and (parts[0] in known or Path(parts[0]).expanduser().is_file()):
        return Named(find_suite(parts[0]).path, parts[1])
    path = Path(ref).expanduser()
    if path.is_file():
        if is_data(path):
            hint = f"Name a suite and give it these rows: llmkit eval SUITE --data {shlex.quote(ref)}"
            raise UsageError("this is data, not a suite", where=ref, hint=hint)
        if path.suffix in PROMPT_ENDINGS:
            hint = f"Write a suite with the line prompt: {path.name}, or look at it with llmkit prompt show"
            raise UsageError("this is a prompt, not a suite", where=ref, hint=hint)
        return Named(path)
    names = [*known, *_nearby(path)]
    raise UnknownNameError("suite", ref, names, hint=_nearest(parts[0] if parts else ref, names))


def _nearby(path: Path) -> Iterator[str]:
    """Yield what may be meant: files beside it, and those of the project's folder of suites, as they would be typed."""
    folder = path.parent if path.parent.is_dir() else Path()
    root = project_root(Path.cwd()) or Path.cwd()
    own = Path(os.path.relpath(root / SUITES))
    for each in [folder] if own.resolve() == folder.resolve() else [folder, own]:
        yield from (str(near) for near in sorted(each.glob("*")) if near.suffix in _YAML)


def _nearest(ref: str, names: list[str]) -> str:
    """A name whose file was meant is near, too: ``arithmetic`` → ``suites/arithmetic.yaml``."""
    stems = [name for name in names if Path(name).stem == Path(ref).stem]
    return nearest(stems[0], stems) if stems else nearest(ref, names)


def _flat(named: Named, root: Path | None, way: list[Path], seen: set[Named]) -> Iterator[_Read]:
    """Yield the file itself, or those that it lists, to any depth; each variant of a file once."""
    path = named.path
    seen.add(Named(path.resolve(), named.variant))
    document = read_yaml(path)
    spec = validate(SuiteSpec, document)
    if spec.suites is None or named.variant is not None:
        yield _variant(document, spec, named.variant)
        return
    way = [*way, path.resolve()]
    for position, name in enumerate(spec.suites):
        where = document.where("suites", position)
        listed = _listed(name, path, root, where)
        real = listed.path.resolve()
        if real in way:
            circle = " → ".join(each.name for each in [*way[way.index(real) :], listed.path])
            raise DocumentError(f"suites in a circle: {circle}", where=where)
        if Named(real, listed.variant) not in seen:
            yield from _flat(listed, root, way, seen)


def _variant(document: Document, spec: SuiteSpec, name: str | None) -> _Read:
    if name is None:
        return _Read(document, spec, None)
    document = with_variant(document, name)
    return _Read(document, validate(SuiteSpec, document), name)


def _listed(name: str, path: Path, root: Path | None, where: str) -> Named:
    """Find a suite that another one lists: a built-in name, a path, or the stem of a file beside it."""
    known = builtin_suites()
    beside = [near for near in sorted(path.parent.iterdir()) if near.suffix in _YAML]
    for each, variant in ((name, None), split_ref(name) or (name, None)):
        if each in known:
            return Named(known[each], variant)
        for candidate in (each, *(f"{each}{suffix}" for suffix in _YAML)):
            found = confined(candidate, base=path.parent, roots=_roots(path, root), where=where, hint=OWN_FILES)
            if found.is_file():
                return Named(found, variant)
    names = [*known, *(near.name if Path(name).suffix in _YAML else near.stem for near in beside)]
    raise UnknownNameError("suite", name, names, where=where, hint=_nearest(name, names))


def _roots(path: Path, root: Path | None) -> list[Path]:
    """Folders that a suite's files may lie in, besides its own."""
    folder = path.parent.resolve()
    if root is not None:
        return [root]
    if folder.is_relative_to(FOLDER):
        return [FOLDER]
    found = project_root(folder)
    if found is not None:
        return [found]
    here = Path.cwd()
    return [here] if folder.is_relative_to(here) else []


def _suite(read: _Read, *, data: str | None, root: Path | None) -> Suite:
    document, spec, variant = read
    path = document.path
    if path is None or spec.data is None:
        raise DocumentError("a suite is a file with data", where=document.where())
    roots = _roots(path, root)
    source = open_source(
        spec.data if isinstance(spec.data, str) else spec.data.model_dump(exclude_unset=True),
        base=path.parent,
        override=data,
        roots=roots,
        where=document.where("data"),
    )
    prompt = prompt_of(document, spec, path, roots)
    check_params(prompt.params, where=str(prompt.path or document.where("messages")))
    form = form_of(spec, prompt, folder=path.parent, roots=tuple(roots), document=document)
    name = spec.name or path.stem
    suite = Suite(
        name=name if variant is None else f"{name}:{variant}",
        path=path,
        spec=spec,
        prompt=prompt,
        source=source,
        scorers=scorers_of(document, spec, form, roots=roots),
        document=document,
        form=form,
        variant=variant,
        shots=shots_of(document, spec, path, roots),
    )
    check_shown(suite)
    suite.slice_names, suite.likelihood  # noqa: B018 - compiled now, so that a wrong template is said at loading
    gating(suite)
    return suite


def shots_of(document: Document, spec: SuiteSpec, path: Path, roots: Sequence[Path]) -> Source | None:
    """Open the data set that a suite's examples come from; None: they are its own rows.

    Raises:
        DocumentError: It is not where a suite's data may lie, or of a format that is not read.
    """
    if spec.few_shot is None or spec.few_shot.data is None:
        return None
    data = spec.few_shot.data
    return open_source(
        data if isinstance(data, str) else data.model_dump(),
        base=path.parent,
        option="--few-shot-data",
        roots=roots,
        where=document.where("few_shot", "data"),
    )


def prompt_of(
    document: Document,
    spec: SuiteSpec,
    path: Path,
    roots: Sequence[Path],
    *,
    named: Callable[[Path], Path] = lambda file: file,
) -> Prompt:
    """Load what a suite asks.

    Args:
        document: The suite's file as read, for the lines of its fields.
        spec: What it says.
        path: The file; a prompt is named from its folder on.
        roots: Further folders that a prompt may lie in.
        named: As in ``load_prompt``.

    Raises:
        DocumentError: The prompt is wrong, or not where a suite's prompt may lie.
    """
    if spec.messages is not None:
        return prompt_from_messages(
            [message.model_dump() for message in spec.messages], where=document.where("messages")
        )
    name, where = spec.prompt or "", document.where("prompt")
    if name.startswith(BUILTIN):
        return load_prompt(_shipped(name.removeprefix(BUILTIN), where))
    file = confined(name, base=path.parent, roots=roots, where=where, hint=OWN_FILES)
    if file.suffix not in PROMPT_ENDINGS:  # a stranger's suite shall not send .env to a model
        raise DocumentError(
            f"{name!r} is no prompt file", where=where, hint=f"Its ending is {' or '.join(PROMPT_ENDINGS)}"
        )
    if not file.is_file():
        beside = file.parent.iterdir() if file.parent.is_dir() else ()
        near = nearest(file.name, [each.name for each in beside if each.suffix in PROMPT_ENDINGS])
        raise DocumentError(f"no prompt file {str(file)!r}", where=where, hint=near)
    return load_prompt(file, named=named)


def _shipped(name: str, where: str) -> Path:
    """Find one of llmkit's own prompts, with or without its ending."""
    try:
        return shipped("prompts", name if name.endswith(".prompty") else f"{name}.prompty")
    except UnknownNameError as error:
        raise UnknownNameError("shipped prompt", name, error.known, where=where) from None


def scorers_of(
    document: Document, spec: SuiteSpec, form: Form | None = None, *, roots: Sequence[Path] = ()
) -> tuple[Scorer, ...]:
    """Build a suite's scorers, and those that its form brings.

    Args:
        document: The suite's file as read.
        spec: What it says.
        form: Its form.
        roots: Folders that a judge may lie in, besides the suite's own.

    Raises:
        DocumentError: One is wrong, or two have the same name.
    """

    def where(position: int) -> str:
        return document.where("scorers", position)

    folder = document.path.parent if document.path else None
    scorers = tuple(
        build(entry, where(position), folder=folder, roots=roots)
        for position, entry in enumerate(entries_of(spec.scorers or [], form))
    )
    check_names(scorers, where)
    return scorers
