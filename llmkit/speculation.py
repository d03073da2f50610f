"""What speculative decoding came to: how much was drafted, and how much of it the model accepted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speculation:
    """Counts over the steps in which tokens were drafted, under vLLM's names (``vllm/v1/spec_decode/metrics.py``).

    Attributes:
        drafts: Steps with a draft.
        drafted: Tokens in all drafts.
        accepted: Of them, those that the model accepted.
        by_position: Of ``accepted``, those at each place of a draft; empty where that is not told.
    """

    drafts: int
    drafted: int
    accepted: int
    by_position: tuple[int, ...] = ()

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted tokens a drafted one; None where nothing was drafted."""
        return self.accepted / self.drafted if self.drafted else None

    @property
    def accepted_length(self) -> float | None:
        """Tokens a step yields on average: the accepted ones, and the one that the model adds itself."""
        return 1 + self.accepted / self.drafts if self.drafts else None

    def since(self, before: Speculation) -> Speculation:
        """Return what was counted after ``before``; an engine that was started anew counts from 0."""
        if before.drafts > self.drafts:
            return self
        old = before.by_position + (0,) * (len(self.by_position) - len(before.by_position))
        return Speculation(
            self.drafts - before.drafts,
            self.drafted - before.drafted,
            self.accepted - before.accepted,
            tuple(now - then for now, then in zip(self.by_position, old, strict=False)),
        )

    def plus(self, other: Speculation) -> Speculation:
        """Return the counts of both, of a run that was gone on with."""
        most = max(len(self.by_position), len(other.by_position))
        one, two = (each.by_position + (0,) * (most - len(each.by_position)) for each in (self, other))
        return Speculation(
            self.drafts + other.drafts,
            self.drafted + other.drafted,
            self.accepted + other.accepted,
            tuple(a + b for a, b in zip(one, two, strict=True)),
        )
