"""Baseline rescaling: (x - b) / (1 - b), b being what texts that have nothing to do with each other score on average.

The baselines that bert-score publishes (rescale_baseline/LANGUAGE/MODEL.tsv in its repository and its package) were
measured on a million pairs of random sentences of Common Crawl for each model and layer
(https://github.com/Tiiiger/bert_score/blob/master/journal/rescale_baseline.md). They are read, never copied or guessed.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from llmkit.canonical import digest
from llmkit.documents import read_text
from llmkit.errors import DocumentError, UsageError, nearest
from llmkit.scoring.contextual.matching import Figures
from llmkit.text import shorten

HEADER = ("LAYER", "P", "R", "F")
PACKAGE = "bert_score"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What unrelated texts score at one layer of one model."""

    precision: float
    recall: float
    f1: float

    @property
    def digest(self) -> str:
        """Hash of the three figures."""
        return digest([self.precision, self.recall, self.f1])

    def rescale(self, figures: Figures) -> Figures:
        """Rescale precision, recall and F1, shape (…, 3): the baseline becomes 0, and 1 stays 1."""
        baseline = np.array([self.precision, self.recall, self.f1])
        rescaled: Figures = (figures - baseline) / (1 - baseline)
        return rescaled


def read_baseline(path: Path, layer: int, where: str | None = None) -> Baseline:
    """Read a layer's row of a file in bert-score's form: ``LAYER,P,R,F``, separated by commas whatever its ending.

    Args:
        path: The file.
        layer: Whose row.
        where: ``path:line`` of what names the file.

    Raises:
        DocumentError: There is no such file or no such row, or it is no baseline.
    """
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.tsv")] if path.parent.is_dir() else []
        raise DocumentError(f"no baseline file {str(path)!r}", where=where, hint=nearest(path.name, beside))
    rows = dict(_rows(path))
    if layer not in rows:
        has = f"it has layers {min(rows)} to {max(rows)}" if rows else "it has none"
        raise DocumentError(f"no baseline of layer {layer}: {has}", where=str(path))
    return rows[layer]


def _rows(path: Path) -> Iterator[tuple[int, Baseline]]:
    lines = csv.reader(read_text(path).splitlines())
    header = tuple(each.strip() for each in next(lines, []))
    if header != HEADER:
        found = shorten(",".join(header)) or "nothing"
        raise DocumentError(f"a baseline begins with {','.join(HEADER)}, not {found!r}", where=f"{path}:1")
    for cells in lines:
        if not cells:
            continue
        where = f"{path}:{lines.line_num}"
        try:
            layer, figures = int(cells[0]), [float(cell) for cell in cells[1:]]
        except ValueError:
            raise DocumentError(f"{shorten(','.join(cells))!r} is no row of {','.join(HEADER)}", where=where) from None
        if len(figures) != len(HEADER) - 1 or not all(math.isfinite(b) and b < 1 for b in figures):
            raise DocumentError("a row has three figures below 1 after its layer", where=where)
        yield layer, Baseline(*figures)


def published(model: str, language: str, where: str | None = None) -> Path:
    """Find the baseline that bert-score publishes for a model, in its package if that is installed.

    Nothing of the package is imported.

    Raises:
        UsageError: It is not installed, or has no baseline of this model in this language.
    """
    spec = find_spec(PACKAGE)
    folders = [Path(each, "rescale_baseline") for each in (spec.submodule_search_locations or ())] if spec else []
    if not folders:
        raise UsageError(
            "rescale: auto reads the baselines that the package bert-score brings, and it is not installed",
            where=where,
            hint="Install it: pip install --no-deps bert-score, or name a file: rescale: FILE.tsv",
        )
    for folder in folders:
        path = folder / language / f"{model}.tsv"
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    languages = sorted(
        each.name for folder in folders for each in folder.iterdir() if (each / f"{model}.tsv").is_file()
    )
    raise UsageError(
        f"bert-score publishes no baseline of {model} for the language {language!r}",
        where=where,
        hint=f"It has one for {', '.join(languages)}" if languages else "Name a file of your own: rescale: FILE.tsv",
    )
