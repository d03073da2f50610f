"""What ``judges/NAME.yaml`` may say. The descriptions are those that editors show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llmkit.documents import FieldError
from llmkit.judgements import Kind, Sampling
from llmkit.providers.params import Params

NAME = r"^[a-z0-9][a-z0-9_-]*$"
MOST_VOTES = 25
"""More votes of one judge repeat its bias and cost in proportion."""
MOST_GRADES = 100

Name = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Bound = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GradedSpec(_Part):
    """Whole grades, the best last."""

    min: int = Field(description="The worst grade.")
    max: int = Field(description="The best grade.")

    @model_validator(mode="after")
    def _ordered(self) -> GradedSpec:
        if not self.min < self.max:
            raise ValueError(f"min must be below max, not {self.min} and {self.max}")
        if self.max - self.min >= MOST_GRADES:
            raise ValueError(f"at most {MOST_GRADES} grades")
        return self


class KindSpec(_Part):
    """A kind with something to say: grades, or choices with their points."""

    graded: GradedSpec | None = Field(default=None, description="Whole grades from min to max.")
    choices: Annotated[dict[Name, Share], Field(min_length=2, max_length=26)] | None = Field(
        default=None, description="Choice → its points, from 0 to 1."
    )

    @model_validator(mode="after")
    def _one(self) -> KindSpec:
        if (self.graded is None) == (self.choices is None):
            raise ValueError("give either graded or choices")
        return self


def kind_named(kind: Literal["pass_fail", "pairwise"] | KindSpec) -> Kind:
    """Return a kind's name."""
    if isinstance(kind, str):
        return kind
    return "choices" if kind.graded is None else "graded"


class MethodSpec(_Part):
    """How a verdict is obtained."""

    reason: Literal["before", "after", "none"] = Field(
        default="before", description="Whether the judge writes its reason before the verdict, after it, or not at all."
    )
    samples: Annotated[int, Field(ge=1, le=MOST_VOTES)] = Field(default=1, description="Votes; the majority holds.")
    swap: bool = Field(default=False, description="Pairs are judged in both orders; a verdict that flips is a tie.")
    logprobs: bool = Field(
        default=False, description="Take the verdict's probability from the log-probabilities of its token."
    )
    max_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        default=2, description="Calls a vote, at most: what cannot be read is asked again."
    )


class PopulationSpec(_Part):
    """What the labelled items were drawn from. ``llmkit judge new`` writes it."""

    run: Name | None = Field(default=None, description="The stored run.")
    data: Name | None = Field(default=None, description="The data set, in words.")
    fingerprint: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Hash of all its items: the same items are the same population.",
    )
    size: Annotated[int, Field(ge=1)] | None = Field(default=None, description="How many items it has.")

    @model_validator(mode="after")
    def _named(self) -> PopulationSpec:
        if self.run is None and self.data is None:
            raise ValueError("say which run or data set the labelled items were drawn from")
        return self


class LabelsSpec(_Part):
    """People's labels."""

    file: Name = Field(description="A .jsonl file, one label a line: {id, label, annotator, …}, by its path from here.")
    items: Name | None = Field(
        default=None,
        description="A .jsonl file of what was labelled: {id, input, answer, …}. Without it each label holds it.",
    )
    sampling: Sampling | None = Field(
        default=None,
        description="How the items were drawn from their population: random, or enriched (items then have weights)."
        " Without it no rate is corrected.",
    )
    population: PopulationSpec | Name | None = Field(
        default=None, description="What they were drawn from: run:ID, or {run, fingerprint, size}."
    )
    cluster_id: Name | None = Field(
        default=None, description="A field of the items; those with one value (one conversation) stay together."
    )
    slices: list[Name] = Field(
        default=[], description="Fields of the items by whose values agreement is reported, too."
    )
    test: Annotated[float, Field(ge=0.5, lt=1)] = Field(
        default=0.5, description="Share of the labels kept for the test."
    )
    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="Of the split.")


BOUNDS: Mapping[Kind, tuple[str, ...]] = {
    "pass_fail": ("tpr_lower", "tnr_lower"),
    "graded": ("kappa_lower",),
    "choices": ("kappa_lower",),
    "pairwise": ("agreement_lower",),
}
"""The bounds of ``accept`` that a judge of each kind is held to."""


class AcceptSpec(_Part):
    """What a judge must show to be called calibrated. Bounds are one-sided lower ones, on the test labels."""

    tpr_lower: Bound = Field(default=0.80, description="pass_fail: the share of passing items that it must pass.")
    tnr_lower: Bound = Field(default=0.80, description="pass_fail: the share of failing items that it must fail.")
    kappa_lower: Bound = Field(
        default=0.60, description="graded: quadratically weighted kappa; choices: Cohen's kappa."
    )
    agreement_lower: Bound = Field(
        default=0.75, description="pairwise: the share of people's preferences that it meets."
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(default=0.95, description="Of each bound, one-sided.")
    max_flip: Share = Field(
        default=0.10, description="Share of verdicts that may change with the order, a repetition or other words."
    )
    max_unread: Share = Field(default=0.02, description="Share of items that may end without a verdict.")
    max_cannot_tell: Share = Field(
        default=0.10, description="Share of items of which the judge may not be able to tell."
    )
    max_injection: Share = Field(
        default=0.02,
        description="How far instructions inside the judged text may move the raw rate, as a share of its scale.",
    )
    max_age_days: Annotated[float, Field(gt=0)] = Field(
        default=90, description="Days until the judge is to be measured anew."
    )


class JudgeSpec(BaseModel):
    """A judge: criteria, a model, how it is asked, and the labels that it is measured against."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="llmkit judge")

    version: Literal[1] = Field(description="The version of this file format: 1.")
    name: Annotated[str, Field(pattern=NAME, max_length=100)] = Field(
        description="The judge's name: small letters, digits, - and _; the file's name without .yaml."
    )
    criterion: Name = Field(description="The written criteria, a Markdown file, by its path from here.")
    kind: Literal["pass_fail", "pairwise"] | KindSpec = Field(
        description="What it says: pass_fail, pairwise, {graded: {min, max}}, {choices: {NAME: points}}."
    )
    model: Name = Field(description="provider/model, or an alias.")
    params: Params | None = Field(default=None, description="Sampling parameters, such as temperature and max_tokens.")
    prompt: Name = Field(description="A prompt file, by its path from here.")
    method: MethodSpec = Field(default=MethodSpec(), description="How a verdict is obtained.")
    labels: LabelsSpec | None = Field(
        default=None, description="People's labels; without them it cannot be calibrated."
    )
    accept: AcceptSpec = Field(default=AcceptSpec(), description="What it must show to be called calibrated.")

    @model_validator(mode="after")
    def _fits(self) -> JudgeSpec:
        method, own = self.method, kind_named(self.kind)
        if method.swap and own != "pairwise":
            raise FieldError(("method", "swap"), "is for kind: pairwise")
        if method.logprobs and method.samples > 1:
            raise FieldError(("method", "samples"), "is 1 with logprobs: a probability needs no vote")
        if method.logprobs and method.reason == "after":
            raise FieldError(("method", "reason"), "after is as none with logprobs; write before or none")
        for bound in sorted(self.accept.model_fields_set):
            kinds = [kind for kind, names in BOUNDS.items() if bound in names]
            if kinds and own not in kinds:  # nobody would look at it, and whoever wrote it relies on it
                message = f"is for {' and '.join(kinds)}; {own} has {' and '.join(BOUNDS[own])}"
                raise FieldError(("accept", bound), message)
        return self


class SearchSpec(BaseModel):
    """``--search grid.yaml``: every combination is a candidate."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="llmkit judge search")

    model: Annotated[list[Name], Field(min_length=1)] | None = Field(default=None, description="Models to try.")
    prompt: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="Prompt files to try, by their paths from this file."
    )
    few_shot: Annotated[list[Annotated[int, Field(ge=0, le=32)]], Field(min_length=1)] | None = Field(
        default=None, description="Numbers of labelled examples in the prompt to try."
    )
    method: Annotated[list[MethodSpec], Field(min_length=1)] | None = Field(default=None, description="Methods to try.")
    params: Annotated[list[dict[Name, Any]], Field(min_length=1)] | None = Field(
        default=None, description="Sampling parameters to try, over the judge's own."
    )
