"""From a file of predictions to a plan and its samples' answers: with a suite's rows, or with rows of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from llmkit.canonical import digest
from llmkit.errors import DocumentError, ProviderError, UsageError, nearest
from llmkit.prompts import Prompt
from llmkit.providers.base import Capabilities, ModelRef
from llmkit.runs.plan import Plan
from llmkit.runs.prediction_rows import OwnRows
from llmkit.runs.predictions import Prediction, Predictions, Survey, twice
from llmkit.samples import Row
from llmkit.scoring import Scorer, check_names
from llmkit.suites.expression import MISSING, Expression, as_text, compile_expression, field_names
from llmkit.suites.load import load_suites
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.suite import FIRST_ROWS, Suite
from llmkit.suites.teaching import taught_suite
from llmkit.suites.validity import with_validity
from llmkit.types import BadRow, Completion, Message, PredictionsFound, Request, Sample

NAME = "predictions"
"""Of the suite where none is named: the same for every file, so that those of several systems can be compared."""

Pair = tuple[Sample | BadRow, Prediction | None]


class GivenAnswers:
    """Stands where a provider does: whoever gave the answers, it was not asked by llmkit, and cannot be."""

    name = "predictions"
    capabilities = Capabilities(billed=False)

    def __init__(self, model: str, sha256: str) -> None:
        self.model, self._sha256 = model, sha256

    def wire(self, request: Request) -> Mapping[str, Any]:
        """Return nothing: no request was made that is known."""
        return {}

    def identity(self) -> Mapping[str, str]:
        """Return the file's hash."""
        return {"sha256": self._sha256}

    async def complete(self, request: Request) -> Completion:
        """Refuse.

        Raises:
            ProviderError: Always.
        """
        raise ProviderError("not_found", f"{self.model} is a file of answers, and cannot be asked")


@dataclass(frozen=True)
class Asked(Prompt):
    """What was asked, as far as the rows say.

    Attributes:
        asked: The field that holds it: a text, or a list of messages; None: it is not known.
    """

    asked: Expression | None = field(default=None, compare=False)

    @classmethod
    def of(cls, text: str | None) -> Asked:
        """Make it of a field's name; None: what was asked is not known."""
        mark = digest(["asked", text])
        expression = None if text is None else compile_expression(text, "--prompt")
        return cls(NAME, None, None, {}, (), (), mark, frozenset(), template_fingerprint=mark, asked=expression)

    def render(self, row: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages of a row; none where they are not known.

        Raises:
            DocumentError: The row does not have the field, or it holds something else.
        """
        if self.asked is None:
            return ()
        try:
            value = self.asked.value(row)
        except ValueError as error:
            raise DocumentError(str(error)) from None
        if not isinstance(value, list):
            return (Message("user", as_text(value)),)
        return tuple(_message(each, self.asked.text) for each in value)


def _message(value: object, name: str) -> Message:
    role, content = (value.get("role"), value.get("content")) if isinstance(value, Mapping) else (None, None)
    if role not in ("system", "user", "assistant") or not isinstance(content, str):
        raise DocumentError(f"the field {name!r} holds no messages", hint="As in [{role: user, content: text}]")
    return Message(role, content)


@dataclass(frozen=True)
class Given:
    """Answers that are there, and what they answer.

    Attributes:
        plan: The suite, under whose name, with how many answers a row.
        provider: Who answered, which is not asked.
        predictions: The file.
        survey: What it holds.
        strangers: Predictions of rows that the suite does not have, and where the first is.
        unanswered: Rows of the suite that the file does not have, and where the first is.
    """

    plan: Plan
    provider: GivenAnswers
    predictions: Predictions
    survey: Survey
    strangers: tuple[int, str] = (0, "")
    unanswered: tuple[int, str] = (0, "")

    def findings(self) -> PredictionsFound:
        """Return what the file holds, and what of it cannot be scored."""
        survey = self.survey
        doubled = [places[0] for places in survey.doubled.values()]
        return PredictionsFound(
            file=self.predictions.source.describe(),
            rows=survey.rows,
            answers=survey.answers,
            epochs=(survey.fewest, survey.epochs),
            missing={
                "no answer": survey.empty,
                "cannot be read": survey.unreadable,
                "no id": survey.nameless,
                "an id that stands more than once": (len(doubled), (*doubled, "")[0]),
                "an id that the suite does not have": self.strangers,
            },
            unanswered=self.unanswered,
        )

    def pairs(self) -> Iterator[Pair]:
        """Yield each sample of the suite, and what the file says of it; None where it says nothing."""
        suite, limit = self.plan.suite, self.plan.limit
        if isinstance(suite.source, OwnRows):
            yield from zip(suite.samples(limit), (said for _, said in suite.source.both()), strict=False)
            return
        said = {p.id: p for _, p in self.predictions.both() if p is not None and p.id not in self.survey.doubled}
        for sample in suite.samples(limit):
            yield sample, None if isinstance(sample, BadRow) else said.get(sample.id)

    def why(self, sample: Sample) -> tuple[str, str]:
        """Say why a sample has no prediction: the failure's kind, and a line."""
        name = self.predictions.source.describe()
        if sample.id in self.survey.doubled:
            places = self.survey.doubled[sample.id]
            return "doubled_id", f"{places[0]}: {twice(sample.id, places)}"
        return "no_prediction", f"{sample.where}: {name} has no row with the id {sample.id!r}"


def of_suite(
    ref: str,
    predictions: Predictions,
    *,
    data: str | None = None,
    scorers: Sequence[str | Mapping[str, Any]] = (),
    built: Sequence[Scorer] = (),
    limit: int | None = None,
    **how: Any,
) -> Given:
    """Give a suite's rows the answers of a file; rows are matched by id.

    Args:
        ref: The suite's name or path.
        predictions: The file.
        data: Replaces the suite's data.
        scorers: Entries that replace the suite's; none: its own.
        built: What they make.
        limit: Only its first rows.
        how: See ``_given``.

    Raises:
        UsageError: It lists several suites, compares likelihoods, or has no row that the file knows.
    """
    suite = _one_suite(ref, data)
    if scorers:
        check_names(built, lambda position: "--scorer")
        spec = suite.spec.model_copy(update={"scorers": list(scorers)})
        suite = replace(suite, spec=spec, scorers=with_validity(tuple(built), suite.form))
    rows, survey = suite.check(limit), predictions.survey()
    name = predictions.source.describe()
    if predictions.id is None and suite.spec.map.id is not None:
        raise UsageError("the rows have no id, and the suite's have", where=name, hint="Name their field with --id")
    ids = {said.id: (said.where, len(said.answers)) for _, said in predictions.both() if said is not None and said.id}
    known = {sample.id: sample.where or "" for sample in suite.samples(limit) if isinstance(sample, Sample)}
    strange = [where for name, (where, _) in ids.items() if name not in known]
    if ids and len(strange) == len(ids):
        raise UsageError(
            f"no row has an id of {suite.source.describe()}: {next(iter(ids))!r} here, {next(iter(known), '')!r} there",
            where=strange[0],
            hint="Name the field of the suite's ids with --id",
        )
    alone = [where for name, where in known.items() if name not in ids]
    epochs = max((count for name, (_, count) in ids.items() if name in known), default=1)
    return _given(
        suite, predictions, survey, rows, limit=limit, epochs=epochs,
        strangers=_first(strange), unanswered=_first(alone), **how,
    )  # fmt: skip


def _one_suite(ref: str, data: str | None) -> Suite:
    suites = load_suites(ref, data=data)
    if len(suites) > 1:
        raise UsageError(f"{ref} lists {len(suites)} suites", hint="Name one of them: a file answers one")
    suite = suites[0]
    if suite.likelihood is not None:
        raise UsageError(
            f"suite {suite.name} measures how likely continuations are, and a file of answers does not say",
            where=suite.where("likelihood"),
        )
    return suite


def _first(places: list[str]) -> tuple[int, str]:
    """Return how many there are, and the first."""
    return len(places), (*places, "")[0]


def of_rows(
    predictions: Predictions,
    scorers: Sequence[str | Mapping[str, Any]],
    built: Sequence[Scorer],
    *,
    name: str = NAME,
    prompt: str | None = None,
    target: str | None = None,
    references: str | None = None,
    cluster: str | None = None,
    slices: Sequence[str] | Mapping[str, str] = (),
    limit: int | None = None,
    **how: Any,
) -> Given:
    """Take what is right from the file itself.

    Args:
        predictions: The file.
        scorers: Their entries, as a suite writes them.
        built: What they make.
        name: The suite's, in results.
        prompt: The field of what was asked.
        target: The field of the right answer.
        references: The field that holds a list of right answers.
        cluster: The field of what makes rows dependent.
        slices: Fields, or name → field, that results are also reported by.
        limit: Only the first rows.
        how: See ``_given``.

    Raises:
        DocumentError: A field that the rows do not have; a scorer that needs right answers, and none are named.
    """
    check_names(built, lambda position: "--scorer")
    survey = predictions.survey()
    mapped = {"id": predictions.id and predictions.id.text, "target": target, "references": references}
    spec = SuiteSpec.model_validate(
        {
            "version": 1,
            "name": name,
            "data": predictions.source.describe(),
            "prompt": NAME,
            "map": {key: value for key, value in {**mapped, "cluster": cluster}.items() if value is not None},
            "slices": (dict(slices) if isinstance(slices, Mapping) else list(slices)) or None,
            "scorers": list(scorers),
        }
    )
    decisive = tuple(compile_expression(text, f"--{key}") for key, text in mapped.items() if text and key != "id")
    rows = OwnRows(predictions, survey.doubled, decisive)
    suite = Suite(name=name, path=None, spec=spec, prompt=Asked.of(prompt), source=rows, scorers=tuple(built))
    if target is None and references is None:
        _check_alone(built)
    options = {"target": target, "references": references, "cluster": cluster}
    sliced = slices.values() if isinstance(slices, Mapping) else slices
    asked = [*((f"--{key}", text) for key, text in options.items() if text), *(("--slice", text) for text in sliced)]
    _check_fields(rows, asked, limit)
    count = suite.check(limit)
    return _given(suite, predictions, survey, count, limit=limit, epochs=survey.epochs, **how)


def _check_alone(scorers: Sequence[Scorer]) -> None:
    """Refuse scorers that need right answers, where the user names none."""
    for scorer in scorers:
        if scorer.needs_references:
            message = f"the scorer {scorer.name} compares with a right answer, and none is named"
            hint = "Name its field with --target FIELD, or --references FIELD for a list of them"
            raise DocumentError(message, where="--scorer", hint=hint)


def _check_fields(rows: OwnRows, asked: Sequence[tuple[str, str]], limit: int | None) -> None:
    """Refuse a field that an option names and none of the first rows has."""
    first = [row for row in islice(rows.rows(), min(limit or FIRST_ROWS, FIRST_ROWS)) if isinstance(row, Row)]
    for option, text in asked if first else ():
        expression = compile_expression(text, option)
        if not expression.is_template and all(expression.get(row.values) is MISSING for row in first):
            hint = nearest(text, field_names(first[0].values))
            message = f"the rows have no field {text!r}, which {option} names"
            raise DocumentError(message, where=rows.where(first[0].line), hint=hint)


def _given(
    suite: Suite,
    predictions: Predictions,
    survey: Survey,
    rows: int,
    *,
    epochs: int,
    model: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    pass_k: Sequence[int] | None = None,
    strangers: tuple[int, str] = (0, ""),
    unanswered: tuple[int, str] = (0, ""),
) -> Given:
    """Bind what is scored.

    Args:
        suite: Its rows.
        predictions: Their answers.
        survey: What the file holds.
        rows: How many rows the suite has.
        epochs: Most answers to one of them.
        model: Who answered; ``predictions/FILE`` where None.
        limit: Only the suite's first rows.
        seed: Of the bootstrap.
        pass_k: For which k pass@k and pass^k are made; the suite's own where None.
        strangers: Predictions of rows that the suite does not have, and where the first is.
        unanswered: Rows of the suite that the file does not have, likewise.
    """
    suite = taught_suite(suite, limit)
    path = predictions.source.path
    stem = path.name.partition(".")[0] if path else ""
    model = model or f"{NAME}/{stem or 'rows'}"
    ks = suite.pass_k if pass_k is None else tuple(sorted(set(pass_k)))
    origin = {"model": str(path) if path else predictions.source.describe()}
    limit = limit if limit is not None else suite.limit
    plan = Plan(suite, ModelRef(model), epochs, limit, seed, origin, rows=rows, pass_k=ks)
    provider = GivenAnswers(model, predictions.source.fingerprint())
    return Given(plan, provider, predictions, survey, strangers, unanswered)


def folder_of(plan: Plan) -> Path:
    """Return the folder that a run's commit is that of."""
    return plan.suite.path.parent if plan.suite.path else Path.cwd()
