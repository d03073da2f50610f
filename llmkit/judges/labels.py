"""People's labels, and what was labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmkit.judgements import Sampling
from llmkit.judges.subject import Subject


@dataclass(frozen=True, slots=True)
class Label:
    """One person's answer for one item, as a line of the file holds it.

    Attributes:
        id: The item's.
        label: A word of the judge's scale, or ``cannot_tell``.
        annotator: Who; empty where the file does not say.
        gold: Whether it is a known answer, by which people are examined.
        seconds: That it took; None where unknown.
        where: ``path:line``.
    """

    id: str
    label: str
    annotator: str = ""
    gold: bool = False
    seconds: float | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An item with what people say of it.

    Attributes:
        subject: What was labelled.
        label: The gold label where there is one, else the majority's; None where there is none (a tie, or all could not
            tell): such an item measures nothing.
        said: Annotator → label; without the gold one.
    """

    subject: Subject
    label: str | None
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All labels of one judge.

    Attributes:
        items: In the order of the items file (of first sight in the labels file without one); unlabelled ones left out.
        labels: Every line.
        unlabelled: Items that nobody has labelled.
        sampling: How they were drawn; None where not stated.
        population: Fingerprint of what they were drawn from; None where unknown.
        digest: Hash of all that a measurement uses of them.
    """

    items: tuple[Labelled, ...]
    labels: tuple[Label, ...]
    unlabelled: tuple[Subject, ...] = ()
    sampling: Sampling | None = None
    population: str | None = None
    digest: str = ""
