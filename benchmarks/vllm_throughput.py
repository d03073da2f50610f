"""What llmkit costs over bare vLLM: a suite of 200 samples in process, against `vllm.LLM.chat` on the same prompts.

    python benchmarks/vllm_throughput.py [--model FOLDER_OR_NAME] [--rounds 3] [--json FILE]

Both write the same number of tokens (`ignore_eos`, greedy), with the same engine arguments; what is not set is vLLM's
own default on the bare side. Each round is a process of its own, and the two take turns in changing order, so that a
machine that drifts drifts for both. Start-up is not counted: on either side the clock begins when the engine has
answered a few other prompts, and stops when the last text is in hand (bare), or scored, stored and counted (llmkit).
The store is new, and no cache is read. Exits 1 where llmkit's median is below .95 of the bare one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ENOUGH = 0.95
SYSTEM = "You are a careful clerk. Work the sum out step by step, and end with the number alone."
SUITE = """\
version: 1
name: {name}
data: {name}.jsonl
map: {{id: id, target: answer}}
messages:
  - {{role: system, content: "{system}"}}
  - {{role: user, content: "{{{{question}}}}"}}
scorers: [{{includes: {{}}}}]
params: {{temperature: 0, max_tokens: {max_tokens}, extra: {{ignore_eos: true}}}}
"""
THINGS = ("apples", "bolts", "candles", "drums", "eggs", "forks", "gloves", "hats", "inks", "jars")
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Job:
    """What both sides do.

    Attributes:
        model: A folder, or a name of the hub.
        engine: Arguments of vLLM's engine.
        samples: Prompts.
        max_tokens: Of each answer, and no fewer.
    """

    model: str
    engine: Mapping[str, Any]
    samples: int
    max_tokens: int


@dataclass(frozen=True)
class Took:
    """One round of one side."""

    start_s: float
    wall_s: float
    read: int
    written: int
    texts: Sequence[str]

    @property
    def rate(self) -> float:
        """Tokens written a second."""
        return self.written / self.wall_s


def rows(count: int, first: int = 0) -> list[dict[str, str]]:
    """Sums in words, none twice, some longer than others."""
    made = []
    for n in range(first, first + count):
        parts = [(THINGS[(n + k) % len(THINGS)], 3 + (n * 7 + k * 13) % 90) for k in range(2 + n % 5)]
        bought = " and then ".join(f"{number} {thing} for {number % 9 + 1} coins each" for thing, number in parts)
        total = sum(number * (number % 9 + 1) for _, number in parts)
        question = f"Order {n}: a shop buys {bought}. How many coins does it pay for all of it?"
        made.append({"id": str(n), "question": question, "answer": str(total)})
    return made


WARM = 8


def bare(job: Job) -> Took:
    """Ask by ``vllm.LLM.chat``."""
    began = time.perf_counter()
    from vllm import LLM, SamplingParams

    def chats(asked: Sequence[Mapping[str, str]]) -> list[Any]:
        return [[{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["question"]}] for row in asked]

    engine = LLM(model=job.model, use_tqdm_on_load=False, **job.engine)
    params = SamplingParams(temperature=0, max_tokens=job.max_tokens, ignore_eos=True)
    asked = chats(rows(job.samples))
    engine.chat(chats(rows(WARM, job.samples)), params, use_tqdm=False)
    ready = time.perf_counter()
    outputs = engine.chat(asked, params, use_tqdm=False)
    texts = [output.outputs[0].text for output in outputs]
    done = time.perf_counter()
    read = sum(len(output.prompt_token_ids) for output in outputs)
    written = sum(len(output.outputs[0].token_ids) for output in outputs)
    return Took(ready - began, done - ready, read, written, texts)


def through_llmkit(job: Job) -> Took:
    """Ask by ``llmkit.evaluate``: the warm-up is a suite before, on the same engine."""
    from clock import timed

    for name, asked in (("warm", rows(WARM, job.samples)), ("sums", rows(job.samples))):
        Path(f"{name}.yaml").write_text(SUITE.format(name=name, system=SYSTEM, max_tokens=job.max_tokens))
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    Path("llmkit.toml").touch()
    found = timed(["warm.yaml", "sums.yaml"], f"vllm/{job.model}", job.engine, Path(".llmkit"))
    usage = found.result.usage
    return Took(found.start_s, found.wall_s, usage.input or 0, usage.output or 0, found.texts)


SIDES = {"bare": bare, "llmkit": through_llmkit}
NAMES = {"bare": "bare vllm.LLM.chat", "llmkit": "llmkit, in process"}


def measure(side: str, job: Job, log: Path) -> Took:
    """Run one round in a process of its own."""
    with tempfile.TemporaryDirectory() as made, log.open("ab") as said:
        folder = Path(made)
        (folder / "job.json").write_text(json.dumps(asdict(job)))
        command = [sys.executable, str(Path(__file__).resolve()), "--side", side]
        ended = subprocess.run(
            command, cwd=folder, env={**os.environ, **QUIET}, stdout=said, stderr=said, stdin=subprocess.DEVNULL
        )
        if ended.returncode:
            said.flush()
            sys.exit(f"{NAMES[side]}: exit {ended.returncode}\n{log.read_text(errors='replace')[-4000:]}")
        return Took(**json.loads((folder / "took.json").read_text()))


def one_side(side: str) -> None:
    """Be that process."""
    if side == "bare":  # coverage.py beside this file is not the package of that name that some look for
        sys.path.remove(str(Path(__file__).resolve().parent))
    took = SIDES[side](Job(**json.loads(Path("job.json").read_text())))
    Path("took.json").write_text(json.dumps(asdict(took)))


def line(name: str, took: Sequence[Took], ratio: str) -> str:
    rates = [each.rate for each in took]
    start, wall = (statistics.median(getattr(t, what) for t in took) for what in ("start_s", "wall_s"))
    return (
        f"| {name} | {start:.1f} | {wall:.2f} "
        f"| {statistics.median(rates):,.0f} | {min(rates):,.0f} to {max(rates):,.0f} | {ratio} |"
    )


def same(took: Mapping[str, Sequence[Took]], job: Job) -> str | None:
    """Say what makes the two sides incomparable; None: nothing."""
    counts = {side: {(t.read, t.written) for t in found} for side, found in took.items()}
    if len(set().union(*counts.values())) != 1:
        return f"not the same tokens (read, written): {counts}"
    if took["bare"][0].written != job.samples * job.max_tokens:
        return f"{took['bare'][0].written:,} tokens were written, {job.samples * job.max_tokens:,} asked for"
    return None


def parse() -> argparse.Namespace:
    from machine import default_model, on_gpu

    gpu = on_gpu()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=default_model(), help="a folder, or a name of the hub (%(default)s)")
    parser.add_argument("--samples", type=int, default=1000 if gpu else 200)
    parser.add_argument("--max-tokens", type=int, default=256 if gpu else 32)
    parser.add_argument("--max-num-seqs", type=int, default=256)
    parser.add_argument("--max-model-len", type=int, default=2048)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--enforce-eager", action=argparse.BooleanOptionalAction, default=not gpu)
    parser.add_argument("--kv-cache", type=int, default=None if gpu else 1, metavar="GIB", help="memory for the cache")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    if "--side" in sys.argv:
        one_side(sys.argv[sys.argv.index("--side") + 1])
        return
    said = parse()
    model = str(Path(said.model).resolve()) if Path(said.model).is_dir() else said.model
    engine = {name: getattr(said, name) for name in ("max_num_seqs", "max_model_len", "dtype", "enforce_eager")}
    if said.kv_cache:
        engine["kv_cache_memory_bytes"] = said.kv_cache * 2**30
    job = Job(model, engine, said.samples, said.max_tokens)
    before = os.getloadavg()[0]
    took: dict[str, list[Took]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as logs:
        for turn in range(said.rounds):
            for side in list(SIDES) if turn % 2 == 0 else list(SIDES)[::-1]:
                took[side].append(measure(side, job, Path(logs) / f"{side}.log"))
                print(f"round {turn + 1}, {NAMES[side]}: {took[side][-1].rate:,.0f} tokens/s", file=sys.stderr)
    report(said, job, took, before)


def report(said: argparse.Namespace, job: Job, took: Mapping[str, Sequence[Took]], before: float) -> None:
    from machine import load, machine, software

    ratios = sorted(ours.rate / theirs.rate for ours, theirs in zip(took["llmkit"], took["bare"], strict=True))
    ratio = statistics.median(t.rate for t in took["llmkit"]) / statistics.median(t.rate for t in took["bare"])
    equal = sum(a == b for a, b in zip(took["bare"][0].texts, took["llmkit"][0].texts, strict=True))
    one = took["bare"][0]
    print(
        f"{Path(job.model).name}, {job.samples:,} samples of {one.read / job.samples:.0f} tokens on average, each "
        f"answered with {job.max_tokens}; {', '.join(f'{k}={v}' for k, v in job.engine.items())}\n"
        f"{machine()}; {software()}; load {before:.1f} before, {load()} after; medians of {len(ratios)} rounds\n"
    )
    print("| | start-up s | s | tokens/s | lowest to highest | ÷ bare |\n|---|---|---|---|---|---|")
    print(line(NAMES["bare"], took["bare"], "1"))
    print(line(NAMES["llmkit"], took["llmkit"], f"{ratio:.3f}"))
    print(
        f"\nround by round {', '.join(f'{r:.3f}' for r in ratios)}; the same text for {equal} of {job.samples} samples"
    )
    wrong = same(took, job)
    if said.json:
        figures = {
            "ratio": ratio, "ratios": ratios, "equal_texts": equal, "samples": job.samples, "wrong": wrong,
            **{side: statistics.median(t.rate for t in found) for side, found in took.items()},
        }  # fmt: skip
        said.json.write_text(json.dumps(figures))
    if wrong:
        sys.exit(wrong)
    print(f"llmkit reaches {ratio:.3f} of bare vLLM; {ENOUGH} is asked for")
    if ratio < ENOUGH:
        sys.exit(1)


if __name__ == "__main__":
    main()
