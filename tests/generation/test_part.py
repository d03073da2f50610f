"""The file of a batch: aside until it is whole, gone on with after any end, and never another batch's."""

import asyncio
import contextlib
import json
import os
import random
import re
from pathlib import Path

import pytest

from llmkit.errors import UsageError
from llmkit.generation.part import Part
from llmkit.runs.store import Store
from tests.generation.batching import MODEL, PRICED, answering, batch, named, plan, rows_file, told
from tests.providers.server import Server, Tokens, gate, hang, ok
from tests.runs.process import end, run, start


def word(question):
    return question.split("Name ")[1].split(".")[0]


echo = answering(lambda question: named(word(question)))
OUT, PART, ABOUT = Path("out.jsonl"), Path("out.jsonl.part"), Path("out.jsonl.batch.json")


async def interrupted(server, done, count=12, **options):
    """Cut a batch off once some requests are answered; returns what stands in the part."""
    left = [done]

    def answer(question):
        left[0] -= 1
        return named(word(question)) if left[0] >= 0 else hang

    server.default = answering(answer)
    running = asyncio.create_task(batch(plan(count, options={"concurrency": 2, **options})))
    await server.wait_for(done + 2)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    server.default = echo
    return PART.read_bytes()


async def test_a_whole_file_stands_in_its_place_with_nothing_but_its_header_beside_it(at, folder):
    async with Server(default=echo) as server:
        at(server)
        await batch(plan(3))
    beside = sorted(p.name for p in folder.iterdir() if p.name.startswith((".out", "out")))
    assert beside == ["out.jsonl", "out.jsonl.batch.json"]
    assert json.loads(ABOUT.read_bytes())["lines"] == 3


async def test_an_interrupted_batch_goes_on_and_asks_only_for_what_is_missing(at):
    async with Server() as server:
        at(server)
        before = await interrupted(server, 7)
        assert before.count(b"\n") >= 6
        asked = len(server.log)
        ending, lines = await batch(plan(Path("rows.jsonl"), options={"concurrency": 2}))
    assert len(server.log) == asked + (12 - 7)
    assert [line["value"]["name"] for line in lines] == [f"w{i}" for i in range(12)]
    assert OUT.read_bytes().startswith(before)
    assert (ending.summary.done, ending.summary.total) == (12, 12)


@pytest.mark.parametrize("cut", [1, 10, "newline", "all but one byte"])
async def test_a_torn_last_line_is_cut_off_and_written_again(at, cut):
    async with Server() as server:
        at(server)
        before = await interrupted(server, 7)
        last = len(before.splitlines(keepends=True)[-1])
        taken = {"newline": 1, "all but one byte": last - 1}.get(cut, cut)
        PART.write_bytes(before[:-taken])
        asked = len(server.log)
        await batch(plan(Path("rows.jsonl"), options={"concurrency": 2}))
    assert len(server.log) == asked + (12 - 7)  # the torn line's answer comes from the store
    assert OUT.read_bytes().startswith(before)
    assert len(OUT.read_bytes().splitlines()) == 12


async def test_a_damaged_line_in_the_middle_is_no_part_to_go_on_with(at):
    async with Server() as server:
        at(server)
        before = await interrupted(server, 7)
        first, *rest = before.splitlines(keepends=True)
        PART.write_bytes(b"".join([first, b"damage\n", *rest[1:]]))
        with pytest.raises(UsageError, match=r"line 2 is not what this batch wrote.*--fresh"):
            await batch(plan(Path("rows.jsonl")))


async def test_another_order_of_lines_is_no_part_to_go_on_with(at):
    async with Server() as server:
        at(server)
        before = await interrupted(server, 7)
        PART.write_bytes(b"".join(reversed(before.splitlines(keepends=True))))
        with pytest.raises(UsageError, match="not what"):
            await batch(plan(Path("rows.jsonl")))


@pytest.mark.parametrize(
    ("named_part", "other"),
    [
        ("prompt", {"prompt": "Name it: {{word}}."}),
        ("max_attempts", {"options": {"max_attempts": 9}}),
        ("models", {"options": {"params": {"temperature": 0.5}}}),
        ("n", {"n": 2}),
        ("limit", {"limit": 5}),
        ("distinct", {"distinct": "name"}),
        ("variables", {"values": {"x": 1}}),
        ("validators", {"validators": [lambda value, context: None]}),
    ],
)
async def test_what_changed_is_named_and_nothing_is_asked_or_touched(at, named_part, other):
    async with Server() as server:
        at(server)
        before = await interrupted(server, 7)
        asked = len(server.log)
        with pytest.raises(UsageError, match=f"begun with other settings: {named_part} changed") as raised:
            await batch(plan(Path("rows.jsonl"), **other))
        assert "--fresh" in str(raised.value)
        assert (len(server.log), PART.read_bytes()) == (asked, before)


async def test_changed_rows_are_named_too(at):
    async with Server() as server:
        at(server)
        await interrupted(server, 7)
        with pytest.raises(UsageError, match="rows changed"):
            await batch(plan(13))


async def test_what_decides_no_answer_may_change(at):
    async with Server() as server:
        at(server)
        await interrupted(server, 7)
        how = {"concurrency": 5, "max_total_tokens": 1_000_000, "params": {}}
        with pytest.raises(UsageError, match="max_tokens"):  # a cap needs it: it is said before any call
            await batch(plan(Path("rows.jsonl"), options=how))
        ending, _ = await batch(plan(Path("rows.jsonl"), options={"concurrency": 5, "deadline_s": 60.0}))
    assert ending.error is None


async def test_a_whole_file_is_left_alone_and_nothing_is_asked(at):
    async with Server(default=echo) as server:
        at(server)
        first, _ = await batch(plan(3))
        before, asked = OUT.read_bytes(), len(server.log)
        again, _ = await batch(plan(Path("rows.jsonl")))
    assert again.nothing_left
    assert (OUT.read_bytes(), len(server.log)) == (before, asked)
    assert (again.summary.valid, again.summary.paid_usd) == (first.summary.valid, first.summary.paid_usd)


async def test_a_whole_file_that_was_edited_since_is_not_called_whole(at):
    async with Server(default=echo) as server:
        at(server)
        await batch(plan(3))
        OUT.write_bytes(OUT.read_bytes().replace(b"w1", b"W1"))
        with pytest.raises(UsageError, match="not what"):
            await batch(plan(Path("rows.jsonl")))


async def test_a_file_of_somebody_else_is_never_written_over(at):
    OUT.write_text("mine\n")
    async with Server(default=echo) as server:
        at(server)
        with pytest.raises(UsageError, match=r"there already, and no batch wrote it.*--fresh"):
            await batch(plan(3))
        assert (OUT.read_text(), server.log) == ("mine\n", [])
        await batch(plan(3), fresh=True)
    assert len(OUT.read_bytes().splitlines()) == 3


async def test_fresh_replaces_only_at_the_end_and_goes_on_without_being_said_again(at):
    async with Server(default=echo) as server:
        at(server)
        await batch(plan(3))
        before = OUT.read_bytes()
        server.default = hang
        running = asyncio.create_task(batch(plan(3, prompt="Name another {{word}}."), fresh=True))
        await server.wait_for(6)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert OUT.read_bytes() == before
        server.default = echo
        ending, _ = await batch(plan(Path("rows.jsonl"), prompt="Name another {{word}}."))
    assert ending.error is None
    assert b"another w2" in OUT.read_bytes()
    assert not PART.exists()


async def test_fresh_starts_anew_and_paid_answers_come_from_the_store(at):
    async with Server(default=echo) as server:
        at(server)
        first, _ = await batch(plan(3))
        before, asked = OUT.read_bytes(), len(server.log)
        again, _ = await batch(plan(Path("rows.jsonl")), fresh=True)
    assert (OUT.read_bytes(), len(server.log)) == (before, asked)
    assert again.summary.cost_usd == first.summary.cost_usd > 0
    assert again.summary.paid_usd == 0.0


async def test_without_the_cache_a_batch_still_takes_its_own_answers_when_it_goes_on(at):
    slow = asyncio.Event()

    def answer(question):
        return gate(slow, ok(named("w0"))) if word(question) == "w0" else named(word(question))

    async with Server(default=answering(answer)) as server:
        at(server)
        running = asyncio.create_task(batch(plan(6, options={"concurrency": 6, "cache": False})))
        await server.wait_for(6)
        while True:  # the five answers are in the store, and none is in the file: the first is missing
            with Store(Path(".llmkit")) as store:
                if len(list(store._read("SELECT 1 FROM answers"))) == 5:
                    break
            await asyncio.sleep(0)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        assert PART.read_bytes() == b""
        server.default = echo
        await batch(plan(Path("rows.jsonl"), options={"cache": False}))
        assert len(server.log) == 7
        await batch(plan(Path("rows.jsonl"), options={"cache": False}), fresh=True)
    assert len(server.log) == 13


async def test_two_processes_cannot_write_one_file(at):
    held = asyncio.Event()
    async with Server(default=gate(held, ok(named("x")))) as server:
        at(server)
        running = asyncio.create_task(batch(plan(3)))
        await server.wait_for(3)
        with pytest.raises(UsageError, match="another process is writing this file"):
            await batch(plan(Path("rows.jsonl"), store="another store"))
        held.set()
        ending, lines = await running
    assert (ending.error, len(lines)) == (None, 3)
    assert len(server.log) == 3


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.json", "out.jsonl.gz"])
def test_another_format_is_refused(folder, name):
    with pytest.raises(UsageError, match="JSON Lines"):
        Part(Path(name))


def test_a_folder_that_is_not_there_is_one_line(folder):
    with pytest.raises(UsageError, match="No such file"):
        Part(Path("no/out.jsonl"))


def test_a_header_that_is_none_is_one_line(folder):
    PART.write_text("")
    ABOUT.write_text("{")
    with Part(OUT) as part, pytest.raises(UsageError, match="header"):
        part.begin({}, "batch-1")


async def test_a_link_stays_one(at, folder):
    (folder / "real.jsonl").write_text("")
    OUT.symlink_to("real.jsonl")
    async with Server(default=echo) as server:
        at(server)
        await batch(plan(2), fresh=True)
    assert OUT.is_symlink()
    assert len((folder / "real.jsonl").read_bytes().splitlines()) == 2


# --- kill -9 ---

COUNT, CONCURRENCY = 40, 4
COMMAND = (
    "generate", "p.prompty", "-m", MODEL, "--format", "regex:[0-9]+", "--strategy", "reprompt",
    "-i", "rows.jsonl", "-o", "out.jsonl", "--concurrency", str(CONCURRENCY), "--json",
)  # fmt: skip
PROMPTY = "---\nname: p\n---\nuser:\nHow much is {{word}}?\n"


def project(folder):
    (folder / "llmkit.toml").write_text(PRICED)
    (folder / "p.prompty").write_text(PROMPTY)
    rows_file([{"id": f"r{i}", "word": f"{i}+1"} for i in range(COUNT)], folder / "rows.jsonl")


def slowly():
    """Answer sums, some of them wrongly at first and some for ever, in a time that leaves room for a kill."""

    def add(question):
        first, second = re.search(r"(\d+)\+(\d+)", question).groups()
        if first.endswith("7"):
            return "never"
        if first.endswith("3") and not told(question):
            return "three, say"
        return ok(str(int(first) + int(second)), Tokens(30, 3))

    right = answering(add)

    async def behave(exchange):
        await asyncio.sleep(0.001 * (1 + len(exchange.server.log) % 3))  # latency: answers overtake each other
        await right(exchange)

    return behave


async def until(reached, process):
    while process.returncode is None and not reached():
        await asyncio.sleep(0.002)


def killing(draw, stage, server, folder):
    if stage == "start":
        seconds = draw.uniform(0.0, 0.6)

        async def wait(process):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)

        return wait
    if stage == "calls":
        target = len(server.log) + draw.randint(1, 9)
        return lambda process: until(lambda: len(server.log) >= target, process)
    part = folder / "out.jsonl.part"
    size = lambda: part.stat().st_size if part.exists() else 0  # noqa: E731
    more = size() + draw.randint(1, 2500)
    if stage == "lines":
        return lambda process: until(lambda: size() >= more, process)
    return lambda process: until(lambda: (folder / "out.jsonl").exists() or size() >= 15_000, process)


@pytest.mark.parametrize("stage", ["start", "calls", "lines", "end"] if os.environ.get("ALL_KILLS") else ["lines"])
async def test_a_batch_killed_again_and_again_writes_what_one_does_that_was_not(folder, stage, tmp_path_factory):
    project(folder)
    whole = tmp_path_factory.mktemp("whole")
    project(whole)
    draw = random.Random(stage)
    async with Server(default=slowly()) as server:
        ended = await run(whole, server, *COMMAND)
        assert ended.code == 0, ended.err
        expected, calls = (whole / "out.jsonl").read_bytes(), len(server.log)
        server.log.clear()
        server.billed.clear()
        killed = 0
        for _ in range(3):
            process = await start(folder, server, *COMMAND)
            await killing(draw, stage, server, folder)(process)
            if process.returncode is None:
                process.kill()
                killed += 1
            await end(process)
        ended = await run(folder, server, *COMMAND)
    assert ended.code == 0, ended.err
    assert (folder / "out.jsonl").read_bytes() == expected
    assert not (folder / "out.jsonl.part").exists()
    assert killed >= 2
    assert len(server.log) - calls <= killed * CONCURRENCY
    summary, before = json.loads(ended.out), json.loads(ABOUT.read_bytes())
    assert (summary["done"], before["lines"]) == (COUNT, COUNT)
    billed = sum(i + 2 * o for i, o in server.billed) / 1e6
    assert summary["cost_usd"] - 1e-12 <= summary["paid_usd"] <= billed + 1e-12


async def test_a_cap_holds_over_a_kill_because_calls_in_flight_stay_charged(folder):
    project(folder)
    (folder / "llmkit.toml").write_text(f'[prices."{MODEL}"]\ninput = 1000000.0\noutput = 1000000.0\n')  # $1 a token
    command = (*COMMAND, "-M", "max_tokens=10", "--max-cost", "6000")
    async with Server(default=hang) as server:
        process = await start(folder, server, *command)
        await server.wait_for(CONCURRENCY)
        process.kill()
        await end(process)
        at_risk = json.loads(ABOUT.read_bytes())["at_risk_usd"]
        assert at_risk > CONCURRENCY * 10
        server.default = answering(lambda question: ok("1", Tokens(100, 7)))
        ended = await run(folder, server, *command)
    assert ended.code == 3, ended.err
    document = json.loads(ended.out)
    paid = sum(map(sum, server.billed))
    assert document["status"] == "budget"
    assert document["lost_attempts"] == 1
    with Store(folder / ".llmkit") as store:
        assert store.spent(json.loads(ABOUT.read_bytes())["run_id"]) == pytest.approx(paid + at_risk)
    assert paid + at_risk <= 6000


async def test_ctrl_c_says_how_to_go_on_and_exits_with_130(folder):
    project(folder)
    async with Server(*[ok("1")] * 6, default=hang) as server:
        process = await start(folder, server, *COMMAND)
        await server.wait_for(6 + CONCURRENCY)
        process.send_signal(2)
        ended = await end(process)
        assert ended.code == 130, ended.err
        assert "go on with: llmkit generate p.prompty" in ended.err
        assert json.loads(ended.out)["status"] == "interrupted"
        server.default = slowly()
        again = await run(folder, server, *COMMAND)
    assert again.code == 0, again.err
    assert json.loads(again.out)["done"] == COUNT


async def test_two_processes_at_once_are_one_and_one_error(folder):
    project(folder)
    held = asyncio.Event()
    async with Server(default=gate(held, ok("1"))) as server:
        first = await start(folder, server, *COMMAND)
        await server.wait_for(1)
        second = await run(folder, server, *COMMAND)
        held.set()
        ended = await end(first)
    assert (ended.code, second.code) == (0, 2)
    assert "another process is writing" in second.err


async def test_who_stops_reading_pays_for_no_more(folder):
    project(folder)
    command = [part for part in COMMAND if part not in ("-o", "out.jsonl", "--json")]
    async with Server(default=slowly()) as server:
        process = await start(folder, server, *command)
        line = await process.stdout.readline()
        process._transport.get_pipe_transport(1).close()
        code = await process.wait()
        said = (await process.stderr.read()).decode()
    assert json.loads(line)["index"] == 0
    assert code == 0
    assert re.search(r"answers? in .* · interrupted\n(.*\n)*  cost +", said)
    assert len(server.log) < COUNT + 12


async def test_a_disk_that_fills_up_ends_the_batch_and_it_goes_on_when_there_is_room(at, monkeypatch):
    class Full:
        """Takes so many bytes, and a part of a line at last, as a disk does."""

        def __init__(self, file, room):
            self.file, self.room = file, room

        def write(self, data):
            if not self.room:
                raise OSError(28, "No space left on device")
            taken = self.file.write(data[: self.room])
            self.room -= taken
            return taken

        def close(self):
            self.file.close()

    earlier = Part.earlier

    def filling(self, at):
        yield from earlier(self, at)
        self._file = Full(self._file, 1000)

    monkeypatch.setattr(Part, "earlier", filling)
    async with Server(default=echo) as server:
        at(server)
        ending, _ = await interrupted_by_error(plan(12))
        assert ending.error.exit_code == 4
        assert "No space left" in str(ending.error)
        assert PART.stat().st_size == 1000
        monkeypatch.setattr(Part, "earlier", earlier)
        asked = len(server.log)
        _, lines = await batch(plan(Path("rows.jsonl")))
    assert len(server.log) <= asked + 12
    assert [line["index"] for line in lines] == list(range(12))


async def interrupted_by_error(wanted):
    from llmkit.generation.batches import run_batch

    return await run_batch(wanted, OUT), None
