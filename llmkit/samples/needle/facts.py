"""Questions over many facts: one fact, two hops, counting, comparing, and what is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from llmkit.samples.needle.spec import Question
from llmkit.samples.needle.world import CITIES, Person, World

NONE = "none"
"""What is right where the documents do not say."""
_LINED_UP = 4
"""Names of which one may be missing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its one right answer, and what other answers of its kind would be."""

    question: str
    answer: str
    distractors: tuple[str, ...]


def ask(question: Question, random: Random, world: World) -> Asked:
    """Draw a question of a kind; its answer follows from the world."""
    return _KINDS[question](random, world)


def _one_fact(random: Random, world: World) -> Asked:
    person = random.choice(world.people)
    return _city(f"In which city does {person.name} live?", person)


def _two_hops(random: Random, world: World) -> Asked:
    project = random.choice(world.projects)
    lead = next(p for p in world.people if p.name == project.lead)
    return _city(f"In which city does the person live who leads the project {project.name}?", lead)


def _count(random: Random, world: World) -> Asked:
    project = random.choice(world.projects)
    count = sum(p.project == project.name for p in world.people)
    others = tuple(str(n) for n in range(max(20, 2 * count)) if n != count)
    return Asked(
        f"How many people work on the project {project.name}? Answer with a number in digits.", str(count), others
    )


def _compare(random: Random, world: World) -> Asked:
    if random.random() < 0.5:
        best = max(world.projects, key=lambda p: p.budget)
        others = tuple(p.name for p in world.projects if p.name != best.name)
        return Asked("Which project has the largest budget?", best.name, _apart(others, best.name))
    first = min(world.people, key=lambda p: p.joined)
    return Asked("Who of all people joined first?", first.name, tuple(p.name for p in world.people if p is not first))


def _missing(random: Random, world: World) -> Asked:
    names = [p.name for p in random.sample(world.people, _LINED_UP)]
    answer = NONE
    if random.random() < 0.5:
        answer = names[random.randrange(_LINED_UP)] = random.choice(world.absent)
    others = tuple(name for name in (*names, NONE) if name != answer)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return Asked(f"Which of these people is not mentioned: {listed}? Answer none if all of them are.", answer, others)


def _city(question: str, person: Person) -> Asked:
    return Asked(question, person.city, tuple(city for city in CITIES if city != person.city))


def _apart(names: tuple[str, ...], answer: str) -> tuple[str, ...]:
    """Leave out what an answer holds anyway: ``Anvil`` in ``Anvil Two``."""
    return tuple(name for name in names if name not in answer)


_KINDS: Mapping[Question, Callable[[Random, World], Asked]] = {
    "one_fact": _one_fact,
    "two_hops": _two_hops,
    "count": _count,
    "compare": _compare,
    "missing": _missing,
}
