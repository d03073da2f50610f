"""A token's part of the cache, against figures reckoned by hand from published configurations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.providers.vllm.kv_cache import LATENT, UNIFORM, bytes_per_token

HALF, SINGLE = 2, 4
LLAMA_8B = {
    "model_type": "llama", "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "hidden_size": 4096,
}  # fmt: skip
LLAMA_2_7B = {"model_type": "llama", "num_hidden_layers": 32, "num_attention_heads": 32, "hidden_size": 4096}
QWEN_7B = {
    "model_type": "qwen2", "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
    "hidden_size": 3584, "use_sliding_window": False, "sliding_window": 131072,
}  # fmt: skip
QWEN_3_4B = {
    "model_type": "qwen3", "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
    "hidden_size": 2560, "head_dim": 128, "sliding_window": None,
}  # fmt: skip
MISTRAL_7B = {
    "model_type": "mistral", "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "hidden_size": 4096, "sliding_window": 4096,
}  # fmt: skip
DEEPSEEK_V2_LITE = {
    "model_type": "deepseek_v2", "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16,
    "hidden_size": 2048, "kv_lora_rank": 512, "qk_rope_head_dim": 64,
}  # fmt: skip
SMOLLM = {
    "model_type": "llama", "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
}  # fmt: skip
FALCON_7B = {
    "model_type": "falcon", "num_hidden_layers": 32, "num_attention_heads": 71, "hidden_size": 4544, "multi_query": True
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "size"),
    [
        (LLAMA_8B, 2 * 32 * 8 * 128 * 2),
        (LLAMA_2_7B, 2 * 32 * 32 * 128 * 2),
        (QWEN_7B, 2 * 28 * 4 * 128 * 2),
        (QWEN_3_4B, 2 * 36 * 8 * 128 * 2),
        ({**MISTRAL_7B, "sliding_window": None}, 2 * 32 * 8 * 128 * 2),
        (DEEPSEEK_V2_LITE, 27 * (512 + 64) * 2),
        (SMOLLM, 2 * 30 * 3 * 64 * 2),
        ({**LLAMA_8B, "layer_types": ["full_attention"] * 32}, 2 * 32 * 8 * 128 * 2),
    ],
    ids=["Llama-3", "all heads", "Qwen2.5", "a width of its own", "Mistral 0.3", "DeepSeek-V2", "SmolLM2", "all full"],
)
def test_keys_and_values_of_all_layers(config, size):
    assert bytes_per_token(config, HALF) == size
    assert bytes_per_token(config, SINGLE) == 2 * size


@pytest.mark.parametrize(
    "config",
    [
        MISTRAL_7B,
        {**LLAMA_8B, "layer_types": ["full_attention"] * 31 + ["sliding_attention"]},
        {**QWEN_7B, "use_sliding_window": True},
        {**LLAMA_8B, "model_type": "jamba"},
        {**QWEN_3_4B, "model_type": "qwen3_next"},
        {**DEEPSEEK_V2_LITE, "model_type": "deepseek_v32"},
        FALCON_7B,
        {**LLAMA_8B, "quantization_config": {"kv_cache_scheme": {"num_bits": 8}}},
        {**LLAMA_8B, "quantization_config": {"kv_cache_quant_algo": "FP8"}},
    ],
    ids=["windows", "one window", "windows on", "states", "hybrid", "an index", "one head", "own type", "own algo"],
)
def test_where_a_token_has_no_plain_figure_there_is_none(config):
    assert bytes_per_token(config, HALF) is None


@pytest.mark.parametrize("missing", ["num_hidden_layers", "num_key_value_heads", "head_dim"])
def test_what_a_configuration_leaves_to_its_class_is_not_guessed(missing):
    assert bytes_per_token({name: value for name, value in QWEN_3_4B.items() if name != missing}, HALF) is None


def test_a_width_that_its_class_sets_otherwise_is_not_reckoned_from_the_heads():
    """ERNIE 4.5 0.3B: 128 by its class, and hidden_size / num_attention_heads would be 64."""
    config = {
        "model_type": "ernie4_5", "num_hidden_layers": 18, "num_attention_heads": 16, "num_key_value_heads": 2,
        "hidden_size": 1024,
    }  # fmt: skip
    assert bytes_per_token(config, HALF) is None
    assert bytes_per_token({**config, "head_dim": 128}, HALF) == 18432


@pytest.mark.parametrize(
    ("kind", "share"), [("auto", 1), ("bfloat16", 1), ("fp8", 0.5), ("fp8_e5m2", 0.5), ("fp8_per_token_head", None)]
)
def test_the_caches_own_type_counts_and_one_with_scales_is_unknown(kind, share):
    whole = bytes_per_token(LLAMA_8B, HALF)
    assert bytes_per_token(LLAMA_8B, HALF, cached=kind) == (None if share is None else whole * share)


@pytest.mark.parametrize(("config", "gpus", "times"), [(LLAMA_8B, 8, 1), (LLAMA_8B, 16, 2), (DEEPSEEK_V2_LITE, 4, 4)])
def test_gpus_share_heads_until_each_has_one_and_hold_all_of_a_latent_vector(config, gpus, times):
    assert bytes_per_token(config, HALF, tensor_parallel=gpus) == times * bytes_per_token(config, HALF)


JSON = st.none() | st.booleans() | st.integers(-5, 9) | st.floats(allow_nan=False) | st.text(max_size=3) | st.just([1])
NAMES = st.sampled_from(sorted({*QWEN_3_4B, *DEEPSEEK_V2_LITE, "layer_types", "quantization_config"}))


@given(st.sampled_from(sorted(UNIFORM | LATENT)), st.dictionaries(NAMES, JSON))
def test_any_configuration_gives_a_size_or_none(family, config):
    size = bytes_per_token({**config, "model_type": family}, HALF)
    assert size is None or size > 0
