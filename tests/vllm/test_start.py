"""Starts that cannot succeed: each is one line that says what is wrong and how it is mended, and leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from llmkit.errors import EngineError, LlmkitError, ProviderError, UsageError
from tests.vllm.command import descendants
from tests.vllm.models import among, asked, folder, provider

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def refused(model) -> LlmkitError:
    """Start what cannot be started, and see that nothing of it is left."""
    before = set(descendants(os.getpid()))
    with pytest.raises(LlmkitError) as caught:
        async with model:
            pass
    assert set(descendants(os.getpid())) <= before
    assert "\n" not in str(caught.value)
    return caught.value


def copied(path, *, without=()):
    """A folder with links to the model's files."""
    path.mkdir()
    for file in folder().iterdir():
        if file.name not in without:
            (path / file.name).symlink_to(file)
    return path


async def test_no_such_folder_names_the_nearest(tmp_path):
    (tmp_path / "smollm2").mkdir()
    with pytest.raises(UsageError, match="smollm2"):
        provider(tmp_path / "smolm2")


async def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(UsageError, match=r"config\.json"):
        provider(tmp_path)


async def test_an_option_that_there_is_none_of():
    with pytest.raises(UsageError, match="max_model_len"):
        provider(max_model_length=512)


async def test_a_context_beyond_the_models_own():
    error = await refused(provider(max_model_len=100_000, kv_cache_memory_bytes="8G"))
    assert isinstance(error, EngineError)
    assert "100000" in str(error) and "8192" in str(error)
    assert "rope_scaling" in str(error)


async def test_a_context_beyond_the_cache_comes_with_the_arithmetic():
    """A token takes 30 layers × key and value × 3 heads × 64 numbers of 4 bytes: 45 KiB; 64 MiB hold 11 blocks of 128.

    One of them no request gets.
    """
    error = await refused(provider(max_model_len=8192, kv_cache_memory_bytes="64M"))
    assert isinstance(error, EngineError)
    assert "8192" in str(error) and "what fits: 1280" in str(error) and "fits at most" not in str(error)
    assert "weights" in str(error) and "kv_cache_memory_bytes" in str(error)


async def test_a_cache_beyond_the_memory_is_refused_before_anything_is_loaded():
    error = await refused(provider(kv_cache_memory_bytes="900T"))
    assert isinstance(error, UsageError)
    assert "GiB" in str(error)


async def test_a_value_that_vllm_has_not_comes_with_those_that_it_has_and_the_log_is_kept():
    error = await refused(provider(quantization="four_bits"))
    assert isinstance(error, EngineError)
    assert "four_bits" in str(error) and "gptq" in str(error)
    log = Path(str(error).partition("The engine's log: ")[2])
    assert "four_bits" in log.read_text(errors="replace")
    shutil.rmtree(log.parent)


async def test_heads_that_cannot_be_shared_evenly():
    error = await refused(provider(tensor_parallel_size=2))
    assert "9 attention heads" in str(error)


async def test_weights_that_were_cut_off(tmp_path):
    broken = copied(tmp_path / "broken", without=("model.safetensors",))
    with (folder() / "model.safetensors").open("rb") as whole:
        (broken / "model.safetensors").write_bytes(whole.read(1_000_000))
    error = await refused(provider(broken))
    assert "vllm/" in str(error)
    assert "a file of the weights is broken" in str(error)


async def test_a_configuration_that_is_none(tmp_path):
    broken = copied(tmp_path / "broken", without=("config.json",))
    (broken / "config.json").write_text("{")
    assert isinstance(await refused(provider(broken)), UsageError)


async def test_weights_that_are_code_are_not_loaded(tmp_path):
    """A pickle runs what its maker wished."""
    path = copied(tmp_path / "pickled", without=("model.safetensors",))
    (path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(UsageError, match="safetensors"):
        provider(path)


async def test_without_a_chat_template_messages_are_refused_and_plain_text_is_measured(tmp_path):
    path = copied(tmp_path / "base", without=("chat_template.jinja", "tokenizer_config.json"))
    config = json.loads((folder() / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (path / "tokenizer_config.json").write_text(json.dumps(config))
    async with provider(path) as base:
        with pytest.raises(ProviderError, match="chat template") as caught:
            await base.complete(asked("Say hello.", max_tokens=4))
        assert "\n" not in str(caught.value)
        assert "chat_template=" in str(caught.value)
        measured = await base.loglikelihoods(among("The opposite of hot is", "cold", "blue", chat=False, space=" "))
    assert measured.text == "cold"
