"""The store: what goes in comes out; answers are found by key, scores by answer, input and signature."""

import asyncio
import contextlib
import sqlite3

import pytest

from llmkit.errors import StoreError, UnknownNameError, UsageError
from llmkit.runs.records import Answer, Job, Outcome
from llmkit.runs.rows import SQL_VARIABLES, RunRow
from llmkit.runs.store import FILE, Store
from llmkit.types import Completion, Failure, Message, Request, Sample, Score, TokenLogprob, Usage

FULL = Completion(
    "zwölf", "length", Usage(10, 2, 3, 1, 1), 0.25, 1.5, 2, "m-1", "req", (TokenLogprob("z", -0.5, (("z", -0.5),)),)
)


def run_row(run_id="r1", *, started=1.0, digest="d", status="running"):
    return RunRow(run_id, "suite", "p/m", status, digest, {"a": 1}, {"git": None}, started, 0.0, 0, None)


def job(index=0, *, key=b"k", input=b"i", refs='["1"]', cluster=None, slices=None):
    sample = Sample(f"s{index}", index, {"q": 1}, ("1",), cluster, slices or {})
    return Job(sample, 1, Request((Message("user", "1"),)), key, input, b"p", '{"q":1}', refs, '[["user","1"]]')


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / ".llmkit") as store:
        yield store


async def add(store, key=b"k", text="a", *, run="r1", cacheable=True):
    return await store.add_answer(run, key, Completion(text), cacheable=cacheable)


def watch(store):
    """Count the transactions from now on."""
    commits = []
    store._db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    return commits


# --- answers ---


async def test_an_answer_comes_back_as_it_went_in(store):
    added = await store.add_answer("r1", b"k", FULL, cacheable=True)
    assert store.find_answers([b"k"], "r1") == {b"k": added}
    assert added.completion == FULL


async def test_answers_that_arrive_together_are_committed_together(store):
    commits = watch(store)
    await asyncio.gather(*(add(store, bytes([n])) for n in range(50)))
    assert len(commits) == 1
    await add(store, b"later")
    assert len(commits) == 2


async def test_an_answer_is_on_disk_when_it_is_said_to_be(store):
    await add(store)
    with contextlib.closing(sqlite3.connect(store.path)) as other:
        assert other.execute("SELECT text FROM answers").fetchall() == [("a",)]


async def test_the_earliest_answer_wins(store):
    await add(store, text="first")
    await add(store, text="second", run="r2")
    assert store.find_answers([b"k"], "r3")[b"k"].completion.text == "first"


async def test_a_runs_own_answer_comes_before_an_earlier_one(store):
    await add(store, text="first")
    await add(store, text="own", run="r2")
    assert store.find_answers([b"k"], "r2")[b"k"].completion.text == "own"


async def test_answers_of_others_can_be_left_out(store):
    await add(store)
    assert store.find_answers([b"k"], "r2", others=False) == {}
    assert list(store.find_answers([b"k"], "r1", others=False)) == [b"k"]


async def test_an_answer_that_may_not_be_reused_is_kept_and_not_found(store):
    await add(store, text="", cacheable=False)
    assert store.find_answers([b"k"], "r1") == {}
    assert store._db.execute("SELECT count(*) FROM answers").fetchone() == (1,)


async def test_more_keys_than_one_statement_takes_are_found(store):
    keys = [n.to_bytes(4) for n in range(2 * SQL_VARIABLES + 3)]
    await asyncio.gather(*(add(store, key) for key in keys))
    assert store.find_answers(keys, "r1").keys() == set(keys)


async def test_an_answer_whose_asker_is_gone_is_committed_all_the_same(store):
    asking = asyncio.create_task(add(store))
    await asyncio.sleep(0)
    asking.cancel()
    store.flush()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert list(store.find_answers([b"k"], "r1")) == [b"k"]


async def test_what_was_spent_is_answers_and_lost_attempts(store):
    await store.add_answer("r1", b"k", FULL, cacheable=True)
    store.charge("r1", None, 0.5, "timeout")
    store.charge("r1", 0.125, 0.125, "empty")
    store.charge("other", 9.0, 9.0, "empty")
    assert store.spent("r1") == 0.875
    assert store.spent("r1", certain=True) == 0.375
    assert store.lost("r1") == (2, None)
    assert store.lost("other") == (1, 9.0)
    assert store.lost("nobody") == (0, 0.0)


# --- samples and scores ---


async def test_a_sample_comes_back_with_all_that_it_points_to(store):
    answer = await store.add_answer("r1", b"k", FULL, cacheable=True)
    one = job(cluster="c", slices={"topic": "t"})
    store.add_outcomes("r1", [Outcome(0, 1, "s0", one, answer, None, {"m": Score(1.0)})], {"m": "m|1"})
    (sample,) = store.samples("r1")
    assert (sample.sample_id, sample.fields, sample.references) == ("s0", {"q": 1}, ("1",))
    assert (sample.cluster, sample.slices, sample.messages) == ("c", {"topic": "t"}, (Message("user", "1"),))
    assert (sample.answer, sample.failure) == (answer, None)


async def test_samples_come_in_the_order_of_the_data(store):
    outcomes = [Outcome(n, e, f"s{n}", failure=Failure("data", "bad_row", "")) for n in (2, 0, 1) for e in (2, 1)]
    store.add_outcomes("r1", outcomes, {})
    assert [(s.index, s.epoch) for s in store.samples("r1")] == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]


async def test_a_failure_is_replaced_by_the_answer_of_a_later_attempt(store):
    store.add_outcomes("r1", [Outcome(0, 1, "s0", job(), failure=Failure("provider", "timeout", "late"))], {})
    store.add_outcomes("r1", [Outcome(0, 1, "s0", job(), await add(store))], {})
    (sample,) = store.samples("r1")
    assert (sample.failure, sample.answer.completion.text) == (None, "a")


async def test_only_failures_can_be_streamed(store):
    failed = Outcome(1, 1, "s1", failure=Failure("data", "bad_row", "no"))
    store.add_outcomes("r1", [Outcome(0, 1, "s0", job(), await add(store)), failed], {})
    assert [s.sample_id for s in store.samples("r1", failed=True)] == ["s1"]


async def test_scores_are_kept_by_answer_input_and_signature(store):
    answer = await add(store)
    variants = [(b"i", "m|1", 1.0), (b"other refs", "m|1", 0.0), (b"i", "m|2", 0.5)]
    for input_, signature, value in variants:
        outcome = Outcome(0, 1, "s0", job(input=input_), answer, None, {"m": Score(value, (1.0, 2.5), "got")})
        store.add_outcomes("r1", [outcome], {"m": signature})
    found = store.find_scores([answer.answer_id])
    assert found == {(1, i, s): Score(v, (1.0, 2.5), "got") for i, s, v in variants}


async def test_a_scorers_failure_is_kept_as_one(store):
    answer, crash = await add(store), Failure("scorer", "crash", "boom")
    store.add_outcomes("r1", [Outcome(0, 1, "s0", job(), answer, None, {"m": crash})], {"m": "m|1"})
    assert store.find_scores([answer.answer_id]) == {(1, b"i", "m|1"): crash}


# --- runs ---


def test_a_run_comes_back_as_it_went_in(store):
    store.start_run(run_row())
    assert store.run("r1") == run_row()


def test_the_stretches_of_a_run_add_up(store):
    store.start_run(run_row())
    store.set_status("r1", "interrupted", wall_s=1.5, planned=7)
    store.set_status("r1", "completed", wall_s=2.0, result={"n": 1})
    run = store.run("r1")
    assert (run.status, run.wall_s, run.planned, run.result) == ("completed", 3.5, 7, {"n": 1})


def test_what_is_noted_about_a_run_is_added(store):
    store.start_run(run_row())
    store.note("r1", {"extra": "x"})
    assert store.run("r1").about == {"git": None, "extra": "x"}


@pytest.fixture
def three(store):
    for number, run_id in enumerate(("20261101-aaaa", "20261101-abbb", "20261102-cccc")):
        store.start_run(run_row(run_id, started=float(number)))
    return store


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("20261101-aaaa", "20261101-aaaa"),
        ("20261101-ab", "20261101-abbb"),
        ("latest", "20261102-cccc"),
        ("latest~0", "20261102-cccc"),
        ("latest~2", "20261101-aaaa"),
    ],
)
def test_a_run_is_found_by(three, name, found):
    assert three.run(name).run_id == found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("20261101-a", "start of 2 runs"),
        ("latest~3", "the store has 3"),
        ("latest~x", "no run"),
        ("latest~-1", "no run"),
    ],
)
def test_a_run_is_not_found_by(three, name, said):
    with pytest.raises(UsageError, match=said):
        three.run(name)


def test_the_nearest_names_of_runs_are_offered(three):
    with pytest.raises(UnknownNameError, match="Did you mean '20261102-cccc'"):
        three.run("20261102-cccd")


def test_a_store_without_runs_says_how_to_make_one(store):
    with pytest.raises(UsageError, match="llmkit eval SUITE"):
        store.run("latest")


def test_runs_are_listed_the_latest_first_and_by_digest(three):
    three.start_run(run_row("other", started=9.0, digest="e"))
    assert [r.run_id for r in three.runs(limit=2)] == ["other", "20261102-cccc"]
    assert [r.run_id for r in three.runs(digest="e")] == ["other"]


# --- trouble ---


async def test_a_full_disk_keeps_what_was_committed(store):
    await add(store, b"kept", "x" * 5000)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    results = await asyncio.gather(*(add(store, bytes([n]), "x" * 5000) for n in range(5)), return_exceptions=True)
    assert all(isinstance(r, StoreError) and "the disk is full" in str(r) for r in results)
    assert list(store.find_answers([b"kept", b"\0", b"\1"], "r1")) == [b"kept"]
    store._db.execute("PRAGMA max_page_count=1000000")
    assert isinstance(await add(store, b"again"), Answer)


def test_a_store_damaged_while_open_is_said_so_on_reading(tmp_path):
    with Store(tmp_path) as store:
        store.start_run(run_row())
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with Store(tmp_path) as store, pytest.raises(StoreError, match="damaged"):
        store.runs()


def test_the_health_of_a_store_can_be_asked(store):
    assert store.check() == "ok"


def test_finding_a_run_reads_no_other_runs_record(store, monkeypatch):
    from llmkit.runs import rows as module

    for number in range(5):
        store.start_run(run_row(f"r{number}", started=float(number)))
    read, real = [], module.run_of

    def reading(row):
        read.append(row[0])
        return real(row)

    monkeypatch.setattr(module, "run_of", reading)
    assert [store.run(name).run_id for name in ("r1", "latest", "latest~2")] == ["r1", "r4", "r2"]
    assert read == ["r1", "r4", "r2"]


def test_a_run_whose_id_begins_another_is_found_by_its_whole_id(store):
    for run_id in ("r", "r1", "r_", "s"):
        store.start_run(run_row(run_id))
    assert [store.run(name).run_id for name in ("r", "r_", "s")] == ["r", "r_", "s"]
    with pytest.raises(UnknownNameError):
        store.run("%")


# --- judges ---


async def test_a_judges_answers_are_summed_apart_and_belong_to_the_runs_spending(store):
    store.start_run(run_row())
    answer = Completion("pass", usage=Usage(3, 2), cost_usd=0.5, served_model="j-1")
    await store.add_answer("r1", b"judge", answer, cacheable=True, judge="tone")
    await store.add_answer("r1", b"model", Completion("12", usage=Usage(1, 1), cost_usd=0.25), cacheable=True)
    (bill,) = store.judging("r1").values()
    assert (bill.calls, bill.input, bill.output, bill.cost_usd) == (1, 3, 2, 0.5)
    assert store.spent("r1") == 0.75
    assert store.judges_served("r1", {}) == {"tone": ["j-1"]}


async def test_a_judges_answer_of_another_run_is_a_saving(store):
    answer = await store.add_answer("old", b"k", Completion("pass", cost_usd=0.5), cacheable=True, judge="tone")
    store.note_judging("new", [("tone", answer.answer_id), ("tone", answer.answer_id)])
    bill = store.judging("new")["tone"]
    assert (bill.calls, bill.cost_usd, bill.cached_cost_usd) == (0, 0.0, 0.5)


def test_a_judges_lost_attempts_are_on_its_own_bill(store):
    store.charge("r1", None, 0.5, "timeout")
    store.charge("r1", 0.125, 0.125, "judge a: b: timeout")
    assert store.lost("r1") == (1, None)
    bill = store.judging("r1")["a: b"]
    assert (bill.lost_attempts, bill.lost_usd) == (1, 0.125)
    assert store.spent("r1") == 0.625


def test_the_highest_mark_of_what_is_in_flight_stands(store):
    store.start_run(run_row())
    for usd in (0.5, 0.25):
        store.reserve("r1", usd)
    store.charge_killed("r1")
    assert store.spent("r1") == 0.5


def test_an_answer_that_was_not_judged_is_not_written_over_a_verdict(store):
    store.start_run(run_row())
    for score in (Score(1.0, answer="pass"), Failure("scorer", "not_judged", "the money ran out")):
        outcome = Outcome(0, 1, "s0", job(), Answer(7, "r1", 0.0, FULL), scores={"tone": score})
        store.add_outcomes("r1", [outcome], {"tone": "judge:tone"})
    assert list(store.find_scores([7]).values()) == [Score(1.0, answer="pass")]
