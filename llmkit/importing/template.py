"""Templates of other tools: what they use, and whether llmkit can render them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llmkit.prompts import prompt_from_messages
from llmkit.prompts.markers import Markers

_NAME = re.compile(r"[A-Za-z_]\w*")
_OPENING = re.compile(r"\{[{%#]")


def is_name(text: str) -> bool:
    """Whether a text can be a field's name."""
    return _NAME.fullmatch(text) is not None


def is_template(text: str) -> bool:
    """Whether there is something to render in a text."""
    return "{{" in text or "{%" in text or "{#" in text


def field(name: str) -> str:
    """Return the template that prints a field."""
    return f"{{{{ {name} }}}}"


def literal(text: str) -> str:
    """Return the template that prints a text as it is, whatever of Jinja is in it."""
    return _OPENING.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text)


def check_template(text: str, where: str) -> frozenset[str]:
    """Return the variables that a template uses.

    Raises:
        DocumentError: It is no Jinja that llmkit reads.
    """
    return prompt_from_messages([{"role": "user", "content": text}], where=where).variables if text.strip() else _NONE


_NONE: frozenset[str] = frozenset()


def rendered(text: str, values: Mapping[str, Any], where: str) -> str:
    """Render a template.

    Raises:
        DocumentError: It fails on these values.
    """
    if not is_template(text):
        return text
    (message,) = prompt_from_messages([{"role": "user", "content": text}], where=where).render(values)
    return message.content


def path_of(text: str) -> str | None:
    """Return the field that a template is nothing but (``{{ answer.text }}`` → ``answer.text``); None for others."""
    node = _single(text)
    return None if node is None else _path(node)


def list_of(text: str) -> list[str] | None:
    """Return the templates of the items where a template is nothing but a list of fields and texts; else None."""
    from jinja2 import nodes

    node = _single(text)
    if not isinstance(node, nodes.List):
        return None
    items = [_item(each) for each in node.items]
    return [item for item in items if item is not None] if None not in items else None


def _item(node: Any) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Const) and isinstance(node.value, (str, int)):
        return literal(str(node.value))
    path = _path(node)
    return None if path is None else field(path)


def _single(text: str) -> Any:
    """Return the one expression that a template prints; None where it is more, or cannot be read."""
    import jinja2
    from jinja2 import nodes

    try:
        body = jinja2.Environment(autoescape=False).parse(text.strip()).body  # noqa: S701 - parsed, never rendered
    except (jinja2.TemplateSyntaxError, RecursionError):
        return None
    if len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1:
        return body[0].nodes[0]
    return None


def _path(node: Any) -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        key: object = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        key = node.arg.value
    else:
        return None
    above = _path(node.node)
    return None if above is None or not isinstance(key, (str, int)) or "." in str(key) else f"{above}.{key}"


def prompt_file(name: str, messages: Iterable[tuple[str, str]], front: Mapping[str, Any] | None = None) -> str:
    """Write a prompt file whose messages render to exactly these templates.

    Newlines around a message belong to the file, and a line that is a role and a colon would start a message: where a
    template has such, it is printed by an expression.

    Args:
        name: The prompt's.
        messages: (role, template), in order; a role that holds ``{%`` is put in as it is, to stand around others.
        front: Further front matter.
    """
    from llmkit.importing.yaml_text import yaml_text

    parts = [f"---\n{yaml_text({'name': name, **(front or {})})}---"]
    for role, content in messages:
        parts.append(content if "{%" in role else f"{role}:\n{_guarded(content)}")
    return "\n".join(parts) + "\n"


def _guarded(text: str) -> str:
    head, tail = len(text) - len(text.lstrip("\n")), len(text) - len(text.rstrip("\n"))
    body = text[head : len(text) - tail] if head < len(text) else ""
    before, after = ('{{ "' + "\\n" * count + '" }}' if count else "" for count in (head, tail if body else 0))
    lines = [f'{{{{ "{line}" }}}}' if _is_marker(line) else line for line in body.split("\n")]
    return before + "\n".join(lines) + after


def _is_marker(line: str) -> bool:
    markers = Markers()
    return markers.mark(f"{line}\nx") != f"{line}\nx"
