"""What a suite needs of a model beside answers: said before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmkit.errors import UsageError
from llmkit.providers.base import LogLikelihoods, Provider
from llmkit.suites.suite import Suite


def check_abilities(suite: Suite, provider: Provider, params: Mapping[str, Any]) -> None:
    """Refuse a model that cannot do what a suite asks for.

    Args:
        suite: What is asked, and how it is scored.
        provider: Who is asked; not started.
        params: The sampling parameters.

    Raises:
        UsageError: It tells no likelihoods of continuations, or no probabilities of tokens, and the suite needs them;
            or nothing asks for the latter.
    """
    name = f"{provider.name}/{provider.model}"
    if suite.likelihood is not None:
        _check_likelihood(name, provider, suite.likelihood.spec.template, suite.where("likelihood"))
        return
    for position, scorer in enumerate(suite.scorers):
        if not getattr(scorer, "reads_logprobs", False):
            continue
        where, who = suite.where("scorers", position), f"the scorer {scorer.name}"
        if not provider.capabilities.logprobs:
            hint = "Take another model, or let the scorer read the letter from the answer: {choice: {by: text}}"
            raise UsageError(f"{who} reads probabilities of tokens, and {name} gives none", where=where, hint=hint)
        if not params.get("top_logprobs"):
            hint = "Write params: {logprobs: true, top_logprobs: 20}, or -M logprobs=true -M top_logprobs=20"
            raise UsageError(f"{who} reads probabilities of tokens, and none are asked for", where=where, hint=hint)


def _check_likelihood(name: str, provider: Provider, template: str, where: str) -> None:
    able = provider.capabilities.loglikelihood if isinstance(provider, LogLikelihoods) else frozenset()
    if template in able:
        return
    if able:
        raise UsageError(
            f"{name} gives log-likelihoods after plain text alone, and the suite asks for the chat template",
            where=where,
            hint="Write likelihood: {template: none, …}, or take local/… or vllm/…, which know the model's template",
        )
    raise UsageError(
        f"{name} does not give the log-likelihood of a continuation",
        where=where,
        hint="local/… and vllm/… do, and openai/… on a server whose /completions echoes log-probabilities, with"
        " -M loglikelihood=true; any model can be asked for the letter instead, with the scorer choice",
    )
