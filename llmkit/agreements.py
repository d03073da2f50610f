"""Frozen records of how far people agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmkit.judgements import Rate


@dataclass(frozen=True, slots=True)
class Annotator:
    """One person's answers.

    Attributes:
        name: Who.
        n: Items labelled.
        agreement: With the majority of the others, over items that others labelled too.
        gold: Accuracy on gold items; None where there are none.
        skill: Wawa's share, or Dawid and Skene's expected accuracy; None where it cannot be had.
        p_value: One-sided, of being no worse than the rest.
        p_adjusted: Holm's.
        flagged: Provably worse than the rest; never on fewer than ten answers.
        seconds: Median time per item; None where unknown.
    """

    name: str
    n: int
    agreement: Rate | None
    gold: Rate | None
    skill: float | None
    p_value: float | None
    p_adjusted: float | None
    flagged: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree.

    Attributes:
        judge: Whose labels.
        items: Items with a label.
        overlapping: Items that two or more labelled.
        annotators: Who labelled.
        kappas: Pair of annotators → Cohen's κ over the items of both.
        fleiss: κ for several raters, where each item has equally many; else None.
        alpha: Krippendorff's, missing labels allowed.
        ac1: Gwet's.
        majority: Label → items that it wins; ties apart.
        ties: Items without a majority.
        dawid_skene: Label → items that it takes by Dawid and Skene's model.
        differing: Ids on which the two say otherwise.
        level: Of measurement: nominal, ordinal.
        ceiling: How often a person says what most of the others say: no judge can be asked for more.
    """

    judge: str
    items: int
    overlapping: int
    annotators: tuple[str, ...]
    kappas: Mapping[tuple[str, str], Rate]
    fleiss: Rate | None
    alpha: Rate | None
    ac1: Rate | None
    majority: Mapping[str, int]
    ties: int
    dawid_skene: Mapping[str, int]
    differing: tuple[str, ...]
    level: str
    ceiling: Rate | None = None
