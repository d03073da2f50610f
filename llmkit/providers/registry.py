"""Names of providers → providers: the built-in ones, and those that other packages add by an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from llmkit.errors import ProviderError, UnknownNameError, UsageError
from llmkit.providers.base import ModelRef, Provider, ProviderFactory, SpeaksWire
from llmkit.providers.params import NamesText, check_params
from llmkit.redact import names_secret, strip_credentials
from llmkit.types import Request

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pydantic import BaseModel

GROUP = "llmkit.providers"
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "llmkit.providers.anthropic:Anthropic",
        "local": "llmkit.providers.local:Local",
        "openai": "llmkit.providers.openai:OpenAI",
        "scripted": "llmkit.providers.scripted:Scripted",
        "vllm": "llmkit.providers.vllm.choice:Vllm",
    }
)
_MAKERS = {"gpt": "openai", "chatgpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude": "anthropic"}
_URL_MARKS = ("@http://", "@https://")
_AT_URL = frozenset({"openai", "vllm", "anthropic"})


def known() -> list[str]:
    """Names of all providers, built-in and installed."""
    return sorted({*BUILT_IN, *_installed()})


def create(ref: ModelRef, *, display: bool = False) -> Provider:
    """Build the provider of a model; nothing is started or called yet.

    Args:
        ref: The model.
        display: Built to show, price and look up requests: it needs no API key, and without one cannot be started.

    Raises:
        UsageError: The name, an option or a parameter is wrong.
        MissingKeyError: No API key.
    """
    ref = normalise(ref)
    check_params(ref.params)
    factory = _factory(ref.provider, display=display)
    provider = factory(ref.model, dict(ref.options))
    if ref.provider in _AT_URL and isinstance(provider, SpeaksWire):
        provider.wire(Request((), ref.params))  # a parameter that the wire cannot carry is said now, not a call later
    return provider


def public(ref: ModelRef) -> ModelRef:
    """Return what may be shown and stored: in the normal form, its URL without credentials, no secret among options."""
    ref = normalise(ref)
    options = _without_secrets(ref.options)
    if isinstance(url := options.get("base_url"), str):
        options["base_url"] = strip_credentials(url)
    return replace(ref, options=options)


def _without_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_secrets(value) if isinstance(value, Mapping) else value
        for name, value in options.items()
        if not names_secret(str(name))
    }


def normalise(ref: ModelRef) -> ModelRef:
    """Check the form ``provider/model`` and move a trailing ``@http://…`` into the option ``base_url``.

    Raises:
        UsageError: No provider, or no model.
        UnknownNameError: No such provider.
    """
    if "/" not in ref.name:
        maker = next((maker for start, maker in _MAKERS.items() if ref.name.startswith(start)), None)
        if _exists(ref.name):
            raise UsageError(f"{ref.name!r} names no model", hint=f"Write it as {ref.name}/MODEL")
        raise UsageError(
            f"model {ref.name!r} names no provider",
            hint=f"Did you mean '{maker}/{ref.name}'?" if maker else "Write it as provider/model, say openai/gpt-4o",
        )
    if not _exists(ref.provider):
        raise UnknownNameError("provider", ref.provider, known())
    if not ref.model:
        raise UsageError(f"{ref.name!r} names no model", hint=f"Write it as {ref.provider}/MODEL")
    if ref.provider in _AT_URL:
        for mark in _URL_MARKS:
            model, found, rest = ref.model.partition(mark)
            if found and "base_url" in ref.options:
                raise UsageError("the server's URL is given twice: in the model's name and as base_url")
            if found:
                options = {**ref.options, "base_url": mark[1:] + rest}
                return replace(ref, name=f"{ref.provider}/{model}", options=options)
    return ref


def options_model(name: str) -> type[BaseModel] | None:
    """The model of a provider's own options; None where a third party's factory has none.

    Raises:
        UnknownNameError: No such provider.
    """
    if not _exists(name):
        raise UnknownNameError("provider", name, known())
    model = getattr(_target(name), "Options", None)
    return model if hasattr(model, "model_fields") else None


def options_of(name: str) -> frozenset[str] | None:
    """Names of a provider's own options; None where a third party's factory does not say.

    Raises:
        UnknownNameError: No such provider.
    """
    model = options_model(name)
    return None if model is None else frozenset(model.model_fields)


def text_options(name: str) -> dict[str, NamesText]:
    """A provider's options that are a text or the path of its file, by name.

    Raises:
        UnknownNameError: No such provider.
    """
    fields = getattr(options_model(name), "model_fields", {})
    return {key: mark for key, field in fields.items() for mark in field.metadata if isinstance(mark, NamesText)}


def _exists(name: str) -> bool:
    return name in BUILT_IN or name in _installed()  # the second reads every installed package's metadata


def _factory(name: str, *, display: bool) -> ProviderFactory:
    target = _target(name)
    if display and hasattr(target, "for_display"):
        return target.for_display  # type: ignore[no-any-return]
    factory: ProviderFactory = getattr(target, "from_options", target)
    return factory


def _target(name: str) -> Any:
    path = BUILT_IN.get(name)
    if path is not None:
        module, _, attribute = path.partition(":")
        return getattr(import_module(module), attribute)
    entry = _installed()[name]
    try:
        return entry.load()
    except Exception as error:  # another package's code: whatever it raises, the user must see whose it is
        raise ProviderError(
            "bad_request", f"provider {name!r} of the package {_package(entry)} cannot be loaded: {error!r}"
        ) from error


def _installed() -> dict[str, EntryPoint]:
    """Third parties' providers. A built-in name cannot be taken over."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN}


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value
