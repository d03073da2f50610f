"""Real judges' recorded answers, replayed as raw text keyed on the rendered request, through a judge's whole road.

Each recorded verdict is written as the text that a judge of ours would give; what its authors could not parse, as text
that holds no verdict. A swapped order is a second request. By default a few recordings are replayed; all of them where
``LLMKIT_REPLAY=all`` (a minute).
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path

import pytest

from llmkit.calibration.calibrate import calibrate_async
from llmkit.calibration.options import CalibrateOptions
from llmkit.calibration.probes import probe
from llmkit.judges.figures import figures
from llmkit.judges.labels import Labelled
from llmkit.judges.load import load_judge
from llmkit.judges.panel import judge_many
from llmkit.judges.request import fenced, request_for
from llmkit.judges.subject import Subject
from llmkit.judges.verdict import form_of
from llmkit.providers.script import messages_digest
from llmkit.providers.scripted import Scripted
from llmkit.structured.wording import describe
from tests.judges.project import judge_of, project
from tests.judges.seats import OneSeat, says

FOLDER = Path(os.environ.get("LLMKIT_VECTORS", "../shared/vectors"))
JUDGING = FOLDER.parent / "data/judging"
ALL = os.environ.get("LLMKIT_REPLAY") == "all"
ONCE = {"max_attempts": 1}
"""The recordings hold one answer a request."""
UNPARSED = "Both outputs have their merits, and it is hard to say."
MIRRORED = {"a": "b", "b": "a", "tie": "tie", None: None}

pytestmark = pytest.mark.skipif(not JUDGING.is_dir(), reason="no recorded judges: set LLMKIT_VECTORS")


@cache
def rows_of(name):
    return [json.loads(line) for line in (JUDGING / name).read_text().splitlines()]


def llmbar(subset="ALL"):
    """Pairs with people's preference, in the order of the file."""
    rows = [row for row in rows_of("llmbar_pairwise.jsonl") if subset in ("ALL", row["subset"])]
    made = [
        Labelled(
            Subject(row["id"], input=row["instruction"], a=row["output_1"], b=row["output_2"]),
            {1: "a", 2: "b"}[row["gold"]],
        )
        for row in rows
    ]
    return rows, made


def pandalm():
    """Pairs with the majority of three people's preferences."""
    rows = rows_of("pandalm_pairwise_3annotators.jsonl")
    word = {0: "tie", 1: "a", 2: "b"}
    made = []
    for row in rows:
        said = sorted(row["annotations"].values())
        asked = f"{row['instruction']}\n\n{row['input']}".strip()
        made.append(
            Labelled(Subject(row["id"], input=asked, a=str(row["response_1"]), b=str(row["response_2"])), word[said[1]])
        )
        assert said.count(said[1]) >= 2
    return rows, made


def word_of(recorded):
    """A recorded answer as a word of ours; None: its authors could not parse it."""
    return {"1": "a", "2": "b", "0": "tie"}.get(str(recorded))


def text_of(word):
    return UNPARSED if word is None else says(word)


def key_of(judge, subject):
    return messages_digest(describe(request_for(judge, subject).messages, form_of(judge).describe()))


def lines_of(judge, items, words, swapped=None):
    """A script: what the judge said of each pair; of a swapped one in the words of what it saw.

    A pair that stands in the file twice was judged twice: each of its lines answers once, in their order.
    """
    keys = [key_of(judge, item.subject) for item in items]
    for key, word in zip(keys, words, strict=True):
        yield {"request": key, "text": text_of(word)} | ({"times": 1} if keys.count(key) > 1 else {})
    for item, word in zip(items, swapped or (), strict=swapped is not None):
        yield {"request": key_of(judge, item.subject.swapped()), "text": text_of(MIRRORED[word])}


def seat_of(folder, lines, *, keeps=True):
    path = folder / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return OneSeat(Scripted("replay", {"file": path}), keeps=keeps)


def reports():
    """The vectors' report of one judge on one part of LLMBar each."""
    path = FOLDER / "statistics/realdata.json"
    cases = json.loads(path.read_text())["cases"] if path.is_file() else []
    few = {"llmbar_GPT-4/Vanilla_Natural", "llmbar_ChatGPT/Vanilla_Natural", "llmbar_ChatGPT/CoT_Natural"}
    return [
        pytest.param(case, id=case["id"])
        for case in cases
        if case["method"] == "pairwise_judge_report" and (ALL or case["id"] in few)
    ]


@pytest.mark.parametrize("case", reports())
async def test_the_report_of_a_replayed_judge_is_the_one_that_was_computed_elsewhere(case, tmp_path):
    rows, items = llmbar(case["inputs"]["subset"])
    name, wanted = case["inputs"]["judge"], case["expected"]
    judge = judge_of(tmp_path, kind="pairwise", method=ONCE)
    both = judge_of(tmp_path, kind="pairwise", method={**ONCE, "swap": True})
    first, second = ([word_of(row["judges"][name][at]) for row in rows] for at in (0, 1))
    seat = seat_of(tmp_path, lines_of(judge, items, first, second))

    verdicts = await judge_many(both, [item.subject for item in items], seat)
    read = [at for at, verdict in enumerate(verdicts) if verdict.state == "verdict"]
    single = await judge_many(judge, [items[at].subject for at in read], seat)
    labels = [items[at].label for at in read]
    alone = figures(judge.scale, labels, single)
    decided = [(verdicts[at].label, items[at].label) for at in read if verdicts[at].label != "tie"]
    asked = await judge_many(judge, [item.subject for item in items], seat)
    (order,) = await probe(judge, items, asked, seat, seed=0, most=len(items), only=["order"])

    assert len(read) == wanted["n"]
    assert sum(verdict.state == "unread" for verdict in verdicts) == wanted["unparsed"]
    assert alone.accuracy.value == pytest.approx(wanted["acc_order1"], abs=1e-9)
    assert [alone.accuracy.interval.low, alone.accuracy.interval.high] == pytest.approx(wanted["wilson"], abs=1e-9)
    assert alone.kappa.value == pytest.approx(wanted["kappa_order1"], abs=1e-9)
    assert (order.n, order.moved) == (wanted["n"], pytest.approx(wanted["flip_rate"], abs=1e-9))
    assert [order.interval.low, order.interval.high] == pytest.approx(wanted["flip_wilson"], abs=1e-9)
    assert order.p_value == pytest.approx(wanted["position_p"], abs=1e-9)
    assert int(re.search(r"(\d+) of them toward the first", order.said)[1]) == wanted["first_pos"]
    assert len(decided) == wanted["consistent_n"]
    right = sum(said == label for said, label in decided) / len(decided)
    assert right == pytest.approx(wanted["consistent_acc"], abs=1e-9)
    consistency = figures(both.scale, labels, [verdicts[at] for at in read]).consistency
    assert consistency.value == pytest.approx(wanted["consistent_n"] / wanted["n"], abs=1e-9)


async def natural(folder, name):
    rows, items = llmbar("Natural")
    judge = judge_of(folder, kind="pairwise", method=ONCE)
    first, second = ([word_of(row["judges"][name][at]) for row in rows] for at in (0, 1))
    seat = seat_of(folder, lines_of(judge, items, first, second))
    verdicts = await judge_many(judge, [item.subject for item in items], seat)
    (order,) = await probe(judge, items, verdicts, seat, seed=0, only=["order"])
    return order


async def test_gpt_4_flips_five_of_a_hundred_and_leans_nowhere(tmp_path):
    order = await natural(tmp_path, "GPT-4/Vanilla")
    assert order.said == "5 of 100 flip when the order is swapped, 3 of them toward the first"
    assert order.passed
    assert not order.flagged


async def test_chatgpt_flips_twenty_nine_of_a_hundred_and_leans_to_the_first(tmp_path):
    order = await natural(tmp_path, "ChatGPT/Vanilla")
    assert order.said == "29 of 100 flip when the order is swapped, 25 of them toward the first"
    assert order.passed is False
    assert order.flagged


@pytest.mark.parametrize(("name", "read", "agree"), [("gpt-3.5-turbo", 974, 697), ("pandalm-7b", 999, 667)])
async def test_pandalms_judges_agree_with_the_majority_of_people_as_was_computed_elsewhere(name, read, agree, tmp_path):
    rows, items = pandalm()
    judge = judge_of(tmp_path, kind="pairwise", method=ONCE)
    said = [word_of(row["judges"][name]) for row in rows]
    seat = seat_of(tmp_path, lines_of(judge, items, said), keeps=False)
    verdicts = await judge_many(judge, [item.subject for item in items], seat, workers=1)
    found = figures(judge.scale, [item.label for item in items], verdicts)
    assert (found.counts.n, found.counts.unread) == (read, len(rows) - read)
    assert found.accuracy.value == pytest.approx(agree / read)
    if name == "gpt-3.5-turbo":
        assert found.kappa.value == pytest.approx(0.49286471530289244, abs=1e-9)


def lookup(judge, items, words, swapped):
    """Lines for disturbed requests too: one answer of each pair stands in them as it was.

    What was not recorded, the judge with padding, instructions or other words, is taken to be as without.
    """
    yield from lines_of(judge, items, words, swapped)
    for item, word, other in zip(items, words, swapped, strict=True):
        subject = item.subject
        tags = {(name, text): fenced(name, text).partition("\n")[0] for name in "ab" for text in (subject.a, subject.b)}
        for key, said in (
            (("a", subject.a), word), (("b", subject.b), word),
            (("a", subject.b), MIRRORED[other]), (("b", subject.a), MIRRORED[other]),
        ):  # fmt: skip
            yield {"match": tags[key], "text": text_of(said)}


async def calibrated(folder, name, monkeypatch, probed=12):
    """Calibrate a recorded judge on all of LLMBar."""
    rows, items = llmbar()
    path = project(
        folder, kind="pairwise", method=ONCE, model="scripted/replay",
        labels={"file": "labels/relevance.jsonl", "items": "labels/items.jsonl", "sampling": "random"},
    )  # fmt: skip
    (path.parent / "labels").mkdir()
    written = [{"id": i.subject.id, "input": i.subject.input, "a": i.subject.a, "b": i.subject.b} for i in items]
    labelled = [{"id": item.subject.id, "label": item.label} for item in items]
    for file, lines in (("items", written), ("relevance", labelled)):
        (path.parent / "labels" / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    judge = load_judge(str(path))
    words, swapped = ([word_of(row["judges"][name][at]) for row in rows] for at in (0, 1))
    answers = folder / "answers.jsonl"
    answers.write_text("".join(json.dumps(line) + "\n" for line in lookup(judge, items, words, swapped)))
    (folder / "llmkit.toml").write_text(f'[models."scripted/replay"]\nfile = "{answers}"\n')
    monkeypatch.chdir(folder)
    return await calibrate_async(load_judge("relevance", locked=False), CalibrateOptions(probe_items=probed))


async def test_chatgpt_on_all_of_llmbar_is_refused(tmp_path, monkeypatch):
    report = await calibrated(tmp_path, "ChatGPT/Vanilla", monkeypatch)
    assert report.status == "refused"
    assert any("no better than chance" in reason for reason in report.reasons)
    assert report.test.accuracy.value == pytest.approx(170 / 419)
    assert report.test.kappa.value < 0


CALIBRATED = {"GPT-4/Vanilla", "GPT-4/CoT", "GPT-4/Metrics_Reference"}
PROVISIONAL = {"GPT-4/Vanilla_NoRules"}  # agreement .76, and at least .72 for sure


@pytest.mark.skipif(not ALL, reason="LLMKIT_REPLAY=all replays every recording")
@pytest.mark.parametrize("name", sorted(rows_of("llmbar_pairwise.jsonl")[0]["judges"]) if ALL else [])
async def test_every_judge_of_llmbar_gets_the_status_that_its_counts_deserve(name, tmp_path, monkeypatch):
    report = await calibrated(tmp_path, name, monkeypatch, probed=100)
    rows, items = llmbar()
    said = [word_of(row["judges"][name][0]) for row in rows]
    right = sum(word == item.label for word, item in zip(said, items, strict=True))
    assert report.test.accuracy.value == pytest.approx(right / (len(said) - said.count(None)))
    wanted = "calibrated" if name in CALIBRATED else "provisional" if name in PROVISIONAL else "refused"
    assert report.status == wanted
