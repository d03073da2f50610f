"""From a task file to a suite."""

from __future__ import annotations

from typing import Any

from llmkit.errors import DocumentError
from llmkit.importing.bundle import Bundle, slug
from llmkit.importing.items import Items
from llmkit.importing.lm_eval.asking import Asking, mapped
from llmkit.importing.lm_eval.config import Config
from llmkit.importing.lm_eval.rows import Data, Rows
from llmkit.importing.lm_eval.scoring import scorers
from llmkit.importing.source import Source
from llmkit.importing.template import prompt_file

MOST_TOKENS = 256
"""``max_gen_toks`` where a task does not say; upstream: ``lm_eval/defaults.py``."""
_PARAMS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_gen_toks": "max_tokens",
    "max_tokens": "max_tokens", "max_new_tokens": "max_tokens", "seed": "seed",
}  # fmt: skip
"""Generation arguments that have another name here."""


def convert(source: Source, items: Items) -> Bundle:
    """Make a suite of a task.

    Raises:
        DocumentError: It is no task, or what it cannot do without is code.
    """
    config = Config(source, items)
    kind = _kind(config)
    bundle = Bundle(slug(str(config.get("task") or source.path.stem)))
    config.get("task")
    rows = Rows(config, bundle)
    data = rows.of_suite()
    asking = Asking(config, rows)
    few_shot, count = _few_shot(config, rows, bundle)
    spec: dict[str, Any] = {"name": bundle.name, "data": data, "map": mapped(asking, config)}
    if kind == "multiple_choice":
        spec |= _comparing(config, asking, count)
    else:
        text = prompt_file(bundle.name, asking.messages(count))
        spec["prompt"] = bundle.add(f"{bundle.name}.prompty", text)
        spec["params"] = _params(config)
    spec |= {"few_shot": few_shot, "scorers": scorers(config)}
    _repeats(config)
    config.left()
    bundle.add_suite(bundle.suite, spec, source.path.name)
    bundle.files = {bundle.suite: bundle.files.pop(bundle.suite), **bundle.files}
    return bundle


def _kind(config: Config) -> str:
    kind = str(config.get("output_type", "generate_until"))
    if isinstance(config.get("task"), list):
        raise DocumentError(
            "this is a group of tasks", where=config.where("task"), hint="Import the files of its tasks, one by one"
        )
    if kind not in ("generate_until", "multiple_choice"):
        raise DocumentError(
            f"output_type {kind} cannot be carried over",
            where=config.where("output_type"),
            hint="llmkit scores answers, and choices by their likelihood: generate_until and multiple_choice",
        )
    return kind


def _comparing(config: Config, asking: Asking, count: int) -> dict[str, Any]:
    if asking.choices is None:
        raise DocumentError("doc_to_choice is missing: there is nothing to compare", where=config.source.where())
    text = asking.plain(count)
    if text.endswith("\n"):
        why = "line ends at the end of the text go: the choice stands behind what is before them"
        config.items.changed(config.where("doc_to_text"), "doc_to_text", why, "Write separator: in the suite")
    why = "where two choices are likeliest alike, the first counts there; here the answer is then wrong"
    config.items.note(config.source.where(), "ties", why)
    how = {"choices": asking.choices, "template": "none", "separator": asking.delimiter}
    return {"messages": [{"role": "user", "content": text}], "likelihood": how}


def _params(config: Config) -> dict[str, Any]:
    said = config.get("generation_kwargs", {})
    said = dict(said) if isinstance(said, dict) else {}
    until = said.pop("until", [str(config.get("fewshot_delimiter", "\n\n"))])
    stop = [str(each) for each in (until if isinstance(until, list) else [until]) if each not in (None, "")]
    params: dict[str, Any] = {"temperature": 0.0, "max_tokens": MOST_TOKENS}
    sampled = said.pop("do_sample", False)
    for key, value in said.items():
        if key in _PARAMS:
            params[_PARAMS[key]] = value
        else:
            where = config.where("generation_kwargs", key)
            config.items.lost(where, f"generation_kwargs: {key}", "no parameter of llmkit is of this name")
    if sampled in (False, "false", "no", "off") and said.get("temperature") not in (None, 0, 0.0):
        why = "do_sample: false and a temperature: models of Hugging Face ignore the latter, others take it"
        config.items.note(config.where("generation_kwargs"), "do_sample", why)
    elif sampled not in (False, "false", "no", "off"):
        where = config.where("generation_kwargs", "do_sample")
        if params["temperature"] not in (None, 0, 0.0):
            config.items.note(where, "do_sample", "whether answers are drawn follows here from the temperature")
        else:
            why = "no temperature is named beside it, which then is 0: nothing is drawn"
            config.items.changed(where, f"do_sample: {sampled}", why, "Write params: {temperature: 1} in the suite")
    return {**params, **({"stop": stop} if stop else {})}


def _few_shot(config: Config, rows: Rows, bundle: Bundle) -> tuple[dict[str, Any] | None, int]:
    count = config.get("num_fewshot", 0)
    split, how = config.get("fewshot_split"), config.get("fewshot_config", {})
    how = dict(how) if isinstance(how, dict) else {}
    if not isinstance(count, int) or count <= 0:
        return None, 0
    where = config.where("num_fewshot")
    samples, split = how.pop("samples", None), how.pop("split", None) or split
    data: Data | None = None
    if isinstance(samples, list) and split is None:
        from llmkit.importing.data import jsonl

        data = bundle.add(f"{bundle.name}-examples.jsonl", jsonl(samples))
        sampler = "first_n"
        how.pop("sampler", None)
    else:
        split = split or config.get("training_split") or config.get("validation_split")  # their order, upstream
        sampler = str(how.pop("sampler", "default"))
        if split is not None and split != rows.split:
            data = rows.of_split(str(split), f"{bundle.name}-examples.jsonl")
    if sampler != "first_n":
        why = "examples are drawn at random there, others for each row; here the first ones are shown to all"
        config.items.changed(where, f"num_fewshot: {count}", why, "few_shot: {seed: 1} in the suite draws them")
    for key in how:
        config.items.lost(
            config.where("fewshot_config", key), f"fewshot_config: {key}", "examples are asked as rows are"
        )
    return {"count": count, **({} if data is None else {"data": data})}, count


def _repeats(config: Config) -> None:
    repeats = config.get("repeats", 1)
    if isinstance(repeats, int) and repeats > 1:
        why = "answers are asked for several times, and the filters choose among them; here each row is asked once"
        config.items.changed(
            config.where("repeats"), f"repeats: {repeats}", why, f"Write epochs: {repeats} in the suite"
        )
