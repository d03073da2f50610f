"""In which order a run's jobs are asked: as they come, or such that equal beginnings of prompts follow each other.

An engine that keeps what it computed of a prompt computes the next one's common beginning not again, as long as that
lies in its memory still. Data often have it interleaved (question 1 of every document, then question 2), and with more
documents than the engine's memory holds every beginning is thrown away before it is asked again. Sorted by text,
prompts with the longest common beginnings are neighbours.

The order decides nothing but the speed: what is rendered, looked up and fingerprinted has been before.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmkit.providers.base import Provider
from llmkit.runs.records import Job

JOBS = 4096
"""Jobs held back at most, so that a million rows stream. It is several times what an engine computes at once (256, or
a thousand on a large card), so that whole groups lie in a window; and rendering that many takes under a second, which
is how long the engine waits for the first."""
TEXT = 16 * 2**20
"""Characters of prompts held back at most. Each is in memory some four times (messages, their JSON, the row, its JSON):
long documents fill the window before 4,096 of them are gigabytes."""


class AsGiven:
    """Lets each job go at once."""

    def add(self, job: Job) -> Sequence[Job]:
        """Take a job; returns those to ask now, in order."""
        return (job,)

    def rest(self) -> Sequence[Job]:
        """Return those still held back, in order."""
        return ()


class Grouped:
    """Holds jobs back until a window is full, and lets them go sorted by prompt; equal ones as they came.

    The epochs of one sample have one prompt, so they stay together; a window ends between samples, never within one
    (unless it holds nothing else).

    Args:
        jobs: Held back at most.
        text: Characters of prompts held back at most, beyond the first job.
    """

    def __init__(self, jobs: int = JOBS, text: int = TEXT) -> None:
        self._jobs, self._text = jobs, text
        self._held: list[Job] = []
        self._length = 0

    def add(self, job: Job) -> Sequence[Job]:
        """Take a job; returns those to ask now, in order."""
        full = len(self._held) >= self._jobs or self._length + len(job.messages) > self._text
        ready = self._sorted(job.sample.index) if full else ()
        self._held.append(job)
        self._length += len(job.messages)
        return ready

    def rest(self) -> Sequence[Job]:
        """Return those still held back, in order."""
        return self._sorted(None)

    def _sorted(self, under_way: int | None) -> Sequence[Job]:
        """Let go all but the sample that is under way."""
        ready = [job for job in self._held if job.sample.index != under_way]
        if not ready:  # a sample of more epochs than a window holds
            ready, under_way = self._held, None
        self._held = [] if under_way is None else [job for job in self._held if job.sample.index == under_way]
        self._length = sum(len(job.messages) for job in self._held)
        return sorted(ready, key=lambda job: job.messages)


def ordering(provider: Provider) -> AsGiven | Grouped:
    """Return how a run over all of its samples is ordered for this provider."""
    return Grouped() if provider.capabilities.reuses_prefixes else AsGiven()
