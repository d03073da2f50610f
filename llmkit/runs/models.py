"""Which model a suite runs on, with which parameters, and what decided each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmkit.config import Settings, resolve_model, resolve_params
from llmkit.errors import UsageError
from llmkit.providers.base import ModelRef
from llmkit.providers.params import Params, as_typed, split
from llmkit.providers.registry import normalise, options_model, options_of
from llmkit.suites.suite import Suite


def choose(
    suite: Suite, model: str | ModelRef | None, pairs: Mapping[str, Any], settings: Settings
) -> tuple[ModelRef, dict[str, str]]:
    """Resolve ``-m > suite > prompt > llmkit.toml``, and the same for each parameter.

    Args:
        suite: May name a model and parameters; its prompt may, too.
        model: What the user named; a ``ModelRef`` brings parameters of its own.
        pairs: ``-M key=value`` pairs.
        settings: The project's.

    Returns:
        The model, and name → origin for ``model`` and each parameter, for people.
    """
    suite_where, prompt = suite.where("model"), suite.prompt
    prompt_where = str(prompt.path) if prompt.path else None
    given = model.name if isinstance(model, ModelRef) else model
    named = resolve_model(
        given, suite.model, prompt.model, settings, suite_where=suite_where, prompt_where=prompt.model_where
    )
    own = {**model.params, **model.options} if isinstance(model, ModelRef) else {}
    merged, origins = resolve_params(
        {**own, **pairs}, suite.params, prompt.params, settings, named.called,
        suite_where=suite.where("params"), prompt_where=prompt_where,
    )  # fmt: skip
    ref = _normal(named.model, named.origin)
    own_options = options_model(ref.provider)
    merged = as_typed(pairs, merged, *([Params] if own_options is None else [Params, own_options]))
    params, options = split(merged, options_of(ref.provider))
    alias = named.alias or (model.alias if isinstance(model, ModelRef) else None)
    return ModelRef(ref.name, params, {**ref.options, **options}, alias), {"model": named.origin, **origins}


def _normal(name: str, origin: str) -> ModelRef:
    """Check the name, and say where a wrong one stands: ``prompt add.prompty:3`` names kind and place."""
    try:
        return normalise(ModelRef(name, {}, {}))
    except UsageError as error:
        error.where = error.where or origin.removeprefix("suite ").removeprefix("prompt ")
        raise
