"""After what stop a judge's command says that the same one goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llmkit.cli.session import goes_on
from llmkit.errors import BudgetError, NotStoredError, ProviderError, UsageError
from tests.calibration.measuring import labelled
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), True),
        (asyncio.CancelledError(), True),
        (BudgetError("the money ran out"), True),
        (ProviderError("server", "it is down"), True),
        (UsageError("this cannot be done"), False),
        (NotStoredError("scripted/judge"), False),
        (ValueError("a bug"), False),
        (None, False),
    ],
)
def test_the_same_command_goes_on_where_it_can_do_better(error: BaseException | None, said: bool) -> None:
    assert goes_on(error) is said


def test_a_calibration_that_lacks_an_answer_offline_exits_3_and_repeats_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLMKIT_STORE", raising=False)
    labelled(tmp_path, n=20)
    (tmp_path / "judge.jsonl").write_text('{"match": "x", "text": "never asked"}\n')
    (tmp_path / "llmkit.toml").write_text("[models.'scripted/judge']\nfile = 'judge.jsonl'\n")
    said = cli("judge", "calibrate", "relevance", "--offline")
    assert (said.code, said.out) == (3, "")
    assert said.err.endswith("no call may be made. Run it once without --offline\n")
    assert "go on with" not in said.err
    assert not (tmp_path / "judges" / "relevance.lock").exists()
