"""A stored run as a log of inspect_ai: an ``EvalLog`` of version 2, in JSON, which ``inspect view`` opens.

Source of the fields: ``inspect_ai`` 0.3, ``log/_log.py`` (EvalLog, EvalSpec, EvalSample, EvalResults, EvalStats),
``scorer/_metric.py`` (Score), ``model/_model_output.py`` (ModelOutput, ModelUsage). The order of the top fields is part
of the format. What is not known has no number: a usage without both of its counts is left out, a metric without a
value, and a score that could not be given, which stands in the sample's metadata as the failure that it is.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from llmkit.runs.export import failure_record, scored, signatures_of
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.store import Store
from llmkit.types import Completion, Failure, RunStatus, Score, Usage
from llmkit.version import __version__

VERSION = 2
CHUNK = 512
_STATUS: Mapping[RunStatus, str] = {
    "completed": "success", "running": "started", "interrupted": "cancelled", "killed": "cancelled",
    "budget": "error", "failed": "error",
}  # fmt: skip
_STOP = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter", "tool_calls": "tool_calls"}
_CONFIG = {"stop": "stop_seqs"}
_CONFIG_NAMES = frozenset(
    {"temperature", "top_p", "top_k", "max_tokens", "seed", "frequency_penalty", "presence_penalty", "stop_seqs"}
)
"""Parameters that inspect_ai has a name for; the others stand in the log's metadata."""


def name_of(run: RunRow) -> str:
    """Return a file's name: the viewer finds logs by the time that it begins with."""
    started = time.strftime("%Y-%m-%dT%H-%M-%S+00-00", time.gmtime(run.started_at))
    task = "".join(char if char.isalnum() or char in "-" else "-" for char in run.suite)
    return f"{started}_{task}_{run.run_id.replace('-', '')}.json"


def write_log(store: Store, run: RunRow, out: BinaryIO, *, failed: bool = False) -> int:
    """Write the log, sample by sample; returns how many there are.

    Args:
        store: Where the run lies.
        run: Which.
        out: Open to write.
        failed: Only samples that failed, or whose scorers did.
    """
    head = _head(run)
    text = ",\n".join(f"{json.dumps(key)}: {_json(value)}" for key, value in head.items())
    out.write(f"{{\n{text},\n{json.dumps('samples')}: [".encode())
    count = 0
    for sample in _samples(store, run, failed=failed):
        out.write(b"\n" if not count else b",\n")
        out.write(_json(sample).encode("utf-8", "replace"))
        count += 1
    out.write(b"\n]}\n")
    return count


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)


def _head(run: RunRow) -> dict[str, Any]:
    """Return all but the samples."""
    result = run.result or {}
    error = {"message": result.get("stopped_by") or run.status, "traceback": "", "traceback_ansi": ""}
    status = _STATUS[run.status]
    return {
        "version": VERSION,
        "status": status,
        "eval": _spec(run),
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": _config(run)},
        "results": _results(run),
        "stats": _stats(run),
        **({"error": error} if status == "error" else {}),
    }


def _spec(run: RunRow) -> dict[str, Any]:
    config, about = run.config, run.about
    result = run.result or {}
    epochs = int(config["epochs"])
    rows = int(result.get("total", run.planned)) // max(epochs, 1)
    return {
        "eval_id": run.run_id,
        "run_id": run.run_id,
        "created": _utc(run.started_at),
        "task": run.suite,
        "task_id": run.digest[:22],
        "task_version": 0,
        "dataset": {"name": run.suite, "location": about.get("suite_path"), "samples": rows, "shuffled": False},
        "model": run.model,
        "model_generate_config": _config(run),
        "config": {"limit": config["limit"], "epochs": epochs},
        **({"revision": revision} if (revision := _revision(about.get("git"))) else {}),
        "packages": {"llmkit": str(about.get("llmkit", __version__))},
        "scorers": [
            {"name": name, "metadata": {"signature": signature}} for name, signature in signatures_of(run).items()
        ],
        "metadata": {
            "digest": run.digest,
            "fingerprints": dict(config["fingerprints"]),
            "params": dict(config["params"]),
            "seed": config["seed"],
            **({"rescored_from": run.rescored_from} if run.rescored_from else {}),
            **({"predictions": about["predictions"]} if "predictions" in about else {}),
        },
    }


def _config(run: RunRow) -> dict[str, Any]:
    """Return the sampling parameters that inspect_ai has a name for."""
    named = {_CONFIG.get(key, key): value for key, value in run.config["params"].items()}
    found = {key: value for key, value in named.items() if key in _CONFIG_NAMES}
    if isinstance(found.get("stop_seqs"), str):
        found["stop_seqs"] = [found["stop_seqs"]]
    return found


def _revision(commit: str | None) -> dict[str, Any] | None:
    if not commit:
        return None
    name, _, state = commit.partition("+")
    return {"type": "git", "origin": "", "commit": name, **({"dirty": state == "dirty"} if state != "unknown" else {})}


def _results(run: RunRow) -> dict[str, Any] | None:
    """Return the metrics, each as a scorer of one metric, with its interval beside it."""
    if run.result is None:
        return None
    scores = [_score_of(name, metric) for name, metric in run.result["metrics"].items()]
    total, completed = run.result["total"], run.result["completed"]
    return {"total_samples": total, "completed_samples": completed, "scores": scores}


def _score_of(name: str, metric: Mapping[str, Any]) -> dict[str, Any]:
    about = {
        key: metric.get(key)
        for key in ("interval", "n", "failed", "value_failures_wrong", "interval_failures_wrong", "signature")
    }
    about |= {key: metric[key] for key in ("judged", "slices") if metric.get(key)}
    value = metric["value"]
    return {
        "name": name,
        "scorer": name,
        "scored_samples": metric["n"],
        "unscored_samples": metric["failed"],
        "params": {},
        "metrics": {} if value is None else {"mean": {"name": "mean", "value": value, "metadata": about}},
        "metadata": about,
    }


def _stats(run: RunRow) -> dict[str, Any]:
    result = run.result or {}
    paid = _totals(result.get("usage"))
    judges = {f"judge {name}": _totals(said) for name, said in result.get("judging", {}).items()}
    return {
        "started_at": _utc(run.started_at),
        "completed_at": _utc(run.started_at + run.wall_s) if run.result else "",
        "model_usage": {run.model: paid} if paid else {},
        "role_usage": {name: usage for name, usage in judges.items() if usage},
    }


def _totals(said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a run's sums as a usage; None where no call was made, or its tokens are not known."""
    if not said or not said["calls"]:
        return None
    usage = Usage(said["input"], said["output"], said["cached"], None, said["reasoning"])
    return _usage(usage, said["cost_usd"])


def _usage(usage: Usage, cost: float | None) -> dict[str, Any] | None:
    """Return what one call used; None where that is not known: a count there is a number, and 0 would be one."""
    if usage.input is None or usage.output is None:
        return None
    fresh = usage.input - (usage.cached or 0) - (usage.cache_write or 0)
    said = {
        "input_tokens": fresh,
        "output_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "input_tokens_cache_read": usage.cached,
        "input_tokens_cache_write": usage.cache_write,
        "reasoning_tokens": usage.reasoning,
        "total_cost": cost,
    }
    return {key: value for key, value in said.items() if value is not None}


def _samples(store: Store, run: RunRow, *, failed: bool) -> Iterator[dict[str, Any]]:
    pairs = scored(store, run, failed=failed)
    while chunk := list(itertools.islice(pairs, CHUNK)):
        reasons = store.judges_said([sample.answer.answer_id for sample, _ in chunk if sample.answer])
        for sample, scores in chunk:
            yield _sample(run, sample, scores, reasons)


def _sample(
    run: RunRow,
    sample: SampleRow,
    scores: Mapping[str, Score | Failure],
    reasons: Mapping[tuple[int, bytes, str], str],
) -> dict[str, Any]:
    completion = sample.answer.completion if sample.answer else None
    asked = [{"role": message.role, "content": message.content} for message in sample.messages]
    references = list(sample.references)
    failures = [failure_record(score, name) for name, score in scores.items() if isinstance(score, Failure)]
    usage = None if completion is None else _usage(completion.usage, completion.cost_usd)
    said = {
        "id": sample.sample_id,
        "epoch": sample.epoch,
        "input": asked if asked else "",
        "target": references[0] if len(references) == 1 else references,
        "messages": asked if completion is None else [*asked, _answer(run, completion)],
        "output": {"model": run.model} if completion is None else _output(run, completion, usage),
        "scores": {
            name: _score(score, reasons.get(_key(run, sample, name))) for name, score in scores.items()
            if isinstance(score, Score)
        },
        "metadata": {
            "row": dict(sample.fields),
            **({"cluster": sample.cluster} if sample.cluster is not None else {}),
            **({"slices": dict(sample.slices)} if sample.slices else {}),
            **({"failures": failures} if failures else {}),
        },
        "store": {},
        "events": [],
        "model_usage": {run.model: usage} if usage else {},
        "uuid": hashlib.sha256(f"{run.run_id} {sample.sample_id} {sample.epoch}".encode()).hexdigest()[:22],
        "attachments": {},
    }  # fmt: skip
    if completion is not None and completion.seconds is not None:
        said |= {"total_time": completion.seconds, "working_time": completion.seconds}
    if sample.failure is not None:
        f = sample.failure
        said["error"] = {"message": f"{f.stage}/{f.kind}: {f.message}", "traceback": "", "traceback_ansi": ""}
    return said


def _key(run: RunRow, sample: SampleRow, metric: str) -> tuple[int, bytes, str]:
    answer = sample.answer.answer_id if sample.answer else 0
    return answer, sample.input or b"", signatures_of(run)[metric]


def _score(score: Score, reason: str | None) -> dict[str, Any]:
    said = {"value": score.value, "answer": score.answer, "explanation": reason}
    return {key: value for key, value in said.items() if value is not None}


def _answer(run: RunRow, completion: Completion) -> dict[str, Any]:
    model = completion.served_model or run.model
    return {"role": "assistant", "content": completion.text, "source": "generate", "model": model}


def _output(run: RunRow, completion: Completion, usage: dict[str, Any] | None) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "message": _answer(run, completion),
        "stop_reason": _STOP.get(completion.finish_reason, "unknown"),
    }
    if completion.logprobs and all(math.isfinite(entry.logprob) for entry in completion.logprobs):
        choice["logprobs"] = {
            "content": [
                {
                    "token": entry.token,
                    "logprob": entry.logprob,
                    "top_logprobs": [{"token": token, "logprob": value} for token, value in entry.top] or None,
                }
                for entry in completion.logprobs
            ]
        }
    said = {
        "model": completion.served_model or run.model,
        "choices": [choice],
        "completion": completion.text,
        "usage": usage,
        "time": completion.seconds,
        "response_id": completion.request_id,
    }
    return {key: value for key, value in said.items() if value is not None}


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))
