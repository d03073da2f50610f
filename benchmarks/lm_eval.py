"""llmkit against lm-evaluation-harness: the same task files, the same server, the same scores.

    python benchmarks/lm_eval.py [--python VENV/bin/python] [--rows 200] [--repeats 1]

lm-eval lives in an environment of its own: name its Python, or one is made (`pip install 'lm-eval[api]==0.4.13'`).
Two tasks are written into a folder: `sums`, answers in words, two examples a prompt, two filters behind each other; and
`places`, multiple choice by likelihood. lm-eval runs their YAML as it is; llmkit runs what `llmkit import` makes of it.

A server on loopback, in a process of its own, answers by what it is asked and by nothing else: some sums right, some
wrong, some in a form that one filter alone reads, some in none. It keeps what it was asked: both must have asked the
same. It exits 1 where a score, or a request, is not the same.

Scores are compared to the last digit. An answer in which a filter finds nothing is wrong for lm-eval and a failure for
llmkit, which says both readings: "failures as wrong answers" is lm-eval's.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HARNESS = "lm-eval[api]==0.4.13"
SUMS = r"""
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums-rows.jsonl, train: sums-shown.jsonl}}
test_split: test
fewshot_split: train
num_fewshot: 2
fewshot_config: {sampler: first_n}
output_type: generate_until
description: "Answer the question, and end with #### and the number.\n\n"
doc_to_text: "Question: {{question}}\nAnswer:"
doc_to_target: "{{answer.split('####')[-1].strip()}}"
generation_kwargs: {until: ["\n\n", "Question:"], do_sample: false, temperature: 0.0, max_gen_toks: 64}
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore: [",", "\\$", "\\.$"]
filter_list:
  - name: strict-match
    filter:
      - {function: regex, regex_pattern: "#### (\\-?[0-9\\.\\,]+)"}
      - {function: take_first}
  - name: flexible-extract
    filter:
      - {function: regex, group_select: -1, regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"}
      - {function: take_first}
"""
PLACES = """
task: places
dataset_path: json
dataset_kwargs: {data_files: {test: places-rows.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "The capital of {{country}} is"
doc_to_choice: cities
doc_to_target: right
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
_ASKED = re.compile(r"What is (\d+) and (\d+)\?")


# --- the server


def sum_of(text: str) -> str:
    """Answer the last question: how, depends on its numbers."""
    a, b = map(int, _ASKED.findall(text)[-1])
    kind = (a + 3 * b) % 10
    if kind < 5:
        return f"It is {a} and {b} more.\n#### {a + b:,}"
    if kind == 5:
        return f"I count.\n#### {a + b + 1}"
    if kind == 6:
        return f"That makes ${a + b:,}."
    if kind == 7:
        return f"The answer is {a + b}, I think"
    return "I cannot say." if kind == 8 else f"#### {a}, or rather\n#### {a + b}"


def token_logprobs(text: str) -> list[float | None]:
    """Give each character a log-probability that hangs on the twelve before it; the first has none."""
    found: list[float | None] = [None]
    for end in range(2, len(text) + 1):
        said = hashlib.sha256(text[max(0, end - 13) : end].encode()).digest()
        found.append(-int.from_bytes(said[:4]) / 2**32 * 6)
    return found


def completion(body: Mapping[str, Any], seen: list[str]) -> dict[str, Any]:
    """Echo prompts with their characters' log-probabilities; a prompt may be a list of characters' numbers."""
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    prompts = [prompts] if prompts and isinstance(prompts[0], int) else prompts
    choices = []
    for index, prompt in enumerate(prompts):
        text = prompt if isinstance(prompt, str) else "".join(map(chr, prompt))
        seen.append(text)
        tokens, values = list(text), token_logprobs(text)
        if body.get("max_tokens"):
            tokens, values = [*tokens, "."], [*values, -1.0]
        top = [None if value is None else {token: value} for token, value in zip(tokens, values, strict=True)]
        logprobs = {"tokens": tokens, "token_logprobs": values, "top_logprobs": top}
        choices.append({"index": index, "text": "".join(tokens), "logprobs": logprobs, "finish_reason": "length"})
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "c", "object": "text_completion", "model": "mock", "choices": choices, "usage": usage}


def reply(path: str, body: Mapping[str, Any], seen: list[str]) -> Any:
    if path == "/asked":
        found = sorted(seen)
        seen.clear()
        return found
    if path == "/tokenizer_info":
        return {"tokenizer_class": "Characters", "eos_token": "\x00", "bos_token": "\x01", "pad_token": "\x00"}
    if path == "/tokenize":
        return {"tokens": list(map(ord, body["prompt"]))}
    if path == "/detokenize":
        return {"prompt": "".join(map(chr, body["tokens"]))}
    if path == "/v1/completions":
        return completion(body, seen)
    seen.append(json.dumps([body["messages"], body.get("stop"), body["temperature"]], sort_keys=True))
    message = {"role": "assistant", "content": sum_of(body["messages"][-1]["content"])}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "mock", "choices": [choice], "usage": usage}


async def serve(port: Any) -> None:
    seen: list[str] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            length = 0
            while (header := await reader.readline()).strip():
                name, _, value = header.decode().partition(":")
                length = int(value) if name.lower() == "content-length" else length
            body = json.loads(await reader.readexactly(length) or b"{}")
            said = json.dumps(reply(line.split()[1].decode(), body, seen)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
            writer.write(head.encode() + said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, limit=2**24)
    port.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def serve_for_ever(port: Any) -> None:
    asyncio.run(serve(port))


# --- the tasks


def write_tasks(folder: Path, rows: int) -> None:
    (folder / "sums.yaml").write_text(SUMS, "utf-8")
    (folder / "places.yaml").write_text(PLACES, "utf-8")
    pairs = [(37 * n % 9000 + 1, 101 * n % 700 + n // 3) for n in range(rows)]
    write_rows(folder / "sums-rows.jsonl", [question(a, b) for a, b in pairs])
    write_rows(folder / "sums-shown.jsonl", [question(1, 2), question(30, 4), question(5, 600)])
    lengths = ("town", "old harbour", "place on the river", "city of the seven hills")
    places = [
        {"country": f"Land {n}", "cities": [f"{name} {n % 7}" for name in lengths], "right": n * 7 % 4}
        for n in range(rows)
    ]
    write_rows(folder / "places-rows.jsonl", places)


def question(a: int, b: int) -> dict[str, str]:
    return {"question": f"What is {a} and {b}?", "answer": f"One adds them.\n#### {a + b}"}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


# --- the two


def timed(command: Sequence[str], folder: Path) -> tuple[float, str]:
    """Run a command in the folder of the tasks; returns seconds and what it printed."""
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "TOKENIZERS_PARALLELISM": "false"}
    environment = {**os.environ, **quiet, "OPENAI_API_KEY": "none", "LLMKIT_STORE": str(folder / "store")}
    start = time.perf_counter()
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if said.returncode not in (0, 4):  # 4: llmkit, where more answers than 2 % could not be read
        sys.exit(f"{' '.join(command)} exited {said.returncode}:\n{said.stdout[-2000:]}\n{said.stderr[-4000:]}")
    return time.perf_counter() - start, said.stdout


def harness(python: str, folder: Path, base: str, task: str) -> tuple[float, dict[str, float]]:
    chat = task == "sums"
    args = f"model=mock,num_concurrent=16,max_retries=1,base_url={base}/v1/{'chat/' if chat else ''}completions"
    args += "" if chat else ",tokenizer_backend=remote,max_length=4000"
    command = [python, "-m", "lm_eval", "run", "--model", f"local-{'chat-' if chat else ''}completions"]
    command += ["--model_args", args, "--tasks", task, "--include_path", ".", "--output_path", "out"]
    seconds, _ = timed(command + (["--apply_chat_template"] if chat else []), folder)
    newest = max((folder / "out").rglob("results_*.json"), key=lambda path: path.stat().st_mtime)
    results = json.loads(newest.read_text("utf-8"))["results"][task]
    metrics = {name: value for name, value in results.items() if "," in name and "_stderr" not in name}
    return seconds, {name.removesuffix(",none").replace(",", "."): float(value) for name, value in metrics.items()}


def ours(folder: Path, base: str, task: str) -> tuple[float, dict[str, tuple[float, float, int]]]:
    """Return seconds, and metric → (value over scored answers, value with failures as wrong ones, failures)."""
    llmkit = str(Path(sys.executable).with_name("llmkit"))
    timed([llmkit, "import", f"{task}.yaml", "--out", "imported", "--force"], folder)
    command = [llmkit, "eval", f"imported/{task}.yaml", "-m", f"openai/mock@{base}/v1", "--no-cache", "--json"]
    seconds, said = timed([*command, "--fresh", "-M", "loglikelihood=true"], folder)
    (run,) = json.loads(said)["runs"]
    return seconds, {
        name: (metric["value"], metric["value_failures_wrong"], metric["failed"])
        for name, metric in run["metrics"].items()
    }


def asked(base: str) -> set[str]:
    """Return what the server was asked since it was last looked at."""
    import urllib.request

    with urllib.request.urlopen(f"{base}/asked") as response:
        found: list[str] = json.load(response)
    return set(found)


def environment(folder: Path) -> str:
    start = time.perf_counter()
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", HARNESS], check=True)
    print(f"an environment with {HARNESS}: {time.perf_counter() - start:.0f} s")
    return python


def compare(python: str, folder: Path, base: str, task: str, repeats: int) -> bool:
    theirs_s, ours_s, same = [], [], True
    for _ in range(repeats):
        seconds, theirs = harness(python, folder, base, task)
        theirs_s.append(seconds)
        they_asked = asked(base)
        seconds, mine = ours(folder, base, task)
        ours_s.append(seconds)
        we_asked = asked(base)
    if task == "places":  # llmkit asks for each prompt by itself, too: its tokens tell where a choice begins
        we_asked -= {text for text in we_asked - they_asked if any(whole.startswith(text) for whole in they_asked)}
    for name, value in theirs.items():
        scored, wrong, failed = mine[name]
        equal = abs(value - wrong) < 1e-12
        same &= equal
        print(
            f"  {name:<30} lm-eval {value:.6f}   llmkit {wrong:.6f} with failures as wrong answers"
            f" ({scored:.6f} over those it read, {failed} not read)   {'equal' if equal else 'NOT EQUAL'}"
        )
    same_requests = they_asked == we_asked
    word = "the same" if same_requests else "NOT the same"
    print(f"  requests: {len(they_asked)} of lm-eval's, {len(we_asked)} of llmkit's: {word}")
    for whose, alone in (("lm-eval's", they_asked - we_asked), ("llmkit's", we_asked - they_asked)):
        if alone:
            print(f"  only {whose}: {min(alone)}")
    best = min(theirs_s), min(ours_s)
    print(f"  seconds, all in: lm-eval {best[0]:.1f}, llmkit {best[1]:.1f}: {best[0] / best[1]:.1f} times")
    return same and same_requests


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", help="Python of an environment that has lm-eval[api].")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    port: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve_for_ever, args=(port,), daemon=True)
    server.start()
    base = f"http://127.0.0.1:{port.get()}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        python = str(Path(options.python).absolute()) if options.python else environment(folder)
        write_tasks(folder, options.rows)
        same = True
        for task in ("sums", "places"):
            print(f"{task}: {options.rows} rows")
            same &= compare(python, folder, base, task, options.repeats)
    server.terminate()
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
