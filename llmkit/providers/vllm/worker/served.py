"""vLLM's asynchronous engine, asked by path and body as its HTTP server is."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmkit.providers.vllm.worker import documents
from llmkit.providers.vllm.worker.sampling import sampling_params

LOOKS_S = 0.5
"""How often the engine is asked whether it is alive; calls notice by themselves, an idle one would not."""


class Served:
    """A loaded model. Building one takes seconds to minutes and blocks.

    Args:
        start: ``arguments`` of vLLM's engine, ``name`` by which the model is called, ``lora`` (folder or null).
    """

    def __init__(self, start: Mapping[str, Any]) -> None:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.lora.request import LoRARequest
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        if "kv_cache_memory_bytes" in start["arguments"]:
            os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)  # it would go before what was asked for, without a word
        self._name = start["name"]
        self._lora = LoRARequest(Path(start["lora"]).name, 1, start["lora"]) if start["lora"] else None
        # The context decides how many tokens a step takes where nobody says: as many as for vllm.LLM.
        self._engine = AsyncLLM.from_engine_args(
            AsyncEngineArgs(**start["arguments"]), usage_context=UsageContext.LLM_CLASS
        )
        self._config = self._engine.model_config
        self._tokenizer = self._engine.get_tokenizer()
        self._defaults = self._config.get_diff_sampling_param()
        self._numbers = itertools.count()
        self._paths = {
            "chat/completions": self._chat,
            "completions": self._echo,
            "../tokenize": self._tokenize,
            "../detokenize": self._detokenize,
            "../metrics": self._metrics,
        }

    def facts(self) -> dict[str, Any]:
        """Return what is known once it runs."""
        cache = self._engine.vllm_config.cache_config
        blocks = cache.num_gpu_blocks
        return {
            "max_model_len": self._config.max_model_len,
            "cache_tokens": blocks * cache.block_size if blocks else None,
            "dtype": str(self._config.dtype).removeprefix("torch."),
        }

    async def answer(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``{"document": …}``, or ``{"error": …}`` for what this request cannot have."""
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            return {"document": await self._paths[path](body)}
        except (VLLMClientError, ValueError, TypeError, LookupError, NotImplementedError) as error:
            return {"error": {"code": 400, "message": f"{error}" or type(error).__name__}}
        except EngineDeadError as error:
            return {"error": {"code": 503, "message": f"{error}"}}
        except Exception as error:  # the engine goes on: a request that it fails at fails alone
            return {"error": {"code": 500, "message": f"{type(error).__name__}: {error}"}}

    async def died(self) -> str:
        """Return once the engine is dead, and say so."""
        while not self._engine.errored:
            await asyncio.sleep(LOOKS_S)
        return f"{self._engine.dead_error}"

    def stop(self) -> None:
        """End the engine's processes."""
        self._engine.shutdown()

    async def _chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        prompt = await self._rendered(body)
        room = self._config.max_model_len - len(prompt["prompt_token_ids"])
        params = sampling_params(body, self._defaults, self._checked(room))
        output = await self._generate(prompt, params)
        top = int(body.get("top_logprobs") or 0) if body.get("logprobs") else None
        return documents.chat(output, model=self._name, tokenizer=self._tokenizer, top=top)

    async def _echo(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Measure prompts of tokens. One token has to be generated, for vLLM answers nothing before one is."""
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        params = SamplingParams(
            temperature=0, max_tokens=1, prompt_logprobs=0, detokenize=True, output_kind=RequestOutputKind.FINAL_ONLY
        )
        for prompt in body["prompt"]:
            self._checked(self._config.max_model_len - len(prompt))
        asked = (self._generate(tokens_input(prompt), params) for prompt in body["prompt"])
        return documents.echo(await asyncio.gather(*asked), model=self._name, tokenizer=self._tokenizer)

    def _checked(self, room: int) -> int:
        if room < 1:
            most = self._config.max_model_len
            raise ValueError(f"the prompt has {most - room} tokens, and the maximum context length is {most}")
        return room

    async def _rendered(self, body: Mapping[str, Any]) -> Any:
        """Put messages through the chat template, as ``vllm.LLM.chat`` does."""
        from vllm.renderers import ChatParams

        going_on = bool(body.get("continue_final_message", False))
        params = ChatParams(
            chat_template=body.get("chat_template"),
            chat_template_kwargs={
                **(body.get("chat_template_kwargs") or {}),
                "add_generation_prompt": body.get("add_generation_prompt", not going_on),
                "continue_final_message": going_on,
                "tools": None,
            },
        )
        _, (prompt,) = await self._engine.renderer.render_chat_async([list(body["messages"])], params)
        return prompt

    async def _generate(self, prompt: Any, params: Any) -> Any:
        number = f"llmkit-{next(self._numbers)}"
        last = None
        async for output in self._engine.generate(prompt, params, number, lora_request=self._lora):
            last = output
        if last is None:
            raise RuntimeError("the engine answered nothing")
        return last

    async def _tokenize(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if "messages" in body:
            ids: Sequence[int] = (await self._rendered(body))["prompt_token_ids"]
        else:
            ids = self._tokenizer.encode(body["prompt"], add_special_tokens=body.get("add_special_tokens", True))
        return {"tokens": list(ids), "count": len(ids)}

    async def _detokenize(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {"prompt": self._tokenizer.decode(body["tokens"], skip_special_tokens=False)}

    async def _metrics(self, body: Mapping[str, Any]) -> dict[str, Any]:
        from prometheus_client import generate_latest

        return {"text": generate_latest().decode()}
