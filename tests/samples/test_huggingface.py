"""A data set of the hub is read at one commit; the hub is a real server on the loopback.

Its clients read HF_ENDPOINT once, when they are imported, so each test asks in a process of its own.
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
try:
    source = open_source(json.loads(sys.argv[1]), base=Path("."), where="suite.yaml:3")
    print(json.dumps({
        "rows": [[row.values, row.line] for row in source.rows()],
        "describe": source.describe(), "where": source.where(7),
        "fingerprint": source.fingerprint(), "notes": source.notes(),
    }))
except LlmkitError as error:
    print(json.dumps({"error": str(error), "exit": error.exit_code}))
"""


@pytest.fixture(scope="module")
def hub():
    with serving(ROWS) as hub:
        yield hub


@pytest.fixture
def ask(hub, tmp_path):
    def ask(spec, **environment):
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
            "PYTHONPATH": os.getcwd(),
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", ASK, json.dumps(spec)],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


PINNED = {"hf": "openai/gsm8k", "config": "main", "split": "test", "revision": COMMIT}


def test_a_pinned_revision_is_read_row_by_row(ask):
    answer = ask(PINNED)
    assert answer["rows"] == [[row, number] for number, row in enumerate(ROWS, 1)]
    assert answer["describe"] == f"hf:openai/gsm8k/main/test@{COMMIT[:12]}"
    assert answer["where"] == "hf:openai/gsm8k/main/test:7"
    assert answer["notes"] == []


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_revision_that_moves_is_resolved_to_its_commit_and_said(ask, revision):
    answer = ask({**PINNED, "revision": revision})
    assert len(answer["rows"]) == len(ROWS)
    pinned = HubSource("openai/gsm8k", "main", "test", COMMIT)
    assert answer["fingerprint"] == pinned.fingerprint()
    (note,) = answer["notes"]
    assert COMMIT in note


def test_a_pinned_revision_is_read_from_the_cache_when_the_hub_is_gone(ask):
    first = ask(PINNED)
    assert ask(PINNED, HF_HUB_OFFLINE="1") == first


def test_a_hub_out_of_reach_says_how_to_use_a_file(ask):
    answer = ask({**PINNED, "revision": None}, HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["exit"] == 4
    assert answer["error"].startswith("suite.yaml:3: hf:openai/gsm8k/main/test: cannot be fetched from the hub: ")
    assert answer["error"].endswith("Have it as a file? Pass --data FILE (jsonl, csv, parquet)")


def test_a_hub_out_of_reach_says_so_of_a_pinned_revision_too(ask):
    answer = ask(PINNED, HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["error"].endswith("Have it as a file? Pass --data FILE (jsonl, csv, parquet)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hf": "openai/none", "revision": None}, "no such data set on the hub"),
        ({"revision": "v9"}, "no revision 'v9'"),
        ({"revision": "a" * 40}, f"no revision '{'a' * 40}'"),
        ({"config": "man"}, "main"),
        ({"split": "tset"}, "test"),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(ask, change, message):
    answer = ask({**PINNED, **change})
    assert answer["exit"] == 4
    assert message in answer["error"]
    assert "\n" not in answer["error"]


def test_the_parquet_file_is_fetched_once(ask, hub):
    del hub.asked[:]
    ask(PINNED)
    ask(PINNED)
    fetched = [line for line in hub.asked if line.startswith("GET") and line.endswith(".parquet")]
    assert len(fetched) == 1


def test_without_the_extra_the_error_is_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'llmkit\[datasets\]'"):
        next(HubSource("openai/gsm8k", "main", "test", COMMIT).rows())


def test_a_local_folder_of_the_same_name_is_not_read_in_its_place(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai" / "gsm8k").mkdir(parents=True)
    with pytest.raises(DataError, match="the local folder openai/gsm8k hides the hub's data set"):
        next(HubSource("openai/gsm8k", "main", "test", COMMIT).rows())


def test_configurations_are_read_one_after_the_other_at_one_commit(ask):
    answer = ask({**PINNED, "config": ["main", "main"], "revision": None})
    named = [{**row, "config": "main"} for row in ROWS]
    assert answer["rows"] == [[row, number] for number, row in enumerate([*named, *named], 1)]
    assert answer["describe"] == f"hf:openai/gsm8k/2 configurations/test@{COMMIT[:12]}"
    assert answer["where"] == "hf:openai/gsm8k/2 configurations/test:7"
    assert len(answer["notes"]) == 1
    assert answer["fingerprint"] != HubSource("openai/gsm8k", "main", "test", COMMIT).fingerprint()
