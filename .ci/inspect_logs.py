"""What inspect_ai reads in the logs that llmkit wrote. Run by inspect_ai's own Python: inspect_logs.py FOLDER."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from inspect_ai.log import list_eval_logs, read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries

folder = Path(sys.argv[1])
(epochs_path, given_path, judged_path) = sorted(folder.glob("*.json"))


def samples_of(path: Path) -> dict[tuple[str, int], Any]:
    log = read_eval_log(str(path))
    header = read_eval_log(str(path), header_only=True)
    assert header.version == 2 and header.samples is None and header.results == log.results
    assert len(read_eval_log_sample_summaries(str(path))) == len(log.samples or [])
    return {(str(sample.id), sample.epoch): sample for sample in log.samples or []}


log = read_eval_log(str(epochs_path))
samples = samples_of(epochs_path)
assert (log.status, log.eval.task, log.eval.model, log.eval.config.epochs) == (
    "success",
    "capitals",
    "scripted/oracle",
    2,
)
assert log.eval.model_generate_config.max_tokens == 8
assert log.results is not None and (log.results.total_samples, log.results.completed_samples) == (6, 4)
(match,) = (score for score in log.results.scores if score.name == "exact_match")
assert (match.metrics["mean"].value, match.scored_samples, match.unscored_samples) == (0.5, 2, 2), match
assert match.metadata is not None and match.metadata["interval"]["low"] < 0.5 < match.metadata["interval"]["high"]
assert samples["pe", 1].error is not None and "provider/refused" in samples["pe", 1].error.message
assert samples["pe", 1].scores == {}
paris = samples["fr", 2]
assert (paris.target, paris.output.completion, paris.scores["exact_match"].value) == ("Paris", "Paris", 1.0)
assert [message.role for message in paris.messages] == ["system", "user", "assistant"]
assert paris.output.usage is not None and paris.output.usage.output_tokens > 0
assert samples["it", 1].output.stop_reason == "max_tokens"
assert samples["it", 1].metadata["failures"][0]["kind"] == "unparsable"
assert log.stats.model_usage["scripted/oracle"].total_tokens > 0
assert read_eval_log_sample(str(epochs_path), "fr", 2).output.completion == "Paris"

log, samples = read_eval_log(str(given_path)), samples_of(given_path)
assert log.stats.model_usage == {} and samples["fr", 1].output.usage is None
assert samples["fr", 1].total_time is None and samples["it", 2].error is not None

log, samples = read_eval_log(str(judged_path)), samples_of(judged_path)
judged = [score for sample in samples.values() for score in (sample.scores or {}).values() if score.explanation]
assert judged and all(score.answer for score in judged), "no judge's verdict with its words"
assert any(name.startswith("judge ") for name in log.stats.role_usage), log.stats.role_usage
assert len(list_eval_logs(str(folder))) == 3
print(f"inspect_ai read {sum(len(samples_of(path)) for path in folder.glob('*.json'))} samples of 3 logs")

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
command = [str(Path(sys.executable).with_name("inspect")), "view", "start", "--log-dir", str(folder)]
server = subprocess.Popen(  # noqa: S603
    [*command, "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL
)
try:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/logs", timeout=5) as response:
                listed = json.load(response)
            break
        except OSError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.2)
    assert len(listed.get("files", listed)) == 3, listed
    print("inspect view lists them")
finally:
    os.kill(server.pid, signal.SIGTERM)
    server.wait(timeout=20)
