"""What ``llmkit judge new`` writes for people to go on from: a definition, and a guideline that asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmkit.errors import DocumentError
from llmkit.judgements import Kind, Sampling
from llmkit.judges.judge import Judge
from llmkit.judges.kinds import Scale
from llmkit.judges.load import WRITE_IT
from llmkit.text import one_line

ACCEPT: Mapping[Kind, str] = {
    "pass_fail": "{tpr_lower: 0.80, tnr_lower: 0.80, confidence: 0.95, max_flip: 0.10, max_age_days: 90}",
    "graded": "{kappa_lower: 0.60, confidence: 0.95, max_flip: 0.10, max_age_days: 90}",
    "choices": "{kappa_lower: 0.60, confidence: 0.95, max_flip: 0.10, max_age_days: 90}",
    "pairwise": "{agreement_lower: 0.75, confidence: 0.95, max_flip: 0.10, max_age_days: 90}",
}
_METHOD: Mapping[Kind, str] = {"pairwise": "{reason: before, swap: true}"}


def definition(
    name: str,
    kind: Any,
    scale: Scale,
    model: str,
    *,
    sampling: Sampling,
    population: Mapping[str, str | int],
    said: str,
    seed: int,
    slices: tuple[str, ...] = (),
) -> str:
    """Return the text of ``judges/NAME.yaml``.

    Args:
        name: The judge's.
        kind: As the file says it: a word, or a mapping.
        scale: Its words.
        model: ``provider/model``.
        sampling: How the items were drawn.
        population: What from: run or data, fingerprint, size.
        said: How, in words.
        seed: Of the draw.
        slices: Fields of the items by whose values agreement is reported.
    """
    # JSON is YAML, too, and quotes whatever a name or a run holds.
    flow = {key: json.dumps(value, ensure_ascii=False) for key, value in population.items()}
    lines = [
        "# A judge: what it grades by, whom it asks, and the labels that it is measured against.",
        f"# Next: label the items (llmkit label start {name}), then measure it (llmkit judge calibrate {name}).",
        "version: 1",
        f"name: {json.dumps(name)}",
        f"criterion: guidelines/{name}.md",
        f"kind: {kind if isinstance(kind, str) else json.dumps(kind, ensure_ascii=False)}",
        f"model: {json.dumps(model, ensure_ascii=False)}",
        f"prompt: ../prompts/{name}.prompty",
        f"method: {_METHOD.get(scale.kind, '{reason: before}')}",
        "labels:",
        f"  file: labels/{name}.jsonl",
        f"  items: labels/{name}.items.jsonl",
        f"  # {one_line(said)}, seed {seed}. How a rate is corrected rests on these two.",
        f"  sampling: {sampling}",
        "  population:",
        *(f"    {key}: {value}" for key, value in flow.items()),
    ]
    if slices:
        lines.append(f"  slices: {json.dumps(list(slices), ensure_ascii=False)}")
    return "\n".join([*lines, f"accept: {ACCEPT[scale.kind]}", ""])


def guideline(name: str, scale: Scale) -> str:
    """Return the text of ``judges/guidelines/NAME.md``: a skeleton to be filled in before the first label."""
    parts = [f"# {name}", "", *_TASK[scale.kind], ""]
    for label in scale.labels:
        parts += [f"## {_title(label, scale)}", "", f"- {_question(label, scale)}", ""]
    parts += [
        "## cannot_tell",
        "",
        "- Only where what is shown does not let anybody decide. A hard case is not one of these: decide it, and write",
        "  below how.",
        "",
        "## Hard cases",
        "",
        "Write down how each was decided, so that the next one is decided alike.",
        "",
        "- An answer that is right but says more than was asked:",
        "- An answer that is partly right:",
        "- An answer that declines:",
        "",
        "## Examples",
        "",
        "One for each of the above, with the reason. Make them up, or take them from elsewhere: an item that is",
        "labelled must not stand here, since the judge reads this file.",
        "",
    ]
    return "\n".join(parts)


def unfilled(judge: Judge) -> bool:
    """Whether a judge's guideline says nothing but what :func:`guideline` asks; parts may be gone."""
    asked = {line.strip() for line in guideline(judge.name, judge.scale).splitlines()}
    title, *said = [line.strip() for line in judge.criterion.splitlines()]
    return all(line in asked for line in (said if title.startswith("# ") else [title, *said]))


def check_guideline(judge: Judge) -> None:
    """Make sure that somebody wrote the criteria.

    Raises:
        DocumentError: The guideline is as ``llmkit judge new`` made it.
    """
    if unfilled(judge):
        raise DocumentError(
            "the guideline is empty: nobody has filled in what llmkit judge new made", where=str(judge.criterion_path),
            hint=WRITE_IT,
        )  # fmt: skip


_TASK: Mapping[Kind, tuple[str, ...]] = {
    "pass_fail": ("One sentence: what must a good answer do, for whom?",),
    "graded": (
        "One sentence: what is being graded? Grades are whole; each has a line below that tells it from the next.",
    ),
    "choices": ("One sentence: what are answers sorted by? Exactly one of the following holds of each answer.",),
    "pairwise": ("One sentence: what makes one answer better than the other, for whom?",),
}


def _title(label: str, scale: Scale) -> str:
    if scale.kind == "graded":
        first, last = scale.labels[0], scale.labels[-1]
        return f"{label}{' (the worst)' if label == first else ' (the best)' if label == last else ''}"
    return label


def _question(label: str, scale: Scale) -> str:
    if scale.kind == "pass_fail":
        return "All of these hold:" if label == "pass" else "One of these is enough:"
    if scale.kind == "pairwise":
        return "Neither is better by these criteria:" if label == "tie" else f"Answer {label} is better, because:"
    return "An answer is this where:"
