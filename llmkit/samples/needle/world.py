"""A small invented world, written down as letters, minutes and records: people, where they live, what they work on.

Every fact stands in the documents once, so that what is asked has one right answer, known by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

_GIVEN = (
    "Ada", "Bela", "Carla", "Dario", "Edda", "Fadil", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Leon", "Mila", "Nils",
    "Olga", "Pavel", "Quirin", "Rosa", "Sven", "Tilda", "Ugo", "Vera", "Wanda", "Xenia", "Yusuf", "Zora", "Anton",
    "Birgit", "Cyril", "Doris", "Emil", "Frida", "Goran", "Hilda", "Igor", "Jana", "Karim", "Lotte", "Marco", "Nadia",
)  # fmt: skip
_FAMILY = (
    "Abel", "Brandt", "Cermak", "Duval", "Eklund", "Farkas", "Gruber", "Holm", "Ivanov", "Jansen", "Keller",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sandoval", "Toth", "Ulrich", "Varga",
    "Weiss", "Xander",
    "Yilmaz", "Zeman", "Almeida", "Bakker", "Costa", "Dvorak", "Engel", "Fischer", "Garnier", "Hansen", "Ibarra",
    "Jovanovic", "Kovacs", "Larsen", "Mancini", "Nagy", "Olsen", "Pereira", "Rask", "Silva", "Tanaka", "Urban", "Vidal",
    "Winter", "Young", "Zuniga",
)  # fmt: skip
CITIES = (
    "Aarhus", "Bergen", "Cork", "Dresden", "Evora", "Florence", "Ghent", "Haifa", "Innsbruck", "Jena", "Krakow", "Lyon",
    "Malmo", "Nantes", "Oulu", "Porto", "Quito", "Riga", "Split", "Tartu", "Utrecht", "Varna", "Wroclaw", "Zadar",
)  # fmt: skip
_PROJECT = (
    "Anvil", "Beacon", "Cascade", "Delta", "Eclipse", "Fjord", "Glacier", "Harbour", "Iris", "Jasmine", "Kestrel",
    "Lagoon", "Meridian", "Nectar", "Orchard", "Pioneer", "Quarry", "Rampart", "Summit", "Tundra", "Uplift", "Vantage",
    "Willow", "Xylem", "Yonder", "Zephyr",
)  # fmt: skip
_SERIES = ("", " Two", " Three", " Four", " Five", " Six", " Seven", " Eight", " Nine", " Ten")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
PEOPLE_A_PROJECT = 4
FEWEST_PEOPLE = 4
MOST_PEOPLE = len(_PROJECT) * len(_SERIES) * PEOPLE_A_PROJECT
"""1,040 people and 260 projects take some 60,000 tokens; longer contexts are filled up with sentences of no matter."""
_SINCE, _NOW = 1930, 12 * 95
_SPAN = 300
"""Months back within which people joined, where they are so few."""
ABSENT = 64
"""Names that are kept out of the documents, to ask for."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works on one project.

    Attributes:
        joined: Months since January 1930; no two people joined in the same month.
    """

    name: str
    city: str
    project: str
    joined: int


@dataclass(frozen=True, slots=True)
class Project:
    """What people work on. No two have the same budget."""

    name: str
    lead: str
    budget: int


@dataclass(frozen=True, slots=True)
class World:
    """All that is the case.

    Attributes:
        people: At least ``FEWEST_PEOPLE``.
        projects: One for each ``PEOPLE_A_PROJECT`` people, at least two.
        absent: Names of people who are not there.
        text: The documents.
    """

    people: tuple[Person, ...]
    projects: tuple[Project, ...]
    absent: tuple[str, ...]
    text: str


def world(random: Random, people: int) -> World:
    """Invent so many people, with their projects, and write them down in any order."""
    names = [f"{given} {family}" for given, family in product(_GIVEN, _FAMILY)]
    random.shuffle(names)
    there, absent = names[:people], names[people : people + ABSENT]
    titles = [f"{title}{series}" for series in _SERIES for title in random.sample(_PROJECT, len(_PROJECT))]
    titles = titles[: max(2, people // PEOPLE_A_PROJECT)]
    joined = random.sample(range(_NOW - max(_SPAN, people), _NOW), people)
    persons = tuple(
        # The first people go round all projects, so that each has someone to lead it.
        Person(name, random.choice(CITIES), titles[n] if n < len(titles) else random.choice(titles), months)
        for n, (name, months) in enumerate(zip(there, joined, strict=True))
    )
    budgets = random.sample(range(11, 11 + 4 * max(200, len(titles))), len(titles))
    projects = tuple(
        Project(title, random.choice([p.name for p in persons if p.project == title]), 1000 * budget)
        for title, budget in zip(titles, budgets, strict=True)
    )
    documents = [*(_of_person(random, p) for p in persons), *(_of_project(random, p) for p in projects)]
    random.shuffle(documents)
    return World(persons, projects, tuple(absent), "\n".join(documents))


def month(number: int) -> str:
    """Write a month: ``March 2004``."""
    return f"{_MONTHS[number % 12]} {_SINCE + number // 12}"


def _of_person(random: Random, p: Person) -> str:
    since = month(p.joined)
    return random.choice(
        (
            f"Record. Name: {p.name}. Home: {p.city}. Joined: {since}. Project: {p.project}.",
            f"Letter. Dear colleagues, I have been with you since {since} and now live in {p.city}. My days belong to"
            f" the project {p.project}. With kind regards, {p.name}.",
            f"Minutes. {p.name}, who joined in {since}, reported from {p.city} on the project {p.project}.",
            f"Note. {p.name} works on the project {p.project}, lives in {p.city} and came to us in {since}.",
        )
    )


def _of_project(random: Random, p: Project) -> str:
    budget = f"{p.budget:,} euros"
    return random.choice(
        (
            f"Minutes. The project {p.name} is led by {p.lead}. Its budget of {budget} was approved.",
            f"Letter. To the board: the budget of the project {p.name} is {budget}, and {p.lead} leads it.",
            f"Record. Project: {p.name}. Lead: {p.lead}. Budget: {budget}.",
        )
    )
