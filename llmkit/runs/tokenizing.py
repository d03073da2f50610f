"""Rows whose lengths are counted by the tokenizer of the model that is asked: made once the model is known."""

from __future__ import annotations

from dataclasses import replace

from llmkit.errors import ProviderError, UsageError
from llmkit.providers.base import Provider, Tokenizes
from llmkit.samples import NeedleSource
from llmkit.suites.suite import Suite

NAME_ONE = (
    "Name one with --tokenizer, or in the suite as tokenizer: hf:OWNER/NAME, the path of a tokenizer.json, or"
    " characters:4 (roughly)"
)


def wants_model(suite: Suite) -> bool:
    """Whether a suite's rows cannot be made before its model is known."""
    return isinstance(suite.source, NeedleSource) and suite.source.wants_model


def bound(suite: Suite, provider: Provider) -> Suite:
    """Return the suite with its rows made by the provider's tokenizer, where it wants that; else the suite itself.

    Raises:
        UsageError: The provider has no tokenizer that can be asked.
        DataError: The rows cannot be made.
    """
    source = suite.source
    if not isinstance(source, NeedleSource) or not source.wants_model:
        return suite
    if not isinstance(provider, Tokenizes):
        raise UsageError(
            f"{provider.name} does not say how a text falls into tokens of {provider.model}",
            where=source.location,
            hint=NAME_ONE,
        )
    try:
        with provider.tokenizer() as tokenizer:
            return replace(suite, source=source.bound(tokenizer))
    except UsageError as error:
        error.where = error.where or source.location
        raise
    except ProviderError as error:
        raise UsageError(
            f"the tokenizer of {provider.name}/{provider.model} cannot be asked: {error.message}",
            where=source.location,
            hint=NAME_ONE,
        ) from error
