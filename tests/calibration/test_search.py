"""The best configuration is found on labelled items; no verdict is asked for twice."""

import re
from dataclasses import replace

import pytest

from llmkit.calibration.candidates import Configuration, candidates, read_grid
from llmkit.calibration.search import cross_search, search
from llmkit.config import load_settings
from llmkit.errors import BudgetError
from llmkit.judges.labels import Labelled
from llmkit.judges.subject import Subject
from llmkit.providers.base import ModelRef
from llmkit.providers.budget import Budget
from llmkit.providers.pricing import Prices
from llmkit.providers.scripted import Scripted
from tests.judges.project import judge_of
from tests.judges.seats import OneSeat, Table, says, seated, text_of


def items(count):
    return [Labelled(Subject(f"i{n}", answer=f"<<{n}>>"), "pass" if n % 2 else "fail") for n in range(count)]


def number_of(request):
    return int(text_of(request).partition("<<")[2].partition(">>")[0])


def right_on(rule):
    """A model that is right where ``rule`` holds of the item's number, and wrong elsewhere."""

    def answer(request):
        n = number_of(request)
        return says("pass" if bool(n % 2) == rule(n) else "fail")

    return answer


def field(tmp_path, **models):
    """Configurations and seats, one a model."""
    judge = judge_of(tmp_path)
    made = [
        Configuration(name, {"model": f"scripted/{name}"}, replace(judge, model=ModelRef(f"scripted/{name}")))
        for name in models
    ]
    return made, Table({f"scripted/{name}": seated(answer) for name, answer in models.items()})


GOOD, FAIR, BAD = right_on(lambda n: n % 20 != 0), right_on(lambda n: n % 3 != 0), right_on(lambda n: n % 4 == 0)


async def test_the_best_is_chosen_and_the_worse_stop_early(tmp_path):
    configurations, seats = field(tmp_path, bad=BAD, good=GOOD, fair=FAIR)
    found = await search(configurations, items(80), seats, seed=0)
    assert [each.name for each in found.candidates] == ["good", "fair", "bad"]
    assert found.chosen.model.name == "scripted/good"
    assert [each.stopped for each in found.candidates] == [False, True, True]
    assert found.candidates[0].dev.value == pytest.approx((36 / 40 + 1) / 2)
    assert found.candidates[0].n == 80 > found.candidates[1].n > found.candidates[2].n


async def test_what_was_asked_and_what_was_spared_is_counted(tmp_path):
    configurations, seats = field(tmp_path, bad=BAD, good=GOOD)
    found = await search(configurations, items(60), seats, seed=0)
    asked = sum(len(seat.requests) for seat in seats.seats.values())
    assert found.planned_calls == 120
    assert found.saved_calls == 120 - asked > 30
    assert found.paid.calls == asked


async def test_the_verdicts_of_the_best_one_are_kept_and_it_is_tested_against_the_second(tmp_path):
    configurations, seats = field(tmp_path, good=GOOD, fair=FAIR)
    dev = items(60)
    found = await search(configurations, dev, seats, seed=0)
    assert set(found.verdicts) == {item.subject.id for item in dev}
    assert [each.name for each in found.candidates] == ["good", "fair"]
    assert 0 < found.runner_up_p < 1


async def test_a_verdict_that_cannot_be_read_is_no_right_one(tmp_path):
    configurations, seats = field(tmp_path, mute=lambda request: "Well…", fair=FAIR)
    found = await search(configurations, items(40), seats, seed=0)
    assert found.chosen.model.name == "scripted/fair"
    mute = found.candidates[1]
    assert (mute.name, mute.unread, mute.dev.value) == ("mute", mute.n, None)


async def test_one_configuration_judges_all_items(tmp_path):
    configurations, seats = field(tmp_path, fair=FAIR)
    found = await search(configurations, items(12), seats, seed=0)
    assert found.runner_up_p is None
    assert (len(found.verdicts), found.planned_calls, found.saved_calls) == (12, 12, 0)


async def test_the_same_seed_asks_the_same(tmp_path):
    asked = []
    for _ in range(2):
        configurations, seats = field(tmp_path, good=GOOD, bad=BAD)
        await search(configurations, items(40), seats, seed=3)
        asked.append([sorted(map(number_of, seat.requests)) for seat in seats.seats.values()])
    assert asked[0] == asked[1]


async def test_progress_is_told_of_each_verdict(tmp_path):
    configurations, seats = field(tmp_path, good=GOOD, bad=BAD)
    told = []
    await search(configurations, items(20), seats, seed=0, progress=lambda *said: told.append(said))
    assert [done for done, _, _ in told] == list(range(1, len(told) + 1))
    assert {most for _, most, _ in told} == {40}


async def test_the_end_of_the_money_ends_the_search(tmp_path):
    configurations, _ = field(tmp_path, good=GOOD)
    model = Scripted("judge", {"billed": True}, function=GOOD)
    prices = Prices({"scripted/judge": {"input": 1.0, "output": 1_000.0}})
    seat = OneSeat(model, budget=Budget(0.5), prices=prices)
    with_limit = replace(configurations[0].judge, model=ModelRef("scripted/judge", {"max_tokens": 100}))
    with pytest.raises(BudgetError):
        await search([replace(configurations[0], judge=with_limit)], items(200), Table(seat), seed=0)
    assert 0 < model.made < 200


async def test_each_fold_is_judged_by_what_was_chosen_without_it(tmp_path):
    # On the first 15 of 30 items "early" is perfect and "late" wrong, and the other way round on the rest.
    early, late = right_on(lambda n: n < 15), right_on(lambda n: n >= 15)
    configurations, seats = field(tmp_path, early=early, late=late)
    every = items(30)
    folds = [every[:15], every[15:]]
    found = await cross_search(configurations, folds, seats, seed=0)
    assert [choice.name for choice in found.choices] == ["late", "early"]
    wrong = [found.verdicts[item.subject.id].label != item.label for item in every]
    assert all(wrong)  # what was chosen on one half is of no use on the other, and the figures say so


async def test_cross_fitting_asks_for_no_verdict_twice_and_chooses_on_all_at_last(tmp_path):
    configurations, seats = field(tmp_path, good=GOOD, fair=FAIR)
    every = items(60)
    found = await cross_search(configurations, [every[at::5] for at in range(5)], seats, seed=0)
    for seat in seats.seats.values():
        asked = list(map(number_of, seat.requests))
        assert len(asked) == len(set(asked))
    assert found.final.chosen.model.name == "scripted/good"
    assert [choice.name for choice in found.choices] == ["good"] * 5
    assert set(found.verdicts) == {item.subject.id for item in every}
    assert found.final.planned_calls == 120
    assert found.final.saved_calls == 120 - sum(len(seat.requests) for seat in seats.seats.values())


async def test_no_prompt_holds_a_label_but_those_of_the_few_shot_part(tmp_path):
    judge, every = judge_of(tmp_path), items(40)
    pool, dev = every[:4], every[4:]
    (tmp_path / "grid.yaml").write_text("few_shot: [0, 2, 4]\nmethod: [{reason: before}, {reason: none}]\n")
    grid = read_grid(tmp_path / "grid.yaml")
    seat = seated(lambda request: says("pass"))
    found = candidates(judge, grid, pool, settings=load_settings(tmp_path))
    await search(found, dev, Table(seat), seed=0)
    shown = set()
    for request in seat.requests:
        text = text_of(request)
        numbers = [int(n) for n in re.findall(r"<<(\d+)>>", text)]
        assert len(set(numbers) & set(range(4, 40))) == 1  # what is judged, and no other item of dev
        assert text.count("Verdict: ") == len(numbers) - 1
        shown |= {n for n in numbers if n < 4}
    assert shown == {0, 1, 2, 3}
