"""A stored run as files for others: JSON lines, Parquet, a log of inspect_ai, a curl command, a test case."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

from llmkit.config import load_settings
from llmkit.documents.writing import written
from llmkit.errors import UnknownNameError, UsageError
from llmkit.providers.base import Endpoint, HasEndpoint, ModelRef
from llmkit.providers.registry import create
from llmkit.runs.key import wire_of
from llmkit.runs.outcome import from_cache, outcome_of, sample_result
from llmkit.runs.records import facts_dict
from llmkit.runs.rows import RunRow, SampleRow
from llmkit.runs.store import Store
from llmkit.types import Failure, Request, SampleResult, Score

Form = Literal["jsonl", "parquet", "inspect"]
NESTED = (
    "row",
    "slices",
    "messages",
    "scores",
    "extracted",
    "reasons",
    "stats",
    "signatures",
    "failures",
    "usage",
    "generation",
    "setup",
)
"""Fields that Parquet holds as JSON text."""
ROWS_A_GROUP = 4096  # of a Parquet row group: large enough to compress, small enough to keep memory flat


def signatures_of(run: RunRow) -> dict[str, str]:
    """Return metric name → scorer signature, as the run was configured."""
    return dict(run.config["suite"]["scorers"])


def setup_of(run: RunRow) -> dict[str, Any]:
    """Return how a run was set up: what tells whether it may be compared with another, and what differs between them.

    ``data`` and ``prompt`` are fingerprints; ``scorers`` are the suite's entries, which make the scorers again;
    ``gate`` names the gate that the run is a side of; ``options`` are the provider's own, without secrets, and
    ``alias`` is what the user called the model. ``speculation`` is what drafting came to in the run; absent where
    nothing is told.
    """
    config, signatures = run.config, signatures_of(run)
    # What is made of several answers together (pass@k) is no sample's, so no pair of runs can be compared in it.
    metrics = {name: m for name, m in (run.result or {}).get("metrics", {}).items() if name in signatures}
    return {
        "status": run.status,
        "data": config["fingerprints"]["data"],
        "prompt": config["fingerprints"]["prompt"],
        "map": dict(config["suite"]["map"]),
        "params": dict(config["params"]),
        "options": dict(run.about.get("options", {})),
        "alias": run.alias,
        **{key: config[key] for key in ("epochs", "limit", "seed")},
        "gate": config.get("experiment", {}).get("gate"),
        "scorers": list(run.about["scorers"]),
        "higher_is_better": {name: m["higher_is_better"] for name, m in metrics.items()},
        **({"judges": judges} if (judges := _judges(metrics)) else {}),
        **({"speculation": run.about["speculation"]} if "speculation" in run.about else {}),
    }


def _judges(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return metric → what its judge was measured to be, of those that a judge gave."""
    return {name: metric["judged"]["status"] for name, metric in metrics.items() if metric.get("judged")}


def scored(
    store: Store, run: RunRow, *, failed: bool = False
) -> Iterator[tuple[SampleRow, dict[str, Score | Failure]]]:
    """Stream a run's samples with their scores, in the data set's order."""
    signatures = signatures_of(run)
    samples = store.samples(run.run_id)
    while chunk := list(itertools.islice(samples, 512)):
        stored = store.find_scores([s.answer.answer_id for s in chunk if s.answer])
        for sample in chunk:
            found = scores_of(sample, stored, signatures)
            if not failed or sample.failure or any(isinstance(s, Failure) for s in found.values()):
                yield sample, found


def answered_wrongly(store: Store, run: RunRow) -> Iterator[tuple[SampleRow, dict[str, Score | Failure]]]:
    """Stream the samples of which some scorer says why they are no better, or gives 0 where more is better."""
    metrics = (run.result or {}).get("metrics", {})
    rising = {name for name in signatures_of(run) if metrics.get(name, {}).get("higher_is_better", True)}
    for sample, scores in scored(store, run):
        said = [(name, score) for name, score in scores.items() if isinstance(score, Score)]
        if any(score.reason is not None or (name in rising and score.value <= 0) for name, score in said):
            yield sample, scores


def rows(store: Store, run: RunRow, *, failed: bool = False) -> Iterator[dict[str, Any]]:
    """Stream a run's samples as plain records."""
    return (record(run, sample, scores) for sample, scores in scored(store, run, failed=failed))


def scores_of(
    sample: SampleRow, scores: Mapping[tuple[int, bytes, str], Score | Failure], signatures: Mapping[str, str]
) -> dict[str, Score | Failure]:
    """Pick a sample's scores out of those of its chunk."""
    if sample.answer is None or sample.input is None:
        return {}
    at = (sample.answer.answer_id, sample.input)
    return {name: scores[*at, signature] for name, signature in signatures.items() if (*at, signature) in scores}


def record(run: RunRow, sample: SampleRow, scores: Mapping[str, Score | Failure]) -> dict[str, Any]:
    """Return one sample as plain data."""
    c = sample.answer.completion if sample.answer else None
    return {
        "run_id": run.run_id,
        "suite": run.suite,
        "model": run.model,
        "id": sample.sample_id,
        "epoch": sample.epoch,
        "row": dict(sample.fields),
        "references": list(sample.references),
        "cluster": sample.cluster,
        "slices": dict(sample.slices),
        "messages": [{"role": m.role, "content": m.content} for m in sample.messages],
        "answer": c.text if c else None,
        "finish_reason": c.finish_reason if c else None,
        "scores": {n: s.value if isinstance(s, Score) else None for n, s in scores.items()},
        "extracted": {n: s.answer for n, s in scores.items() if isinstance(s, Score) and s.answer is not None},
        "reasons": {n: s.reason for n, s in scores.items() if isinstance(s, Score) and s.reason is not None},
        "stats": {n: list(s.stats) for n, s in scores.items() if isinstance(s, Score) and s.stats},
        "signatures": signatures_of(run),
        "failures": [failure_record(sample.failure, None)] * bool(sample.failure)
        + [failure_record(s, n) for n, s in scores.items() if isinstance(s, Failure)],
        "usage": {
            "input_tokens": c.usage.input,
            "output_tokens": c.usage.output,
            "cached_tokens": c.usage.cached,
            "reasoning_tokens": c.usage.reasoning,
        }
        if c
        else None,
        "cost_usd": c.cost_usd if c else None,
        "latency_s": c.seconds if c else None,
        "http_attempts": c.http_attempts if c else None,
        "served_model": c.served_model if c else None,
        "request_id": c.request_id if c else None,
        "generation": facts_dict(sample.generation) if sample.generation else None,
        "from_cache": from_cache(sample.answer, run.run_id),
        "setup": setup_of(run),
    }


def failure_record(failure: Failure | None, metric: str | None) -> dict[str, Any]:
    """Return a failure as plain data: of the sample, or of one of its metrics."""
    if failure is None:
        return {}
    return {"stage": failure.stage, "kind": failure.kind, "message": failure.message, "metric": metric}


def read_samples(run: str = "latest", *, store: Path | None = None, failed: bool = False) -> Iterator[SampleResult]:
    """Stream a stored run's samples with their scores.

    Args:
        run: A run's id or its start, ``latest``, ``latest~1``.
        store: Folder of the store; the project's where None.
        failed: Only those that failed, or whose scorers did.

    Raises:
        StoreError: There is no store.
        UsageError: No such run.
    """
    with Store(store or load_settings().store_path, read_only=True) as opened:
        row = opened.run(run)
        for sample, scores in scored(opened, row, failed=failed):
            yield sample_result(outcome_of(sample, scores), row.run_id)


def write(store: Store, run: RunRow, path: Path, form: Form, *, failed: bool = False, force: bool = False) -> int:
    """Write a run's samples to a file, aside first and then renamed; returns how many.

    A device or a pipe is written to as it is.

    Raises:
        UsageError: The file is there and ``force`` is not given, or it cannot be written.
    """
    with written(path, force=force) as out:
        return stream(store, run, out, form, failed=failed)


def stream(store: Store, run: RunRow, out: BinaryIO, form: Form, *, failed: bool = False) -> int:
    """Write a run's samples to what is open already; returns how many."""
    if form == "inspect":
        from llmkit.runs.inspect_log import write_log

        return write_log(store, run, out, failed=failed)
    records = rows(store, run, failed=failed)
    if form == "parquet":
        return _write_parquet(records, out)
    count = 0
    for row in records:
        out.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _write_parquet(records: Iterator[dict[str, Any]], out: BinaryIO) -> int:
    """Nested parts with keys of their own (row, scores, …) are JSON text: every row group has the same columns."""
    import pyarrow as pa
    from pyarrow import parquet

    text, number, whole = pa.string(), pa.float64(), pa.int64()
    columns = {
        "run_id": text, "suite": text, "model": text, "id": text, "epoch": whole, "row": text,
        "references": pa.list_(text), "cluster": text, "slices": text, "messages": text, "answer": text,
        "finish_reason": text, "scores": text, "extracted": text, "reasons": text, "stats": text, "signatures": text,
        "failures": text, "usage": text, "cost_usd": number, "latency_s": number, "http_attempts": whole,
        "served_model": text, "request_id": text, "generation": text, "from_cache": pa.bool_(), "setup": text,
    }  # fmt: skip
    count = 0
    with parquet.ParquetWriter(out, pa.schema(columns.items())) as writer:
        while chunk := list(itertools.islice(records, ROWS_A_GROUP)):
            flat = [{**r, **{k: json.dumps(r[k], ensure_ascii=False) for k in NESTED}} for r in chunk]
            writer.write_table(pa.Table.from_pylist(flat, schema=writer.schema))
            count += len(chunk)
    return count


def sample_record(store: Store, run: RunRow, sample_id: str) -> tuple[SampleRow, dict[str, Score | Failure]]:
    """Find one sample of a run, in its first epoch, with its scores.

    Raises:
        UnknownNameError: No such sample.
    """
    sample = next(store.samples(run.run_id, sample_id=sample_id), None)
    if sample is None:
        known = [s.sample_id for s in itertools.islice(store.samples(run.run_id), 2000)]
        raise UnknownNameError("sample", sample_id, known)
    stored = store.find_scores([sample.answer.answer_id] if sample.answer else [])
    return sample, scores_of(sample, stored, signatures_of(run))


def curl(run: RunRow, sample: SampleRow) -> str:
    """Return the shell command that repeats a sample's call; the key stays in its environment variable.

    Raises:
        UsageError: The provider has no endpoint to send it to, or the answers were given.
    """
    if "predictions" in run.about:
        raise UsageError(f"run {run.run_id} scored {run.about['predictions']}: there is no request to repeat")
    # Built for the server that was called, whatever the environment names now: parts of the wire depend on it.
    called = {"base_url": run.config["model"]["endpoint"]} if "endpoint" in run.config["model"] else {}
    ref = ModelRef(run.about["model"], run.config["params"], {**run.about["options"], **called})
    provider = create(ref, display=True)
    if not isinstance(provider, HasEndpoint):
        raise UsageError(f"{run.model} answers in process: there is no HTTP request to repeat")
    stored = run.about.get("endpoint")
    endpoint = Endpoint(**stored) if stored else provider.endpoint()
    body = json.dumps(wire_of(provider)(Request(sample.messages, run.config["params"])), ensure_ascii=False)
    headers = ['"Content-Type: application/json"']
    headers += [f'"{name}: {value}"' for name, value in endpoint.headers.items()]  # double quotes: $VARIABLE expands
    parts = ["curl", shlex.quote(endpoint.url), *(f"-H {header}" for header in headers), "-d", shlex.quote(body)]
    return " ".join(parts)


def test_case(sample: SampleRow) -> str:
    """Return the sample as a row of a data set: what to add to a regression suite."""
    row = dict(sample.fields)
    row.setdefault("id", sample.sample_id)
    return json.dumps(row, ensure_ascii=False)
