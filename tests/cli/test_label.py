"""``llmkit label`` and ``llmkit judge new`` at a terminal and in a pipe."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmkit.cli.complete import complete_judge
from llmkit.cli.label_keys import Keys
from tests.cli.conftest import Cli

EVIL = "\x1b]0;owned\x07\x1b[2Jgone\u202e"
PLAIN = frozenset[str]()


@pytest.fixture
def judge(project: Path, cli: Cli) -> Path:
    """A judge with thirty items, one of which would like to command the terminal."""
    rows = [{"id": f"i{n:02}", "input": f"q{n}", "answer": f"x{n}", "score": n} for n in range(29)]
    rows.append({"id": "evil", "input": EVIL, "answer": EVIL, "score": 0})
    (project / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = cli("judge", "new", "tone", "--from-data", "replies.jsonl", "-m", "scripted/oracle")
    assert said.code == 0, said.err
    return project


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def labels(project: Path, name: str = "tone") -> list[dict[str, object]]:
    return [json.loads(line) for line in (project / f"judges/labels/{name}.jsonl").read_text().splitlines()]


def test_new_says_what_it_wrote_and_what_comes_next(project: Path, cli: Cli) -> None:
    rows = [{"input": f"q{n}", "answer": f"x{n}"} for n in range(30)]
    (project / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = cli("judge", "new", "tone", "--from-data", "replies.jsonl", "-m", "scripted/oracle", "--n", "20")
    assert said.code == 0
    assert "wrote judges/tone.yaml" in said.out
    assert "20 items to label, of a population of 30: 20 of 30 drawn at random (seed 0)" in said.out
    assert "llmkit label start tone" in said.out
    assert complete_judge("to") == ["tone"]


def test_new_from_a_run_and_of_two_runs(project: Path, cli: Cli) -> None:
    rows = [{"id": f"{n}", "country": f"land {n}", "capital": "x", "continent": "y"} for n in range(24)]
    (project / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (project / "answers.jsonl").write_text(json.dumps({"match": "Capital", "text": "x"}) + "\n")
    (project / "others.jsonl").write_text(json.dumps({"match": "Capital", "text": "z"}) + "\n")
    (project / "llmkit.toml").write_text(
        '[models."scripted/oracle"]\nfile = "answers.jsonl"\n[models."scripted/other"]\nfile = "others.jsonl"\n'
    )
    cli("eval", "capitals.yaml")
    cli("eval", "capitals.yaml", "-m", "scripted/other")
    one = cli("judge", "new", "one", "--from-run", "latest", "-m", "scripted/oracle")
    assert one.code == 0 and "its own answers" not in one.err
    said = cli("judge", "new", "two", "--from-run", "latest~1", "--against", "latest", "-m", "scripted/oracle")
    assert said.code == 0
    assert "scripted/oracle gave these answers: it would judge its own answers: give another with -m" in said.err
    items = [json.loads(line) for line in (project / "judges/labels/two.items.jsonl").read_text().splitlines()]
    assert {frozenset((item["a"], item["b"])) for item in items} == {frozenset(("x", "z"))}
    assert len({item["a"] for item in items}) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what the items are drawn from"),
        (["--from-data", "no.jsonl", "-m", "a/b"], "no file 'no.jsonl'"),
        (["--from-data", "rows.jsonl"], "no model to judge"),
        (["--from-run", "latest", "--kind", "pairwise", "-m", "a/b"], "pairs need two runs"),
        (["--against", "latest", "--from-data", "rows.jsonl", "-m", "a/b"], "--against goes with --from-run"),
    ],
)
def test_new_refuses_in_one_line(project: Path, cli: Cli, arguments: list[str], message: str) -> None:
    said = cli("judge", "new", "tone", *arguments)
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1


def test_lines_label_where_nobody_types(judge: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "p", "fail", "u", "z", "n hard", "f", "nonsense", "q")
    said = cli("label", "start", "tone", "--annotator", "ana")
    assert said.code == 0
    assert "3 of 30 items labelled by ana" in said.err
    assert "nobody has filled in the guideline yet: judges/guidelines/tone.md" in said.err
    assert "'nonsense' means nothing here" in said.out
    found = labels(judge)
    assert [line.get("label", "undo") for line in found] == ["pass", "fail", "cannot_tell", "undo", "fail"]
    assert found[-1]["note"] == "hard"
    assert "seconds" not in found[0]  # how long a pipe takes says nothing of anybody


def test_a_question_mark_asks_for_help_and_labels_nothing(
    judge: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "?", "q")
    said = cli("label", "start", "tone", "--annotator", "ana")
    assert labels(judge) == []
    assert "what must a good answer do" in said.out  # the guideline
    assert said.out.count("? help") == 2  # the keys, with the item and once more


def test_the_terminal_obeys_no_item(judge: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, *["p"] * 30)
    said = cli("label", "start", "tone", "--annotator", "ana")
    assert "\\x1b]0;owned\\x07" in said.out
    assert "\x1b" not in said.out
    assert "\u202e" not in said.out
    assert "30 of 30" in said.err


def test_a_blind_session_shows_no_score_and_no_other_label(
    judge: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, *["f"] * 30)
    cli("label", "start", "tone", "--annotator", "bob")
    typed(monkeypatch, "s")
    blind = cli("label", "start", "tone", "--annotator", "ana").out
    typed(monkeypatch, "s")
    open_ = cli("label", "start", "tone", "--annotator", "ana", "--no-blind").out
    assert "bob" not in blind
    assert "score" not in blind
    assert "Said by bob" in open_
    assert "Field score" in open_


def test_agreement_annotators_and_export(judge: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in (("ana", "pf"), ("bob", "pf"), ("cat", "ff")):
        lines = (judge / "judges/labels/tone.items.jsonl").read_text().splitlines()
        items = sorted(json.loads(line)["id"] for line in lines)
        with (judge / "judges/labels/tone.jsonl").open("a") as file:
            for place, item in enumerate(items):
                word = {"p": "pass", "f": "fail"}[said[place % 2]]
                file.write(json.dumps({"id": item, "label": word, "annotator": name}) + "\n")
    shown = cli("label", "agreement", "tone")
    assert "30 items labelled by 3 people; 30 by two or more" in shown.out
    assert "ana and bob" in shown.out
    assert "Dawid–Skene" in shown.out
    assert cli("label", "agreement", "tone", "--json").json["majority"] == {"pass": 15, "fail": 15}
    assert "provably worse" in cli("label", "annotators", "tone").out
    people = cli("label", "annotators", "tone", "--json").json["annotators"]
    assert [one["name"] for one in people][-1] == "cat"
    assert len(cli("label", "export", "tone").out.splitlines()) == 30
    said_csv = cli("label", "export", "tone", "--format", "csv", "-o", "out.csv")
    assert said_csv.err == "llmkit: 30 items written to out.csv\n"
    assert (judge / "out.csv").read_text().startswith("id,label,majority,gold,dawid_skene,probability")


def test_no_such_judge_names_the_nearest(judge: Path, cli: Cli) -> None:
    said = cli("label", "agreement", "ton")
    assert said.code == 2
    assert "Did you mean 'tone'?" in said.err


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal as standard input; what is written to the descriptor is typed."""
    outer, inner = pty.openpty()
    with os.fdopen(inner, "r") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield outer
    os.close(outer)


@pytest.mark.parametrize(
    ("raw", "whole", "read"),
    [
        (b"pq", PLAIN, ["p", "q"]),
        (b"\x1b[A\x1b[1;5Cp", PLAIN, ["p"]),  # arrows are passed over
        ("é".encode() + b"p", PLAIN, ["é", "p"]),
        (b"\np", PLAIN, ["p"]),
        (b"10\n1\n2", frozenset(("1", "2", "10")), ["10", "1", "2"]),
        (b"1\x7f2", frozenset(("1", "2", "10")), ["2"]),
        (b"\x04", PLAIN, [None]),
    ],
)
def test_keys_are_read_one_by_one(keyboard: int, raw: bytes, whole: frozenset[str], read: list[str | None]) -> None:
    before = termios.tcgetattr(sys.stdin.fileno())
    keys = Keys()
    with keys.opened():
        os.write(keyboard, raw)
        assert [keys.command(whole) for _ in read] == read
    assert termios.tcgetattr(sys.stdin.fileno()) == before


def test_a_note_is_typed_as_a_line_between_keys(keyboard: int) -> None:
    keys = Keys()
    with keys.opened():
        os.write(keyboard, b"n")
        assert keys.command(PLAIN) == "n"
        os.write(keyboard, b"hard to tell\n")
        assert keys.line("note: ") == "hard to tell"
        os.write(keyboard, b"p")
        assert keys.command(PLAIN) == "p"


def test_at_a_terminal_a_killed_session_keeps_every_answer_and_goes_on(judge: Path) -> None:
    outer, inner = pty.openpty()
    start = [sys.executable, "-m", "llmkit", "label", "start", "tone", "--annotator", "ana"]
    with subprocess.Popen(start, stdin=inner, stdout=inner, stderr=inner, cwd=judge, start_new_session=True) as one:
        _until(outer, "1 of 30")
        os.write(outer, b"p")
        _until(outer, "2 of 30")
        os.write(outer, b"f")
        _until(outer, "3 of 30")
        one.send_signal(signal.SIGKILL)
    assert [line["label"] for line in labels(judge)] == ["pass", "fail"]
    assert all("seconds" in line for line in labels(judge))
    with subprocess.Popen(start, stdin=inner, stdout=inner, stderr=inner, cwd=judge, start_new_session=True) as two:
        _until(outer, "3 of 30")
        os.write(outer, b"zq")
        assert two.wait(timeout=30) == 0
    os.close(outer)
    os.close(inner)
    assert labels(judge)[-1]["undo"] is True


def _until(handle: int, text: str) -> None:
    """Read what the terminal shows until a text has come."""
    seen, end = "", time.monotonic() + 30
    while text not in seen:
        ready, _, _ = select.select([handle], [], [], max(0.0, end - time.monotonic()))
        assert ready, seen
        seen += os.read(handle, 65_536).decode("utf-8", "replace")
