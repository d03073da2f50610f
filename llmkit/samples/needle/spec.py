"""What ``data: {generate: needle, …}`` may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from llmkit.tokens import MODEL, check_name

Kind = Literal["single", "numbers", "uuid", "multi_needle", "multi_key", "facts"]
Values = Literal["words", "numbers", "uuid"]
Question = Literal["one_fact", "two_hops", "count", "compare", "missing"]
Length = Annotated[int, Field(ge=16, le=10_000_000)]
Depth = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

SYNTHETIC, NUMBERED, REPEATED = "synthetic", "numbered", "repeated"
OWN_HAYSTACKS = (SYNTHETIC, NUMBERED, REPEATED)
"""Haystacks that are made here, so that a set can be had with nothing at hand."""

VALUES: dict[Kind, Values] = {
    "single": "words", "numbers": "numbers", "uuid": "uuid", "multi_needle": "numbers", "multi_key": "numbers",
}  # fmt: skip
NEEDLES: dict[Kind, int] = {"multi_needle": 4}
DISTRACTORS: dict[Kind, int] = {"multi_key": 8}
_NOT_OF_FACTS = ("depths", "needles", "distractors", "values", "haystack", "field", "repeat")


class NeedleData(BaseModel):
    """Needle-in-a-haystack rows, made at run time: what a long text says must be found in it.

    Kinds and grid follow Kamradt 2023 ("Needle In A Haystack", github.com/gkamradt/LLMTest_NeedleInAHaystack) and RULER
    (Hsieh et al. 2024, arXiv 2404.06654, section 3.1); the texts are llmkit's own, so figures compare among its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    generate: Literal["needle"] = Field(description="Rows are made at run time.")
    kind: Kind = Field(
        default="single",
        description="single: one sentence with two words to find. numbers: with a number. uuid: a UUID by a UUID."
        " multi_needle: several, all asked at once. multi_key: one asked among many alike. facts: questions over many"
        " facts of letters, minutes and records.",
    )
    lengths: Annotated[list[Length], Field(min_length=1, max_length=100)] = Field(
        description="Tokens of the context (the haystack with its needles), exactly; question and template come on top."
    )
    depths: Annotated[list[Depth], Field(min_length=1, max_length=101)] = Field(
        default=[0, 25, 50, 75, 100],
        description="Where the needle stands, in percent of the haystack; of several needles, the first.",
    )
    repeats: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="Rows of each length and depth, with other needles and another part of the haystack."
    )
    seed: int = Field(default=0, description="Of everything that is drawn: the same seed gives the same rows.")
    needles: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="Needles that are asked for, all at once; 1, and 4 for multi_needle."
    )
    distractors: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, description="Needles alike that are not asked for; 0, and 8 for multi_key."
    )
    values: Values | None = Field(default=None, description="What is to be found; the kind says, where not given.")
    haystack: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default=SYNTHETIC,
        description="synthetic: sentences made here, all different. numbered: the same, each with its number. repeated:"
        " a few sentences over and over. Or a text: a .txt file, or a file of rows (see field); --data replaces it.",
    )
    field: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        default="text", description="The field that holds the text, where the haystack is a file of rows."
    )
    repeat: bool = Field(default=False, description="Repeat a haystack that is shorter than the longest context.")
    tokenizer: Annotated[str, AfterValidator(check_name)] = Field(
        default=MODEL,
        description="What counts tokens: model (of the model that is asked), hf:OWNER/NAME[@REVISION], the path of a"
        " tokenizer.json, or characters:N, an approximation.",
    )
    questions: Annotated[list[Question], Field(min_length=1)] = Field(
        default=["one_fact", "two_hops", "count", "compare", "missing"], description="What is asked, with kind: facts."
    )

    @model_validator(mode="after")
    def _whole(self) -> NeedleData:
        for name in ("lengths", "depths", "questions"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names one twice")
        if self.kind == "facts":
            alien = [name for name in _NOT_OF_FACTS if name in self.model_fields_set]
            if alien:
                raise ValueError(f"kind: facts writes its own documents; remove {', '.join(alien)}")
        elif "questions" in self.model_fields_set:
            raise ValueError("questions belong to kind: facts")
        if self.kind == "multi_needle" and self.asked < 2:
            raise ValueError("multi_needle asks for two needles or more")
        return self

    @property
    def asked(self) -> int:
        """Needles that are asked for."""
        return self.needles if self.needles is not None else NEEDLES.get(self.kind, 1)

    @property
    def others(self) -> int:
        """Needles alike that are not."""
        return self.distractors if self.distractors is not None else DISTRACTORS.get(self.kind, 0)

    @property
    def sort(self) -> Values:
        """What is to be found."""
        return self.values or VALUES[self.kind]
