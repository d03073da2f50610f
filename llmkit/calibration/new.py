"""A new judge: its definition, a guideline to fill in, a prompt, and items to label."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmkit.calibration.draw import Drawn, draw
from llmkit.calibration.pool import Pool
from llmkit.calibration.skeleton import definition, guideline
from llmkit.config import load_settings
from llmkit.documents import Document, parse_yaml, read_text, validate
from llmkit.documents.writing import written
from llmkit.errors import DocumentError, UsageError
from llmkit.judgements import Sampling
from llmkit.judges.items import item_line
from llmkit.judges.kinds import Scale, scale_of
from llmkit.judges.label_file import json_line
from llmkit.judges.lint import FEWEST
from llmkit.judges.spec import NAME, JudgeSpec, KindSpec
from llmkit.providers.base import ModelRef
from llmkit.providers.registry import normalise
from llmkit.shipped import shipped
from llmkit.text import one_line

KINDS = "pass_fail, pairwise, graded:1-5, choices:A=1,B=.5"


@dataclass(frozen=True, slots=True)
class NewJudge:
    """What was written.

    Attributes:
        paths: The files, in the order in which people look at them.
        items: Items to label.
        population: Items that they were drawn from.
        said: How, one line.
        notes: What the user should know.
    """

    paths: tuple[Path, ...]
    items: int
    population: int
    said: str
    notes: tuple[str, ...]


def new_judge(
    name: str,
    pool: Pool,
    *,
    root: Path,
    kind: str,
    model: str,
    n: int = 100,
    sampling: Sampling = "random",
    seed: int = 0,
    force: bool = False,
) -> NewJudge:
    """Draw items and write a judge's files: all of them, or none.

    Args:
        name: The judge's.
        pool: What the items are drawn from.
        root: The project's folder: ``judges/`` and ``prompts/`` lie in it.
        kind: As on the command line (``KINDS``).
        model: ``provider/model``, or an alias.
        n: Items to draw.
        sampling: How.
        seed: Of the draw.
        force: Write over what is there; labels are never written over.

    Raises:
        UsageError: The name, kind or model cannot be meant; files are there already; nothing can be drawn.
    """
    if not re.fullmatch(NAME, name):
        hint = "Small letters, digits, - and _, such as relevance"
        raise UsageError(f"{name!r} cannot be a judge's name", where="NAME", hint=hint)
    meant = kind_of(kind)
    scale = _scale(meant)
    asked = _resolved(model, root)
    files = _Files(root, name)
    files.check(force)
    drawn = draw(pool, n, sampling, seed)
    if len(drawn.subjects) < FEWEST:
        raise UsageError(
            f"{len(drawn.subjects)} items are to be labelled, and no judge can be measured with fewer than {FEWEST}",
            hint="About 100 are a good start: --n 100, from a larger run",
        )
    slices = sorted({key for subject in drawn.subjects for key in subject.slices})
    text = _definition(name, meant, model, pool, drawn, sampling, seed, tuple(slices))
    validate(JudgeSpec, parse_yaml(text, path=files.definition))  # a name or model may be none
    prompt = read_text(shipped("prompts", f"judges/{scale.kind}.prompty"))
    texts = {
        files.definition: text,
        files.guideline: guideline(name, scale),
        files.prompt: re.sub(r"(?m)^name: .*$", f"name: {name}", prompt, count=1),
        files.items: "".join(map(json_line, map(item_line, drawn.subjects))),
        files.labels: "",
    }
    _write(texts, force=force)
    notes = (*pool.notes(), *_notes(drawn, n), *_own(model, asked, pool, files.definition.name))
    return NewJudge(tuple(texts), len(drawn.subjects), drawn.size, drawn.said, notes)


def kind_of(said: str) -> str | Mapping[str, Any]:
    """Read a kind as the command line says it: ``pass_fail``, ``pairwise``, ``graded:1-5``, ``choices:A=1,B=.5``.

    Raises:
        UsageError: It is none.
    """
    name, _, rest = said.partition(":")
    if name in ("pass_fail", "pairwise") and not rest:
        return name
    if name == "graded" and (found := re.fullmatch(r"(-?\d{1,4})-(-?\d{1,4})", rest)):
        return {"graded": {"min": int(found[1]), "max": int(found[2])}}
    if name == "choices" and rest:
        pairs = [part.partition("=") for part in rest.split(",")]
        with contextlib.suppress(ValueError):
            choices: dict[str, float] = {}
            for choice, _, points in pairs:
                if (word := choice.strip()) in choices:
                    raise UsageError(
                        f"the choice {word!r} stands twice", where="--kind", hint="Give each its points once"
                    )
                choices[word] = float(points)
            return {"choices": choices}
    raise UsageError(f"{said!r} is no kind of judge", where="--kind", hint=f"It is one of: {KINDS}")


def _scale(kind: str | Mapping[str, Any]) -> Scale:
    if not isinstance(kind, str):
        try:
            validate(KindSpec, Document(None, dict(kind)))
        except DocumentError as error:
            raise UsageError(one_line(error.message), where="--kind", hint=f"It is one of: {KINDS}") from None
    said = {"version": 1, "name": "x", "criterion": "-", "kind": kind, "model": "-", "prompt": "-"}
    return scale_of(JudgeSpec.model_validate(said))


def _resolved(model: str, root: Path) -> str:
    """Return the model that an alias means; a judge's file with one that cannot be meant could not be loaded.

    Raises:
        UsageError: No such provider, or none at all.
    """
    try:
        asked = load_settings(root).resolve_alias(model)
        normalise(ModelRef(asked))
    except UsageError as error:
        error.where = error.where or "-m"
        raise
    return asked


class _Files:
    """Where a judge's files go."""

    def __init__(self, root: Path, name: str) -> None:
        judges = root / "judges"
        self.definition = judges / f"{name}.yaml"
        self.guideline = judges / "guidelines" / f"{name}.md"
        self.prompt = root / "prompts" / f"{name}.prompty"
        self.items = judges / "labels" / f"{name}.items.jsonl"
        self.labels = judges / "labels" / f"{name}.jsonl"

    def check(self, force: bool) -> None:
        """Refuse to write over anything, and over people's labels in any case.

        Raises:
            UsageError: Naming all that is there.
        """
        if self.labels.is_file() and self.labels.stat().st_size:
            hint = "Move it away first, or choose another name: other items are other labels"
            raise UsageError("this file holds people's labels", where=str(self.labels), hint=hint)
        every = (self.definition, self.guideline, self.prompt, self.items, self.labels)
        there = [str(path) for path in every if path.exists()]
        if there and not force:
            hint = "Nothing was written. Choose another name, or write over them with --force"
            raise UsageError(f"already there: {', '.join(there)}", hint=hint)


def _definition(
    name: str,
    kind: str | Mapping[str, Any],
    model: str,
    pool: Pool,
    drawn: Drawn,
    sampling: Sampling,
    seed: int,
    slices: tuple[str, ...],
) -> str:
    return definition(
        name,
        kind,
        _scale(kind),
        model,
        sampling=sampling,
        population={**pool.population(), "fingerprint": drawn.fingerprint, "size": drawn.size},
        said=drawn.said,
        seed=seed,
        slices=slices,
    )


def _write(texts: Mapping[Path, str], *, force: bool) -> None:
    """Write all files aside, and give them their names once the last is whole."""
    with contextlib.ExitStack() as stack:
        for path, text in texts.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"cannot be made: {error.strerror}", where=str(path.parent)) from error
            stack.enter_context(written(path, force=force)).write(text.encode("utf-8", "replace"))


def _notes(drawn: Drawn, n: int) -> list[str]:
    return [f"there are no more than {drawn.size} items: all of them are to be labelled"] if drawn.size < n else []


def _own(model: str, asked: str, pool: Pool, definition: str) -> list[str]:
    """Say that a model would judge itself: it may like its own style, and so may its family."""
    if asked not in pool.models:
        return []
    return [f"{model} gave these answers: it would judge its own answers: give another with -m, or in {definition}"]
