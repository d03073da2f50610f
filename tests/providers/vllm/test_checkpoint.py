"""What tensors take once they are loaded, from the headers of files that hold none."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.vllm.checkpoint import loaded_bytes, weight_files
from tests.providers.vllm.checkpoints import write

HALF = 2


def test_all_tensors_of_all_files_count(tmp_path):
    write(tmp_path / "model-00001-of-00002.safetensors", {"a": ("BF16", 600), "b": ("BF16", 400)})
    write(tmp_path / "model-00002-of-00002.safetensors", {"c": ("BF16", 24)})
    assert loaded_bytes(tmp_path, {}, HALF) == 1024


@pytest.mark.parametrize(("kind", "number", "size"), [("F32", 2, 500), ("BF16", 4, 2000), ("F16", 2, 1000)])
def test_floats_take_the_size_of_the_type_that_is_computed_in(tmp_path, kind, number, size):
    write(tmp_path / "model.safetensors", {"a": (kind, 1000)})
    assert loaded_bytes(tmp_path, {"dtype": "whatever it says"}, number) == size


def test_quantised_weights_stay_as_they_are(tmp_path):
    write(tmp_path / "model.safetensors", {"a.qweight": ("I32", 1000), "a.scales": ("F16", 100), "b": ("F32", 8)})
    assert loaded_bytes(tmp_path, {"quantization_config": {"quant_method": "awq"}}, HALF) == 1108


def test_an_output_layer_that_is_the_embedding_is_not_loaded_again(tmp_path):
    write(tmp_path / "model.safetensors", {"model.embed_tokens.weight": ("BF16", 10), "lm_head.weight": ("BF16", 10)})
    assert loaded_bytes(tmp_path, {"tie_word_embeddings": True}, HALF) == 10
    assert loaded_bytes(tmp_path, {"tie_word_embeddings": False}, HALF) == 20


def test_layers_beyond_the_models_own_are_not_loaded(tmp_path):
    write(tmp_path / "model.safetensors", {"model.layers.61.x": ("BF16", 50), "model.layers.60.x": ("BF16", 8)})
    assert loaded_bytes(tmp_path, {"num_hidden_layers": 61}, HALF) == 8


def test_a_second_copy_in_mistrals_format_is_not_loaded(tmp_path):
    for name in ("consolidated.safetensors", "model.safetensors"):
        write(tmp_path / name, {"a": ("BF16", 1000)})
    assert loaded_bytes(tmp_path, {}, HALF) == 1000


def test_where_there_is_no_other_mistrals_format_is(tmp_path):
    write(tmp_path / "consolidated.safetensors", {"a": ("BF16", 1000)})
    assert loaded_bytes(tmp_path, {}, HALF) == 1000


def test_an_index_says_which_files_are_loaded(tmp_path):
    for name in ("a.safetensors", "b.safetensors"):
        write(tmp_path / name, {"a": ("BF16", 1000)})
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "b.safetensors"}}))
    assert [file.name for file in weight_files(tmp_path)] == ["b.safetensors"]


@pytest.mark.parametrize("index", ["", "[]", '{"weight_map": [1]}', '{"weight_map": {"a": ["x"]}}'])
def test_a_broken_index_says_nothing(tmp_path, index):
    write(tmp_path / "model.safetensors", {"a": ("BF16", 1000)})
    (tmp_path / "model.safetensors.index.json").write_text(index)
    assert loaded_bytes(tmp_path, {}, HALF) == 1000


def test_of_a_folder_without_weights_nothing_is_known(tmp_path):
    assert loaded_bytes(tmp_path, {}, HALF) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 9) + b'{"a": {}}',
        struct.pack("<Q", 17) + b'{"a": "BF16" }   ',
        struct.pack("<Q", 53) + b'{"a": {"dtype": [], "data_offsets": [0, 1], "b": 1 }}',
        struct.pack("<Q", 47) + b'{"a": {"dtype": "BF16", "data_offsets": "ab" }}',
        struct.pack("<Q", 50) + b'{"a": {"dtype": "BF16", "data_offsets": [9, -1] }}',
    ],
)
def test_of_a_broken_file_nothing_is_known(tmp_path, content):
    (tmp_path / "model.safetensors").write_bytes(content)
    assert loaded_bytes(tmp_path, {}, HALF) is None


@given(st.binary(max_size=200))
def test_any_header_is_read_or_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("any")
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(content)) + content)
    size = loaded_bytes(folder, {}, HALF)
    assert size is None or size > 0
