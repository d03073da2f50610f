"""What is asked otherwise: the prompt, the model, its parameters. Compared by what they mean, never by their text."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llmkit.canonical import canonical
from llmkit.gate.lines import Stretches, field_lines, said, within
from llmkit.gate.sides import Files, Side
from llmkit.prompts.source import read_source
from llmkit.providers.registry import public
from llmkit.suites.form import Form
from llmkit.text import one_line, shorten
from llmkit.verdicts import Change, How

Kind = Literal["suite", "prompt", "config"]


def prompt_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the prompts' own parts differ: templates, included files, inputs. Moved alone, they ask the same."""
    same = head.suite.prompt.template_fingerprint == base.suite.prompt.template_fingerprint
    moved = head.prompt != base.prompt
    # Where both are files, the change's two paths say it.
    ways = "" if head.prompt is not None and base.prompt is not None else f"{_name(base)} → {_name(head)}"
    if same:
        if moved:
            yield Change("prompt", "renamed", head.prompt or head.path, ways, old_path=base.prompt, asks=False)
        return
    if head.prompt is None:
        yield _messages(head, base, files, ways if moved else "the messages changed")
        return
    parts = list(_changed_files(head, head.prompt, base.prompt, files))
    if not parts or (moved and parts[0].path != head.prompt):
        parts.insert(0, Change("prompt", "changed", head.prompt, "", old_path=base.prompt if moved else None))
    for change in parts:
        detail = ways if change.path == head.prompt and moved else f"{change.how}{said(change.lines)}"
        yield Change("prompt", change.how, change.path, detail, old_path=change.old_path, lines=change.lines)


def _changed_files(head: Side, path: str, old: str | None, files: Files) -> Iterator[Change]:
    """Yield the prompt's file and those that it includes, as far as their texts differ."""
    own = (file for file in map(files.repository.path_of, head.suite.prompt.files) if file is not None)
    for each in (path, *own):
        before = old if each == path else _counterpart(each, path, old, files)
        if before is not None and files.same(each, before):
            continue
        if before is None or not files.has(before):
            yield Change("prompt", "added", each, "")
            continue
        how: How = "renamed" if each != before and _took_its_place(each, before, files) else "changed"
        lines = files.changed_lines(each, before)
        if each == path and (model := _model_lines(files, path)):
            lines = tuple((low, high) for low, high in lines if low < model[0] or high > model[1])
        yield Change("prompt", how, each, "", old_path=before if before != each else None, lines=lines)


def _counterpart(path: str, prompt: str, old: str | None, files: Files) -> str | None:
    """Where an included file was at base: in its place, or as far from the prompt as it is now."""
    if path in files.snapshot.entries or old is None:
        return path
    return posixpath.normpath(
        posixpath.join(posixpath.dirname(old), posixpath.relpath(path, posixpath.dirname(prompt) or "."))
    )


def _took_its_place(path: str, before: str, files: Files) -> bool:
    return path not in files.snapshot.entries and not files.head(before).exists()


def _messages(head: Side, base: Side, files: Files, detail: str) -> Change:
    field = "messages" if head.suite.spec.messages is not None else "prompt"
    return Change("prompt", "changed", head.path, detail, lines=suite_lines(head, base, files, field))


def _name(side: Side) -> str:
    return side.prompt or side.suite.spec.prompt or "messages in the suite"


def example_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the examples differ that the prompts show."""
    new, old = (None if side.suite.examples is None else side.suite.examples.definition() for side in (head, base))
    changed = sorted(name for name in {*(new or {}), *(old or {})} if (new or {}).get(name) != (old or {}).get(name))
    if changed:
        # A data set's hash tells people nothing.
        said = (name if name == "data" else _moved(name, old or {}, new or {}) for name in changed)
        lines = suite_lines(head, base, files, "few_shot")
        yield Change("prompt", "changed", head.path, one_line(f"few_shot: {', '.join(said)}"), lines=lines)


def likelihood_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the continuations differ that are compared in place of answers."""
    new, old = ({} if side.suite.likelihood is None else side.suite.likelihood.definition() for side in (head, base))
    changed = sorted(name for name in {*new, *old} if canonical([new.get(name)]) != canonical([old.get(name)]))
    if changed:
        said = ", ".join(_moved(name, old, new) for name in changed) if new and old else "added" if new else "deleted"
        lines = suite_lines(head, base, files, "likelihood")
        yield Change("prompt", "changed", head.path, one_line(f"likelihood: {said}"), lines=lines)


def form_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the form of the answers differs, and how they come by it."""
    new, old = head.suite.form, base.suite.form
    if new is None or old is None:
        if new is not old:
            how: How = "added" if old is None else "deleted"
            lines = suite_lines(head, base, files, "format")
            yield Change("form", how, head.path, _form_name(new or old), lines=lines)
        return
    one, two = new.definition(), old.definition()
    changed = [name for name in one if canonical([one[name]]) != canonical([two[name]])]
    if changed:
        said = ", ".join(f"{name} changed" if name == "format" else _moved(name, two, one) for name in changed)
        field = "format" if "format" in changed else "generate"
        yield Change("form", "changed", head.path, one_line(said), lines=suite_lines(head, base, files, field))


def _form_name(form: Form | None) -> str:
    return "" if form is None else f"format {form.format.name}"


def _moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return f"{name}: {_value(old, name)} → {_value(new, name)}"


def model_changes(head: Side, base: Side, files: Files) -> Iterator[Change]:
    """Say how the models differ, their sampling parameters, and the provider's options."""
    if head.model is None or base.model is None:
        return
    new, old = public(head.model), public(base.model)
    if new.name != old.name:
        written = _written(head)
        alias = _Setter("config", ("aliases", written)) if written and written == _written(base) else None
        setter = alias or _setter("model", head) or _setter("model", base)
        yield _set("model", setter, head, base, files, f"{old.name} → {new.name}")
    for part in ("params", "options"):
        yield from _param_changes(getattr(new, part), getattr(old, part), head, base, files)
    if new == old and head.model != base.model:  # it is among what may not be shown
        yield Change("params", "changed", None, "an option that is not shown")


def _param_changes(
    new: Mapping[str, Any], old: Mapping[str, Any], head: Side, base: Side, files: Files
) -> Iterator[Change]:
    for name in sorted({*new, *old}):
        if canonical([new.get(name)]) == canonical([old.get(name)]):
            continue
        setter = _setter(name, head) or _setter(name, base)
        yield _set("params", setter, head, base, files, f"{name}: {_value(old, name)} → {_value(new, name)}")


def _value(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "not set"
    value = values[name]
    text = f"{value:g}" if isinstance(value, float) else canonical(value).decode("utf-8", "replace")
    return one_line(shorten(text))


@dataclass(frozen=True, slots=True)
class _Setter:
    """What sets a model or a parameter: a file, and the field of it."""

    kind: Kind
    keys: tuple[str, ...]


def _setter(name: str, side: Side) -> _Setter | None:
    """Find what sets it, in the order of ``config.resolve_model`` and ``resolve_params``; None: the command line."""
    suite, prompt, settings = side.suite, side.suite.prompt, side.settings
    if side.origins.get(name) in ("-m", "-M"):
        return None
    if name == "model":
        if suite.model is not None:
            return _Setter("suite", ("model",))
        return _Setter("prompt", ("model",)) if prompt.model is not None else _Setter("config", ("model",))
    if name in suite.params:
        return _Setter("suite", ("params", name))
    if name in prompt.params:
        return _Setter("prompt", ("model",))
    for table in () if side.model is None else settings.way(side.model.alias or side.model.name):
        if name in settings.models.get(table, {}):
            return _Setter("config", ("models", table, name))
    # An option may be a part of the model's name: provider/model@http://….
    return _setter("model", side) if side.model is not None and name in side.model.options else None


def _written(side: Side) -> str | None:
    return side.suite.model or side.suite.prompt.model or side.settings.model


def _set(
    part: Literal["model", "params"], setter: _Setter | None, head: Side, base: Side, files: Files, detail: str
) -> Change:
    path, lines = _place(setter, head, base, files) if setter else (None, ())
    return Change(part, "changed", path, detail, lines=lines)


def _place(setter: _Setter, head: Side, base: Side, files: Files) -> tuple[str | None, Stretches]:
    """Return the file at head in which it is set, and the lines."""
    if setter.kind == "suite":
        return head.path, suite_lines(head, base, files, *setter.keys)
    if setter.kind == "prompt":
        if head.prompt is None:
            return head.path, ()
        model = _model_lines(files, head.prompt)
        return head.prompt, within(files.changed_lines(head.prompt, base.prompt), *model) if model else ()
    settings = head.settings
    path = files.repository.path_of(settings.path) if settings.path else None
    line = settings.document.lines.get(setter.keys) if settings.document else None
    return path, ((line, line),) if line is not None else ()


def _model_lines(files: Files, prompt: str) -> tuple[int, int] | None:
    """Return the lines of a prompt's front matter that set model and parameters; None where nothing there does."""
    source = read_source(files.head(prompt))
    return field_lines(source.front, source.body_line - 2, "model") if ("model",) in source.front.lines else None


def suite_lines(head: Side, base: Side, files: Files, *keys: str) -> Stretches:
    """Return which lines of a field of head's suite file changed; of a field that went, none."""
    document = head.suite.document
    if document is None or document.lines.get(keys[:1]) is None:
        return ()
    changed = files.changed_lines(head.path, base.path)
    last = max((high for _, high in changed), default=1)
    return within(changed, *field_lines(document, max(last, *document.lines.values()), *keys))
