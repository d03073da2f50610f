"""Where a model's files lie, and which of them are read."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmkit.errors import DocumentError, ScorerError, UsageError
from llmkit.scoring.contextual import source as module
from llmkit.scoring.contextual.layers import RECOMMENDED, known_as, recommended
from llmkit.scoring.contextual.source import Hub, Local, layer_of, layers_of, source_of, with_weights
from llmkit.scoring.files import Files
from tests.scoring.hub import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "num_hidden_layers": 3}))
    (folder / "vocab.txt").write_text("[PAD]\na\n")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_path_is_a_folder_and_any_other_name_is_of_the_hub(folder: Path) -> None:
    assert source_of(str(folder), None, Files()) == Local(folder)
    assert source_of("owner/name", COMMIT, Files()) == Hub("owner/name", COMMIT)


def test_a_suites_folder_lies_in_the_suites_or_the_projects_and_nowhere_else(folder: Path) -> None:
    beside = folder.parent / "suites"
    beside.mkdir()
    assert source_of("./tiny", None, Files(folder.parent)) == Local(folder)
    assert source_of("../tiny", None, Files(beside, [folder.parent])) == Local(folder)
    for name in (str(folder), "../tiny"):
        with pytest.raises(DocumentError, match=r"s\.yaml:4: .*leads out of"):
            source_of(name, None, Files(beside, where="s.yaml:4"))


@pytest.mark.parametrize(("make", "said"), [(False, "there is no such folder"), (True, "it has no config.json")])
def test_a_folder_without_a_model_is_said(tmp_path: Path, make: bool, said: str) -> None:
    if make:
        (tmp_path / "none").mkdir()
    with pytest.raises(DocumentError, match=said):
        source_of("./none", None, Files(tmp_path))


def test_a_model_of_the_hub_needs_its_commit_and_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "commit_of", lambda name: COMMIT)
    with pytest.raises(DocumentError, match=f"revision: {COMMIT} is what it is now"):
        source_of("roberta-large", None, Files())
    monkeypatch.setattr(module, "commit_of", lambda name: None)
    with pytest.raises(DocumentError, match="Write revision: and the commit, all 40 digits"):
        source_of("roberta-large", None, Files())


def test_a_folder_has_no_revision(folder: Path) -> None:
    with pytest.raises(DocumentError, match="has no revision: its files are hashed"):
        source_of(str(folder), COMMIT, Files())


@pytest.mark.parametrize("name", ["a/b/c", "a b", "owner/../name", "owner/", "..", "a\nb"])
def test_no_name_of_the_hub_is_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        source_of(name, COMMIT, Files(tmp_path))


def test_a_folders_identity_is_what_it_holds_and_not_where_it_lies(folder: Path) -> None:
    first = Local(folder).identity
    moved = folder.rename(folder.with_name("moved"))
    assert Local(moved).identity == first
    (moved / "README.md").write_text("of no consequence")
    assert Local(moved).identity == first
    (moved / "vocab.txt").write_text("[PAD]\nb\n")
    assert Local(moved).identity != first


def test_the_hubs_identity_is_the_commit() -> None:
    assert Hub("owner/name", COMMIT).identity == {"revision": COMMIT[:12]}


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ScorerError, match=r"only pytorch_model.bin, and a pickle may run any code.*save_pretrained"):
        Local(folder).folder(weights=True)
    with pytest.raises(ScorerError, match="no weights in safetensors: none"):
        with_weights(folder.parent, "empty")


def test_weights_in_safetensors_are_taken_whatever_lies_beside_them(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    assert Local(folder).folder(weights=True) == folder


def test_the_layer_is_bert_scores_for_a_model_that_it_knows() -> None:
    assert layer_of(Hub("roberta-large", COMMIT), None, None) == 17
    assert layer_of(Hub("FacebookAI/roberta-large", COMMIT), None, None) == 17
    assert layer_of(Hub("roberta-large", COMMIT), 4, None) == 4


def test_the_layer_must_be_said_for_any_other_and_the_error_has_their_number(folder: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"recommends no layer for tiny\. It has 3: write layer: and a number up to 3"
    ):
        layer_of(Local(folder), None, "s.yaml:4")


def test_how_many_layers_a_broken_configuration_has_is_unknown(folder: Path) -> None:
    for content in ("{", "[]", "{}"):
        (folder / "config.json").write_text(content)
        assert layers_of(Local(folder)) is None


def test_the_table_of_layers_is_bert_scores_in_number() -> None:
    assert len(RECOMMENDED) == 140
    assert (recommended("bert-base-uncased"), recommended("microsoft/deberta-xlarge-mnli")) == (9, 40)
    assert recommended("nobody/knows") is None


def test_a_model_that_has_an_owner_since_is_known_by_its_old_name() -> None:
    assert known_as("google-bert/bert-base-uncased") == "bert-base-uncased"
    assert known_as("somebody/bert-base-uncased") == "somebody/bert-base-uncased"


FETCH = """
import json, sys
from llmkit.errors import LlmkitError
from llmkit.scoring.contextual.source import Hub
try:
    folder = Hub("owner/tiny", sys.argv[1]).folder(weights=sys.argv[2] == "yes")
    print(json.dumps(sorted(path.name for path in folder.iterdir())))
except LlmkitError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


def fetch(commit: str, *, weights: bool, endpoint: str, home: Path, offline: bool = False) -> list[str]:
    pytest.importorskip("huggingface_hub", reason="needs the extra [torch]")
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": str(int(offline))}
    done = subprocess.run(
        [sys.executable, "-c", FETCH, commit, "yes" if weights else "no"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    """A hub on loopback with one model, and the files that were fetched from it."""
    names = [
        "config.json",
        "vocab.txt",
        "model.safetensors",
        "pytorch_model.bin",
        "onnx/model.onnx",
        "onnx/config.json",
    ]

    def said(path: str) -> bytes:
        if "/tree/" in path:
            return json.dumps([{"type": "file", "path": name, "oid": "0" * 40, "size": 2} for name in names]).encode()
        if path.startswith("/api/models/owner/tiny"):
            siblings = [{"rfilename": name} for name in names]
            return json.dumps({"id": "owner/tiny", "sha": COMMIT, "siblings": siblings}).encode()
        return b"{}"

    with serving(COMMIT, b"{}", said) as found:
        yield found


def test_of_the_hub_only_what_is_needed_is_fetched_and_no_pickle(hub: tuple[str, list[str]], tmp_path: Path) -> None:
    endpoint, fetched = hub
    assert fetch(COMMIT, weights=False, endpoint=endpoint, home=tmp_path) == ["config.json", "vocab.txt"]
    there = fetch(COMMIT, weights=True, endpoint=endpoint, home=tmp_path)
    assert there == ["config.json", "model.safetensors", "vocab.txt"]
    assert sorted(fetched) == [f"/owner/tiny/resolve/{COMMIT}/{name}" for name in there]


def test_a_hub_that_gives_nothing_is_one_line(tmp_path: Path) -> None:
    kind, message = fetch(COMMIT, weights=True, endpoint="http://127.0.0.1:9", home=tmp_path, offline=True)
    assert kind == UsageError.__name__
    assert message.startswith("the Hugging Face hub did not give owner/tiny at 0123456789ab (")
    assert message.endswith("copy the model's folder here and write model: ./FOLDER")
