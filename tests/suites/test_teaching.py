"""Which references the scorers of a suite learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llmkit.scoring import Item, Scorer, create
from llmkit.suites.load import load_suites
from llmkit.suites.suite import Suite
from llmkit.suites.teaching import taught_as, taught_suite
from llmkit.types import Failure, Score
from tests.suites.conftest import ADD


@dataclass(frozen=True)
class Counting:
    """Scores by how many references there are in all."""

    seen: tuple[tuple[str, ...], ...] | None = None
    learns: bool = True
    name: str = "counting"
    kind: str = "mean"
    higher_is_better: bool = True
    needs_references: bool = True
    heavy: bool = False

    @property
    def signature(self) -> str:
        return f"counting:{self.seen}"

    @property
    def untaught(self) -> Counting:
        return replace(self, seen=None)

    def learn(self, references: Iterable[Sequence[str]]) -> Counting:
        return replace(self, seen=tuple(map(tuple, references)))

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        assert self.seen is not None
        return [Score(len(self.seen)) for _ in items]

    def wrong(self, item: Item) -> Score | None:
        return Score(0.0)


def with_scorers(path: str, *scorers: Scorer) -> Suite:
    (suite,) = load_suites(path)
    return replace(suite, scorers=scorers)


def seen(suite: Suite) -> object:
    return next(scorer.seen for scorer in suite.scorers if isinstance(scorer, Counting))


def test_every_row_that_can_be_asked_is_learnt_from(write) -> None:
    rows = [
        {"id": "a", "question": "1+1?", "answer": 2},
        {"id": "b", "answer": 9},  # the prompt cannot be rendered: it will fail, and no score is asked of it
        {"id": "c", "question": "1+2?"},  # no right answer: a bad row
        {"id": "d", "question": "2+2?", "answer": 4},
    ]
    assert seen(taught_suite(with_scorers(write(rows=rows), Counting()))) == (("2",), ("4",))


def test_of_a_run_that_is_limited_the_first_rows_are_learnt_from(write) -> None:
    suite = with_scorers(write(), Counting())
    assert seen(taught_suite(suite, 1)) == (("2",),)
    assert seen(taught_suite(with_scorers(write(f"{ADD}limit: 1\n"), Counting()))) == (("2",),)


def test_what_is_learnt_changes_the_suites_definition(write) -> None:
    suite = with_scorers(write(), Counting())
    assert taught_suite(suite, 1).definition() != taught_suite(suite, 2).definition()


def test_a_suite_without_such_scorers_is_left_as_it_is_and_its_rows_are_not_read(write, project) -> None:
    suite = with_scorers(write(), create("exact_match"), Counting(learns=False))
    (project / "suites" / "add.jsonl").unlink()
    assert taught_suite(suite) is suite


def test_the_other_side_of_a_comparison_knows_what_the_one_has_learnt(write) -> None:
    head = taught_suite(with_scorers(write(), create("exact_match"), Counting()))
    base = taught_as(with_scorers(write(), create("f1"), Counting()), head)
    assert [scorer.name for scorer in base.scorers] == ["f1", "counting"]
    assert base.scorers[1] is head.scorers[1]
