"""The public fake: a provider whose answers are written down. Users test with it too.

From a file (``scripted/NAME`` with the option ``file``; see ``script`` for its lines), from a function::

    Scripted(function=lambda request: "42")

which may have a likelihood beside it, for suites that compare continuations: what stands before one (a last message
of the assistant is what its answer begins with) and its text in, its log-likelihood out::

    Scripted(likelihood=lambda request, text: -float(len(text)))

or from a built-in behaviour: ``scripted/echo`` answers the last message's text, ``scripted/constant`` the option
``text``. Everything is deterministic: faults are drawn from the request and its occurrence, not from the order
in which concurrent calls happen to arrive.

Tokens are counted as UTF-8 bytes / 4, rounded up, over all messages' contents for the input and over the text for
the output, so that cost paths can be tested with prices of one's own. Texts are raw: ``max_tokens`` cuts nothing;
write ``"finish_reason": "length"`` for a cut answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from llmkit.errors import ProviderError, ProviderFault, UnknownNameError, UsageError
from llmkit.providers.base import Capabilities
from llmkit.providers.likelihood import Context, Measured, Place, by_context, compared
from llmkit.providers.script import Line, Script, last_text, request_digest, shown
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, Message, Request, Usage

Likelihood = Callable[[Request, str], float]
Function = Callable[[Request], "str | Completion | Awaitable[str | Completion]"]

BEHAVIOURS = ("constant", "echo")
BYTES_PER_TOKEN = 4
"""English text runs at about four bytes a token under today's tokenizers; any fixed rule would do."""
STATUS: Mapping[ProviderFault, int] = {
    "auth": 401,
    "not_found": 404,
    "bad_request": 400,
    "context_overflow": 400,
    "rate_limit": 429,
    "server": 500,
    "malformed": 200,
    "empty": 200,
    "refused": 200,
}


def _pairs(value: object) -> object:
    """Read ``rate_limit:0.1,server:0.05``, the command line's way to write a mapping."""
    if not isinstance(value, str):
        return value
    parts = (part.partition(":") for part in value.split(",") if part.strip())
    return {key.strip(): word.strip() for key, _, word in parts}


Rate = Annotated[float, Field(ge=0, le=1)]


class ScriptedOptions(BaseModel):
    """What ``-M key=value`` sets.

    Attributes:
        file: The script.
        text: What ``scripted/constant`` answers.
        default: The answer where no line matches; without it that is an error.
        latency_s: Seconds that each call takes; a line's own ``latency_s`` goes before it.
        faults: Fault → share of calls that fail so: ``rate_limit:0.1,server:0.05``.
        faults_at: Number of a call, from 1 → its fault: ``3:timeout,7:server``.
        fault_seed: Of ``faults``.
        billed: Whether calls cost what the price list says; otherwise they cost 0.
        concurrency: Calls that may run at once; unlimited where not set.
        revision: Names the answers for the cache. A function without one is never answered from the cache of
            another process, because its code may have changed.
        log: Calls that are kept in ``calls``; the oldest go first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    file: Path | None = None
    text: str = "ok"
    default: str | None = None
    latency_s: float = Field(default=0.0, ge=0)
    faults: Annotated[Mapping[ProviderFault, Rate], BeforeValidator(_pairs)] = Field(default_factory=dict)
    faults_at: Annotated[Mapping[int, ProviderFault], BeforeValidator(_pairs)] = Field(default_factory=dict)
    fault_seed: int = 0
    billed: bool = False
    concurrency: int | None = Field(default=None, ge=1)
    revision: str | None = None
    log: int = Field(default=10_000, ge=0)


@dataclass(slots=True)
class Call:
    """One call that was made: ``completion`` or ``error`` is set once it has ended."""

    number: int
    request: Request
    completion: Completion | None = None
    error: BaseException | None = None


class Scripted:
    """A model whose answers are written down.

    Args:
        model: A name of one's own, or ``echo`` or ``constant``.
        options: See ``ScriptedOptions``.
        function: Answers in place of a file: the rendered request in, a text or a whole completion out.
        likelihood: Tells how likely a continuation is, in place of a file.

    Attributes:
        calls: What was asked and answered, in the order in which the calls began.
        made: How many calls were made.

    Raises:
        UsageError: An option is wrong, or nothing says what to answer.
        DocumentError: The script is wrong (``path:line``).
    """

    name = "scripted"
    Options: ClassVar[type[BaseModel]] = ScriptedOptions

    def __init__(
        self,
        model: str = "function",
        options: Mapping[str, Any] | None = None,
        *,
        function: Function | None = None,
        likelihood: Likelihood | None = None,
    ) -> None:
        self.model = model
        self.options = _options(options or {})
        if (function or likelihood) is not None and self.options.file is not None:
            raise UsageError(f"scripted/{model} has a function and a file", hint="Give one of them")
        self._script = Script.read(self.options.file) if self.options.file else None
        self._function, self._likelihood = function, likelihood
        if self._script is None and function is None and likelihood is None and model not in BEHAVIOURS:
            hint = f"Give its answers: -M file=answers.jsonl; built in are {' and '.join(BEHAVIOURS)}"
            raise UnknownNameError("scripted model", model, BEHAVIOURS, hint=hint)
        self.capabilities = Capabilities(
            logprobs=function is not None or (self._script is not None and self._script.has_logprobs),
            loglikelihood=frozenset({"chat", "none"}) if self._compares else frozenset(),
            seed=True,
            billed=self.options.billed,
            fixed_concurrency=self.options.concurrency,
        )
        self.calls: deque[Call] = deque(maxlen=self.options.log)
        self.made = 0
        self._seen: dict[str, int] = {}
        self._nonce = secrets.token_hex(8)

    @property
    def _compares(self) -> bool:
        return self._likelihood is not None or (self._script is not None and self._script.has_loglikelihoods)

    async def complete(self, request: Request) -> Completion:
        """Answer as scripted.

        Raises:
            ProviderError: The scripted fault; ``not_found`` where nothing matches; ``empty`` for an empty text.
        """
        return await self._called(request, self._answer)

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure continuations as scripted.

        Raises:
            ProviderError: The scripted fault; ``not_found`` where nothing matches.
        """
        return await self._called(request, self._compared)

    async def _called(self, request: Request, answer: Callable[[Request, int], Awaitable[Completion]]) -> Completion:
        self.made += 1
        call = Call(self.made, request)
        self.calls.append(call)
        try:
            call.completion = await answer(request, call.number)
        except BaseException as error:
            call.error = error
            raise
        return call.completion

    def wire(self, request: Request) -> Mapping[str, Any]:
        """Return the request as data: all of it counts."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        return {**request.params, "model": self.model, "messages": messages}

    def identity(self) -> Mapping[str, str]:
        """Return what else decides the answer: the script's content, or the behaviour and its text."""
        if self.options.revision is not None:
            return {"revision": self.options.revision}
        default = {} if self.options.default is None else {"default": self.options.default}
        if self._script is not None:
            return {"script_sha256": self._script.sha256, **default}
        if (function := self._function or self._likelihood) is not None:
            return {"function": f"{getattr(function, '__qualname__', 'function')}@{self._nonce}"}
        return {"behaviour": self.model, **({"text": self.options.text} if self.model == "constant" else {})}

    @contextmanager
    def tokenizer(self) -> Iterator[Tokenizer]:
        """Yield the module's rule."""
        yield _Rule()

    async def count_tokens(self, request: Request) -> int:
        """Return the prompt's tokens by the module's rule."""
        return tokens(*(message.content for message in request.messages))

    async def _answer(self, request: Request, number: int) -> Completion:
        line: Line | None = None
        fault = self.options.faults_at.get(number) or self._drawn(request)
        if fault is None and self._script is not None:
            line = self._script.answer(request)
        latency = self.options.latency_s if line is None or line.latency_s is None else line.latency_s
        if latency:
            await asyncio.sleep(latency)
        fault = fault or (line.fault if line else None)
        if fault is not None:
            raise _error(fault, line.retry_after if line else None)
        completion = self._from_line(request, line) if line else await self._otherwise(request)
        if not completion.text:
            raise _error("empty", None)
        return replace(completion, latency_s=completion.latency_s or latency)

    async def _compared(self, request: Request, number: int) -> Completion:
        fault = self.options.faults_at.get(number) or self._drawn(request)
        if self.options.latency_s:
            await asyncio.sleep(self.options.latency_s)
        if fault is not None:
            raise _error(fault, None)
        found: dict[Place, Measured] = {}
        for context, texts in by_context(request).items():
            how_likely = self._after(context)
            found.update({(context, text): _pieces(text, how_likely(text)) for text in texts})
        read = sum(tokens(*(m.content for m in context.messages or ()), context.text, text) for context, text in found)
        said = Completion("", usage=Usage(read, 0), latency_s=self.options.latency_s, served_model=self.model)
        return compared(request, found, said)

    def _after(self, context: Context) -> Callable[[str], float]:
        """Return what tells how likely a text is after what stands before it."""
        if (likelihood := self._likelihood) is not None:
            opened = (Message("assistant", context.text),) if context.text else ()
            asked = Request((*(context.messages or ()), *opened))
            return lambda text: float(likelihood(asked, text))
        assert self._script is not None
        asked = Request(context.messages or (Message("user", context.text),))
        line = self._script.answer(asked, compares=True)
        if line is not None and line.fault is not None:
            raise _error(line.fault, line.retry_after)
        if line is None or line.loglikelihoods is None:
            message, hint = self._script.miss(asked, compares=True)
            raise ProviderError("not_found", message, hint=hint)
        return partial(_written, line.loglikelihoods, shown(last_text(asked)))

    def _from_line(self, request: Request, line: Line) -> Completion:
        text = line.text or ""
        return Completion(
            text=text,
            finish_reason=line.finish_reason,
            usage=line.usage.record() if line.usage else _usage(request, text),
            served_model=self.model,
            logprobs=None if line.logprobs is None else tuple(entry.record() for entry in line.logprobs),
        )

    async def _otherwise(self, request: Request) -> Completion:
        if self._function is not None:
            answer = self._function(request)
            if inspect.isawaitable(answer):
                answer = await answer
            if isinstance(answer, Completion):
                return answer
            text = answer
        elif self._script is None:
            text = last_text(request) if self.model == "echo" else self.options.text
        elif self.options.default is not None:
            text = self.options.default
        else:
            message, hint = self._script.miss(request)
            raise ProviderError("not_found", message, hint=hint)
        return Completion(text, usage=_usage(request, text), served_model=self.model)

    def _drawn(self, request: Request) -> ProviderFault | None:
        """Draw a fault from the seed, the request and how often it has been asked."""
        if not self.options.faults:
            return None
        key = request_digest(request)
        self._seen[key] = self._seen.get(key, 0) + 1
        seeded = f"{self.options.fault_seed}|{key}|{self._seen[key]}".encode()
        at = int.from_bytes(hashlib.sha256(seeded).digest()[:8]) / 2**64
        for fault, rate in self.options.faults.items():
            if at < rate:
                return fault
            at -= rate
        return None


class _Rule:
    """The module's rule as a tokenizer."""

    name = f"scripted:{BYTES_PER_TOKEN} bytes"

    def count(self, text: str) -> int:
        """Return UTF-8 bytes / 4, rounded up."""
        return tokens(text)


def tokens(*texts: str) -> int:
    """Count tokens by the module's rule: UTF-8 bytes / 4, rounded up."""
    return -(-sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) // BYTES_PER_TOKEN)


def _written(loglikelihoods: Mapping[str, float], where: str, text: str) -> float:
    """Look a continuation up, with or without the space before it."""
    for written in (text, text.strip()):
        if written in loglikelihoods:
            return loglikelihoods[written]
    hint = f"The line for {where} has {', '.join(map(shown, loglikelihoods))}"
    raise ProviderError("not_found", f"no scripted log-likelihood of {shown(text)}", hint=hint)


def _pieces(text: str, logprob: float) -> Measured:
    """Cut a continuation into tokens of four characters, equally likely."""
    cut = [text[at : at + BYTES_PER_TOKEN] for at in range(0, len(text), BYTES_PER_TOKEN)]
    return Measured(tuple((piece, logprob / len(cut)) for piece in cut))


def _usage(request: Request, text: str) -> Usage:
    return Usage(input=tokens(*(message.content for message in request.messages)), output=tokens(text))


def _error(fault: ProviderFault, retry_after: float | None) -> ProviderError:
    return ProviderError(
        fault,
        f"scripted fault {fault}",
        status=STATUS.get(fault),
        retry_after=retry_after,
        maybe_billed=fault in ("timeout", "malformed", "empty", "refused"),
    )


def _options(options: Mapping[str, Any]) -> ScriptedOptions:
    try:
        return ScriptedOptions.model_validate(options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise UnknownNameError("option of scripted", name, ScriptedOptions.model_fields) from error
        raise UsageError(f"option {name} of scripted: {first['msg']}") from error
