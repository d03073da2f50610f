"""Checks and cards of judges, as a terminal and a pipe show them."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from llmkit.judgements import Check, Counts, JudgeCard, Probe
from llmkit.judges.figures import figures_of
from llmkit.judges.kinds import Scale
from llmkit.reports.judge_card import card_document, print_card, print_cards, print_messages
from llmkit.reports.judge_check import print_checks, standing
from llmkit.types import Message, Totals

SOUND = Check("tone", "calibrated", "3f9c00aa11bb", (), 8.0)
STALE = Check("tone", "stale", "3f9c00aa11bb", ("prompt: ../prompts/tone.prompty changed",), 8.0)
CARD = JudgeCard(
    "tone",
    "judges/tone.yaml",
    "pass_fail",
    "openai/gpt-x",
    {"pass": 40, "fail": 20},
    SOUND,
    figures_of(Scale("pass_fail", {"pass": 1, "fail": 0}), Counts(("pass", "fail"), ((38, 2), (1, 19)))),
    {"params": {"temperature": 0.0}, "probes": (Probe("repeat", 0.1, 40, "4 of 40 change", None, None, 0.05, False),)},
)


def console(width: int | None = None) -> tuple[Console, StringIO]:
    out = StringIO()
    return Console(file=out, width=width or 200, force_terminal=width is not None, color_system=None), out


def test_drift_is_told_once() -> None:
    to, out = console()
    said = "9 of 20 anchors changed"
    print_checks([replace(STALE, stale=(f"anchors: {said}: verdicts",), anchors=said)], to)
    assert out.getvalue().count(said) == 1


def test_a_pipe_has_one_line_a_thing() -> None:
    to, out = console()
    print_checks([SOUND, STALE], to, Totals(calls=20))
    assert out.getvalue().splitlines()[:3] == [
        "CALIBRATED  tone  lock 3f9c00aa11bb, 8 days old",
        "STALE  tone  lock 3f9c00aa11bb, 8 days old",
        "  prompt: ../prompts/tone.prompty changed",
    ]
    assert "20 calls" in out.getvalue()


def test_a_lock_says_how_old_it_is() -> None:
    assert standing(replace(SOUND, age_days=0.0)) == "lock 3f9c00aa11bb, made today"
    assert standing(replace(SOUND, age_days=1.0)) == "lock 3f9c00aa11bb, 1 day old"
    assert standing(Check("tone", "uncalibrated", None)) == "no lock"
    assert standing(replace(STALE, lock=None)) == "no lock that can be relied on"


def test_nothing_of_others_is_obeyed() -> None:
    to, out = console()
    print_checks([replace(STALE, judge="to\x1b[31mne", stale=("a\x1b]0;b\nc",))], to)
    print_messages([Message("user", "one\x1b[2Jtwo")], to)
    assert "\x1b" not in out.getvalue()


def test_a_card_says_what_it_rests_on() -> None:
    to, out = console()
    print_card(CARD, to)
    said = out.getvalue()
    assert "TPR, of what people pass, passed" in said
    assert "temperature 0" in said
    assert "asked again: 4 of 40 change  ✗ above its limit" in said


def test_a_narrow_terminal_loses_nothing() -> None:
    to, out = console(40)
    print_cards([CARD], to)
    print_card(CARD, to)
    said = "".join(out.getvalue().split())
    for part in ("openai/gpt-x", "pass40,fail20", "judges/tone.yaml", "TNR"):
        assert part in said
    assert max(map(len, out.getvalue().splitlines())) <= 40


def test_a_card_as_a_document_has_its_probes_apart() -> None:
    found = card_document(CARD)
    assert [probe["name"] for probe in found["probes"]] == ["repeat"]
    assert "probes" not in found["details"]
