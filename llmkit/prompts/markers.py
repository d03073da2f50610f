"""Role markers: lines of the template's source that start a message.

The grammar is Prompty's (its parser's boundary rule): a line that holds a role and a colon, in any case, after an
optional ``#`` and with optional ``[name=value]`` attributes. Text before the first marker is a system message.

Markers are found in the *source*, before anything is rendered, and replaced there by an unguessable number; rendered
text is split at that number alone. So no data, whatever it says, can start a message. The number is all digits, since
filters such as ``upper`` or ``tojson`` leave digits as they are.

Newlines around a message's content belong to the template and are dropped, but those that data begins or ends with are
data: the sandbox puts a second number, the guard, around such data, which is taken out again last.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from llmkit.types import Message, Role

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
_ALIASES: dict[str, Role] = {"developer": "system"}  # OpenAI's newer name of the same role
THREAD = "8"
_CODES = frozenset({"0", "1", "2", THREAD})
_PART = 12  # digits of a number by which a piece of it is known
DAMAGED = "a filter around a role marker or an include cut it up"

_MARKER = re.compile(
    r"""(?im)^[^\S\n]*\#?[^\S\n]*(system|user|assistant|developer)[^\S\n]*
        (\[[^\S\n]*(?:\w++[^\S\n]*+=[^\S\n]*+(?:"[^"\n]*"|[^",\]\n]*+)[^\S\n]*+,?+[^\S\n]*+)+\])?
        [^\S\n]*:[^\S\n]*$""",
    re.VERBOSE,
)
_EMPTY = re.compile(r"\A\s*\Z")


def _number() -> str:
    """40 digits, about 130 bits: no data contains it by chance or by guess."""
    return "".join(secrets.choice("0123456789") for _ in range(40))


@dataclass
class Markers:
    """The two numbers of one prompt, and what they are put into and taken out of."""

    nonce: str = field(default_factory=_number)
    guard: str = field(default_factory=_number)

    def mark(self, source: str) -> str:
        """Replace the marker lines of a template's source; its line count stays.

        A marker with nothing but blank lines up to the next marker or the end starts no message.
        """
        found = list(_MARKER.finditer(source))
        parts: list[str] = []
        position = 0
        for index, match in enumerate(found):
            end = found[index + 1].start() if index + 1 < len(found) else len(source)
            parts.append(source[position : match.start()])
            if not _EMPTY.match(source[match.end() : end]):
                role = match[1].lower()
                parts.append(f"{self.nonce}{ROLES.index(_ALIASES.get(role, role))}")
            position = match.end()
        parts.append(source[position:])
        return "".join(parts)

    def thread(self, index: int) -> str:
        """What stands in the rendered text for the ``index``-th input of kind thread."""
        return f"{self.nonce}{THREAD}{index:02d}"

    def split(
        self, text: str, *, preamble: bool, threads: list[tuple[Message, ...]] | None = None
    ) -> tuple[Message, ...]:
        """Split rendered text into messages.

        Args:
            text: What a marked template rendered to.
            preamble: Whether the source has text before the first marker, so that it is a message even if empty.
            threads: The messages that stand for each thread input; those that the template did not place come last.
        """
        first, *rest = text.split(self.nonce)
        content = self._clean(first)
        messages = [Message("system", content)] if preamble or content.strip() else []
        role: Role = "system"
        placed = False
        for part in rest:
            if part[:1] not in _CODES:
                raise ValueError(DAMAGED)
            if part[0] == THREAD:
                # As in Prompty: text on either side of a thread is a message of its own, where there is any.
                placed = True
                if messages and messages[-1].role == role:
                    before = messages.pop().content.strip()
                    messages += [Message(role, before)] if before else []
                messages.extend((threads or [])[int(part[1:3])])
                content = self._clean(part[3:]).strip()
                if content:
                    messages.append(Message(role, content))
            else:
                role = ROLES[int(part[0])]
                messages.append(Message(role, self._clean(part[1:])))
        if threads and not placed:
            messages.extend(message for thread in threads for message in thread)
        return tuple(messages)

    def _clean(self, content: str) -> str:
        content = content.strip("\n")
        if self.guard in content:
            content = content.replace(self.guard, "")
        if self.nonce[:_PART] in content or self.guard[:_PART] in content:
            raise ValueError(DAMAGED)
        return content


def attributes(source: str) -> list[str]:
    """Role markers with attributes, which llmkit reads past."""
    return [match[0].strip() for match in _MARKER.finditer(source) if match[2]]


def has_preamble(tree: Any, nonce: str) -> bool:
    """Whether a parsed template prints anything before its first marker."""
    from jinja2 import nodes

    def walk(node: nodes.Node) -> bool | None:
        """Whether it prints first (True), a marker comes first (False), or neither (None)."""
        if isinstance(node, (nodes.Macro, nodes.AssignBlock)):  # printed elsewhere, if at all
            return None
        if isinstance(node, nodes.TemplateData):
            before, marker, _ = node.data.partition(nonce)
            return True if before.strip() else False if marker else None
        if isinstance(node, nodes.Output):
            answers = (walk(child) if isinstance(child, nodes.TemplateData) else True for child in node.nodes)
        else:
            answers = (walk(child) for child in node.iter_child_nodes())
        return next((answer for answer in answers if answer is not None), None)

    return bool(walk(tree))
