"""Compiled templates: from a row to messages, or to one line about what went wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, cast, get_args

import jinja2
from jinja2 import meta, nodes

from llmkit.documents.validation import found
from llmkit.errors import DocumentError, nearest
from llmkit.prompts.fingerprint import template_tokens
from llmkit.prompts.markers import Markers, has_preamble
from llmkit.prompts.sandbox import MissingVariable, Sandbox
from llmkit.types import Message, Role

MAIN = "prompt"
Place = Callable[[str, int | None], str]
"""``place(template, line)`` → ``path:line``; the template is ``MAIN`` or an included file's name."""


class Sources(dict[str, str]):
    """The texts of a prompt by name, ``MAIN`` first: everything that rendering can read."""


def collect(
    body: str, read: Callable[[str, str], str], at: Place, *, markers: Markers | None = None
) -> tuple[Sandbox, Sources, dict[str, nodes.Template]]:
    """Parse a template and, through it, every file that it includes.

    Args:
        body: The template.
        read: ``read(name, where)`` gives an included file's text.
        at: Where a template's line is.
        markers: Marks role lines, in included files too; without it, role lines are text.

    Returns:
        The environment, in which ``MAIN`` can be had; the texts as written; the parsed templates.

    Raises:
        DocumentError: A syntax error, a file that includes itself, or a file name that is not a constant.
    """
    marked: dict[str, str] = {}
    sources, trees = Sources(), {}
    environment = Sandbox(jinja2.DictLoader(marked), markers.guard if markers else "")

    def visit(name: str, text: str, chain: tuple[str, ...]) -> None:
        sources[name] = text
        marked[name] = markers.mark(text) if markers else text
        try:
            trees[name] = environment.parse(marked[name], name)
            environment.compile(trees[name], name)
        except jinja2.TemplateSyntaxError as error:
            message = _without(str(error.message), markers)
            raise DocumentError(f"not Jinja: {message}", where=at(name, error.lineno)) from None
        except RecursionError:
            raise DocumentError("the template is nested too deeply", where=at(name, None)) from None
        # compile() consumed nothing, but a fresh tree is what callers look at.
        trees[name] = environment.parse(marked[name], name)
        for node in trees[name].find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            where = at(name, node.lineno)
            target = _constant_name(node, where)
            if target in (*chain, name):
                raise DocumentError(
                    f"{target!r} includes itself: {' → '.join((*chain, name, target)[1:])}", where=where
                )
            if target not in sources:
                visit(target, read(target, where), (*chain, name))

    visit(MAIN, body, ())
    return environment, sources, trees


def _constant_name(node: Any, where: str) -> str:
    name = node.template
    if isinstance(name, nodes.Const) and isinstance(name.value, str):
        return name.value
    hint = "Write it in quotes: a row may not choose which file is read"
    raise DocumentError("the name of an included file must be a constant", where=where, hint=hint)


def _without(text: str, markers: Markers | None) -> str:
    return text.replace(markers.nonce, "") if markers else text


def fingerprint_content(environment: Sandbox, sources: Sources) -> dict[str, Any]:
    """What of the texts can reach a model."""
    return {name: template_tokens(environment, text) for name, text in sources.items()}


def undeclared(trees: Mapping[str, nodes.Template]) -> frozenset[str]:
    """Variables that the templates use and none of them sets, less Jinja's own."""
    names: set[str] = set()
    for tree in trees.values():
        names |= meta.find_undeclared_variables(tree)
    return frozenset(names - {"range", "dict", "namespace", "cycler", "joiner"})


def guarded(trees: Mapping[str, nodes.Template]) -> frozenset[str]:
    """Variables that a template asks about first, by ``is defined`` or ``default``: a row may do without them."""
    names = set()
    for tree in trees.values():
        for node in tree.find_all((nodes.Filter, nodes.Test)):
            if node.name in ("default", "d", "defined", "undefined") and isinstance(node.node, nodes.Name):
                names.add(node.node.name)
    return frozenset(names)


class Template:
    """One compiled template.

    Args:
        environment: Of ``collect``.
        at: Where a template's line is.
        markers: Of ``collect``; None where the whole text is one message.
        role: The message's role where ``markers`` is None.
        tree: The parsed main template.
        defaults: Values for fields that a row does not have.
        optional: Fields that a row may do without; they are empty then.
        threads: Fields that hold messages.
    """

    def __init__(
        self,
        environment: Sandbox,
        at: Place,
        *,
        tree: nodes.Template,
        markers: Markers | None = None,
        role: Role = "user",
        defaults: Mapping[str, Any] | None = None,
        optional: tuple[str, ...] = (),
        threads: tuple[str, ...] = (),
    ) -> None:
        self._at, self._markers, self._role, self._threads = at, markers, role, threads
        self._template = environment.get_template(MAIN)
        self._budget = environment.budget
        self._preamble = has_preamble(tree, markers.nonce) if markers else False
        self._base: dict[str, Any] = {name: jinja2.Undefined(name=name) for name in optional} | dict(defaults or {})

    def render(self, row: Mapping[str, Any]) -> tuple[Message, ...]:
        """Make the messages for one row; see ``Prompt.render``."""
        values = {**self._base, **row} if self._base else dict(row)
        threads = None
        if self._threads and self._markers:
            threads = [self._thread(name, values) for name in self._threads]
            values.update({name: self._markers.thread(index) for index, name in enumerate(self._threads)})
        template, budget = self._template, self._budget
        budget.steps = budget.text = 0
        try:
            text = "".join(template.root_render_func(template.new_context(values)))
        except Exception as error:  # whatever a template does wrong is the prompt's or the row's fault, never ours
            raise self._explain(error, row) from None
        if self._markers is None:
            return (Message(self._role, text),)
        try:
            return self._markers.split(text, preamble=self._preamble, threads=threads)
        except ValueError as error:
            raise DocumentError(
                str(error), where=self._at(MAIN, None), hint="Put the filter inside the message"
            ) from None

    def _thread(self, name: str, values: Mapping[str, Any]) -> tuple[Message, ...]:
        where = self._at(MAIN, None)
        if name not in values:
            hint = nearest(name, [key for key in values if isinstance(key, str)])
            raise DocumentError(f"the row has no field {name!r}, which is to hold messages", where=where, hint=hint)
        value = values[name]
        if isinstance(value, jinja2.Undefined) or value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            raise DocumentError(f"the field {name!r} must be a list of messages, not {found(value)}", where=where)
        messages = []
        for index, item in enumerate(value):
            role, content = (item.get("role"), item.get("content")) if isinstance(item, Mapping) else (None, None)
            if role not in get_args(Role) or not isinstance(content, str):
                raise DocumentError(
                    f"{name}[{index}] must be a message", where=where, hint="As in {role: user, content: text}"
                )
            messages.append(Message(cast(Role, role), content))
        return tuple(messages)

    def _explain(self, error: Exception, row: Mapping[str, Any]) -> DocumentError:
        name, line = _position(error.__traceback__)
        where = self._at(name, line)
        if isinstance(error, MissingVariable):
            return _missing(error, row, where)
        if isinstance(error, RecursionError):
            return DocumentError("the template calls itself too deeply", where=where)
        if isinstance(error, MemoryError):
            return DocumentError("the template needs too much memory", where=where)
        if str(error) == "null printed":
            hint = "Write {{ field or '' }} where it may be null"
            return DocumentError("a field that is null is printed", where=where, hint=hint)
        text = _without(" ".join(traceback.format_exception_only(error)[-1].split())[:200], self._markers)
        return DocumentError(f"the template failed: {text.removeprefix('jinja2.exceptions.')}", where=where)


def _missing(error: MissingVariable, row: Mapping[str, Any], where: str) -> DocumentError:
    if error.holder is None:
        hint = nearest(str(error.name), [key for key in row if isinstance(key, str)])
        return DocumentError(f"the template's variable {error.name!r} is not in the row", where=where, hint=hint)
    keys = [str(key) for key in error.holder] if isinstance(error.holder, Mapping) else []
    kind = "the mapping" if isinstance(error.holder, Mapping) else found(error.holder)
    return DocumentError(
        f"{kind} has no {error.name!r}", where=where, hint=nearest(str(error.name), keys) if keys else None
    )


def _position(trace: TracebackType | None) -> tuple[str, int | None]:
    """The innermost template line of a traceback: compiled templates keep their name and a table of lines."""
    name, line = MAIN, None
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            name, line = template.name or MAIN, template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return name, line
