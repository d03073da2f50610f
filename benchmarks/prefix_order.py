"""What it saves to ask prompts with a common beginning one after the other, on vLLM with a cache too small for all.

    python benchmarks/prefix_order.py [--model FOLDER_OR_NAME] [--documents 16] [--questions 8]

Documents, and questions about each; the data are question by question (the first about every document, then the
second), and the engine's cache holds about a quarter of the documents. Once in the data's order, as llmkit asks
servers that reuse nothing, and once as llmkit asks vLLM. Each on an engine of its own; start-up is not counted. Cached
tokens are what vLLM says in each answer's usage. Exits 1 where the order gains nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clock import Timed

PLACES = ("harbour", "mill", "station", "quarry", "orchard", "foundry", "library", "market")
GOODS = ("drums", "lamps", "ropes", "maps", "crates", "bells", "nails", "tiles")
SUITE = """\
version: 1
name: {name}
data: {name}.jsonl
map: {{id: id, target: answer}}
messages: [{{role: user, content: "{{{{document}}}}\\n\\n{{{{question}}}}"}}]
scorers: [{{includes: {{}}}}]
params: {{temperature: 0, max_tokens: 8, extra: {{ignore_eos: true}}}}
"""


def document(number: int, entries: int) -> list[tuple[str, str, int]]:
    """A ledger of its own: who received how much of what."""
    return [
        (PLACES[(number + k * 3) % 8], GOODS[(number * 5 + k * 7) % 8], (number * 31 + k * 17) % 900 + 10)
        for k in range(entries)
    ]


def rows(documents: range, questions: int, entries: int) -> list[dict[str, str]]:
    """Question by question, so that documents are interleaved."""
    made = []
    for q in range(questions):
        for number in documents:
            ledger = document(number, entries)
            text = "\n".join(
                f"Ledger {number}, entry {k}: the {place} received {count} {goods}."
                for k, (place, goods, count) in enumerate(ledger)
            )
            entry = (q * 11 + number) % entries
            question = f"How many pieces are in entry {entry}? Answer with the number."
            made.append(
                {"id": f"{number}-{q}", "document": text, "question": question, "answer": str(ledger[entry][2])}
            )
    return made


def write(folder: Path, said: argparse.Namespace) -> list[str]:
    """Write the suite, and one before it to warm the engine up; both are of documents of their own."""
    (folder / "llmkit.toml").touch()
    sets = {
        "warm": rows(range(1000, 1002), 2, said.entries),
        "ledgers": rows(range(said.documents), said.questions, said.entries),
    }
    for name, made in sets.items():
        (folder / f"{name}.yaml").write_text(SUITE.format(name=name))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    return [f"{name}.yaml" for name in sets]


def parse() -> argparse.Namespace:
    from machine import default_model, on_gpu

    gpu = on_gpu()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=default_model(), help="a folder, or a name of the hub (%(default)s)")
    parser.add_argument("--documents", type=int, default=64 if gpu else 16)
    parser.add_argument("--questions", type=int, default=16 if gpu else 8)
    parser.add_argument("--entries", type=int, default=100 if gpu else 30, help="lines of a document, of 15 tokens")
    parser.add_argument("--kv-cache", default="512M" if gpu else "64M", help="the engine's memory for the cache")
    parser.add_argument("--max-num-seqs", type=int, default=8 if gpu else 4)
    return parser.parse_args()


async def measure(suites: Sequence[str], model: str, options: Mapping[str, Any]) -> Timed:
    """Run suites on an engine of their own; returns the last one's run."""
    from clock import engine, timed

    async with engine(model, options):
        return [await timed(suite, model, options, Path("store")) for suite in suites][-1]


def main() -> None:
    from machine import load, machine, on_gpu, software

    from llmkit.runs import runner
    from llmkit.runs.ordering import AsGiven

    said = parse()
    model = str(Path(said.model).resolve()) if Path(said.model).is_dir() else said.model
    engine: dict[str, Any] = {
        "max_num_seqs": said.max_num_seqs, "max_model_len": 4096 if on_gpu() else 1024, "dtype": "bfloat16",
        "enforce_eager": not on_gpu(), "kv_cache_memory_bytes": said.kv_cache,
    }  # fmt: skip
    before, ours = os.getloadavg()[0], runner.ordering
    found: dict[str, Timed] = {}
    for name, ordering in (("the data's", lambda provider: AsGiven()), ("by common beginnings", ours)):
        with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
            runner.ordering = ordering
            found[name] = asyncio.run(measure(write(Path(made), said), f"vllm/{model}", engine))
    plain, sorted_ = found.values()
    print(
        f"{Path(model).name}, {said.documents} documents, {said.questions} questions about each, interleaved; "
        f"{', '.join(f'{k}={v}' for k, v in engine.items())}\n"
        f"{machine()}; {software()}; load {before:.1f} before, {load()} after\n"
    )
    print("| order | s | prompt tokens | of them cached |\n|---|---|---|---|")
    for name, one in found.items():
        read, cached = one.result.usage.input or 0, one.result.usage.cached or 0
        print(f"| {name} | {one.wall_s:.2f} | {read:,} | {cached:,} ({cached / read:.0%}) |")
    equal = sum(a == b for a, b in zip(plain.texts, sorted_.texts, strict=True))
    print(
        f"\n{plain.wall_s / sorted_.wall_s:.2f} times as fast; the same text for {equal} of {len(plain.texts)} samples"
    )
    if sorted_.wall_s >= plain.wall_s:
        sys.exit(1)


if __name__ == "__main__":
    main()
