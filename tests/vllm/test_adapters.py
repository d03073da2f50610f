"""What is laid over the weights: a LoRA adapter, shares of a layer on two workers, a longer context."""

from __future__ import annotations

import json
import warnings

import pytest

from llmkit.errors import UsageError
from tests.vllm.models import among, asked, folder, provider
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
    request = among("What is the capital of France?", "Paris", "London", "Berlin")
    before = await engine.loglikelihoods(request)
    adapted = provider(lora=str(write_adapter(tmp_path / "adapter")))
    async with adapted:
        after = await adapted.loglikelihoods(request)
        said = await adapted.complete(asked("Say hello.", max_tokens=4, extra={"ignore_eos": True}))
    again = await engine.loglikelihoods(request)
    assert said.usage.output == 4
    assert [entry.logprob for entry in again.logprobs] == pytest.approx(
        [entry.logprob for entry in before.logprobs], abs=1e-3
    )
    changed = [abs(one.logprob - two.logprob) for one, two in zip(before.logprobs, after.logprobs, strict=True)]
    assert max(changed) > 0.5
    assert adapted.identity() != engine.identity()


async def test_a_folder_without_an_adapter_is_refused_before_anything_is_started(tmp_path):
    with pytest.raises(UsageError, match="adapter"):
        async with provider(lora=str(tmp_path)):
            pass


async def test_rope_scaling_lengthens_the_context(engine):
    """Beyond the model's own 8,192 tokens, which without it is refused (test_start.py)."""
    scaling = {"rope_type": "linear", "factor": 2.0}
    longer = provider(rope_scaling=scaling, max_model_len=10_000, kv_cache_memory_bytes="512M")
    async with longer:
        stretched = await longer.complete(asked("Count to 20.", max_tokens=8, top_logprobs=5))
        read = await longer.complete(asked("one two three four " * 2_200, max_tokens=1))
    assert read.usage.input > 8_192
    plain = await engine.complete(asked("Count to 20.", max_tokens=8, top_logprobs=5))
    assert [each.logprob for each in stretched.logprobs] != pytest.approx([each.logprob for each in plain.logprobs])


async def test_two_workers_share_each_layer(engine):
    """The model has 9 heads, which three workers can share; so can as many processors, or fewer that take turns."""
    requests = [asked(prompt, max_tokens=12, top_logprobs=5) for prompt in ("List the days of the week.", "Say hello.")]
    alone = [await engine.complete(request) for request in requests]
    async with provider(tensor_parallel_size=3) as shared:
        together = [await shared.complete(request) for request in requests]
    assert ties(alone, together) <= 1
