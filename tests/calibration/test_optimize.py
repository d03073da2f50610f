"""An optimiser rewrites a judge's prompt on the dev part alone, within its budget, and never over the user's file."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from llmkit.calibration.calibrate import calibrate_async
from llmkit.calibration.optimize import optimise
from llmkit.errors import BudgetError, MissingExtraError, ProviderError, UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.labels import Labelled, read_labels
from llmkit.judges.lock import lock_path, read_lock
from llmkit.providers.base import ModelRef
from llmkit.providers.budget import Budget
from llmkit.providers.scripted import Scripted
from llmkit.structured.loop import Answered, Ask
from llmkit.types import Completion, Request
from tests.calibration.measuring import judged_item, labelled, options, right_at
from tests.judges.seats import OneSeat, Table, says, seated, text_of

pytest.importorskip("gepa")

RULE = "A good answer says that it is good."
TASK = "Write the template anew"


def thinks(request: Request) -> bool:
    return TASK in text_of(request)


def better(request: Request) -> str:
    """Adds the rule to the template that it is shown."""
    text = text_of(request)
    body = text[text.index("<template-") :].split(">\n", 1)[1].split("\n</template-")[0]
    return f"Here it is:\n```\n{body.replace('system:', f'system:{chr(10)}{RULE}', 1)}\n```\nThat is all."


def judges(request: Request, *, think: Callable[[Request], str] = better) -> str:
    """Passes everything, until the rule tells it what is good."""
    if thinks(request):
        return think(request)
    _, good = judged_item(request)
    return says("pass" if good or RULE not in text_of(request) else "fail")


def dev_of(judge: Judge, n: int = 12) -> list[Labelled]:
    items = list(read_labels(judge).items)
    return [*items[: n // 2], *items[-n // 2 :]]


async def optimised(judge: Judge, seat: OneSeat, *, budget: int = 200, n: int = 12, seed: int = 0):
    return await optimise(
        judge, dev_of(judge, n), Table(seat), budget_calls=budget, reflection=None, seed=seed,
        folder=judge.path.parent.parent / "prompts",
    )  # fmt: skip


async def test_a_better_prompt_is_found_saved_beside_the_users_own_and_asked_with(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    before = judge.prompt.path.read_bytes()
    found = await optimised(judge, seated(judges))

    assert found.better
    assert found.path == tmp_path / "prompts" / "relevance.gepa.prompty"
    assert RULE in found.path.read_text(encoding="utf-8")
    assert found.judge.prompt.path == found.path
    assert found.judge.fingerprint != judge.fingerprint
    assert judge.prompt.path.read_bytes() == before
    assert found.path.read_text(encoding="utf-8").startswith("---\nname: ")


async def test_the_model_that_thinks_sees_what_people_say_and_only_of_items_of_dev(tmp_path: Path) -> None:
    judge, seat = labelled(tmp_path, n=40), seated(judges)
    dev = {item.subject.id for item in dev_of(judge)}
    await optimised(judge, seat)

    thoughts = [request for request in seat.requests if thinks(request)]
    assert thoughts
    said = "\n".join(map(text_of, thoughts))
    assert "People say: fail. The judge said: pass. That is wrong." in said
    shown = {f"i{number:03d}" for number in range(40) if f"i{number:03d}" in said}
    assert shown and shown <= dev


async def test_in_a_calibration_no_test_label_or_item_reaches_the_optimiser(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=240)
    model = Scripted("judge", {"revision": "1", "log": 100_000}, function=judges)
    how = options(tmp_path, judges, optimize="gepa", probe_items=50)
    found = await calibrate_async(judge, type(how)(**{
        name: getattr(how, name) for name in how.__dataclass_fields__
    } | {"providers": {"scripted/judge": model}}))  # fmt: skip

    assert found is not None and found.status == "calibrated"
    assert found.candidates[0].settings["prompt"] == "relevance.gepa.prompty"
    lock = read_lock(lock_path(judge.path))
    assert lock is not None
    calls = [call.request for call in model.calls]
    last = max(place for place, request in enumerate(calls) if thinks(request))
    for request in calls[: last + 1]:
        assert not [name for name in lock.split["test"] if f"{name} " in text_of(request)]


async def test_in_a_calibration_a_prompt_that_is_no_better_is_no_candidate(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=240)
    found = await calibrate_async(
        judge, options(tmp_path, lambda r: "no idea" if thinks(r) else right_at(0.95)(r), optimize="gepa")
    )
    assert found is not None
    assert [each.settings for each in found.candidates] == [{}]
    assert not list((tmp_path / "prompts").glob("*.gepa*"))


async def test_a_draft_that_cannot_be_asked_scores_nothing_and_the_thinker_is_told_why(tmp_path: Path) -> None:
    def breaks(request: Request) -> str:
        return judges(request, think=lambda _: "```\nsystem:\nDecide.\n\nuser:\n{{ criterion }}\n```")

    judge, seat = labelled(tmp_path, n=40), seated(breaks)
    found = await optimised(judge, seat, budget=60)
    assert not found.better
    assert found.path == judge.prompt.path and found.judge == judge
    assert [path.name for path in (tmp_path / "prompts").iterdir()] == ["relevance.prompty"]
    later = [text_of(request) for request in seat.requests if thinks(request)][1:]
    assert later and all("could not be used: the prompt does not show the judge 'answer'" in said for said in later)


@pytest.mark.parametrize(
    "draft",
    [
        "system:\n{{ criterion }} {% include '../s.md' %}\nuser:\n{{ input }}{{ answer }}{{ reference }}{{ examples}}",
        "system:\n{{ criterion }}\nuser:\n{{ answer | truncate(5) }}{{ input }}{{ reference }}{{ examples }}",
        "system:\n{{ criterion \nuser:\n{{ answer }}",
        "",
    ],
)
async def test_a_draft_that_reads_files_cuts_data_or_is_no_template_is_never_asked(tmp_path: Path, draft: str) -> None:
    (tmp_path / "s.md").write_text("the secret")

    def breaks(request: Request) -> str:
        return judges(request, think=lambda _: f"```\n{draft}\n```")

    judge, seat = labelled(tmp_path, n=40), seated(breaks)
    found = await optimised(judge, seat, budget=60)
    assert not found.better
    assert not [r for r in seat.requests if "the secret" in text_of(r)]


async def test_the_budget_of_calls_is_never_passed(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    for budget in (24, 30, 47, 80):
        seat = seated(judges)
        found = await optimised(judge, seat, budget=budget)
        assert len(seat.requests) <= budget
        assert found.calls <= budget


async def test_the_same_seed_finds_the_same_and_from_the_store_too(tmp_path: Path) -> None:
    judge, seat = labelled(tmp_path, n=40), seated(judges, keeps=True)
    first = await optimised(judge, seat, seed=3)
    asked = len(seat.requests)
    again = await optimised(judge, seat, seed=3)

    assert len(seat.requests) == asked
    assert (again.calls, again.path) == (first.calls, first.path)
    assert again.paid.calls == 0 and first.paid.calls == asked


async def test_another_file_of_that_name_is_never_written_over(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    mine = tmp_path / "prompts" / "relevance.gepa.prompty"
    mine.write_text("mine", encoding="utf-8")
    found = await optimised(judge, seated(judges))
    assert mine.read_text(encoding="utf-8") == "mine"
    assert found.path.name == "relevance.gepa-2.prompty"


async def test_a_model_of_its_own_may_think(tmp_path: Path) -> None:
    judge, thinker, seat = labelled(tmp_path, n=40), seated(judges), seated(judges)
    table = Table({"scripted/judge": seat, "scripted/thinker": thinker})
    await optimise(
        judge, dev_of(judge), table, budget_calls=60, reflection=ModelRef("scripted/thinker", {"temperature": 0.5}),
        seed=0, folder=tmp_path / "prompts",
    )  # fmt: skip
    assert thinker.requests and all(map(thinks, thinker.requests))
    assert not any(map(thinks, seat.requests))
    assert thinker.requests[0].params == {"max_tokens": 3000, "temperature": 0.5}


async def test_half_a_template_is_none(tmp_path: Path) -> None:
    def cut(request: Request) -> str | Completion:
        return Completion(better(request), "length") if thinks(request) else judges(request)

    judge = labelled(tmp_path, n=40)
    found = await optimised(judge, seated(cut), budget=60)
    assert not found.better


async def test_money_that_runs_out_while_it_thinks_ends_it(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    seat = seated(judges, budget=Budget(0.0), billed=True)
    with pytest.raises((BudgetError, UsageError)):
        await optimised(judge, seat)


async def test_a_server_that_fails_while_it_thinks_ends_it(tmp_path: Path) -> None:
    def fails(request: Request) -> str:
        if thinks(request):
            raise ProviderError("auth", "the key is wrong")
        return judges(request)

    with pytest.raises(ProviderError, match="the key is wrong"):
        await optimised(labelled(tmp_path, n=40), seated(fails))


async def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gepa.api", None)
    with pytest.raises(MissingExtraError, match=r"\[gepa\]"):
        await optimised(labelled(tmp_path, n=40), seated(judges))


async def test_too_few_calls_or_no_items_are_refused(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    with pytest.raises(UsageError, match="23 calls are too few"):
        await optimised(judge, seated(judges), budget=23)
    with pytest.raises(UsageError, match="needs labelled items of the dev part"):
        await optimise(
            judge, [], Table(seated(judges)), budget_calls=9, reflection=None, seed=0, folder=tmp_path
        )  # fmt: skip


def test_interrupted_while_a_call_is_under_way_no_thread_is_left(tmp_path: Path) -> None:
    judge, threads = labelled(tmp_path, n=40), threading.active_count()

    async def interrupted() -> None:
        reached = asyncio.Event()

        class Hanging(OneSeat):
            def ask(self, vote: int) -> Ask:
                inner = super().ask(vote)

                async def ask(request: Request, attempt: int) -> Answered:
                    if len(self.asked) >= 15:
                        reached.set()
                        await asyncio.Event().wait()
                    return await inner(request, attempt)

                return ask

        running = asyncio.create_task(optimised(judge, Hanging(Scripted("judge", function=judges))))
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupted())
    assert threading.active_count() == threads
