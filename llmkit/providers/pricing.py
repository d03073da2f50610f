"""What a call costs in dollars: by the user's own prices, else by those that ``genai-prices`` carries.

An unknown price is None, never 0; a model that is not billed costs 0. Prices come with the installed package and
are never fetched.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from llmkit.errors import UnknownNameError, UsageError
from llmkit.types import Usage

MILLION = 1_000_000
FIELDS = ("input", "output", "cached", "cache_write")
HOMES: Mapping[str, str] = MappingProxyType({"openai": "api.openai.com", "anthropic": "api.anthropic.com"})
"""The hosts whose prices are the makers' own. The same model name behind another host has that host's price."""
HINT = 'Set it in llmkit.toml: [prices."{name}"] input = 0.15, output = 0.6 (dollars a million tokens)'


@dataclass(frozen=True, slots=True)
class Rate:
    """Dollars a token.

    Attributes:
        input: A prompt token that was not cached.
        output: A generated token, reasoning included.
        cached: A prompt token read from the provider's cache.
        cache_write: A prompt token written to it.
        worst_input: The dearest that a prompt token can be (written to a long-lived cache, say).
        request: For the call itself.
    """

    input: float
    output: float
    cached: float
    cache_write: float
    worst_input: float
    request: float = 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """A model's rates by length of prompt: past a tier's start *all* tokens cost that tier's rate.

    Attributes:
        tiers: (tokens, rate), ascending; the first starts at -1. A prompt longer than ``tokens`` is in the tier.
    """

    tiers: tuple[tuple[int, Rate], ...]

    def cost(self, usage: Usage) -> float | None:
        """Dollars of one call; None where the tokens are not known."""
        if usage.input is None or usage.output is None:
            return None
        rate = self.at(usage.input)
        cached, written = usage.cached or 0, usage.cache_write or 0
        fresh = max(0, usage.input - cached - written)
        return (
            fresh * rate.input
            + cached * rate.cached
            + written * rate.cache_write
            + usage.output * rate.output
            + rate.request
        )

    def worst(self, input_tokens: int, output_tokens: int) -> float:
        """The most that a call of up to so many tokens can cost, whatever tier it lands in."""
        return max(
            input_tokens * rate.worst_input + output_tokens * rate.output + rate.request
            for start, rate in self.tiers
            if start < input_tokens
        )

    def at(self, input_tokens: int) -> Rate:
        """The rate for a prompt of this length."""
        found = self.tiers[0][1]
        for start, rate in self.tiers[1:]:
            if input_tokens > start:
                found = rate
        return found


class Prices:
    """Prices by provider and model.

    Args:
        overrides: ``provider/model`` → dollars a million tokens: ``input``, ``output``, ``cached``, ``cache_write``.
            Without ``cached`` or ``cache_write`` those tokens cost what input costs.

    Raises:
        UsageError: An override that is no price.
    """

    def __init__(self, overrides: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._overrides = {name: _override(name, price) for name, price in (overrides or {}).items()}
        self._resolved: dict[tuple[object, ...], Rates | None] = {}

    def cost(
        self,
        provider: str,
        model: str,
        usage: Usage,
        *,
        served: str | None = None,
        endpoint: str | None = None,
        billed: bool = True,
        tier: str | None = None,
    ) -> float | None:
        """Dollars of one call.

        Args:
            provider: The part before the slash.
            model: The part after it, as the user asked for it.
            usage: The call's tokens.
            served: The model that answered; its price goes before the asked model's.
            endpoint: The base URL that was called; None: the provider's own.
            billed: ``Capabilities.billed``.
            tier: The service tier that was asked for.

        Returns:
            None where the price or the tokens are not known.
        """
        rates = self.rates(provider, model, served=served, endpoint=endpoint, tier=tier)
        if rates is not None:
            return rates.cost(usage)
        return None if billed else 0.0

    def worst_case(
        self,
        provider: str,
        model: str,
        input_tokens: int,
        max_tokens: int,
        *,
        endpoint: str | None = None,
        billed: bool = True,
        tier: str | None = None,
    ) -> float | None:
        """Dollars that a call of at most so many tokens cannot exceed; None where the price is not known."""
        rates = self.rates(provider, model, endpoint=endpoint, tier=tier)
        if rates is not None:
            return rates.worst(input_tokens, max_tokens)
        return None if billed else 0.0

    def rates(
        self,
        provider: str,
        model: str,
        *,
        served: str | None = None,
        endpoint: str | None = None,
        tier: str | None = None,
    ) -> Rates | None:
        """Find a model's rates once; None where nobody says."""
        key = (provider, model, served, endpoint, tier)
        try:
            return self._resolved[key]
        except KeyError:
            pass
        names = (model,) if served is None or served == model else (model, served)
        rates = next((self._overrides[f"{provider}/{n}"] for n in names if f"{provider}/{n}" in self._overrides), None)
        lasting = True
        for name in reversed(names):
            if rates is None:
                rates, lasting = _published(provider, name, endpoint, tier)
        if lasting:
            self._resolved[key] = rates
        return rates


def unknown_price(name: str) -> UsageError:
    """Build the error for a cap on a model whose price nobody knows."""
    return UsageError(f"the price of {name} is not known, so --max-cost cannot be held", hint=HINT.format(name=name))


def _override(name: str, price: Mapping[str, float]) -> Rates:
    for key, value in price.items():
        if key not in FIELDS:
            raise UnknownNameError(f"field of the price of {name}", key, FIELDS)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
            raise UsageError(f"the price {key} = {value!r} of {name} is no amount", hint=HINT.format(name=name))
    if "input" not in price or "output" not in price:
        raise UsageError(f"the price of {name} needs input and output", hint=HINT.format(name=name))
    fresh = price["input"] / MILLION
    cached, written = (price.get(key, price["input"]) / MILLION for key in ("cached", "cache_write"))
    return Rates(((-1, Rate(fresh, price["output"] / MILLION, cached, written, max(fresh, cached, written))),))


def _published(provider: str, model: str, endpoint: str | None, tier: str | None) -> tuple[Rates | None, bool]:
    """Look a model up in ``genai-prices``; also whether the answer holds for the rest of the run."""
    host = urlsplit(endpoint).hostname if endpoint else None
    home = HOMES.get(provider)
    foreign = host is not None and home is not None and host != home and not host.endswith(f".{home}")
    if foreign and _private(host or ""):
        return None, True  # nobody publishes this machine's prices; and the look-up costs 150 ms of import
    from genai_prices.data_snapshot import get_snapshot

    where: tuple[str | None, str | None] = (None, endpoint) if foreign else (provider, None)
    try:
        _, info = get_snapshot().find_provider_model(model, None, *where)
    except LookupError:
        return None, True
    now = datetime.now(UTC)
    price = info.get_prices(now, {"service_tier": tier} if tier else None)
    return _rates(price), not _by_the_hour(info.prices)


def _rates(price: Any) -> Rates | None:
    """Read a ``genai_prices.types.ModelPrice``: its tiers are cliffs, by the prompt's length."""
    stored = {key: value for key, value in price.__dict__.items() if value is not None}
    if "input_mtok" not in stored or "output_mtok" not in stored:
        return None
    starts = {tier.start for value in stored.values() for tier in getattr(value, "tiers", ())}
    return Rates(tuple((start, _rate(stored, start)) for start in (-1, *sorted(starts))))


def _rate(stored: Mapping[str, Any], start: int) -> Rate:
    def per_token(key: str, otherwise: float) -> float:
        value = stored.get(key)
        if value is None:
            return otherwise
        amount = getattr(value, "base", value)
        for tier in getattr(value, "tiers", ()):
            amount = tier.price if tier.start <= start else amount
        return float(amount) / MILLION

    fresh = per_token("input_mtok", 0.0)
    cached = per_token("cache_read_mtok", fresh)
    written = per_token("cache_write_mtok", fresh)
    worst = max(fresh, cached, written, per_token("cache_write_1h_mtok", 0.0))
    request = float(stored["requests_kcount"]) / 1000 if "requests_kcount" in stored else 0.0
    return Rate(fresh, per_token("output_mtok", 0.0), cached, written, worst, request)


def _by_the_hour(prices: object) -> bool:
    return isinstance(prices, list) and any(hasattr(entry.constraint, "start_time") for entry in prices)


def _private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return address.is_private or address.is_loopback
