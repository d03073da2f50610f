"""A data set of the hub is read at one commit; the hub is a real server on the loopback.

Its clients read HF_ENDPOINT once, when they are imported, so they are asked in processes of their own.
"""

import json
import os
import subprocess
import sys

import pytest

from llmkit.errors import DataError, MissingExtraError
from llmkit.samples import HubSource
from tests.samples.hub import COMMIT, serving

ROWS = [{"question": f"{n}+{n}?", "answer": {"text": str(2 * n), "steps": [n, n]}} for n in range(300)]

ASK = """
import json, sys
from llmkit.samples import open_source
from llmkit.errors import LlmkitError
from pathlib import Path

def ask(spec):
    try:
        source = open_source(spec, base=Path("."), where="suite.yaml:3")
        return {
            "rows": [[row.values, row.line] for row in source.rows()],
            "describe": source.describe(), "where": source.where(7),
            "fingerprint": source.fingerprint(), "notes": source.notes(),
        }
    except LlmkitError as error:
        return {"error": str(error), "exit": error.exit_code}

print(json.dumps([ask(spec) for spec in json.loads(sys.argv[1])]))
"""
PINNED = {"hf": "openai/gsm8k", "config": "main", "split": "test", "revision": COMMIT}
MOVES = [{**PINNED, "revision": revision} for revision in (None, "main")]
BOTH = {**PINNED, "config": ["main", "main"], "revision": None}
NONE = [
    ({"hf": "openai/none", "revision": None}, "no such data set on the hub"),
    ({"revision": "v9"}, "no revision 'v9'"),
    ({"revision": "a" * 40}, f"no revision '{'a' * 40}'"),
    ({"config": "man"}, "main"),
    ({"split": "tset"}, "test"),
]


@pytest.fixture(scope="module")
def hub():
    with serving(ROWS) as hub:
        yield hub


@pytest.fixture(scope="module")
def ask(hub, tmp_path_factory):
    """Ask for some data sets in one process; its cache is new where no ``home`` is given."""

    def ask(*specs, home=None, **environment):
        folder = home or tmp_path_factory.mktemp("home")
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
            "PYTHONPATH": os.getcwd(),
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(folder / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", ASK, json.dumps(specs)],
            env=env,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where the data set is kept."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def answers(ask, hub, home):
    """What is answered at first, with nothing in the cache: pinned, by two names that move, and twice in one."""
    del hub.asked[:]
    return ask(PINNED, *MOVES, BOTH, home=home)


@pytest.fixture(scope="module")
def refused(ask):
    return ask(*({**PINNED, **change} for change, _ in NONE))


@pytest.fixture(scope="module")
def out_of_reach(ask):
    return ask(MOVES[0], PINNED, HF_ENDPOINT="http://127.0.0.1:9")


def test_a_pinned_revision_is_read_row_by_row(answers):
    answer = answers[0]
    assert answer["rows"] == [[row, number] for number, row in enumerate(ROWS, 1)]
    assert answer["describe"] == f"hf:openai/gsm8k/main/test@{COMMIT[:12]}"
    assert answer["where"] == "hf:openai/gsm8k/main/test:7"
    assert answer["notes"] == []


@pytest.mark.parametrize("number", [1, 2], ids=["None", "main"])
def test_a_revision_that_moves_is_resolved_to_its_commit_and_said(answers, number):
    answer = answers[number]
    assert len(answer["rows"]) == len(ROWS)
    pinned = HubSource("openai/gsm8k", "main", "test", COMMIT)
    assert answer["fingerprint"] == pinned.fingerprint()
    (note,) = answer["notes"]
    assert COMMIT in note


def test_the_parquet_file_is_fetched_once_and_a_pinned_revision_is_read_when_the_hub_is_gone(ask, hub, home, answers):
    assert ask(PINNED, home=home) == answers[:1]
    fetched = [line for line in hub.asked if line.startswith("GET") and line.endswith(".parquet")]
    assert len(fetched) == 1
    assert ask(PINNED, home=home, HF_HUB_OFFLINE="1") == answers[:1]


def test_a_hub_out_of_reach_says_how_to_use_a_file(out_of_reach):
    answer = out_of_reach[0]
    assert answer["exit"] == 4
    assert answer["error"].startswith("suite.yaml:3: hf:openai/gsm8k/main/test: cannot be fetched from the hub: ")
    assert answer["error"].endswith("Have it as a file? Pass --data FILE (jsonl, csv, parquet)")


def test_a_hub_out_of_reach_says_so_of_a_pinned_revision_too(out_of_reach):
    assert out_of_reach[1]["error"].endswith("Have it as a file? Pass --data FILE (jsonl, csv, parquet)")


@pytest.mark.parametrize("number", range(len(NONE)), ids=[message for _, message in NONE])
def test_what_the_hub_does_not_have_is_one_line(refused, number):
    answer = refused[number]
    assert answer["exit"] == 4
    assert NONE[number][1] in answer["error"]
    assert "\n" not in answer["error"]


def test_without_the_extra_the_error_is_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'llmkit\[datasets\]'"):
        next(HubSource("openai/gsm8k", "main", "test", COMMIT).rows())


def test_a_local_folder_of_the_same_name_is_not_read_in_its_place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai" / "gsm8k").mkdir(parents=True)
    with pytest.raises(DataError, match="the local folder openai/gsm8k hides the hub's data set"):
        next(HubSource("openai/gsm8k", "main", "test", COMMIT).rows())


def test_configurations_are_read_one_after_the_other_at_one_commit(answers):
    answer = answers[3]
    named = [{**row, "config": "main"} for row in ROWS]
    assert answer["rows"] == [[row, number] for number, row in enumerate([*named, *named], 1)]
    assert answer["describe"] == f"hf:openai/gsm8k/2 configurations/test@{COMMIT[:12]}"
    assert answer["where"] == "hf:openai/gsm8k/2 configurations/test:7"
    assert len(answer["notes"]) == 1
    assert answer["fingerprint"] != HubSource("openai/gsm8k", "main", "test", COMMIT).fingerprint()
