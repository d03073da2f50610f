"""The Jinja2 environment that prompts run in: no way out of it, and no way to fill the memory or never end.

On top of Jinja's own immutable sandbox (no private attributes, no changes to the row): a template spends from a
budget of steps and characters; operators, methods and filters that make long text out of short are bounded before they
run; an undefined variable is an error, as is printing a null or a function; what would differ between two renderings
(``random``, ``lipsum``) is gone. Imported only where a prompt is loaded, since jinja2 takes its time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from string import Formatter
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT = 16_000_000
"""Characters that one rendering may write, intermediate text included. Far beyond any model's context."""

MAX_STEPS = 1_000_000
"""Turns of loops and calls in one rendering."""

CALL_STEPS = 10
"""Steps of one call; it takes about ten times a loop's turn."""

MAX_WIDTH = 10_000
"""Widest padding or indentation."""

MAX_BITS = 4_096
"""Longest whole number that ``*`` and ``**`` may make."""

_DROPPED_FILTERS = ("random", "xmlattr", "urlize", "pprint")  # not reproducible; HTML, with regular expressions; reprs
_WIDTH_METHODS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})
_WIDTH_FILTERS = ("center", "indent", "wordwrap", "batch", "slice", "tojson", "round")
_LONG_NUMBER = re.compile(r"\d{5,}")
_PERCENT_WIDTH = re.compile(r"%[^a-zA-Z%]*\*")


class MissingVariable(UndefinedError):
    """An undefined name was used; ``holder`` is what it was looked up in, None for the row itself."""

    def __init__(self, message: str | None, name: Any, holder: Any) -> None:
        super().__init__(message)
        self.name, self.holder = name, holder


class _Missing(jinja2.StrictUndefined):
    """A variable that is not there: any use but ``is defined`` and ``default`` fails and names it."""

    __slots__ = ()

    def __init__(self, hint: Any = None, obj: Any = None, name: Any = None, exc: Any = UndefinedError) -> None:
        # Jinja marks "not an attribute of anything" by a sentinel, not None; its repr-free test is the type's name.
        holder = None if type(obj).__name__ == "MissingType" else obj
        if exc is UndefinedError:

            def exc(message: str | None = None) -> MissingVariable:
                return MissingVariable(message, name, holder)

        super().__init__(hint, jinja2.utils.missing if holder is None else obj, name, exc)


class Budget(threading.local):
    """What the rendering under way in this thread has used up."""

    steps = 0
    text = 0

    def spend_steps(self, steps: int) -> None:
        """Count turns and calls."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise SecurityError(f"more than {MAX_STEPS:,} turns of loops and calls")

    def spend_text(self, length: int) -> None:
        """Count characters."""
        self.text += length
        if self.text > MAX_TEXT:
            raise SecurityError(f"more than {MAX_TEXT:,} characters")


class Sandbox(ImmutableSandboxedEnvironment):
    """Environment of one prompt. ``guard`` keeps the newlines at the ends of data (see ``markers``)."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: jinja2.BaseLoader, guard: str) -> None:
        # optimized=False: constant folding would run operators at load, outside any budget.
        super().__init__(
            loader=loader, undefined=_Missing, autoescape=False, optimized=False, keep_trailing_newline=True
        )
        self.budget = Budget()
        self.guard = guard
        del self.globals["lipsum"]
        for name in _DROPPED_FILTERS:
            del self.filters[name]
        for name in _WIDTH_FILTERS:
            self.filters[name] = _narrow(self.filters[name])
        self.filters["replace"] = _replace
        self.filters["join"] = _join(self.filters["join"])
        self.filters["format"] = _format
        self.filters["string"] = _as_text
        self.filters["sum"] = _sum
        self.filters["llmkit_print"] = self._printer(guarded=False)
        self.filters["llmkit_print_guarded"] = self._printer(guarded=True)
        self.filters["llmkit_loop"] = self._loop
        self.filters["llmkit_concat"] = _concat

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _rewrite(tree, captured=False)
        return tree

    def _printer(self, *, guarded: bool) -> Callable[[Context, Any], str]:
        budget, guard = self.budget, self.guard

        # Passing the context also keeps Jinja from folding the call away at load.
        @jinja2.pass_context
        def llmkit_print(_: Context, value: Any) -> str:
            text = value if type(value) is str else _as_text(value)
            budget.text += len(text)
            if budget.text > MAX_TEXT:
                budget.spend_text(0)
            if guarded and (text[:1] == "\n" or text[-1:] == "\n"):
                return f"{guard}{text}{guard}"
            return text

        return llmkit_print

    def _loop(self, value: Any, weight: int) -> Any:
        """Charge a loop for its turns and the constant text in its body before it starts."""
        if not hasattr(value, "__len__"):
            return self._counted(value, weight)
        self.budget.spend_steps(len(value))
        self.budget.spend_text(len(value) * weight)
        return value

    def _counted(self, values: Iterable[Any], weight: int) -> Iterator[Any]:
        for value in values:
            self.budget.spend_steps(1)
            self.budget.spend_text(weight)
            yield value

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, function or method, within the budget."""
        self.budget.spend_steps(CALL_STEPS)
        subject = getattr(obj, "__self__", None)
        if isinstance(subject, (str, bytes)):
            _check_method(obj.__name__, subject, args, kwargs)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Run an operator whose result may be far larger than its operands, within bounds."""
        if operator == "%" and isinstance(left, str):
            _check_percent(left)
        elif operator == "**":
            _check_power(left, right)
        elif operator == "*":
            _check_product(left, right)
        elif operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            _check_length(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Bound the widths in ``str.format``."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            for _, _, spec, _ in Formatter().parse(value.__self__):
                if spec and ("{" in spec or _LONG_NUMBER.search(spec)):
                    raise SecurityError("a format width that is computed, or of more than four digits")
        return wrapped


def _rewrite(node: nodes.Node, *, captured: bool) -> None:
    """Put every printed value, loop and ``~`` under the budget.

    Values printed straight into the prompt are guarded; those captured into a variable, filter or macro are not, since
    a template may look at them.
    """
    captured = captured or isinstance(node, (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock))
    for child in list(node.iter_child_nodes()):
        _rewrite(child, captured=captured)
    for field in node.fields:
        value = getattr(node, field)
        if isinstance(value, nodes.Concat):
            setattr(node, field, _filtered(nodes.List(value.nodes, lineno=value.lineno), "llmkit_concat"))
        elif isinstance(value, list):
            value[:] = [
                _filtered(nodes.List(item.nodes, lineno=item.lineno), "llmkit_concat")
                if isinstance(item, nodes.Concat)
                else item
                for item in value
            ]
    if isinstance(node, nodes.Output):
        name = "llmkit_print" if captured else "llmkit_print_guarded"
        node.nodes = [
            child if isinstance(child, nodes.TemplateData) else _filtered(child, name) for child in node.nodes
        ]
    elif isinstance(node, nodes.For):
        weight = sum(len(data.data) for part in node.body for data in _template_data(part))
        node.iter = _filtered(cast(nodes.Expr, node.iter), "llmkit_loop", nodes.Const(weight, lineno=node.lineno))


def _template_data(node: nodes.Node) -> Iterator[nodes.TemplateData]:
    if isinstance(node, nodes.TemplateData):
        yield node
    yield from node.find_all(nodes.TemplateData)


def _filtered(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _as_text(value: Any) -> str:
    if value is None:
        raise TypeError("null printed")
    if callable(value) and not isinstance(value, jinja2.Undefined):
        raise TypeError(
            f"{getattr(value, '__name__', 'this')} is a function here; write ['{value.__name__}'] for a field"
        )
    _weigh(value)
    return str(value)


def _weigh(value: Any) -> None:
    """Refuse a list or mapping that is short but would print long, as a list that holds one long text often would."""
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting.extend(item)
        elif isinstance(item, str):
            total += len(item)
        total += 1
        _check_length(total + len(waiting))


def _check_length(length: int) -> None:
    if length > MAX_TEXT:
        raise SecurityError(f"more than {MAX_TEXT:,} characters or items")


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() * right > MAX_BITS:
        raise SecurityError(f"a number of more than {MAX_BITS:,} bits")


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise SecurityError(f"a number of more than {MAX_BITS:,} bits")
        return
    for sized, times in ((left, right), (right, left)):
        if hasattr(sized, "__len__") and isinstance(times, int):
            _check_length(len(sized) * times)


def _check_percent(template: str) -> None:
    if _LONG_NUMBER.search(template) or _PERCENT_WIDTH.search(template):
        raise SecurityError("a format width that is computed, or of more than four digits")


def _check_width(arguments: Iterable[Any]) -> None:
    for argument in arguments:
        if isinstance(argument, (int, float)) and argument > MAX_WIDTH:
            raise SecurityError(f"a width above {MAX_WIDTH:,}")


def _check_method(name: str, subject: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Bound the methods of text that can make it longer."""
    if name in _WIDTH_METHODS:
        _check_width((*args, *kwargs.values()))
        if name == "expandtabs":
            _check_length(len(subject) + subject.count("\t") * max((8, *args, *kwargs.values())))
    elif name == "replace" and len(args) > 1:
        _check_replace(subject, args[0], args[1])
    elif name == "join":
        _check_length(sum(len(part) + len(subject) for part in args[0] if hasattr(part, "__len__")) if args else 0)
    elif name in ("translate", "maketrans"):
        raise SecurityError(f"the method {name} is not available; use replace")


def _check_replace(text: str, old: str, new: str) -> None:
    _check_length(len(text) + (len(text) + 1 if old == "" else text.count(old)) * len(new))


def _narrow(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose numbers are widths."""
    import functools

    offset = 2 if hasattr(filter_, "jinja_pass_arg") else 1  # the context or environment, then the value

    @functools.wraps(filter_)
    def narrow(*args: Any, **kwargs: Any) -> Any:
        widths = [*args[offset:], *kwargs.values()]
        _check_width(widths)
        value = args[offset - 1]
        if isinstance(value, (list, tuple, Mapping)):
            _weigh(value)
        if isinstance(value, str) and "\n" in value:
            widest = max((len(w) if isinstance(w, str) else w for w in widths if isinstance(w, (int, str))), default=4)
            _check_length(len(value) + value.count("\n") * widest)
        return filter_(*args, **kwargs)

    return narrow


def _replace(value: Any, old: str, new: str, count: int | None = None) -> str:
    """Replace text, within bounds."""
    text, old, new = str(value), str(old), str(new)
    _check_replace(text, old, new)
    return text.replace(old, new, -1 if count is None else count)


def _join(filter_: Callable[..., str]) -> Callable[..., str]:
    @jinja2.pass_eval_context
    def join(context: Any, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
        items = list(value)
        _check_length(sum(len(item) + len(d) for item in items if isinstance(item, str)))
        return filter_(context, items, d, attribute)

    return join


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    """``%`` formatting, its widths bounded."""
    template = str(value)
    _check_percent(template)
    return template % (kwargs or args)


@jinja2.pass_environment
def _sum(environment: jinja2.Environment, iterable: Iterable[Any], attribute: Any = None, start: float = 0) -> Any:
    """Add numbers up; ``start=[]`` would concatenate lists without bound."""
    if not isinstance(start, (int, float)):
        raise SecurityError("sum adds numbers only")
    return jinja2.filters.do_sum(environment, iterable, attribute, start)


def _concat(values: list[Any]) -> str:
    """The operator ``~``, within bounds."""
    texts = [value if type(value) is str else _as_text(value) for value in values]
    _check_length(sum(map(len, texts)))
    return "".join(texts)
