"""Questions over many facts: their answers are read here from the documents, not from the world behind them."""

import re
from random import Random

import pytest

from llmkit.samples.needle.facts import ask
from llmkit.samples.needle.world import CITIES, world

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
PERSON = [
    r"Record\. Name: (?P<name>.+?)\. Home: (?P<city>\w+)\. Joined: (?P<since>\w+ \d+)\. Project: (?P<project>.+?)\.",
    r"Letter\. Dear .* since (?P<since>\w+ \d+) and now live in (?P<city>\w+)\. .* the project (?P<project>.+?)\."
    r" With kind regards, (?P<name>.+)\.",
    r"Minutes\. (?P<name>[^,]+), who joined in (?P<since>\w+ \d+), reported from (?P<city>\w+) on the project"
    r" (?P<project>.+?)\.",
    r"Note\. (?P<name>.+?) works on the project (?P<project>.+?), lives in (?P<city>\w+) and came .* in"
    r" (?P<since>.+)\.",
]
PROJECT = [
    r"Minutes\. The project (?P<name>.+?) is led by (?P<lead>.+?)\. Its budget of (?P<budget>[\d,]+) euros .*",
    r"Letter\. To the board: the budget of the project (?P<name>.+?) is (?P<budget>[\d,]+) euros, and"
    r" (?P<lead>.+) leads it\.",
    r"Record\. Project: (?P<name>.+?)\. Lead: (?P<lead>.+?)\. Budget: (?P<budget>[\d,]+) euros\.",
]


def read(text):
    """The people and the projects that the documents tell of."""
    people, projects = {}, {}
    for line in text.split("\n"):
        for patterns, found in ((PERSON, people), (PROJECT, projects)):
            if match := next(filter(None, (re.fullmatch(p, line) for p in patterns)), None):
                assert match["name"] not in found
                found[match["name"]] = match.groupdict()
                break
        else:
            raise AssertionError(line)
    return people, projects


def since(person):
    month, year = person["since"].split()
    return int(year), MONTHS.index(month)


def asked(kind, seed, size=24):
    made = world(Random(seed), size)
    return (*read(made.text), ask(kind, Random(seed + 1), made))


SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_fact(seed):
    people, _, one = asked("one_fact", seed)
    name = re.fullmatch(r"In which city does (.+) live\?", one.question)[1]
    assert one.answer == people[name]["city"]
    assert {one.answer, *one.distractors} == set(CITIES)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_hops(seed):
    people, projects, one = asked("two_hops", seed)
    name = re.fullmatch(r"In which city does the person live who leads the project (.+)\?", one.question)[1]
    assert one.answer == people[projects[name]["lead"]]["city"]


@pytest.mark.parametrize("seed", SEEDS)
def test_count(seed):
    people, _, one = asked("count", seed)
    name = re.match(r"How many people work on the project (.+)\?", one.question)[1]
    assert one.answer == str(sum(p["project"] == name for p in people.values()))
    assert one.answer not in one.distractors


@pytest.mark.parametrize("seed", SEEDS)
def test_compare(seed):
    people, projects, one = asked("compare", seed)
    if "budget" in one.question:
        best = max(projects.values(), key=lambda p: int(p["budget"].replace(",", "")))
    else:
        best = min(people.values(), key=since)
    assert one.answer == best["name"]
    assert one.answer not in one.distractors


@pytest.mark.parametrize("seed", SEEDS)
def test_missing(seed):
    people, _, one = asked("missing", seed)
    names = re.fullmatch(r"Which of these people is not mentioned: (.+)\? Answer none .*", one.question)[1]
    absent = [name for name in re.split(r", | and ", names) if name not in people]
    assert [one.answer] == (absent or ["none"])
    assert one.answer not in one.distractors


def test_both_readings_of_what_is_missing_occur():
    assert {asked("missing", seed)[2].answer == "none" for seed in SEEDS} == {True, False}


def test_every_project_has_a_lead_who_works_on_it():
    people, projects = read(world(Random(5), 200).text)
    assert len(people) == 200
    assert len(projects) == 50
    assert all(people[p["lead"]]["project"] == name for name, p in projects.items())
