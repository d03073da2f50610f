"""``llmkit doctor``: what the checks look like and what the command ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmkit.doctor import Check
from tests.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("project")
CHECKS = [
    Check("python", "ok", "3.12"),
    Check("extra [vllm]", "missing", "not [all] installed", "pip install 'llmkit[vllm]'"),
]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """What the machine is like."""
    checks = list(CHECKS)
    monkeypatch.setattr("llmkit.doctor.examine", lambda settings: checks)
    return checks


def test_each_check_is_a_line_and_its_hint_another(cli: Cli, found: list[Check]) -> None:
    said = cli("doctor")
    assert said.code == 0
    assert said.out.splitlines() == [
        "ok       python: 3.12",
        "missing  extra [vllm]: not [all] installed",
        "         pip install 'llmkit[vllm]'",
    ]


def test_json_holds_the_same(cli: Cli, found: list[Check]) -> None:
    assert cli("doctor", "--json").json == {
        "checks": [
            {"name": "python", "status": "ok", "detail": "3.12", "hint": None},
            {"name": "extra [vllm]", "status": "missing", "detail": "not [all] installed",
             "hint": "pip install 'llmkit[vllm]'"},
        ]
    }  # fmt: skip


def test_what_is_broken_exits_4_and_what_is_missing_does_not(cli: Cli, found: list[Check]) -> None:
    assert cli("doctor").code == 0
    found.append(Check("store", "warn", "broken"))
    assert cli("doctor").code == 4


def test_keys_are_present_or_not_and_never_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-proj-verysecretverysecret")
    said = cli("doctor")
    assert "ok       OPENAI_API_KEY: " in said.out
    assert "verysecret" not in said.out + said.err


def test_the_projects_own_store_is_looked_at(cli: Cli, project: Path) -> None:
    cli("eval", "capitals.yaml")
    (project / ".llmkit" / "store.sqlite3").write_bytes(b"no database at all" * 100)
    checks = {check["name"]: check["status"] for check in cli("doctor", "--json").json["checks"]}
    assert checks["store"] == "warn"
