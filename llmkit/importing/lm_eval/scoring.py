"""How a task's answers are scored: its metrics behind its filters, as scorers of a suite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmkit.documents import Tagged
from llmkit.errors import DocumentError
from llmkit.importing.lm_eval.config import NO_CODE, Config

COMPARED: Mapping[str, dict[str, Any]] = {
    "acc": {},
    "acc_norm": {"normalise": "characters"},
    "acc_bytes": {"normalise": "bytes"},
}
"""Metrics of multiple choice → options of the scorer likelihood."""
CORPUS = frozenset({"bleu", "chrf", "ter"})
"""Metrics that both take from sacrebleu, with its defaults."""
_KNOWN_OPTIONS = frozenset({"regexes_to_ignore", "ignore_case", "ignore_punctuation", "ignore_numbers"})
_SAID_OPTIONS = frozenset({"metric", "aggregation", "higher_is_better", "hf_evaluate"})
_SMALLER = frozenset({"ter"})
"""Metrics of which less is better."""
DEFAULT_PATTERN = r"#### (\-?[0-9\.\,]+)"
"""Of the filter ``regex`` where the task names none."""
Entry = str | dict[str, Any]


@dataclass
class Pipeline:
    """One of ``filter_list``: what is done to an answer before it is compared.

    Attributes:
        name: As the task calls it.
        extract: Options of extracted, where there is a filter ``regex``.
        strip: Whether blanks at the ends go.
        fold: Whether the answer is made small or large letters.
        broken: Whether a filter was lost, so that nothing behind it means what it did.
    """

    name: str = ""
    extract: dict[str, Any] = field(default_factory=dict)
    strip: bool = False
    fold: bool = False
    broken: bool = False


def scorers(config: Config) -> list[Entry]:
    """Return the suite's scorers.

    Raises:
        DocumentError: None of the metrics can be carried over.
    """
    comparing = config.get("output_type", "generate_until") == "multiple_choice"
    default = ["acc", "acc_norm"] if comparing else ["exact_match"]
    metrics = config.get("metric_list", [{"metric": name} for name in default])
    pipelines = list(_pipelines(config)) or [Pipeline()]
    if comparing:
        pipelines = [Pipeline()]
    found: list[Entry] = []
    before = len(config.items)
    for position, metric in enumerate(metrics if isinstance(metrics, list) else [metrics]):
        where = config.where("metric_list", position)
        name = metric.get("metric") if isinstance(metric, dict) else metric
        if isinstance(name, Tagged):
            config.items.lost(where, f"metric: {name.tag} {name.text}", NO_CODE, "Write a scorer of your own")
            continue
        options = metric if isinstance(metric, dict) else {}
        made = list(
            _compared(config, str(name), where)
            if comparing
            else _generated(config, str(name), options, pipelines, where)
        )
        if made:
            _options(config, str(name), options, where)
        found += made
    if not found:
        where = config.where("metric_list") if "metric_list" in config else config.source.where()
        raise config.items.nothing("none of the task's metrics can be carried over", where, since=before)
    return found


def _options(config: Config, name: str, options: Mapping[str, Any], where: str) -> None:
    """List what a metric says of itself that its scorer does not do.

    The means that lm-eval takes where nothing is said: ``lm_eval/api/metrics.py``.
    """
    own = name if name in CORPUS else "mean"
    how = options.get("aggregation", own)
    if how not in (own, None):
        said = f"{how.tag} {how.text}" if isinstance(how, Tagged) else how
        figure = "its own figure over all answers" if name in CORPUS else "the mean of the rows"
        why = f"{NO_CODE}; " if isinstance(how, Tagged) else ""
        why += f"the figure here is {figure}, and is another than there"
        config.items.changed(where, f"{name}: aggregation: {said}", why, _OWN)
    if options.get("higher_is_better") not in (None, name not in _SMALLER):
        why = f"here {'less' if name in _SMALLER else 'more'} of it counts as better"
        config.items.changed(where, f"{name}: higher_is_better", why, "Read comparisons and thresholds accordingly")
    if options.get("hf_evaluate") and name in CORPUS:
        config.items.changed(where, f"{name}: hf_evaluate", "the package evaluate counts it otherwise than sacrebleu")
    for key in sorted(set(options) - _SAID_OPTIONS - (_KNOWN_OPTIONS if name == "exact_match" else set())):
        config.items.lost(where, f"{name}: {key}", f"{name} has no such option")


def _compared(config: Config, name: str, where: str) -> Iterator[Entry]:
    if name not in COMPARED:
        config.items.lost(where, f"metric: {name}", "llmkit does not make it of likelihoods")
        return
    yield {"likelihood": {"name": name, **COMPARED[name]}}


def _generated(
    config: Config, name: str, options: Mapping[str, Any], pipelines: list[Pipeline], where: str
) -> Iterator[Entry]:
    several = len(pipelines) > 1
    for pipeline in pipelines:
        if pipeline.broken:
            continue
        called = _name(name, pipeline.name if several else "")
        if name == "exact_match":
            yield _matched(config, called, options, pipeline)
        elif name in CORPUS and not pipeline.extract:
            yield {name: {"name": called}} if several else name
        elif name in CORPUS:
            config.items.lost(where, f"metric: {name}", "llmkit scores whole answers by it, and none behind a filter")
        else:
            config.items.lost(where, f"metric: {name}", _WHY.get(name, "llmkit has no scorer of this name"), _OWN)


_OWN = "`llmkit init` and docs/architecture.md say how to write a scorer"
_WHY = {"f1": "here it is that of a classification, over all answers; llmkit's f1 compares words"}


def _matched(config: Config, name: str, options: Mapping[str, Any], pipeline: Pipeline) -> dict[str, Any]:
    """Return exact_match, with what a filter extracts before it and what it leaves out of account."""
    removed = [str(each) for each in options.get("regexes_to_ignore") or []]
    if options.get("ignore_numbers"):
        removed.append("[0-9]")
    said: dict[str, Any] = {"name": name}
    if pipeline.extract or removed:
        said |= pipeline.extract | ({"remove": removed} if removed else {})
    for key in ("ignore_case", "ignore_punctuation"):
        if options.get(key):
            said[key] = True
    if pipeline.fold:
        said["ignore_case"] = True
        why = "the filter changes the answer's case alone; here answer and right answer are compared in any case"
        config.items.changed(config.where("filter_list"), "filter: lowercase or uppercase", why)
    said |= {"whitespace": "strip" if pipeline.strip else "keep", "unicode": "none"}
    return {"extracted" if pipeline.extract or removed else "exact_match": said}


def _pipelines(config: Config) -> Iterator[Pipeline]:
    listed = config.get("filter_list", [])
    if isinstance(listed, Tagged):
        raise DocumentError(f"filter_list is {listed.tag} {listed.text}: {NO_CODE}", where=config.where("filter_list"))
    for position, entry in enumerate(listed):
        pipeline = Pipeline(str(entry.get("name", position)))
        for step, filter_ in enumerate(entry.get("filter", [])):
            _step(config, pipeline, dict(filter_), config.where("filter_list", position, "filter", step))
        yield pipeline


def _step(config: Config, pipeline: Pipeline, options: dict[str, Any], where: str) -> None:
    function = options.pop("function", None)
    if function == "take_first":
        return
    if function == "remove_whitespace":
        pipeline.strip = True
    elif function in ("lowercase", "uppercase"):
        pipeline.fold = True
    elif function == "regex" and not pipeline.extract:
        pipeline.extract = {"pattern": str(options.pop("regex_pattern", DEFAULT_PATTERN))}
        select = options.pop("group_select", 0)
        if select != 0:
            pipeline.extract["take"] = "last" if select == -1 else select
        options.pop("fallback", None)
        why = "an answer in which it finds nothing is wrong there, and a failure here"
        todo = "The figure with failures read as wrong answers is the same as there"
        config.items.note(where, f"filter: {function}", why, todo)
        for key in options:
            config.items.lost(where, f"regex: {key}", "the filter has no such option")
    else:
        pipeline.broken = True
        function = f"{function.tag} {function.text}" if isinstance(function, Tagged) else function
        why = "llmkit has no such filter, so that this way of reading answers is left out"
        config.items.lost(where, f"filter: {function}", why)


def _name(metric: str, pipeline: str) -> str:
    """Return a metric's name: ``exact_match.strict-match``."""
    return re.sub(r"[^A-Za-z0-9_.@-]", "-", f"{metric}.{pipeline}" if pipeline else metric)[:64]
