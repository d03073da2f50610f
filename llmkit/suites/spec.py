"""What a suite file may say. The descriptions are those that editors show."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from llmkit.providers.params import Params
from llmkit.samples.needle.spec import NeedleData

MOST_EPOCHS = 1000
"""Beyond this a mistyped number is likelier than a need: the interval narrows with more rows, not with more epochs."""

MOST_EXAMPLES = 100
"""Of one prompt; beyond this a mistyped number is likelier than a need."""

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
    config: Name | Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None,
        description="Its configuration; the default one where not given. Of a list, one is read after the other, and"
        " each row has its configuration's name in the field config.",
    )
    split: Name = Field(default="test", description="Its split.")
    revision: Name | None = Field(
        default=None,
        description="A commit, so that the data stay what they are; a branch or tag is resolved at each run.",
    )


class MapSpec(_Part):
    """Which fields of a row mean what."""

    fields: dict[Name, Expression | Annotated[list[Expression], Field(min_length=1)]] | None = Field(
        default=None,
        description="Further fields that rows get before all else: name → field or {{template}}, or a list of them,"
        " which makes a list. So data whose fields are called otherwise fit a prompt; `--map NAME=FIELD` adds to them.",
    )
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


class LikelihoodSpec(_Part):
    """Which of given continuations the model holds likeliest: nothing is generated, their log-likelihoods are asked."""

    choices: Expression | Annotated[list[str], Field(min_length=2)] = Field(
        description="The continuations: a field that holds a list of texts (a dotted path reaches nested ones), or a"
        " list of texts, each of which may be a {{template}} over the row's fields."
    )
    prefix: str | Annotated[list[str], Field(min_length=2)] = Field(
        default="",
        description="What the answer begins with, or the plain text goes on with after a space, before a continuation:"
        " a text, or one for each choice; {{field}} puts in a field of the row. It is given, not measured.",
    )
    separator: str | None = Field(
        default=None,
        description="What stands between prefix (or plain text) and a continuation, measured with it. By default a"
        " space, and nothing where an answer begins or white space stands there already.",
    )
    template: Literal["chat", "none"] = Field(
        default="chat",
        description="chat: the messages go through the model's chat template, and a continuation is the beginning of"
        " its answer. none: the messages' texts are one plain text that goes on with the continuation, as base models"
        " are measured.",
    )
    unconditional: str | None = Field(
        default=None,
        description="What is said in place of the messages, 'Answer:' say, to measure how likely the continuations are"
        " without the question; the scorer likelihood takes it off with normalise: unconditional.",
    )

    @model_validator(mode="after")
    def _one_each(self) -> LikelihoodSpec:
        if isinstance(self.choices, list) and isinstance(self.prefix, list) and len(self.choices) != len(self.prefix):
            raise ValueError(f"{len(self.prefix)} prefixes for {len(self.choices)} choices")
        return self


class AboutSpec(_Part):
    """What a benchmark is, for `llmkit suites`."""

    kind: Literal["exact", "checkable", "judged"] | None = Field(
        default=None,
        alias="class",
        description="exact: an answer is compared with a right one. checkable: a program finds whether it is right."
        " judged: a model says so.",
    )
    rows: Annotated[int, Field(ge=1)] | None = Field(default=None, description="How many rows the data set has.")
    licence: Name | None = Field(default=None, description="Of the data, as its publisher names it.")
    source: str | None = Field(default=None, description="Who made the data, and where they are described.")
    prompt: str | None = Field(default=None, description="Where the prompt comes from.")
    normalisation: str | None = Field(
        default=None, description="Where the rule comes from by which answers are compared."
    )


class FewShotSpec(_Part):
    """Rows that the prompt shows as examples, with their right answers."""

    count: Annotated[int, Field(ge=0, le=MOST_EXAMPLES)] = Field(
        default=0,
        description="How many: the template's list `examples` holds them. 0 shows none until --few-shot asks for some.",
    )
    data: str | HubData | None = Field(
        default=None,
        description="Where they come from, as in data; the suite's own rows where not given. The row that is asked is"
        " never among them.",
    )
    by: Expression | None = Field(
        default=None, description="Only rows with the same value here as the row that is asked: its subject, say."
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Draws them at random, the same ones for every row; the first ones where not given."
    )


VARIANT = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
"""A variant's name: what can follow a colon in ``mmlu:cot``, and is no part of a path."""
VariantName = Annotated[str, Field(max_length=60, pattern=VARIANT)]


class _Fields(_Part):
    """What a suite says, and what a variant of it may say otherwise."""

    description: str | None = Field(default=None, description="What the suite measures, for people.")
    about: AboutSpec | None = Field(default=None, description="What a benchmark is, for `llmkit suites`.")
    data: str | HubData | NeedleData | None = Field(
        default=None,
        description="Rows: a .jsonl, .csv, .parquet or .json file, by its path from here; {hf: owner/name}; or"
        " {generate: needle, …}.",
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
    few_shot: FewShotSpec | None = Field(
        default=None, description="Rows that the prompt shows as examples, in its list `examples`."
    )
    format: Name | dict[Name, Any] | None = Field(
        default=None,
        description="The form that answers must have: json:schema.json, choice:yes,no …, or {name: argument}. Where the"
        " prompt file declares outputs, they are the form.",
    )
    generate: GenerateSpec | None = Field(default=None, description="How answers come by their form.")
    likelihood: LikelihoodSpec | None = Field(
        default=None,
        description="In place of an answer: which of given continuations is likeliest after the messages.",
    )
    scorers: Annotated[list[Name | dict[Name, Any]], Field(min_length=1)] | None = Field(
        default=None, description="How answers are scored: names, {name: {option: value}}, or {judge: NAME}."
    )
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = Field(default=1, description="How often each row is asked.")
    pass_k: Annotated[list[Annotated[int, Field(ge=1, le=MOST_EPOCHS)]], Field(min_length=1)] | None = Field(
        default=None,
        description="For each k: pass@k and pass^k of the metrics whose values are right or wrong, that is whether one"
        " of k answers to a row is right, or all are. A k beyond the epochs is left out.",
    )
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


class VariantSpec(_Fields):
    """A variant of the suite: what stands here takes the place of what the suite says."""

    @model_validator(mode="after")
    def _one_prompt(self) -> VariantSpec:
        if self.prompt is not None and self.messages is not None:
            raise ValueError("give either prompt or messages")
        return self


class SuiteSpec(_Fields):
    """A suite: what is asked, and how the answers are scored. Or, with `suites`, a list of others."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="llmkit suite")

    version: Literal[1] = Field(description="The version of this file format: 1.")
    name: Printable | None = Field(
        default=None, description="The suite's name in results; the file's name where not given."
    )
    suites: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="Other suites to run in this one's place: built-in names, or paths from this file."
    )
    variants: dict[VariantName, VariantSpec] | None = Field(
        default=None,
        min_length=1,
        description="Other forms of the suite, run as SUITE:NAME. What a variant says takes the place of what the suite"
        " says; of about, map, params and few_shot, each field on its own. null takes a field away.",
    )

    @model_validator(mode="after")
    def _whole(self) -> SuiteSpec:
        if self.suites is not None:
            own = self.model_fields_set - {"version", "name", "description", "about", "suites"}
            if own:
                raise ValueError(f"a file that lists suites asks nothing itself; remove {', '.join(sorted(own))}")
            return self
        missing = [name for name in ("data", "scorers") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either prompt or messages")
        if self.likelihood is not None and (self.format is not None or self.generate is not None):
            raise ValueError("with likelihood nothing is generated; remove format and generate")
        if self.slices is not None and self.map.slices is not None:
            raise ValueError("slices stand twice; keep those under map")
        return self
