"""From a judge's name, or its file, to a judge that can be asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llmkit.config import Settings, load_settings, project_root, resolve_params
from llmkit.documents import Document, confined, read_text, read_yaml, validate
from llmkit.errors import DocumentError, UnknownNameError, UsageError, nearest
from llmkit.judges.judge import Example, Judge
from llmkit.judges.kinds import CANNOT_TELL, Scale, scale_of
from llmkit.judges.lock import Lock, file_digest, lock_path, read_lock
from llmkit.judges.spec import NAME, JudgeSpec, MethodSpec
from llmkit.prompts import Prompt, load_prompt
from llmkit.providers.base import ModelRef
from llmkit.providers.params import split
from llmkit.providers.registry import normalise, options_of
from llmkit.text import one_line

FOLDER = "judges"
"""Folder of a project's judges."""
ENDING = ".yaml"
PROMPTS, GUIDELINES = (".prompty", ".md"), (".md", ".markdown")
OWN_FILES = "A judge may name files of its own project (where llmkit.toml lies)"
WRITE_IT = "Write what a good answer is, and what a bad one"
AGAIN = "Measure it again: llmkit judge calibrate {name}; or remove {lock}, and the judge is as its file says"


def load_judge(
    ref: str,
    *,
    settings: Settings | None = None,
    folder: Path | None = None,
    roots: Sequence[Path] = (),
    where: str | None = None,
    locked: bool = True,
) -> Judge:
    """Load a judge.

    Where it has a lock, it is asked as it was measured: the lock's model, parameters, prompt, method and examples go
    before the file's. A file that was edited since is another judge, and is asked as it says; its lock is then stale.

    Args:
        ref: Its name, looked up as ``judges/NAME.yaml`` from ``folder`` upwards to the project's root; or a path.
        settings: Of the project; those of the judge's folder by default.
        folder: Of whoever names it; the current one by default.
        roots: Further folders that a path, and the judge's files, may lie in.
        where: ``path:line`` of the file that names it; a path is then confined to ``folder`` and ``roots``.
        locked: Whether its lock holds; without, the file's own settings do.

    Raises:
        UnknownNameError: No such judge; with the nearest.
        DocumentError: Its file, or one that it names, is wrong; its lock cannot be relied on.
        UsageError: Its model cannot be meant.
    """
    path = _find(ref, folder or Path(), roots, where)
    if not path.is_file():
        raise _orphan(path, where)
    document = read_yaml(path)
    spec = validate(JudgeSpec, document)
    if spec.name != path.stem:
        raise DocumentError(
            f"the judge is called {spec.name!r} and its file {path.name!r}", where=document.where("name"),
            hint=f"Write name: {path.stem}, or call the file {spec.name}{ENDING}",
        )  # fmt: skip
    lock = _lock(path, spec.name) if locked else None
    holds = lock if lock is not None and _unchanged(path, lock) else None
    settings = settings or load_settings(path.parent)
    scale = _scale(spec, document)
    criterion_path, criterion = _criterion(spec, document, path, roots)
    prompt = _prompt(spec, document, path, roots, holds)
    check_prompt(prompt, scale)
    method = spec.method if holds is None else _method(holds, path)
    judge = Judge(
        name=spec.name,
        path=path,
        spec=spec,
        scale=scale,
        criterion=criterion,
        criterion_path=criterion_path,
        prompt=prompt,
        model=_model(spec, document, prompt, settings, holds),
        method=method,
        threshold=None if holds is None else holds.threshold,
        document=document,
        lock=lock,
    )
    return judge if holds is None or not holds.chosen.few_shot else replace(judge, examples=_examples(judge, holds))


def judge_path(ref: str, *, folder: Path | None = None, roots: Sequence[Path] = ()) -> Path:
    """Return the file of a judge that is named as for :func:`load_judge`, without reading it.

    Where a lock alone is left of a judge, the file that its definition was.

    Raises:
        UnknownNameError: No such judge, and no such lock; with the nearest.
    """
    return _find(ref, folder or Path(), roots, None)


def find_judges(root: Path) -> list[Path]:
    """Return the files of a project's judges, sorted by name: those of ``judges/`` that say what a judge says.

    One that is no YAML counts: whoever loads it is told.
    """
    found = []
    for path in sorted((root / FOLDER).glob(f"*{ENDING}")):
        try:
            said = read_yaml(path).data
        except DocumentError:
            found.append(path)
        else:
            if {"criterion", "kind"} & said.keys():  # a grid of a search may lie beside it
                found.append(path)
    return found


def _find(ref: str, folder: Path, roots: Sequence[Path], where: str | None) -> Path:
    """Find what is meant: a path where it looks like one, else a name."""
    if "/" not in ref and not ref.endswith((ENDING, ".yml")):
        return _named(ref, folder, roots, where)
    if where is None:
        path = folder / Path(ref).expanduser()
    else:
        path = confined(ref, base=folder, roots=roots, where=where, hint=OWN_FILES)
    if path.is_file() or (path.suffix == ENDING and lock_path(path).is_file()):
        return path
    beside = [str(near) for near in sorted(path.parent.glob(f"*{ENDING}"))] if path.parent.is_dir() else []
    names = [*beside, *(near.stem for each in _upward(folder, roots) for near in find_judges(each))]
    stems = [near for near in names if Path(near).stem == path.stem]
    raise UnknownNameError("judge", ref, names, where=where, hint=nearest(stems[0], stems) if stems else None)


def _orphan(path: Path, where: str | None) -> DocumentError:
    lock = lock_path(path)
    return DocumentError(
        f"the definition {path.name} is missing: {lock} is a lock without its definition", where=where,
        hint=f"Restore {path.name}, as from git, or remove the lock",
    )  # fmt: skip


def _named(name: str, folder: Path, roots: Sequence[Path], where: str | None) -> Path:
    folders = _upward(folder, roots)
    if re.fullmatch(NAME, name):
        paths = [each / FOLDER / f"{name}{ENDING}" for each in folders]
        for found in (*paths, *map(lock_path, paths)):
            if found.is_file():
                return found.with_suffix(ENDING)
    known = {path.stem for each in folders for path in find_judges(each)}
    hint = None if known else f"There are none in {FOLDER}/; make one: llmkit judge new {one_line(name, 40)}"
    raise UnknownNameError("judge", name, known, where=where, hint=hint)


def _upward(folder: Path, roots: Sequence[Path]) -> list[Path]:
    """Folders that may hold ``judges/``: from here up to the project's root, the nearest first, and further ones."""
    here = folder.resolve()
    top = project_root(folder) or (here.parent if here.name == FOLDER else here)
    upward = [each for each in (here, *here.parents) if each.is_relative_to(top)]
    return [_shown(each) for each in dict.fromkeys([*upward, *(root.resolve() for root in roots)])]


def _shown(path: Path) -> Path:
    """Shorten to what a user in the current folder would type."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _roots(path: Path, roots: Sequence[Path]) -> list[Path]:
    """Folders that a judge's files may lie in, besides its own: its project, and that which holds ``judges/``."""
    folder = path.parent.resolve()
    top = project_root(folder) or (folder.parent if folder.name == FOLDER else None)
    return [*roots, *([top] if top is not None else [])]


def _scale(spec: JudgeSpec, document: Document) -> Scale:
    """Return the judge's words; they must differ from each other, and from ``cannot_tell``, however they are read."""
    scale = scale_of(spec)
    seen: dict[str, str] = {"".join(CANNOT_TELL.split()).casefold(): CANNOT_TELL}
    for word in scale.labels:
        where = document.where("kind", "choices", word)
        if word != one_line(word).strip() or '"' in word or "\\" in word:
            hint = "Leave out spaces around it, line ends, quotation marks and backslashes"
            raise DocumentError(f"the choice {word!r} cannot be told from others by a reader", where=where, hint=hint)
        if (other := seen.setdefault(word.casefold(), word)) != word:
            what = f"the choices {other!r} and {word!r} differ in case alone"
            if other == CANNOT_TELL:
                what = f"the choice {word!r} is what any judge may say instead of a verdict"
            raise DocumentError(what, where=where, hint="Give it another name")
        if word == CANNOT_TELL:
            raise DocumentError(
                f"the choice {word!r} is what any judge may say instead of a verdict", where=where,
                hint="Leave it out: it is always among the answers, and counted apart",
            )  # fmt: skip
    return scale


def _file(name: str, path: Path, roots: Sequence[Path], where: str, endings: Sequence[str], what: str) -> Path:
    """Find a file that a judge names.

    Raises:
        DocumentError: It lies elsewhere, is of another sort, or is not there.
    """
    file = confined(name, base=path.parent, roots=_roots(path, roots), where=where, hint=OWN_FILES)
    if file.suffix not in endings:  # a stranger's judge shall not send .env to a model
        raise DocumentError(f"{name!r} is no {what}", where=where, hint=f"Its ending is {' or '.join(endings)}")
    if not file.is_file():
        beside = file.parent.iterdir() if file.parent.is_dir() else ()
        near = nearest(file.name, [each.name for each in beside if each.suffix in endings])
        raise DocumentError(f"no {what} {str(file)!r}", where=where, hint=near)
    return file


def _criterion(spec: JudgeSpec, document: Document, path: Path, roots: Sequence[Path]) -> tuple[Path, str]:
    file = _file(spec.criterion, path, roots, document.where("criterion"), GUIDELINES, "guideline")
    text = read_text(file).strip()
    if not text:
        raise DocumentError("the guideline is empty", where=str(file), hint=WRITE_IT)
    return file, text


def _prompt(spec: JudgeSpec, document: Document, path: Path, roots: Sequence[Path], lock: Lock | None) -> Prompt:
    name, where = spec.prompt, document.where("prompt")
    if lock is not None:
        name, where = lock.chosen.prompt, str(lock_path(path))
    return load_prompt(_file(name, path, roots, where, PROMPTS, "prompt file"))


def check_prompt(prompt: Prompt, scale: Scale) -> None:
    """Make sure that the prompt shows what is to be judged, and by what.

    Raises:
        DocumentError: It does not use a variable that it cannot do without.
    """
    data = ("a", "b") if scale.kind == "pairwise" else ("answer",)
    for name in (*data, "criterion"):
        if name in prompt.variables:
            continue
        kind = "compares a with b" if scale.kind == "pairwise" else "looks at one answer"
        hint = f"A judge of this kind {kind}. Write {{{{ {name} }}}} where it belongs"
        raise DocumentError(f"the prompt does not show the judge {name!r}", where=prompt.where(), hint=hint)


def _model(spec: JudgeSpec, document: Document, prompt: Prompt, settings: Settings, lock: Lock | None) -> ModelRef:
    """Say which model is asked, with which parameters: the lock's, else llmkit.toml < prompt < definition."""
    where = document.where("model")
    if "://" in spec.model:  # it may be a stranger's, and the API key would go there
        raise DocumentError(
            f"a judge may not name a server: {spec.model!r}", where=where, hint="Give it an alias in llmkit.toml"
        )
    own = spec.params.model_dump(exclude_none=True) if spec.params is not None else {}
    if lock is None:
        ref = _resolved(spec.model, settings, where)
        at = str(prompt.path)
        merged, _ = resolve_params(
            {}, own, prompt.params, settings, spec.model, suite_where=document.where("params"), prompt_where=at
        )
        params, options = split(merged, options_of(ref.provider), where=where)
        return ModelRef(ref.name, params, {**ref.options, **options}, ref.alias)
    chosen = lock.chosen
    ref = _server_of(chosen.model, spec.model, settings, f"{lock_path(Path(str(document.path)))}")
    merged, _ = resolve_params({}, {}, {}, settings, ref.alias or chosen.model)
    _, options = split(merged, options_of(ref.provider), where=where)
    return ModelRef(ref.name, dict(chosen.params), {**ref.options, **options}, ref.alias)


def _resolved(name: str, settings: Settings, where: str) -> ModelRef:
    try:
        model = settings.resolve_alias(name, where=where)
        return normalise(ModelRef(model, alias=None if model == name else name))
    except UsageError as error:
        error.where = error.where or where
        raise


def _server_of(chosen: str, named: str, settings: Settings, where: str) -> ModelRef:
    """Return a locked model with the server that the project knows for it.

    A lock holds no URL: the alias does, in llmkit.toml, that the judge's file or the search named it by.
    """
    for alias in (named, *settings.aliases):
        try:
            ref = _resolved(alias, settings, where)
        except UsageError:  # of the file's own model, or of an alias, which the lock has nothing to do with
            continue
        if ref.name == chosen:
            return ref
    return _resolved(chosen, settings, where)


def _lock(path: Path, name: str) -> Lock | None:
    """Read a judge's lock, which says how it is asked.

    Raises:
        DocumentError: It cannot be relied on, and to ask otherwise than it says would be another judge.
    """
    file = lock_path(path)
    hint = AGAIN.format(name=name, lock=file.name)
    try:
        lock = read_lock(file)
    except DocumentError as error:
        error.hint = hint if "later llmkit" not in error.message else error.hint
        raise
    if lock is not None and lock.judge != name:
        raise DocumentError(f"this is the lock of the judge {lock.judge!r}", where=str(file), hint=hint)
    return lock


def _unchanged(path: Path, lock: Lock) -> bool:
    """Whether a judge's file is, byte for byte, what was measured."""
    return lock.files.get("definition", "").rpartition(" ")[2] == file_digest(path)


def _method(lock: Lock, path: Path) -> MethodSpec:
    document = Document(lock_path(path), dict(lock.chosen.method))
    try:
        return validate(MethodSpec, document)
    except DocumentError as error:
        error.hint = AGAIN.format(name=lock.judge, lock=lock_path(path).name)
        raise


def _examples(judge: Judge, lock: Lock) -> tuple[Example, ...]:
    """Return the labelled items that were in the prompt when it was measured.

    Raises:
        DocumentError: One of them is not among the labels any more, or has no label.
    """
    from llmkit.judges.labels import read_labels

    known = {item.subject.id: item for item in read_labels(judge).items}
    found = []
    for id in lock.chosen.few_shot:
        item = known.get(id)
        if item is None or item.label is None:
            raise DocumentError(
                f"the locked example {id!r} has no label any more", where=str(lock_path(judge.path)),
                hint=AGAIN.format(name=judge.name, lock=lock_path(judge.path).name),
            )  # fmt: skip
        found.append(Example(item.subject, item.label))
    return tuple(found)
