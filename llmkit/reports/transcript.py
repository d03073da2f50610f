"""One sample in full: what was asked, what came back, what it scored."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from llmkit.reports.lines import Line
from llmkit.reports.numbers import UNKNOWN, count, counted, dollars, duration
from llmkit.reports.text import one_line, visible
from llmkit.types import Completion, Failure, SampleResult, Score

_ROLES = {"system": "magenta", "user": "blue", "assistant": "green"}


SCREENS = 4000
"""Characters of a text that a terminal is shown, so that what follows a very long answer stays in sight."""


def print_transcript(result: SampleResult, console: Console) -> None:
    """Print one sample; at a terminal, the middle of very long texts is left out."""
    console.print(transcript(result, longest=SCREENS if console.is_terminal else None))


def transcript(result: SampleResult, *, longest: int | None = None) -> Group:
    """Return one sample: no markup in it is obeyed, control characters show as escapes.

    Args:
        result: The sample.
        longest: Characters of a message or an answer that are shown; None: it is shown whole.
    """
    parts: list[Line | Padding] = [_head(result)]
    for message in result.messages:
        parts += _block(message.role, message.content, _ROLES[message.role], longest)
    parts += _earlier(result, longest)
    if result.completion is not None:
        parts += _block("answer", result.completion.text, "bold green", longest)
        parts += _form(result)
        parts += _compared(result.completion)
        parts.append(_field("ended", _ending(result.completion)))
    if result.failure is not None:
        parts.append(_failure("failed", result.failure))
    parts += [_field("reference", one_line(reference)) for reference in result.references]
    parts += _scores(result)
    return Group(*parts)


def _head(result: SampleResult) -> Line:
    head = Text("sample ").append(one_line(result.sample_id), style="bold").append(f" · epoch {result.epoch}")
    notes = ["from the cache"] if result.cached else []
    if result.cluster is not None:
        notes.append(f"cluster {one_line(result.cluster)}")
    notes += [f"{one_line(name)} {one_line(value)}" for name, value in result.slices.items()]
    return Line(head.append("".join(f" · {note}" for note in notes), style="dim"))


def _block(name: str, content: str, style: str, longest: int | None) -> Iterator[Line | Padding]:
    yield Line(Text(name, style=style))
    parts = [content]
    if longest is not None and len(content) > longest:
        parts = [content[: longest - longest // 4], content[len(content) - longest // 4 :]]
    yield _indented(Text(visible(parts[0]), overflow="fold"))
    if len(parts) > 1:
        left_out = f"… {count(len(content) - sum(map(len, parts)))} characters are left out; all: --as json …"
        yield _indented(Text(left_out, style="yellow"))
        yield _indented(Text(visible(parts[1]), overflow="fold"))


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2), expand=False)


def _earlier(result: SampleResult, longest: int | None) -> Iterator[Line | Padding]:
    """Show the attempts before the last, and what was wrong with each."""
    for number, step in enumerate(result.generation.steps[:-1] if result.generation else (), 1):
        yield from _block(f"attempt {number}", step.text or "no answer", "yellow", longest)
        yield _field("not accepted", one_line(step.problem or UNKNOWN), "yellow")


def _form(result: SampleResult) -> Iterator[Line]:
    """Say what became of the form that was asked for."""
    if (facts := result.generation) is not None:
        if facts.problem is not None:
            yield _field("not accepted", one_line(facts.problem), "red")
        yield _field("attempts", f"{facts.attempts} · {facts.strategy} · ended: {facts.stop}")


def _compared(completion: Completion) -> Iterator[Line]:
    """Show the continuations that were compared, each with its log-likelihood."""
    for each in completion.logprobs or () if completion.finish_reason == "compared" else ():
        said = f"{each.logprob:.4f} · {counted(len(each.top), 'token')}"
        if each.alone is not None:
            said += f" · {each.alone:.4f} without the question"
        yield _field("compared", f"{one_line(each.token)!r}: {said}")


def _field(name: str, value: str, style: str = "") -> Line:
    return Line(Text(f"{name}: ", style="dim").append(value, style=f"not dim {style}"))


def _failure(name: str, failure: Failure) -> Line:
    return _field(name, f"{failure.stage}/{one_line(failure.kind)}: {one_line(failure.message)}", "red")


def _ending(completion: Completion) -> str:
    usage = completion.usage
    cost = "cost unknown" if completion.cost_usd is None else dollars(completion.cost_usd)
    reason = "length (cut off by max_tokens)" if completion.finish_reason == "length" else completion.finish_reason
    parts = [reason, f"{count(usage.input)} tokens in, {count(usage.output)} out", cost]
    if completion.seconds is not None:
        parts.append(duration(completion.seconds))
    if completion.http_attempts > 1:
        parts.append(f"{completion.http_attempts} HTTP attempts")
    parts.append(f"served by {one_line(completion.served_model) if completion.served_model else UNKNOWN}")
    return " · ".join(parts)


def _scores(result: SampleResult) -> Iterator[Line]:
    for name, score in result.scores.items():
        if isinstance(score, Score):
            taken = "" if score.answer is None else f"  (took {one_line(score.answer)!r})"
            yield _field(one_line(name), f"{score.value:g}{taken}", "bold")
            if score.reason is not None:
                yield _field("why", one_line(score.reason))
        else:
            yield _failure(one_line(name), score)
