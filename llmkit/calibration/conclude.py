"""From verdicts and probes to a status, a lock and a report. No call is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmkit.calibration.cutting import Cut, with_errors
from llmkit.calibration.locking import Looks, Measured, lock_of
from llmkit.calibration.options import CalibrateOptions
from llmkit.calibration.parts import disagreements_of, slices_of
from llmkit.calibration.prepare import Prepared
from llmkit.calibration.search import Searched
from llmkit.calibration.worth import worth_of
from llmkit.calibrations import Calibration, Candidate, Disagreement
from llmkit.judgements import Figures, Probe, Rate, Status, Verdict
from llmkit.judges.correct import judged
from llmkit.judges.figures import figures
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled
from llmkit.judges.lock import Lock, lock_path, path_from, write_lock
from llmkit.judges.people import ceiling
from llmkit.judges.split import FEW_ITEMS, summary
from llmkit.judges.status import decide
from llmkit.types import Totals

NEXT: Mapping[Status, str] = {
    "calibrated": "llmkit judge check {name}   # and in a suite: scorers: [{{judge: {name}}}]",
    "provisional": "llmkit label start {name}",
    "refused": "llmkit judge show {name}   # mend the criterion, the prompt or the model, then calibrate again",
}


@dataclass(frozen=True)
class Outcome:
    """What the calls brought.

    Attributes:
        judge: The chosen configuration.
        searched: The race; None where there was nothing to choose.
        cut: What dev taught of probabilities.
        test: The test items.
        verdicts: On them, in their order.
        own: The same by the chosen judge itself: cross-fitted verdicts are of each fold's choice.
        probes: What moved verdicts.
        crossed: Whether the verdicts are cross-fitted.
        identity: Of the provider.
        paid: All calls.
        looks: At the test part, before this one.
        files: What the lock binds: role → path and SHA-256.
    """

    judge: Judge
    searched: Searched | None
    cut: Cut
    test: Sequence[Labelled]
    verdicts: Sequence[Verdict]
    own: Sequence[Verdict]
    probes: tuple[Probe, ...]
    crossed: bool
    identity: Mapping[str, str]
    paid: Totals
    looks: Looks
    files: Mapping[str, str]


def conclude(prepared: Prepared, found: Outcome, options: CalibrateOptions) -> Calibration:
    """Decide, lock and report."""
    judge, division = found.judge, prepared.division
    test = _figures(prepared, found.test, found.verdicts)
    dev_items = prepared.those(division.test if found.crossed else division.dev)
    searched = found.searched
    dev_verdicts = [] if searched is None else [searched.verdicts[item.subject.id] for item in dev_items]
    dev = None if searched is None else _figures(prepared, dev_items, dev_verdicts)
    looks = found.looks
    seen = looks.with_(judge.fingerprint)
    decision = decide(judge, test, found.probes, looks=len(seen))
    calibrator = with_errors(found.cut.calibrator, [str(i.label) for i in found.test], found.verdicts)
    estimator = None if decision.status == "refused" else _estimator(prepared, judge)
    lock = write_lock(
        lock_path(judge.path),
        lock_of(
            Measured(
                judge=judge,
                labels=prepared.labels,
                split={"few_shot": division.few_shot, "dev": division.dev, "test": division.test},
                folds=len(division.folds),
                decision=decision,
                test=test.counts,
                dev=None if dev is None else dev.counts,
                items=list(zip(found.test, found.own, strict=True)),
                probes=found.probes,
                looks=seen,
                looks_known=looks.known,
                files=found.files,
                estimator=estimator,
                threshold=found.cut.threshold,
                calibrator=calibrator,
                identity=found.identity,
                served=_served(found.verdicts),
            )
        ),
    )
    notes = [*prepared.outlay.notes, *([looks.note] if looks.note else []), *_notes(found, division.folds)]
    return Calibration(
        judge=judge.name,
        kind=judge.scale.kind,
        status=decision.status,
        reasons=decision.reasons,
        needs=decision.needs,
        best=prepared.outlay.best,
        split=summary(prepared.labels, division),
        candidates=_candidates(prepared, searched),
        runner_up_p=None if searched is None else searched.runner_up_p,
        dev=dev,
        test=test,
        optimism=_optimism(judge, dev, test),
        ceiling=ceiling(prepared.labels, judge),
        probes=found.probes,
        slices=slices_of(found.test, found.verdicts, 0.95),
        disagreements=_disagreements(dev_items, dev_verdicts, found),
        worth=worth_of(judge, lock, prepared.labels, found.verdicts),
        estimator=estimator,
        estimator_why=_why(judge, lock),
        threshold=found.cut.threshold,
        calibrator=calibrator,
        looks=len(seen),
        looks_known=looks.known,
        model=judge.model.name,
        served=lock.served,
        paid=found.paid,
        saved_calls=0 if searched is None else searched.saved_calls,
        planned_calls=0 if searched is None else searched.planned_calls,
        lock=lock.id,
        lock_path=path_from(judge.path.parent.parent, lock_path(judge.path)),
        seed=options.seed,
        notes=tuple(notes),
        next=NEXT[decision.status].format(name=judge.name),
        required=_required(judge),
    )


def _required(judge: Judge) -> dict[str, float]:
    """Return the lower bounds that the judge's kind must show, by figure."""
    accept = judge.spec.accept
    return {
        "pass_fail": {"tpr": accept.tpr_lower, "tnr": accept.tnr_lower},
        "graded": {"weighted_kappa": accept.kappa_lower},
        "choices": {"kappa": accept.kappa_lower},
        "pairwise": {"accuracy": accept.agreement_lower},
    }[judge.scale.kind]


def _figures(prepared: Prepared, items: Sequence[Labelled], verdicts: Sequence[Verdict]) -> Figures:
    weighted, division = prepared.labels.sampling == "enriched", prepared.division
    together = [division.group[item.subject.id] for item in items]
    return figures(
        prepared.judge.scale,
        [str(item.label) for item in items],
        verdicts,
        weights=[item.subject.weight for item in items] if weighted else None,
        groups=together,
        # Copies were drawn one by one, but a dev part takes all of them or none.
        drawn=together if division.dev else [item.subject.group for item in items],
    )


def _served(verdicts: Sequence[Verdict]) -> str | None:
    """Return the model that answered; of several all, so that the lock fits none of them alone."""
    names = sorted({v.served for v in verdicts if v.served is not None})
    return " + ".join(names) or None


def _candidates(prepared: Prepared, searched: Searched | None) -> tuple[Candidate, ...]:
    if searched is not None:
        return searched.candidates
    return tuple(Candidate(c.name, c.settings, Rate(None, 0), 0) for c in prepared.configurations)


def _optimism(judge: Judge, dev: Figures | None, test: Figures) -> float | None:
    """Return dev − test of the figure that chose; None where one of them is unknown."""
    if dev is None:
        return None
    one, two = _chooser(judge, dev).value, _chooser(judge, test).value
    return None if one is None or two is None else one - two


def _chooser(judge: Judge, figures: Figures) -> Rate:
    binary = judge.scale.kind == "pass_fail"
    return (figures.balanced_accuracy or Rate(None, 0)) if binary else figures.accuracy


def _disagreements(
    dev: Sequence[Labelled], dev_verdicts: Sequence[Verdict], found: Outcome
) -> tuple[Disagreement, ...]:
    on_dev = [] if found.crossed else list(disagreements_of(dev, dev_verdicts, "dev"))
    return (*on_dev, *disagreements_of(found.test, found.verdicts, "test"))


def _notes(found: Outcome, folds: Sequence[Sequence[str]]) -> list[str]:
    notes = []
    if found.crossed:
        few = "few" if len(found.test) < FEW_ITEMS else "few different"
        notes.append(
            f"too {few} labels for a dev part: {len(folds)} folds, each judged by what was chosen on the others;"
            " what is locked was chosen on all of them"
        )
    if found.searched is None:
        notes.append(
            "nothing was chosen, so that all labels but examples are the test, and there is no optimism to see"
        )
    if len({v.served for v in found.verdicts if v.served is not None}) > 1:
        notes.append(f"several models answered: {_served(found.verdicts)}")
    return notes


def _estimator(prepared: Prepared, judge: Judge) -> str | None:
    """Return what corrects rates where it can: on the labelled population, else on other runs."""
    labels = prepared.labels
    if labels.sampling is None or labels.population is None:
        return None
    if labels.sampling == "random":
        return "post-stratified"
    return "lang-reiczigel" if judge.scale.kind == "pass_fail" else None


def _why(judge: Judge, lock: Lock) -> str:
    """Say what corrects a rate of this judge, on its own population and elsewhere, or why nothing does."""
    with_lock = replace(judge, lock=lock)
    counts = dict.fromkeys(judge.scale.labels, 100.0)
    n = sum(counts.values())
    passed = counts.get("pass", 0.0)
    here = judged(with_lock, lock.status, passed=passed, n=n, counts=counts, population=lock.population)
    elsewhere = judged(with_lock, lock.status, passed=passed, n=n, counts=counts)
    if here.estimator is None and elsewhere.estimator is None:
        return here.why
    said = f"{here.estimator or 'nothing'} on the items that the labels were drawn from"
    other = elsewhere.estimator or "nothing"
    if elsewhere.estimator is not None:
        other += ", if the judge errs as often there on each class"
    return f"{said}; on other runs {other}"
