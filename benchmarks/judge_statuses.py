"""What a calibration calls judges whose accuracy is known: seeded simulation of split, race, test and decision.

    python benchmarks/judge_statuses.py [--seeds 500]

The verdicts are drawn, so that no model is asked; all that decides is llmkit's own: `divide`, `race`, `figures`,
`decide`. Clean probes are given to every judge: what is simulated is whether the figures mislead.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from numpy.typing import NDArray

from llmkit.calibration.racing import class_weights, race
from llmkit.judgements import Probe, Verdict
from llmkit.judges.figures import figures
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled, LabelSet
from llmkit.judges.load import load_judge
from llmkit.judges.split import divide
from llmkit.judges.status import decide
from llmkit.judges.subject import Subject
from llmkit.shipped import shipped

CLEAN = (
    Probe("injection", 0.0, 100, "0 of 100 move", limit=0.02, passed=True),
    Probe("repeat", 0.0, 100, "0 of 100 change", limit=0.1, passed=True),
    Probe("rewording", 0.0, 100, "0 of 100 change", limit=0.1, passed=True),
)


def judge() -> Judge:
    """Return a judge of pass and fail with the default bounds."""
    with TemporaryDirectory() as folder:
        top = Path(folder)
        (top / "judges").mkdir()
        (top / "llmkit.toml").touch()
        (top / "judges" / "rule.md").write_text("A good answer passes.", "utf-8")
        (top / "judges" / "ask.prompty").write_text(shipped("prompts", "judges/pass_fail.prompty").read_text("utf-8"))
        said = {
            "version": 1, "name": "drawn", "criterion": "rule.md", "kind": "pass_fail", "model": "scripted/echo",
            "prompt": "ask.prompty",
        }  # fmt: skip
        (top / "judges" / "drawn.yaml").write_text(yaml.safe_dump(said), "utf-8")
        return load_judge(str(top / "judges" / "drawn.yaml"))


def status(
    one: Judge, seed: int, *, labels: int, passing: float, candidates: int, tpr: float, tnr: float, test: float = 0.5
) -> str:
    """Draw labels and candidates, choose on dev, test once, decide."""
    rng = np.random.default_rng([seed, labels, candidates])
    good = rng.permutation(np.arange(labels) < round(passing * labels))
    items = {
        f"i{k}": Labelled(Subject(f"i{k}", f"q{seed}-{k}", "a"), "pass" if g else "fail") for k, g in enumerate(good)
    }
    division = divide(LabelSet(tuple(items.values()), ()), few_shot=0, dev=candidates > 1, test=test, seed=seed)
    right = {name: rng.random(candidates) < (tpr if item.label == "pass" else tnr) for name, item in items.items()}
    if candidates == 1:
        chosen = {name: 0 for name in division.test}
    elif division.folds:
        chosen = {}
        for fold in division.folds:
            others = [name for name in division.test if name not in set(fold)]
            chosen |= dict.fromkeys(fold, _pick(items, others, right, seed))
    else:
        chosen = dict.fromkeys(division.test, _pick(items, division.dev, right, seed))
    verdicts = [_verdict(items[name], bool(right[name][chosen[name]])) for name in division.test]
    found = figures(one.scale, [str(items[name].label) for name in division.test], verdicts)
    return decide(one, found, CLEAN, looks=1).status


def _pick(items: dict[str, Labelled], dev: Sequence[str], right: dict[str, NDArray[np.bool_]], seed: int) -> int:
    async def block(candidate: int, places: Sequence[int]) -> list[bool | None]:
        return [bool(right[dev[place]][candidate]) for place in places]

    weights = class_weights([str(items[name].label) for name in dev])
    count = len(next(iter(right.values())))
    return asyncio.run(race(count, weights, block, seed=seed)).ranking[0]


def _verdict(item: Labelled, right: bool) -> Verdict:
    label = "pass" if (item.label == "pass") == right else "fail"
    return Verdict("verdict", label, float(label == "pass"))


WORLDS = (
    ("the best of 50 coins", {"labels": 100, "passing": 0.5, "candidates": 50, "tpr": 0.5, "tnr": 0.5}),
    ("the best of 50 coins", {"labels": 300, "passing": 0.5, "candidates": 50, "tpr": 0.5, "tnr": 0.5}),
    ("the best of 50 that pass most", {"labels": 100, "passing": 0.8, "candidates": 50, "tpr": 0.8, "tnr": 0.2}),
    ("just below the bounds", {"labels": 200, "passing": 0.5, "candidates": 1, "tpr": 0.79, "tnr": 0.79}),
    ("good, nothing to choose", {"labels": 100, "passing": 0.5, "candidates": 1, "tpr": 0.95, "tnr": 0.95}),
    ("good, nothing to choose", {"labels": 200, "passing": 0.5, "candidates": 1, "tpr": 0.95, "tnr": 0.95}),
    ("the best of 8 good ones", {"labels": 200, "passing": 0.5, "candidates": 8, "tpr": 0.95, "tnr": 0.95}),
    ("the best of 8 good ones", {"labels": 200, "passing": 0.8, "candidates": 8, "tpr": 0.95, "tnr": 0.95}),
)  # fmt: skip


def main(seeds: int) -> None:
    one = judge()
    print("| judges | labels | pass | candidates | TPR, TNR | calibrated | provisional | refused |\n|-|-|-|-|-|-|-|-|")
    for name, world in WORLDS:
        said = Counter(status(one, seed, **world) for seed in range(seeds))  # type: ignore[arg-type]
        shares = " | ".join(f"{said[each] / seeds:.3f}" for each in ("calibrated", "provisional", "refused"))
        w = world
        about = f"{w['labels']} | {w['passing']:.0%} | {w['candidates']} | {w['tpr']}, {w['tnr']}"
        print(f"| {name} | {about} | {shares} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=500)
    main(parser.parse_args().seeds)
