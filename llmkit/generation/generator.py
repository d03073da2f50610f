"""A prompt, a form and validators on models: opened once, asked for as many answers as are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from llmkit.canonical import digest
from llmkit.generation.models import Models
from llmkit.generations import Result
from llmkit.judges.validator import JUDGES
from llmkit.prompts import Prompt
from llmkit.runs.key import identity
from llmkit.structured.format import Binds, Format
from llmkit.structured.loop import Policy, Task, Watch, generate
from llmkit.structured.strategy import Wanted
from llmkit.structured.validators import Validator, signature_of

T = TypeVar("T")


@dataclass(frozen=True)
class Generator(Generic[T]):
    """What is wanted of which models.

    Attributes:
        prompt: What is asked.
        form: The form of the answer.
        models: Entered already.
        validators: What else must hold.
        strategy: In the place of the options' own, where several share the models.
        policy: Likewise.
    """

    prompt: Prompt
    form: Format[T]
    models: Models
    validators: tuple[Validator, ...] = field(default=())
    strategy: Wanted | None = None
    policy: Policy | None = None

    async def one(
        self,
        row: Mapping[str, Any],
        *,
        replicate: int = 1,
        data: Any = None,
        also: Sequence[Validator] = (),
        watch: Watch | None = None,
    ) -> Result[T]:
        """Generate one answer.

        Args:
            row: The fields that the prompt is rendered with.
            replicate: Which of several generations of the same row this is, from 1.
            data: ``context`` for parsing and validators.
            also: Further validators, of this answer alone.
            watch: Sees the attempts while they are made.

        Raises:
            GenerationFailed: No valid answer; with the bill.
            LlmkitError: Nothing could be asked.
        """
        return await self.obtain(self.task(row, data=data, also=also, watch=watch), replicate=replicate)

    def task(
        self,
        row: Mapping[str, Any],
        *,
        data: Any = None,
        also: Sequence[Validator] = (),
        watch: Watch | None = None,
    ) -> Task[T]:
        """Say what is wanted of one row; the arguments are those of ``one``.

        Raises:
            LlmkitError: The row lacks what the prompt or the form needs.
        """
        binds = self._binds
        form: Format[T] = self.form if binds is None else binds.bind(row)
        return Task(self.prompt.render(row), form, (*self.validators, *also), row, data, watch=watch)

    async def obtain(self, task: Task[T], *, replicate: int = 1) -> Result[T]:
        """Generate the answer to a task; raises as ``one`` does."""
        speakers = self.models.speakers(
            task.form, bound=self._binds is not None, replicate=replicate, strategy=self.strategy
        )
        with JUDGES.seated(self.models.seats):
            return await generate(task, speakers, self.policy or self.models.options.policy())

    @cached_property
    def _binds(self) -> Binds | None:
        """The form, where each row has its own; asked once, as to ask takes as long as to render a prompt."""
        return self.form if isinstance(self.form, Binds) else None

    def definition(self) -> Mapping[str, Any]:
        """Return all that decides an answer, as plain data, each part under the name that people know it by."""
        policy, strategy = self.policy or self.models.options.policy(), self.strategy or self.models.options.strategy
        return {
            "prompt": self.prompt.template_fingerprint or self.prompt.fingerprint,
            "format": [self.form.name, dict(self.form.definition())],
            "models": [
                [identity(provider), dict(ref.params)]
                for provider, ref in zip(self.models.providers, self.models.refs, strict=True)
            ],
            "validators": [signature_of(v) for v in self.validators],
            "strategy": strategy,
            "feedback": policy.feedback,
            "max_attempts": policy.max_attempts,
            "repair": policy.repair,
        }

    def digest(self) -> str:
        """Return the hash of all that decides an answer: prompt, form, models, strategy, attempts, validators."""
        return digest(self.definition())
