"""What a suite file may say. The descriptions are those that editors show."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from llmkit.providers.params import Params

MOST_EPOCHS = 1000
"""Beyond this a mistyped number is likelier than a need: the interval narrows with more rows, not with more epochs."""

Name = Annotated[str, Field(min_length=1, max_length=200)]


def _printable(name: str) -> str:
    if not name.isprintable():  # it is shown in terminals and written into reports
        raise ValueError("holds characters that cannot be shown")
    return name


Printable = Annotated[Name, AfterValidator(_printable)]
Expression = Annotated[
    str,
    Field(
        min_length=1,
        description="A field of the row (a dotted path reaches nested ones), or a {{template}} over its fields.",
    ),
]
Slices = list[Name] | dict[Name, Expression]
_SLICES = "Groups that results are also reported by: fields, or name → field or {{template}}."


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubData(_Part):
    """A data set of the Hugging Face hub (extra [datasets])."""

    hf: str = Field(description="The data set's name on the hub, as owner/name.", pattern=r"^[\w][\w.-]*/[\w][\w.-]*$")
    config: Name | None = Field(default=None, description="Its configuration; the default one where not given.")
    split: Name = Field(default="test", description="Its split.")
    revision: Name | None = Field(
        default=None,
        description="A commit, so that the data stay what they are; a branch or tag is resolved at each run.",
    )


class MapSpec(_Part):
    """Which fields of a row mean what."""

    id: Expression | None = Field(
        default=None, description="What tells a row from all others; its number where not given."
    )
    target: Expression | None = Field(default=None, description="The right answer.")
    references: Expression | list[Expression] | None = Field(
        default=None, description="Right answers, any of which counts: a field that holds a list, or several fields."
    )
    cluster: Expression | None = Field(
        default=None, description="Rows that belong together (one document, one topic) and are not independent."
    )
    slices: Slices | None = Field(default=None, description=_SLICES)


class MessageSpec(_Part):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant"] = Field(description="Who speaks.")
    content: str = Field(description="What is said; {{field}} puts in a field of the row.")


Margin = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class GateSpec(_Part):
    """How much worse one metric may get."""

    max_drop: Margin | None = Field(
        default=None, description="For a metric where higher is better: the drop, in its unit, that must be ruled out."
    )
    max_rise: Margin | None = Field(
        default=None,
        description="For an error rate, and for failures: the rise, in its unit, that must be ruled out. For cost and"
        " latency: the rise as a share of the base's value (.20 is 20 %). For retry_cost: as a share of base's cost.",
    )
    slices: dict[Name, Margin] | None = Field(
        default=None, description="Slice name → the margin that holds for the metric on each of its parts."
    )

    @model_validator(mode="after")
    def _one(self) -> GateSpec:
        if (self.max_drop is None) == (self.max_rise is None):
            raise ValueError("give either max_drop or max_rise")
        return self

    @property
    def margin(self) -> float:
        """The margin of the whole."""
        return self.max_drop if self.max_drop is not None else self.max_rise or 0.0


class GenerateSpec(_Part):
    """How answers come by their form."""

    strategy: Literal["auto", "plain", "reprompt", "native", "constrained"] = Field(
        default="auto",
        description="plain: asked for in words, once. reprompt: what is wrong is sent back. native: the provider's own"
        " structured output. constrained: a grammar bounds the decoder. auto: the strongest that the model has.",
    )
    feedback: Literal["last", "all", "fresh"] = Field(
        default="last", description="What a further attempt sees: the last bad answer, all of them, or nothing."
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(default=3, description="Calls a sample, at most.")
    validators: list[Name] = Field(default=[], description="Names of registered validators that must pass, too.")


class SuiteSpec(BaseModel):
    """A suite: what is asked, and how the answers are scored. Or, with `suites`, a list of others."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="llmkit suite")

    version: Literal[1] = Field(description="The version of this file format: 1.")
    name: Printable | None = Field(
        default=None, description="The suite's name in results; the file's name where not given."
    )
    description: str | None = Field(default=None, description="What the suite measures, for people.")
    suites: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="Other suites to run in this one's place: built-in names, or paths from this file."
    )
    data: str | HubData | None = Field(
        default=None,
        description="Rows: a .jsonl, .csv, .parquet or .json file, by its path from here; or {hf: owner/name}.",
    )
    map: MapSpec = Field(default=MapSpec(), description="Which fields of a row mean what.")
    slices: Slices | None = Field(default=None, description=_SLICES)
    prompt: Name | None = Field(
        default=None,
        description="A prompt file, by its path from this file; or builtin:NAME for one that comes with llmkit.",
    )
    messages: Annotated[list[MessageSpec], Field(min_length=1)] | None = Field(
        default=None, description="The conversation, in place of a prompt file."
    )
    format: Name | dict[Name, Any] | None = Field(
        default=None,
        description="The form that answers must have: json:schema.json, choice:yes,no …, or {name: argument}. Where the"
        " prompt file declares outputs, they are the form.",
    )
    generate: GenerateSpec | None = Field(default=None, description="How answers come by their form.")
    scorers: Annotated[list[Name | dict[Name, Any]], Field(min_length=1)] | None = Field(
        default=None, description="How answers are scored: names, {name: {option: value}}, or {judge: NAME}."
    )
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = Field(default=1, description="How often each row is asked.")
    limit: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Only the first rows.")
    gate: Annotated[dict[Name, GateSpec], Field(min_length=1)] | None = Field(
        default=None,
        description="What `llmkit gate` holds a change to: metric → margin; beside the scorers' names: cost, failures,"
        " latency_mean, latency_p50, latency_p90, latency_p95, latency_p99.",
    )
    model: Name | None = Field(
        default=None, description="The model where none is given with -m: provider/model, or an alias."
    )
    params: Params | None = Field(default=None, description="Sampling parameters, such as temperature and max_tokens.")

    @model_validator(mode="after")
    def _whole(self) -> SuiteSpec:
        if self.suites is not None:
            own = self.model_fields_set - {"version", "name", "description", "suites"}
            if own:
                raise ValueError(f"a file that lists suites asks nothing itself; remove {', '.join(sorted(own))}")
            return self
        missing = [name for name in ("data", "scorers") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either prompt or messages")
        if self.slices is not None and self.map.slices is not None:
            raise ValueError("slices stand twice; keep those under map")
        return self
