"""From a sample to the call to make: rendered, fingerprinted, keyed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from llmkit.errors import LlmkitError
from llmkit.prompts.fingerprint import messages_json
from llmkit.providers.base import Provider
from llmkit.runs import records
from llmkit.runs.key import Keys, Replicate
from llmkit.runs.plan import Plan
from llmkit.runs.records import Job, Outcome
from llmkit.suites.likelihood import Likelihood
from llmkit.types import BadRow, Failure, Message, Request, Sample


def pieces(plan: Plan, provider: Provider) -> Iterator[Job | Outcome]:
    """Yield each sample in each epoch as a job; what cannot be asked is an outcome already."""
    return render(plan, provider, plan.suite.samples(limit=plan.limit))


def render(plan: Plan, provider: Provider, samples: Iterable[Sample | BadRow]) -> Iterator[Job | Outcome]:
    """Like ``pieces``, of these samples, in this order."""
    keys = Keys(provider)
    for sample in samples:
        for epoch in range(1, plan.epochs + 1):
            yield _bad(sample, epoch) if isinstance(sample, BadRow) else _job(plan, keys, sample, epoch)


def request_for(plan: Plan, messages: tuple[Message, ...], epoch: int) -> Request:
    """Return the request; epochs and arms have sampling seeds of their own, or equal seeds would give equal answers."""
    params, shift = plan.model.params, epoch - 1 + max(0, plan.arm - 1) * plan.epochs
    if shift and isinstance(seed := params.get("seed"), int):
        params = {**params, "seed": seed + shift}
    return Request(messages, params)


def comparison_for(plan: Plan, likelihood: Likelihood, messages: tuple[Message, ...], sample: Sample) -> Request:
    """Return the request for continuations' likelihoods; nothing is sampled, so no parameter of sampling is in it.

    Raises:
        ValueError: The row's choices are wrong.
    """
    params = {name: value for name, value in plan.model.params.items() if name == "extra"}
    return Request(messages, params, likelihood.of(sample.row, messages))


def _bad(row: BadRow, epoch: int) -> Outcome:
    message = f"{row.where}: {row.message}" if row.where else row.message
    return Outcome(row.index, epoch, row.id or f"row {row.index}", failure=Failure("data", "bad_row", message))


def _groups(sample: Sample) -> str:
    """Name cluster and slices: the same row, mapped otherwise, is another input, or it would be stored as the first."""
    if sample.cluster is None and not sample.slices:
        return ""
    return json.dumps([sample.cluster, dict(sample.slices)], sort_keys=True)


def _job(plan: Plan, keys: Keys, sample: Sample, epoch: int) -> Job | Outcome:
    try:
        rendered, replicate = plan.suite.render(sample.row), Replicate(epoch=epoch, arm=plan.arm)
        if plan.suite.likelihood is not None:
            request = comparison_for(plan, plan.suite.likelihood, rendered, sample)
            key = keys.key(request, replicate)
        elif plan.form is None:
            request = request_for(plan, rendered, epoch)
            key = keys.key(request, replicate)
        else:
            request = request_for(plan, plan.form.described(rendered, sample.row), epoch)
            key = keys.generation(request, plan.form_digest, replicate)
        fields = records.fields_json(sample.row)
        refs = records.references_json(sample.references)
        messages = messages_json(request.messages)
        input_ = hashlib.sha256(f"{fields}\n{refs}\n{_groups(sample)}".encode()).digest()
        prompt = hashlib.sha256(messages.encode()).digest()
    except (LlmkitError, ValueError) as error:
        where = sample.where or sample.id
        message = str(error) if str(error).startswith(where) else f"{where}: {error}"
        return Outcome(sample.index, epoch, sample.id, failure=Failure("prompt", "render", message))
    return Job(sample, epoch, request, key, input_, prompt, fields, refs, messages)
