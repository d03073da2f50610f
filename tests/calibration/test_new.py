"""``judge new``: items are drawn fairly, the population is recorded, and nothing is written over."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from llmkit.calibration.new import kind_of, new_judge
from llmkit.calibration.options import CalibrateOptions
from llmkit.calibration.pool import DataPool, PairPool, RunPool
from llmkit.calibration.prepare import prepare
from llmkit.calibration.skeleton import guideline, unfilled
from llmkit.config import load_settings
from llmkit.errors import DataError, DocumentError, UnknownNameError, UsageError
from llmkit.judges.labels import read_labels
from llmkit.judges.load import load_judge
from llmkit.judges.subject import Population, subject_of_answer
from llmkit.runs.export import scored
from llmkit.runs.grade import item_of
from llmkit.runs.outcome import outcome_of
from llmkit.runs.store import Store
from llmkit.samples.opening import open_source
from tests.calibration.answered import COUNT, WRONG, make_project, run
from tests.judges.project import judge_of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path)
    return tmp_path


@pytest.fixture
async def store(folder: Path) -> Store:
    await run()
    return Store(folder / ".llmkit", create=False)


def items(folder: Path, name: str = "relevance") -> list[dict[str, object]]:
    lines = (folder / f"judges/labels/{name}.items.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def make(folder: Path, pool: RunPool | PairPool | DataPool, **given: object) -> object:
    options = {"root": folder, "kind": "pass_fail", "model": "scripted/good", "n": 30, **given}
    return new_judge("relevance", pool, **options)  # type: ignore[arg-type]


async def test_the_judge_that_is_written_loads_and_its_items_wait_for_labels(folder: Path, store: Store) -> None:
    found = new_judge(
        "relevance", RunPool(store, "latest", None), root=folder, kind="pass_fail", model="scripted/good", n=30
    )
    judge = load_judge("relevance", folder=folder)
    labels = read_labels(judge)
    assert (found.items, found.population) == (30, COUNT)
    assert len(labels.unlabelled) == 30
    assert labels.items == ()
    assert labels.sampling == "random"
    assert all(path.is_file() for path in found.paths)
    one = labels.unlabelled[0]
    assert one.input.startswith("What is ")
    assert one.reference is not None
    assert one.group is not None
    assert one.slices.keys() == {"topic"}


@pytest.mark.parametrize(("model", "own"), [("scripted/good", True), ("mine", True), ("scripted/bad", False)])
async def test_a_model_that_would_judge_its_own_answers_is_told(
    folder: Path, store: Store, model: str, own: bool
) -> None:
    with (folder / "llmkit.toml").open("a") as file:
        file.write('[aliases]\nmine = "scripted/good"\n')
    found = new_judge("relevance", RunPool(store, "latest", None), root=folder, kind="pass_fail", model=model, n=30)
    said = f"{model} gave these answers: it would judge its own answers: give another with -m, or in relevance.yaml"
    assert (said in found.notes) is own


async def test_the_population_is_the_one_that_a_scorer_sees(folder: Path, store: Store) -> None:
    make(folder, RunPool(store, "latest", None))
    counted = Population()
    for sample, _ in scored(store, store.run("latest")):
        counted.add(subject_of_answer(item_of(outcome_of(sample))))
    assert read_labels(load_judge("relevance", folder=folder)).population == counted.fingerprint()


async def test_the_draw_is_the_same_for_a_seed_and_another_for_another(folder: Path, store: Store) -> None:
    drawn = []
    for seed in (0, 0, 1):
        make(folder, RunPool(store, "latest", None), seed=seed, force=True)
        drawn.append([item["id"] for item in items(folder)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) != set(drawn[2])
    assert len(set(map(str, drawn[0]))) == 30
    assert drawn[0] != sorted(map(str, drawn[0]))  # the order says nothing


async def test_enriched_takes_half_from_the_failures_and_weighs_both(folder: Path, store: Store) -> None:
    make(folder, RunPool(store, "latest", None), n=20, sampling="enriched")
    found = items(folder)
    wrong = [item for item in found if "not known" in str(item["answer"])]
    assert len(wrong) == 10
    assert {item["weight"] for item in wrong} == {WRONG / 10}
    assert {item["weight"] for item in found if item not in wrong} == {(COUNT - WRONG) / 10}
    assert sum(float(str(item["weight"])) for item in found) == pytest.approx(COUNT)
    assert read_labels(load_judge("relevance", folder=folder)).weighed == 20


async def test_where_failures_are_few_the_others_make_up_the_number(folder: Path, store: Store) -> None:
    make(folder, RunPool(store, "latest", None), n=40, sampling="enriched")
    assert Counter("not known" in str(item["answer"]) for item in items(folder)) == {True: WRONG, False: 40 - WRONG}


async def test_more_than_there_is_are_all(folder: Path, store: Store) -> None:
    found = new_judge(
        "relevance", RunPool(store, "latest", None), root=folder, kind="pass_fail", model="scripted/m", n=100
    )
    assert found.items == COUNT
    assert any("no more than 60" in note for note in found.notes)


async def test_pairs_stand_in_an_order_drawn_for_each(folder: Path, store: Store) -> None:
    await run("bad")
    make(folder, PairPool(store, "latest~1", "latest", None, 0), kind="pairwise", n=50)
    found = items(folder)
    assert all(item["a_run"] != item["b_run"] for item in found)
    assert 10 < sum(item["a_run"] == store.run("latest").run_id for item in found) < 40
    judge = load_judge("relevance", folder=folder)
    assert judge.method.swap
    assert all(subject.pair for subject in read_labels(judge).unlabelled)


async def test_a_sample_that_one_run_has_not_answered_is_no_pair(folder: Path, store: Store) -> None:
    await run("bad", limit=40)
    pool = PairPool(store, "latest~1", "latest", None, 0)
    assert len(list(pool.entries())) == 39  # one of the forty is empty
    assert any("one run alone" in note and "21" in note for note in pool.notes())


async def test_epochs_are_items_of_their_own(folder: Path, store: Store) -> None:
    await run(epochs=2, limit=20)
    pool = RunPool(store, "latest", None)
    assert len({entry.subject.id for entry in pool.entries()}) == 40


def test_rows_of_a_file_can_be_drawn_from(folder: Path) -> None:
    rows = [{"id": n, "input": f"q{n}", "answer": f"x{n}", "good": n % 4 > 0} for n in range(40)]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "not json\n")
    pool = DataPool(open_source("", base=folder, override="replies.jsonl"), pair=False, by="good")
    make(folder, pool, n=20, sampling="enriched")
    judge = load_judge("relevance", folder=folder)
    assert judge.spec.labels is not None
    assert Counter(item["good"] for item in items(folder)) == {True: 10, False: 10}
    assert pool.notes() == ("rows that cannot be read are no items: 1",)


@pytest.mark.parametrize(
    ("row", "by", "error", "message"),
    [
        ({"id": "1", "input": "q"}, None, DocumentError, "no field 'answer'"),
        ({"id": "0", "input": "q", "answer": "x"}, None, DataError, "the id '0' stands twice"),
        ({"id": "1", "input": "q", "answer": "x", "good": "yes"}, "good", UsageError, "'good' is 'yes', not a number"),
        ({"id": "1", "input": "q", "answer": "x", "good": 1}, "god", UnknownNameError, "Did you mean 'good'"),
    ],
)
def test_a_row_that_cannot_be_an_item_is_one_line(
    folder: Path, row: dict[str, object], by: str | None, error: type[Exception], message: str
) -> None:
    first = {"id": "0", "input": "q", "answer": "x", "good": 1}
    (folder / "replies.jsonl").write_text(json.dumps(first) + "\n" + json.dumps(row) + "\n")
    pool = DataPool(open_source("", base=folder, override="replies.jsonl"), pair=False, by=by)
    with pytest.raises(error, match=r"replies.jsonl") as caught:
        list(pool.entries())
    assert message in str(caught.value)


async def test_nothing_is_written_where_a_file_is_there(folder: Path, store: Store) -> None:
    (folder / "prompts").mkdir()
    (folder / "prompts/relevance.prompty").write_text("mine")
    with pytest.raises(UsageError, match=r"already there: .*relevance.prompty"):
        make(folder, RunPool(store, "latest", None))
    assert not (folder / "judges").exists()
    make(folder, RunPool(store, "latest", None), force=True)
    assert (folder / "prompts/relevance.prompty").read_text() != "mine"


async def test_labels_are_never_written_over(folder: Path, store: Store) -> None:
    make(folder, RunPool(store, "latest", None))
    (folder / "judges/labels/relevance.jsonl").write_text('{"id": "s00", "label": "pass"}\n')
    with pytest.raises(UsageError, match="holds people's labels"):
        make(folder, RunPool(store, "latest", None), force=True)


async def test_too_few_items_are_refused_before_anything_is_written(folder: Path, store: Store) -> None:
    with pytest.raises(UsageError, match="10 items are to be labelled, and no judge"):
        make(folder, RunPool(store, "latest", None), n=10)
    assert not (folder / "judges").exists()


async def test_a_scorer_that_the_run_has_not_is_named_with_the_nearest(folder: Path, store: Store) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'exact_match'"):
        RunPool(store, "latest", "exact_mach")


async def test_enriched_needs_something_to_tell_items_apart(folder: Path, store: Store) -> None:
    (folder / "replies.jsonl").write_text('{"id": 1, "input": "q", "answer": "x"}\n')
    pool = DataPool(open_source("", base=folder, override="replies.jsonl"), pair=False, by=None)
    with pytest.raises(UsageError, match="nothing says which items are the rare ones"):
        make(folder, pool, sampling="enriched")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("pass_fail", "pass_fail"),
        ("graded:1-5", {"graded": {"min": 1, "max": 5}}),
        ("graded:-2-2", {"graded": {"min": -2, "max": 2}}),
        ("choices:A=1,B=.5", {"choices": {"A": 1.0, "B": 0.5}}),
    ],
)
def test_kinds_are_read_as_they_are_typed(said: str, meant: object) -> None:
    assert kind_of(said) == meant


@pytest.mark.parametrize(
    "said", ["graded", "graded:1-x", "graded:5-1", "choices:A", "choices:A=1", "choices:A=2,B=0", "x"]
)
async def test_what_is_no_kind_is_refused(folder: Path, store: Store, said: str) -> None:
    with pytest.raises(UsageError, match=r"--kind.*It is one of: pass_fail, pairwise"):
        make(folder, RunPool(store, "latest", None), kind=said)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "graded:5-1"}, "--kind: graded: min must be below max, not 5 and 1"),
        ({"kind": "choices:A=1,B=2"}, "--kind: choices.B must be at most 1.0, not the number 2.0"),
        ({"kind": "choices:A=1,A=.5"}, "--kind: the choice 'A' stands twice"),
        ({"model": "nope/x"}, "-m: unknown provider 'nope'"),
    ],
)
def test_what_is_wrong_with_a_kind_or_a_model_is_said(folder: Path, given: dict[str, str], message: str) -> None:
    pool = DataPool(open_source("", base=folder, override="rows.jsonl"), pair=False, by=None)
    with pytest.raises(UsageError) as caught:
        make(folder, pool, **given)
    assert message in str(caught.value)
    assert not (folder / "judges").exists()


@pytest.mark.parametrize("kind", ["graded:1-5", "choices:A=1,B=.5", "pass_fail"])
async def test_each_kind_loads(folder: Path, store: Store, kind: str) -> None:
    make(folder, RunPool(store, "latest", None), kind=kind)
    judge = load_judge("relevance", folder=folder)
    assert all(label in judge.criterion for label in judge.scale.labels)


@pytest.mark.parametrize(
    "kind", ["pass_fail", "pairwise", {"graded": {"min": 1, "max": 3}}, {"choices": {"A": 1, "B": 0}}]
)
def test_a_guideline_that_nobody_filled_in_is_told_from_one_that_says_something(tmp_path: Path, kind: object) -> None:
    judge = judge_of(tmp_path, kind=kind)
    asked = guideline("relevance", judge.scale)
    less = "# Another title" + asked.partition("## Hard cases")[0].removeprefix("# relevance")
    for text in (asked, less):
        assert unfilled(judge_of(tmp_path, kind=kind, guideline=text))
    filled = asked.replace("- An answer that declines:", "- An answer that declines: fails.")
    for text in (filled, "It must answer.", "# It must answer\n\nIn one sentence."):
        assert not unfilled(judge_of(tmp_path, kind=kind, guideline=text))


async def test_a_guideline_that_nobody_filled_in_calibrates_nothing(tmp_path: Path) -> None:
    text = guideline("relevance", judge_of(tmp_path).scale)
    judge = judge_of(tmp_path, guideline=text, labels={"file": "l.jsonl"})
    with pytest.raises(DocumentError, match=r"relevance.md: the guideline is empty: .*Write what a good answer is"):
        await prepare(judge, CalibrateOptions(), load_settings(tmp_path))
