"""``local/MODEL``: a model inside this process, by llama.cpp (xllamacpp) from a GGUF file.

``local/smollm2-135m-instruct`` is the embedded default model (see ``gguf``); ``local/path/to/model.gguf`` and
``local//abs/path.gguf`` are any other.

The engine opens an HTTP port on 127.0.0.1, with a random key. llmkit reads the answer there as a stream, because a
stream that is closed is the one way to stop a generation: measured, the engine notices within 30 ms, while calls
that wait for the whole answer run to their end whatever happens to the caller.

What decides the answer. By default one request is computed at a time, each from nothing, and the same request then
gives the same text on the same processor, whatever ran before (measured to the last bit of the log-probabilities,
with 1, 2 and 3 threads). ``slots`` above 1 computes requests in one batch, which is up to 1.5 times as fast on two
cores, and ``prompt_cache`` reuses a common beginning of prompts, which is several times as fast with long few-shot
prompts. Either changes the order of floating-point sums with what else is in flight: near ties between words may
then fall differently from run to run. So both are off unless asked for, and both are part of the model's identity.

What is not set is the engine's default (temperature 0.8, top_k 40, top_p 0.95, min_p 0.05, a random seed), but for
``max_tokens``, see ``MAX_TOKENS``.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from llmkit.errors import MissingExtraError, ProviderError, UsageError
from llmkit.providers import gguf
from llmkit.providers.base import Capabilities
from llmkit.providers.chat import SAME_NAMES, not_taken, read_chat
from llmkit.providers.cpus import usable_cpus
from llmkit.providers.engine import BATCH, Engine
from llmkit.providers.forced import loglikelihoods
from llmkit.providers.params import validate
from llmkit.providers.starting import STARTED, tell
from llmkit.providers.vocabulary import tokenizer_of
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, Request

MAX_TOKENS = 512
"""Where ``max_tokens`` is not set. Small models fall into loops and never end by themselves; a worked
grade-school solution takes at most some 400 tokens, and 512 hold the engine for under 10 s on two cores."""
N_CTX = 4096
"""Tokens of prompt and answer together. Eight worked examples and a long answer fit; the memory for it is 94 MB
with the embedded model."""
MAX_THREADS = 16
"""Where ``threads`` is not set. Beyond, small models lose more to waiting for each other than they win."""
TIMEOUT_S = 600.0
"""One call's time, as for servers."""

WIRE_NAMES = SAME_NAMES - {"reasoning_effort"}
"""Parameters under the engine's own names. It would ignore a reasoning effort silently."""


class LocalOptions(BaseModel):
    """What ``-M key=value`` sets.

    Attributes:
        threads: Processor threads; by default what this process may use. On a busy machine fewer are faster.
        n_ctx: Tokens of prompt and answer together, for each slot.
        slots: Requests computed at once.
        prompt_cache: Reuse the common beginning of prompts.
        gpu_layers: Layers on the GPU, with a GPU build of xllamacpp; by default as many as fit.
        timeout_s: For one call.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    threads: int | None = Field(None, ge=1, le=512)
    n_ctx: int = Field(N_CTX, ge=64)
    slots: int = Field(1, ge=1, le=256)
    prompt_cache: bool = False
    gpu_layers: int | None = Field(None, ge=0)
    timeout_s: float = Field(TIMEOUT_S, gt=0)


class Local:
    """A GGUF model in this process. Enter it before the first ``complete``.

    Args:
        model: ``smollm2-135m-instruct`` or the path of a ``.gguf`` file.
        options: See ``LocalOptions``.

    Raises:
        UsageError: No such model or file, or a wrong option.
        MissingExtraError: xllamacpp is not installed.
    """

    name = "local"
    Options: ClassVar = LocalOptions

    def __init__(self, model: str, options: Mapping[str, Any] | LocalOptions | None = None) -> None:
        self.model = model
        self.options = (
            options if isinstance(options, LocalOptions) else validate(LocalOptions, options or {}, what="local")
        )
        self.capabilities = Capabilities(
            logprobs=True,
            loglikelihood=frozenset({"chat", "none"}),
            seed=True,
            structured=frozenset({"json_schema", "regex", "choice", "grammar"}),
            billed=False,
            fixed_concurrency=self.options.slots,
            reuses_prefixes=self.options.prompt_cache,
        )
        self._version = engine_version()
        self._path = gguf.find(model)
        self._verified = False
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"Local({self.model!r})"

    @property
    def file(self) -> str:
        """The weights' file name."""
        return gguf.KNOWN[self.model].file if self.model in gguf.KNOWN else Path(self.model).name

    async def __aenter__(self) -> Self:
        """Find or fetch the weights, load them (0.7 s for the embedded model) and open the port."""
        if self._engine is not None:
            raise RuntimeError("the provider is started already")
        who = f"{self.name}/{self.model}"
        tell(who, "loading weights" if self._path is not None else "fetching weights")
        try:
            await self._start()
            tell(who, STARTED)
        finally:
            tell(who, None)
        return self

    async def _start(self) -> None:
        path = await asyncio.to_thread(self.weights)
        options = self.options
        engine = Engine(
            path,
            alias=self.file,
            threads=options.threads or min(usable_cpus(), MAX_THREADS),
            n_ctx=options.n_ctx,
            slots=options.slots,
            gpu_layers=options.gpu_layers,
            timeout_s=options.timeout_s,
        )
        await engine.start()
        self._engine = engine

    async def __aexit__(self, *exc: object) -> None:
        """Stop every generation, close the port and free the memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.stop()

    def weights(self) -> Path:
        """Return the checked file, fetched where it is not on this machine.

        Raises:
            UsageError: The weights cannot be had.
            DataError: Another file lies under the model's name.
        """
        if not self._verified:
            self._path = gguf.obtain(self.model)
            self._verified = True
        assert self._path is not None
        return self._path

    def identity(self) -> Mapping[str, str]:
        """Return the weights' hash, the engine's version and every option that decides an answer."""
        options, known = self.options, gguf.KNOWN.get(self.model)
        # Nothing is fetched to say what would be: under a known name no other file is taken.
        absent = known is not None and self._path is None
        return {
            "model_sha256": known.sha256 if known is not None and absent else gguf.sha256(self.weights()),
            "engine": f"xllamacpp {self._version}",
            "n_ctx": str(options.n_ctx),
            "batch": str(BATCH),
            "slots": str(options.slots),
            "gpu_layers": "auto" if options.gpu_layers is None else str(options.gpu_layers),
        }

    def wire(self, request: Request) -> dict[str, Any]:
        """Return the body that ``complete`` sends.

        Raises:
            UsageError: A parameter that the engine does not take.
        """
        body: dict[str, Any] = {
            "model": self.file,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "max_tokens": MAX_TOKENS,
            "cache_prompt": self.options.prompt_cache,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        for name, value in request.params.items():
            if name in WIRE_NAMES or name == "max_tokens":
                body[name] = value
            elif name == "structured":
                body.update(structured_wire(value))
            elif name != "extra":
                raise not_taken("local", name)
        if "top_logprobs" in body:
            body["logprobs"] = True
        return {**body, **(request.params.get("extra") or {})}

    async def complete(self, request: Request) -> Completion:
        """Make one attempt. Cancelling it stops the generation.

        Raises:
            ProviderError: The engine's error; ``context_overflow`` for a prompt longer than ``n_ctx``.
        """
        engine = self._started()
        with self._overflowing():
            return read_chat(engine.peer, await engine.chat(self.wire(request)))

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure the request's continuations; see ``forced`` for how, and how exactly.

        Raises:
            ProviderError: The engine's error; ``context_overflow`` for a prompt and continuation beyond ``n_ctx``.
        """
        engine = self._started()
        with self._overflowing():
            return await loglikelihoods(engine, request, reuse=self.options.prompt_cache)

    @contextmanager
    def tokenizer(self) -> Iterator[Tokenizer]:
        """Open the tokenizer that the weights' file holds; the model need not be started.

        Raises:
            UsageError: The weights cannot be had.
            ProviderError: The engine cannot load them.
        """
        with tokenizer_of(self.weights()) as tokenizer:
            yield tokenizer

    async def count_tokens(self, request: Request) -> int:
        """Return the prompt's tokens, chat template included."""
        return await self._started().count(self.wire(request)["messages"])

    @contextmanager
    def _overflowing(self) -> Iterator[None]:
        """Say how a context that is too small is mended."""
        try:
            yield
        except ProviderError as error:
            if error.fault == "context_overflow":
                error.hint = f"Raise it: -M n_ctx={larger_context(error.message, self.options.n_ctx)}"
            raise

    def _started(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the provider is not started: use `async with provider:`")
        return self._engine


_REQUEST_TOKENS = re.compile(r"request \((\d{1,9}) tokens\)")
"""As llama.cpp's server says how long a request is that its context cannot take (``tools/server/server-context``)."""


def larger_context(message: str, n_ctx: int) -> int:
    """Return the context, in tokens, to ask for after one of ``n_ctx`` was too small.

    Args:
        message: What the engine said; where it names the request's length, the context is larger than that.
        n_ctx: Of the engine that refused.
    """
    found = _REQUEST_TOKENS.search(message)
    size = n_ctx * 2
    while found is not None and size <= int(found[1]):
        size *= 2
    return size


def structured_wire(structured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body's fields that enforce a shape of output.

    ``grammar`` is GBNF, or Lark after a first line ``%llguidance {}``; ``regex`` is llguidance's dialect.

    Raises:
        UsageError: The shape is not one of them.
    """
    if "json_schema" in structured:
        schema = {"name": "answer", "schema": structured["json_schema"], "strict": structured.get("strict", True)}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    if "grammar" in structured:
        return {"grammar": str(structured["grammar"])}
    if "regex" in structured:
        return {"grammar": "%llguidance {}\nstart: /" + _escape_slashes(str(structured["regex"])) + "/"}
    if "choice" in structured:
        words = structured["choice"]
        if not isinstance(words, (list, tuple)) or not words or not all(isinstance(word, str) for word in words):
            raise UsageError("structured.choice is a list of texts")
        return {"grammar": "root ::= " + " | ".join(json.dumps(word, ensure_ascii=False) for word in words)}
    raise not_taken("local", f"structured.{next(iter(structured), '')}")


def engine_version() -> str:
    """Return xllamacpp's version.

    Raises:
        MissingExtraError: It is not installed; names the platforms without wheels and another way.
    """
    try:
        return importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        error = MissingExtraError("a local model", "local")
        error.hint = (
            f"{error.hint}. There are wheels of xllamacpp for Linux with glibc, Windows x86-64 and macOS arm64 (not "
            "for musl, as in Alpine, nor macOS x86-64): there, run any OpenAI-compatible server and use "
            "-m openai/MODEL -M base_url=http://127.0.0.1:8080/v1"
        )
        raise error from None


def _escape_slashes(pattern: str) -> str:
    r"""Write ``/`` as ``\/``, leaving what is escaped already."""
    out, escaped = [], False
    for char in pattern:
        out.append("\\/" if char == "/" and not escaped else char)
        escaped = char == "\\" and not escaped
    return "".join(out)
