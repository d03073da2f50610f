"""What one sees of a model that starts, at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_session import Terminal

MODEL = "local/smollm2-135m-instruct"


def test_a_terminal_shows_how_a_start_goes_beside_the_bars_and_results_stay_apart(project: Path) -> None:
    terminal = Terminal(project, "eval", "capitals.yaml", "-m", MODEL, "--limit", "1", "-M", "max_tokens=1", "--json")
    assert terminal.code == 0
    assert f"{MODEL} · loading weights · 0 s" in terminal.err
    assert terminal.err.rindex("\x1b[?25h") > terminal.err.rindex("\x1b[?25l")  # the cursor is back
    assert json.loads(terminal.out)["runs"][0]["samples"]["completed"] == 1
