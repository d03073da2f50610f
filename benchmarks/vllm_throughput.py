"""What llmkit costs over bare vLLM: a suite of 200 samples in process, against `vllm.LLM.chat` on the same prompts.

    python benchmarks/vllm_throughput.py [--model FOLDER_OR_NAME] [--rounds N] [--json FILE]

Both write the same number of tokens (`ignore_eos`, greedy), with the same engine arguments; what is not set is vLLM's
own default on the bare side. Each side is a process of its own, and they take turns in changing order, each turn with
200 prompts that neither has seen. On a processor both engines stay loaded, so that turns follow closely and a machine
that has other things to do slows both; on a GPU each turn starts its own engine, which has all of the memory
(`--both-loaded` and `--no-both-loaded` say otherwise). Start-up is not counted; a few other prompts warm the engine up.
The clock stops when the last text is in hand (bare), or scored, stored and counted (llmkit). The store is new, and no
cache is read. CPU is that of all processes of a side, engine included; its waiting spins, so neighbours move it, too.
Exits 1 where the median of llmkit's turns is below .95 of the median of the bare ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
    """One turn of one side."""

    wall_s: float
    read: int
    written: int
    texts: Sequence[str]
    cpu_s: float | None = None

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


WARM, ENDS_S = 8, 60.0
Go = Callable[[str, Sequence[Mapping[str, str]]], Took]
"""Asks rows, under a name, and says what it took."""


@contextlib.contextmanager
def bare(job: Job) -> Iterator[Go]:
    """Ask by ``vllm.LLM.chat``."""
    from vllm import LLM, SamplingParams

    engine = LLM(model=job.model, use_tqdm_on_load=False, **job.engine)
    params = SamplingParams(temperature=0, max_tokens=job.max_tokens, ignore_eos=True)

    def go(name: str, asked: Sequence[Mapping[str, str]]) -> Took:
        chats: list[Any] = [
            [{"role": "system", "content": SYSTEM}, {"role": "user", "content": row["question"]}] for row in asked
        ]
        began = time.perf_counter()
        outputs = engine.chat(chats, params, use_tqdm=False)
        texts = [output.outputs[0].text for output in outputs]
        wall = time.perf_counter() - began
        read = sum(len(output.prompt_token_ids) for output in outputs)
        return Took(wall, read, sum(len(output.outputs[0].token_ids) for output in outputs), texts)

    yield go


@contextlib.contextmanager
def through_llmkit(job: Job) -> Iterator[Go]:
    """Ask by ``llmkit.evaluate_async``, each time with a store of its own."""
    from clock import engine, timed
    from uvloop import new_event_loop

    Path("llmkit.toml").touch()
    model = f"vllm/{job.model}"

    def go(name: str, asked: Sequence[Mapping[str, str]]) -> Took:
        Path(f"{name}.yaml").write_text(SUITE.format(name=name, system=SYSTEM, max_tokens=job.max_tokens))
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
        found = runner.run(timed(f"{name}.yaml", model, job.engine, Path(f"store-{name}")))
        usage = found.result.usage
        return Took(found.wall_s, usage.input or 0, usage.output or 0, found.texts)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        kept = engine(model, job.engine)
        runner.run(kept.__aenter__())
        try:
            yield go
        finally:
            runner.run(kept.__aexit__(None, None, None))


SIDES = {"bare": bare, "llmkit": through_llmkit}
NAMES = {"bare": "bare vllm.LLM.chat", "llmkit": "llmkit, in process"}


def one_side(name: str) -> None:
    """Be a side's process: a turn's number on standard input, what it took on standard output."""
    if name == "bare":  # coverage.py beside this file is not the package of that name that some look for
        sys.path.remove(str(Path(__file__).resolve().parent))
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # vLLM writes there, too
    job = Job(**json.loads(Path("job.json").read_text()))
    with SIDES[name](job) as go:
        go("warm", rows(WARM, 10**6))
        print("ready", file=out)
        for line in sys.stdin:
            turn = int(line)
            print(json.dumps(asdict(go(f"turn-{turn}", rows(job.samples, turn * job.samples)))), file=out)


class Side:
    """A side's process, from the driver.

    Args:
        name: Of ``SIDES``.
        job: What it does.
        folder: For its files.
    """

    def __init__(self, name: str, job: Job, folder: Path) -> None:
        self._name, self._log = name, folder / "log"
        folder.mkdir()
        (folder / "job.json").write_text(json.dumps(asdict(job)))
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve()), "--side", name],
                cwd=folder,
                env={**os.environ, **QUIET},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._read()
        self.start_s = time.perf_counter() - began

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_S if exc[0] is None else 0)
        with contextlib.suppress(ProcessLookupError):  # vLLM's own processes, where they have not ended with it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def go(self, turn: int) -> Took:
        """Have it do a turn."""
        from processes import cpu_s

        assert self._process.stdin is not None
        before = cpu_s(self._process.pid)
        self._process.stdin.write(f"{turn}\n")
        self._process.stdin.flush()
        took = Took(**json.loads(self._read()))
        after = cpu_s(self._process.pid)
        return took if before is None or after is None else replace(took, cpu_s=after - before)

    def _read(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            log = self._log.read_text(errors="replace")[-4000:]
            sys.exit(f"{NAMES[self._name]}: exit {self._process.wait()}\n{log}")
        return said


@dataclass
class Found:
    """All turns of one side."""

    starts: list[float] = field(default_factory=list)
    took: list[Took] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median, in tokens a second."""
        return statistics.median(took.rate for took in self.took)


def measure(job: Job, rounds: int, *, both_loaded: bool) -> dict[str, Found]:
    """Let the sides take turns."""
    found = {name: Found() for name in SIDES}
    with tempfile.TemporaryDirectory() as made, contextlib.ExitStack() as stack:

        def start(name: str, turn: int) -> Side:
            side = Side(name, job, Path(made) / f"{name}-{turn}")
            found[name].starts.append(side.start_s)
            return side

        sides = {name: stack.enter_context(start(name, 0)) for name in SIDES} if both_loaded else {}
        for turn in range(rounds):
            for name in list(SIDES) if turn % 2 == 0 else list(SIDES)[::-1]:
                if both_loaded:
                    took = sides[name].go(turn)
                else:
                    with start(name, turn) as side:
                        took = side.go(turn)
                found[name].took.append(took)
                print(f"turn {turn + 1}, {NAMES[name]}: {took.rate:,.0f} tokens/s", file=sys.stderr)
    return found


def line(name: str, found: Found, ratio: str) -> str:
    rates = [took.rate for took in found.took]
    start, wall = statistics.median(found.starts), statistics.median(took.wall_s for took in found.took)
    cpu = [took.cpu_s for took in found.took if took.cpu_s is not None]
    used = f"{statistics.median(cpu):.2f}" if cpu else "unknown"
    return (
        f"| {name} | {start:.1f} | {wall:.2f} | {used} | {found.rate:,.0f} "
        f"| {min(rates):,.0f} to {max(rates):,.0f} | {ratio} |"
    )


def wrong(found: Mapping[str, Found], job: Job) -> str | None:
    """Say what makes the two sides incomparable; None: nothing."""
    for turn, (one, two) in enumerate(zip(found["bare"].took, found["llmkit"].took, strict=True), 1):
        if (one.read, one.written) != (two.read, two.written):
            return f"turn {turn}: bare {one.read:,} + {one.written:,} tokens, llmkit {two.read:,} + {two.written:,}"
        if one.written != job.samples * job.max_tokens:
            return f"turn {turn}: {one.written:,} tokens were written, {job.samples * job.max_tokens:,} asked for"
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
    parser.add_argument("--rounds", type=int, default=3 if gpu else 5)
    parser.add_argument("--both-loaded", action=argparse.BooleanOptionalAction, default=not gpu)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    if "--side" in sys.argv:
        one_side(sys.argv[sys.argv.index("--side") + 1])
        return
    from machine import on_gpu

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that engines end with it
    said, gpu = parse(), on_gpu()
    model = str(Path(said.model).resolve()) if Path(said.model).is_dir() else said.model
    engine = {name: getattr(said, name) for name in ("max_num_seqs", "max_model_len", "dtype", "enforce_eager")}
    if said.kv_cache:
        engine["kv_cache_memory_bytes"] = said.kv_cache * 2**30
    job = Job(model, engine, said.samples, said.max_tokens)
    if gpu and said.both_loaded:
        engine["gpu_memory_utilization"] = 0.45
    before = os.getloadavg()[0]
    report(said, job, measure(job, said.rounds, both_loaded=said.both_loaded), before)


def report(said: argparse.Namespace, job: Job, found: Mapping[str, Found], before: float) -> None:
    from machine import load, machine, software

    turns = list(zip(found["bare"].took, found["llmkit"].took, strict=True))
    ratio, ratios = found["llmkit"].rate / found["bare"].rate, [ours.rate / theirs.rate for theirs, ours in turns]
    equal = sum(a == b for one, two in turns for a, b in zip(one.texts, two.texts, strict=True))
    read = statistics.mean(took.read for took, _ in turns) / job.samples
    print(
        f"{Path(job.model).name}, {job.samples:,} samples of {read:.0f} tokens on average, each answered with "
        f"{job.max_tokens}; {', '.join(f'{k}={v}' for k, v in job.engine.items())}\n"
        f"{machine()}; {software()}; load {before:.1f} before, {load()} after; medians of {len(turns)} turns\n"
    )
    print("| | start-up s | s | CPU s | tokens/s | lowest to highest | ÷ bare |\n|---|---|---|---|---|---|---|")
    print(line(NAMES["bare"], found["bare"], "1"))
    print(line(NAMES["llmkit"], found["llmkit"], f"{ratio:.3f}"))
    total = job.samples * len(turns)
    print(f"\nturn by turn {', '.join(f'{r:.3f}' for r in ratios)}; the same text for {equal:,} of {total:,} samples")
    why = wrong(found, job)
    if said.json:
        rates = {name: each.rate for name, each in found.items()}
        figures = {"ratio": ratio, "ratios": ratios, "equal": equal, "samples": job.samples, "wrong": why, **rates}
        said.json.write_text(json.dumps(figures))
    if why:
        sys.exit(why)
    print(f"llmkit reaches {ratio:.3f} of bare vLLM; {ENOUGH} is asked for")
    if ratio < ENOUGH:
        sys.exit(1)


if __name__ == "__main__":
    main()
