"""A sample on which two sides differ: what was asked, what is right, and both answers as a word-level diff."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from llmkit.comparisons import Answered, Flip
from llmkit.reports.lines import Line, pad
from llmkit.reports.quoting import inside_code, quoted
from llmkit.reports.text import one_line
from llmkit.reports.words import Piece, Pieces, differing, middle_cut

BASE, HEAD = "base", "head"
ASKED, RIGHT = "asked", "right"
MOST_REFERENCES = 3
EMPTY = "(empty)"
NO_ANSWER = "no answer"


def flip_lines(flip: Flip, *, a: str = BASE, b: str = HEAD, indent: int = 2) -> Iterator[Line]:
    """Yield a flip for a terminal; what differs is in ``[-…-]`` and ``{+…+}``, as git's word diff has it.

    Args:
        flip: The sample.
        a: What the side before is called.
        b: What the side after is called.
        indent: Columns before the first line.
    """
    style = "red" if flip.change < 0 else "green"
    head = Text(one_line(flip.sample_id), style="bold")
    head.append(f" · epoch {flip.epoch}" if flip.epoch > 1 else "", style="not bold dim")
    head.append(f"  {one_line(flip.metric)} ", style="not bold")
    yield Line(head.append(_values(flip), style=f"not bold {style}"), indent=indent)
    width = max(map(cell_len, (ASKED, RIGHT, one_line(a), one_line(b))))
    before, after = _sides(flip)
    rows = [(ASKED, Text(one_line(middle_cut(flip.question))))] if flip.question else []
    rows += [(RIGHT, Text(_references(flip)))] if flip.references else []
    rows += [(a, _marked(before, "[-", "-]", "red")), (b, _marked(after, "{+", "+}", "green"))]
    for name, text in rows:
        start = Text(pad(one_line(name), width) + "  ", style="dim")
        yield Line(
            start.append_text(Text(style="not dim").append_text(text)), indent=indent + 2, hang=indent + width + 4
        )


def flip_markdown(flip: Flip, *, a: str = BASE, b: str = HEAD) -> str:
    """Return a flip as a block that opens on a click, for GitHub's and GitLab's Markdown.

    It holds no blank line but those that Markdown needs around HTML, and nothing in it is obeyed or mentions anybody.
    """
    epoch = f" · epoch {flip.epoch}" if flip.epoch > 1 else ""
    before, after = _sides(flip)
    rows = [(ASKED, quoted(middle_cut(flip.question)))] if flip.question else []
    rows += [(RIGHT, quoted(_references(flip)))] if flip.references else []
    rows += [(quoted(a), _tagged(before, "del")), (quoted(b), _tagged(after, "ins"))]
    body = "\n".join(f"<tr><td>{name}</td><td>{cell}</td></tr>" for name, cell in rows)
    summary = f"{quoted(flip.sample_id)}{epoch}: {quoted(flip.metric)} {_values(flip)}"
    return f"<details><summary>{summary}</summary>\n\n<table>\n{body}\n</table>\n\n</details>\n"


def _values(flip: Flip) -> str:
    return " → ".join("failed" if side.value is None else f"{side.value:.4g}" for side in (flip.a, flip.b))


def _references(flip: Flip) -> str:
    shown = " | ".join(one_line(middle_cut(reference)) for reference in flip.references[:MOST_REFERENCES])
    more = len(flip.references) - MOST_REFERENCES
    return f"{shown} | {more:,} more" if more > 0 else shown


def _sides(flip: Flip) -> tuple[Pieces, Pieces]:
    """Return both answers in pieces, each with what was taken out of it to be scored."""
    one, two = flip.a.text, flip.b.text
    if one is None or two is None:
        return _whole(flip.a, _plain(one)), _whole(flip.b, _plain(two))
    before, after = differing(one, two)
    return _whole(flip.a, before), _whole(flip.b, after)


def _plain(text: str | None) -> Pieces:
    return (Piece(middle_cut(text)),) if text else ()


def _whole(side: Answered, pieces: Pieces) -> Pieces:
    if side.text is None:
        return (Piece(f"{NO_ANSWER}: {middle_cut(side.failure)}" if side.failure else NO_ANSWER, "cut"),)
    notes = [] if pieces else [EMPTY]
    if side.extracted is not None and side.extracted != side.text:
        notes.append(f"(took {middle_cut(side.extracted)!r})")
    if side.failure:
        notes.append(f"({middle_cut(side.failure)})")
    gap = "  " if pieces else ""
    return (*pieces, Piece(gap + " ".join(notes), "cut")) if notes else pieces


def _marked(pieces: Pieces, opening: str, closing: str, style: str) -> Text:
    text = Text()
    for piece in pieces:
        shown = one_line(piece.text)
        if piece.kind == "other":
            text.append(f"{opening}{shown}{closing}", style=style)
        else:
            text.append(shown, style="dim" if piece.kind == "cut" else "")
    return text


def _tagged(pieces: Pieces, tag: str) -> str:
    tags = {"same": None, "other": tag, "cut": "i"}
    return inside_code((piece.text, tags[piece.kind]) for piece in pieces)
