"""The seam to a model: one method, and what a provider may offer beside it.

A provider is bound to one model and makes exactly one attempt a call: retries, rates, money and caching are
llmkit's own and live in the callers. It raises ``ProviderError`` and nothing else for what a server does wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from llmkit.speculation import Speculation
from llmkit.text import labelled
from llmkit.tokens import Tokenizer
from llmkit.types import Completion, Request


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do, as static facts.

    Attributes:
        logprobs: Log-probabilities of generated tokens.
        loglikelihood: After which prompts it gives the log-likelihood of continuations (``LogLikelihoods``): of
            ``chat``, messages in the model's chat template, and ``none``, plain text.
        seed: The wire carries a sampling seed.
        structured: Shapes of output that it enforces: of ``json_schema``, ``regex``, ``choice``, ``grammar``.
        billed: Whether calls cost dollars; a local model's do not, and their price is known: 0.
        fixed_concurrency: Calls that may run at once where the engine sets the number (its slots); else None.
        reuses_prefixes: Whether prompts with a common beginning are answered sooner one after the other.
    """

    logprobs: bool = False
    loglikelihood: frozenset[str] = frozenset()
    seed: bool = False
    structured: frozenset[str] = frozenset()
    billed: bool = True
    fixed_concurrency: int | None = None
    reuses_prefixes: bool = False


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the server's rate-limit headers said last. None: not said."""

    remaining_requests: int | None = None
    remaining_tokens: int | None = None
    reset_requests_s: float | None = None
    reset_tokens_s: float | None = None


class Provider(Protocol):
    """A model that answers. ``name`` is the part before the slash, ``model`` the part after it."""

    name: str
    model: str
    capabilities: Capabilities

    async def complete(self, request: Request) -> Completion:
        """Make one attempt.

        Raises:
            ProviderError: Whatever failed, with its ``fault``.
        """
        ...


@runtime_checkable
class SpeaksWire(Protocol):
    """Offered by providers whose wire form is known; it is what the cache key is made of.

    ``identity`` names everything outside the request that decides the answer: ``endpoint`` (credentials stripped),
    ``model_sha256`` of a GGUF, ``engine`` and its version in process, a user's ``revision`` for a server.
    """

    def wire(self, request: Request) -> Mapping[str, Any]:
        """Return the JSON body that ``complete`` would send."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Return what else decides the answer."""
        ...


def identity(provider: Provider) -> dict[str, str]:
    """Name what outside the request decides the answer: provider, model, endpoint or weights, engine."""
    said = provider.identity() if isinstance(provider, SpeaksWire) else {}
    return {"provider": provider.name, "model": provider.model, **said}


@runtime_checkable
class Fetches(Protocol):
    """Offered by providers that bring a model to this machine; ``identity`` may not know what it is before."""

    async def fetch(self) -> None:
        """Fetch what is not here. Nothing is started.

        Raises:
            UsageError: It cannot be had.
        """
        ...


async def fetch(providers: Iterable[Provider]) -> None:
    """Have all models here, so that ``identity`` is today what it is tomorrow. Not for what is only shown.

    Raises:
        UsageError: One cannot be had.
    """
    for provider in providers:
        if isinstance(provider, Fetches):
            await provider.fetch()


@runtime_checkable
class Counts(Protocol):
    """Offered by providers that can count a request's tokens exactly."""

    async def count_tokens(self, request: Request) -> int:
        """Return the number of prompt tokens, template included."""
        ...


@runtime_checkable
class Tokenizes(Protocol):
    """Offered by providers that can say how a text falls into their model's tokens, before anything is asked.

    It works without the provider being started, and takes its own while to be opened (a vocabulary, a connection).
    """

    def tokenizer(self) -> AbstractContextManager[Tokenizer]:
        """Return what opens the tokenizer, and closes it.

        Raises:
            UsageError: This server has none that can be asked.
        """
        ...


@runtime_checkable
class LogLikelihoods(Protocol):
    """Offered by providers that can tell how likely given continuations are; ``capabilities.loglikelihood`` says so."""

    async def loglikelihoods(self, request: Request) -> Completion:
        """Measure ``request.continuations`` after the request's messages, in one attempt.

        Returns:
            The likeliest as the text, and in ``logprobs`` an entry a continuation (see ``providers.likelihood``).

        Raises:
            ProviderError: Whatever failed, with its ``fault``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go, for people who want to repeat one by hand.

    Attributes:
        url: Credentials stripped.
        headers: What a request needs; a key stands as ``$VARIABLE``, never as itself.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class HasEndpoint(Protocol):
    """Offered by providers that speak HTTP."""

    def endpoint(self) -> Endpoint:
        """Return where ``complete`` sends its requests."""
        ...


@runtime_checkable
class Starts(Protocol):
    """Offered by providers with something to start and stop: a session, a server, an engine."""

    async def __aenter__(self) -> Any:
        """Start."""
        ...

    async def __aexit__(self, *exc: object) -> None:
        """Stop; nothing is left running."""
        ...


@runtime_checkable
class Speculates(Protocol):
    """Offered by providers whose engine may draft tokens ahead and counts what came of it."""

    async def speculation(self) -> Speculation | None:
        """Return the counts since the engine's start; None where it drafts nothing, or does not tell."""
        ...


@runtime_checkable
class ReportsLimits(Protocol):
    """Offered by providers that read rate-limit headers."""

    limits: RateLimits | None


ProviderFactory = Callable[[str, Mapping[str, Any]], Provider]
"""``factory(model, options)``; options are the ``-M key=value`` pairs that are not sampling parameters.

A factory (a class, or its ``from_options``) that needs a key may offer ``for_display`` beside it, with the same
arguments: what that returns shows its wire and identity, needs no key, and makes no call.
"""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """``provider/model`` with what was set for it.

    Attributes:
        name: As the user wrote it, the alias resolved: ``openai/gpt-4o``.
        params: Sampling parameters.
        options: The provider's own options (``base_url``, ``threads``, …).
        alias: What the user called it, for people; None: by its name. It decides nothing.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    alias: str | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """The name, and what the user called it: ``vllm/ORG/MODEL (ngram)``."""
        return labelled(self.name, self.alias)

    @property
    def provider(self) -> str:
        """The part before the first slash."""
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        """The part after the first slash."""
        return self.name.partition("/")[2]
