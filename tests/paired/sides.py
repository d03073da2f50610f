"""Sides of comparisons, made by hand."""

from __future__ import annotations

from dataclasses import replace

from llmkit.paired.held import hold
from llmkit.paired.rows import Row, Setup, Texts
from llmkit.scoring.base import Item

SIGNATURE = "metric:exact_match|case:mixed|v:1"


def row(
    sample,
    value=None,
    *,
    epoch=1,
    references='["r"]',
    cluster=None,
    slices=None,
    stats=None,
    metric="exact_match",
    **more,
):
    answer = more.pop("answer", None)
    amounts = {"cost_usd": 0.01, "output_tokens": 10.0, "latency_s": 1.0, "fresh": True, "answered": True} | more
    return Row(
        key=(sample, epoch),
        where="here",
        references=references,
        cluster=cluster,
        slices=slices or {},
        values={} if value is None else {metric: value},
        stats={metric: stats} if stats else {},
        answer=answer,
        **amounts,
    )


def values(numbers, **more):
    """One sample a number; None is a failure."""
    return [row(f"s{i}", number, **more) for i, number in enumerate(numbers)]


class Listed:
    """A source whose rows stand in a list, and how its answers were chosen by their numbers."""

    def __init__(self, rows, setup, chosen=None):
        self._rows, self.setup, self._chosen = rows, setup, chosen or {}
        self.asked = []

    def rows(self):
        return iter(self._rows)

    def texts(self, keys):
        return {r.key: Texts(f"q {r.key[0]}", ("r",), f"answer {r.key[0]}", {}) for r in self._rows if r.key in keys}

    def items(self, keys):
        return ((r.key, Item("", ("r",), {}, id=r.key[0])) for r in self._rows if r.key in keys)

    def chosen(self, answers):
        self.asked += answers
        return {answer: self._chosen[answer] for answer in answers if answer in self._chosen}


SETUP = Setup(
    name="a", run_id="r1", suite="s", model="m", status="completed", data="d" * 64, prompt="p" * 64,
    map={"map.id": "id", "map.target": "answer"}, signatures={"exact_match": SIGNATURE}, scorers=["exact_match"],
    higher_is_better={"exact_match": True}, params={}, sizes={"epochs": 1, "limit": None, "seed": 0},
)  # fmt: skip


def held(rows, **setup):
    return hold(Listed(list(rows), replace(SETUP, **setup)))


def side(rows, chosen=None, **setup):
    """A source, and what is held of it."""
    source = Listed(list(rows), replace(SETUP, **setup), chosen)
    return source, hold(source)
