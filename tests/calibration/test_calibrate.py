"""From labels to a lock: measured on items that nothing was chosen by, and never more than the labels can show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llmkit.calibration.calibrate import calibrate, calibrate_async
from llmkit.calibration.options import CalibrateHooks, CalibrateOptions, Outlay
from llmkit.calibrations import Calibration
from llmkit.canonical import canonical
from llmkit.errors import BudgetError, UsageError
from llmkit.judges.judge import Judge
from llmkit.judges.lock import lock_path, read_lock
from llmkit.providers.scripted import Scripted
from llmkit.reports import calibration_words as words
from llmkit.reports.calibration_document import calibration_document
from llmkit.types import Request
from tests.calibration.measuring import judged_item, labelled, options, right_at
from tests.judges.seats import says, text_of

GRID = "few_shot: [0, 4]\nmethod: [{reason: before}, {reason: none}]\n"


async def calibrated(judge: Judge, how: CalibrateOptions) -> Calibration:
    found = await calibrate_async(judge, how)
    assert found is not None
    return found


async def test_a_judge_that_is_right_95_times_of_100_is_calibrated(tmp_path: Path) -> None:
    found = await calibrated(labelled(tmp_path), options(tmp_path, right_at(0.95), probe_items=50))

    assert found.status == "calibrated", found.reasons
    assert found.test.tpr is not None and found.test.tpr.n == 100
    assert found.looks == 1 and found.estimator == "post-stratified"


@pytest.mark.parametrize("rate", [0.5, 0.6])
async def test_a_judge_that_guesses_is_refused_with_its_counts(tmp_path: Path, rate: float) -> None:
    found = await calibrated(labelled(tmp_path), options(tmp_path, right_at(rate)))

    assert found.status == "refused"
    assert any("TPR" in reason or "TNR" in reason for reason in found.reasons)
    assert (found.estimator, found.worth.corrected_width) == (None, None)  # and nothing says that it corrects
    assert found.estimator_why.startswith("the judge was refused: ")
    lock = read_lock(lock_path(tmp_path / "judges" / "relevance.yaml"))
    assert lock is not None and lock.status == "refused"


async def test_few_labels_make_a_good_judge_provisional_and_say_how_many_more(tmp_path: Path) -> None:
    found = await calibrated(labelled(tmp_path, n=24), options(tmp_path, lambda request: right_at(1.0)(request)))

    assert found.status == "provisional"
    assert found.needs


async def test_the_lock_holds_counts_from_which_every_figure_comes_back(tmp_path: Path) -> None:
    from llmkit.judges.figures import figures_of

    judge = labelled(tmp_path)
    found = await calibrated(judge, options(tmp_path, right_at(0.95)))
    lock = read_lock(lock_path(judge.path))

    assert lock is not None and lock.id == found.lock
    assert figures_of(judge.scale, lock.test) == found.test
    assert lock.definition == judge.fingerprint
    assert set(lock.split["test"]) == {f"i{number:03d}" for number in range(200)}
    assert set(lock.files) == {"definition", "criterion", "prompt", "labels", "items"}


async def test_copies_are_tested_on_together_and_what_has_no_verdict_is_kept_by_label(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    for name, field in (("relevance.items.jsonl", "answer"), ("relevance.jsonl", "annotator")):
        with (judge.path.parent / "labels" / name).open("a", encoding="utf-8") as file:
            for copy in range(10):
                more = {"input": "Question 0", field: "i000 good "} if field == "answer" else {"label": "pass"}
                file.write(json.dumps({"id": f"c{copy}", **more}) + "\n")

    def answer(request: Request) -> str:
        name, _ = judged_item(request)
        return says("cannot_tell") if name == "i039" else right_at(1.0)(request)

    found = await calibrated(judge, options(tmp_path, answer))

    assert found.split.groups == 40 and found.split.sizes["test"] == {"fail": 20, "pass": 30}
    counts = found.test.counts
    assert counts.weighted and sum(counts.table[0]) < 20
    assert counts.drawn == ((30, 0), (0, 19))
    assert counts.unjudged == (0, 1)
    assert calibration_document(found)["test"]["counts"]["cannot_tell_of"] == {"pass": 0, "fail": 1}
    assert any("10 items are equal to another" in note for note in found.notes)


async def test_offline_with_the_same_seed_and_store_the_report_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    grid = tmp_path / "grid.yaml"
    grid.write_text(GRID, encoding="utf-8")
    how = options(tmp_path, right_at(0.95), search=grid)
    first = await calibrated(judge, how)
    lock = lock_path(judge.path).read_bytes()

    offline = replace(how, offline=True)
    second, third = await calibrated(judge, offline), await calibrated(judge, offline)

    assert lock_path(judge.path).read_bytes() == lock
    assert canonical(calibration_document(second)) == canonical(calibration_document(third))
    assert replace(second, paid=first.paid) == first


async def test_no_test_item_is_ever_shown_in_another_items_request(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    grid = tmp_path / "grid.yaml"
    grid.write_text(GRID, encoding="utf-8")
    model = Scripted("judge", {"revision": "1", "log": 100_000}, function=right_at(0.95))
    how = replace(options(tmp_path, right_at(0.95), search=grid), providers={"scripted/judge": model})
    await calibrated(judge, how)

    lock = read_lock(lock_path(judge.path))
    assert lock is not None
    test, shown = set(lock.split["test"]), set()
    for call in model.calls:
        about, _ = judged_item(call.request)
        said = text_of(call.request)
        shown |= {name for name in (f"i{number:03d}" for number in range(200)) if name != about and name in said}
    assert shown, "no request showed an example"
    assert not shown & test
    assert shown <= set(lock.split["few_shot"])


async def test_the_test_part_is_asked_about_only_after_the_choice(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    grid = tmp_path / "grid.yaml"
    grid.write_text(GRID, encoding="utf-8")
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(judged_item(request)[0])
        return right_at(0.95)(request)

    await calibrated(judge, options(tmp_path, answer, search=grid))
    lock = read_lock(lock_path(judge.path))
    assert lock is not None
    first = min(asked.index(name) for name in lock.split["test"])
    assert set(asked[:first]) == set(lock.split["dev"])
    assert not set(asked[first:]) & set(lock.split["dev"])


async def test_another_definition_on_the_same_test_part_is_a_second_look(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    how = options(tmp_path, right_at(0.95))
    await calibrated(judge, how)
    again = await calibrated(judge, how)
    other = await calibrated(replace(judge, criterion="Another rule."), how)
    first = await calibrated(judge, how)

    assert (again.looks, other.looks, first.looks) == (1, 2, 2)
    lock = read_lock(lock_path(judge.path))
    assert lock is not None and lock.confidence == pytest.approx(1 - 0.05 / 2)


async def test_with_few_labels_the_choice_is_cross_fitted(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=60)
    grid = tmp_path / "grid.yaml"
    grid.write_text("method: [{reason: before}, {reason: none}]\n", encoding="utf-8")
    found = await calibrated(judge, options(tmp_path, right_at(0.97), search=grid))

    assert found.split.folds == 5
    assert found.test.accuracy.n == 60
    assert found.optimism is not None


async def test_what_a_guess_looks_like_on_dev_is_told_apart_from_the_test(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    grid = tmp_path / "grid.yaml"
    grid.write_text("params: [" + ", ".join(f"{{seed: {k}}}" for k in range(20)) + "]\n", encoding="utf-8")

    def answer(request: Request) -> str:
        return right_at(0.5, salt=str(request.params.get("seed")))(request)

    found = await calibrated(judge, options(tmp_path, answer, search=grid))

    assert found.status == "refused"
    assert found.dev is not None and found.optimism is not None
    assert found.saved_calls > 0
    assert len(found.candidates) == 21


async def test_hooks_see_the_best_status_before_any_call_and_may_stop(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=30, passing=0.8)
    seen: list[Outlay] = []

    class Stopping(CalibrateHooks):
        def planned(self, judge: str, outlay: Outlay) -> bool:
            seen.append(outlay)
            return False

    model = Scripted("judge", function=right_at(1.0))
    how = CalibrateOptions(store=tmp_path / ".llmkit", providers={"scripted/judge": model})
    assert await calibrate_async(judge, how, Stopping()) is None
    assert seen[0].best.status == "provisional" and seen[0].best.needs == {"fail": 8}
    assert seen[0].calls > 0 and model.made == 0
    assert not lock_path(judge.path).exists()


async def test_a_cap_holds_over_all_stages(tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir(exist_ok=True)
    judge = labelled(tmp_path)
    judge = replace(judge, model=replace(judge.model, params={"max_tokens": 50}))
    model = Scripted("judge", {"billed": True}, function=right_at(0.95))
    (tmp_path / "llmkit.toml").write_text('[prices."scripted/judge"]\ninput = 10.0\noutput = 10.0\n', encoding="utf-8")
    how = CalibrateOptions(store=tmp_path / ".llmkit", providers={"scripted/judge": model}, max_cost=0.05)
    import os

    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(BudgetError):
            await calibrate_async(judge, how)
    finally:
        os.chdir(here)
    assert 0 < model.made < 200
    assert not lock_path(judge.path).exists()


async def test_without_labels_nothing_is_measured(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    bare = replace(judge, spec=judge.spec.model_copy(update={"labels": None}))
    with pytest.raises(UsageError, match="has no labels"):
        await calibrate_async(bare, options(tmp_path, right_at(1.0)))


async def test_a_hand_edited_lock_is_written_anew_and_said(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40)
    how = options(tmp_path, right_at(0.95))
    await calibrated(judge, how)
    path = lock_path(judge.path)
    said = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**said, "status": "calibrated", "looks": []}), encoding="utf-8")

    found = await calibrated(judge, how)

    assert any("edited by hand" in note for note in found.notes)
    assert read_lock(path) is not None
    assert (found.looks, found.looks_known) == (1, False)
    again = await calibrated(judge, how)  # a sound lock does not bring back what was lost
    assert (again.looks_known, "at least 1 time" in words.looks(again)) == (False, True)


async def looked_at_twice(folder: Path) -> tuple[Judge, CalibrateOptions]:
    """A judge whose test labels were looked at by two definitions."""
    judge, how = labelled(folder, n=40), options(folder, right_at(1.0), probe_items=36)
    await calibrated(judge, how)
    await calibrated(replace(judge, criterion="Another rule."), how)
    return judge, how


async def test_whoever_removes_the_lock_has_looked_all_the_same(tmp_path: Path) -> None:
    judge, how = await looked_at_twice(tmp_path)
    lock_path(judge.path).unlink()
    found = await calibrated(replace(judge, criterion="A third."), how)

    assert (found.looks, found.looks_known) == (3, True)
    lock = read_lock(lock_path(judge.path))
    assert lock is not None and len(lock.looks) == 3


async def test_looks_of_an_edited_lock_count_where_the_store_is_gone(tmp_path: Path) -> None:
    judge, how = await looked_at_twice(tmp_path)
    path = lock_path(judge.path)
    path.write_text(path.read_text("utf-8").replace('"seed": 0', '"seed": 1'), encoding="utf-8")
    found = await calibrated(judge, replace(how, store=tmp_path / "other"))

    assert (found.looks, found.looks_known) == (2, False)
    assert words.looks(found) == "how often the test labels were looked at is unknown: at least 2 times"


async def test_a_probe_of_one_item_certifies_nothing(tmp_path: Path) -> None:
    found = await calibrated(labelled(tmp_path, n=40), options(tmp_path, right_at(1.0), probe_items=1))

    assert found.status == "provisional"
    assert "injection: tried on 1 item, too few to show anything: 36 are needed (--probe-items)" in found.reasons
    assert any("--probe-items" in note for note in found.notes)


@pytest.mark.parametrize("name", ["relevance.jsonl", "relevance.items.jsonl"])
async def test_labels_that_change_meanwhile_are_not_locked(tmp_path: Path, name: str) -> None:
    judge = labelled(tmp_path, n=40)
    file = judge.path.parent / "labels" / name
    whole = file.read_bytes()

    def answer(request: Request) -> str:
        file.write_bytes(whole + whole.splitlines(keepends=True)[-1])
        return right_at(1.0)(request)

    how = options(tmp_path, answer, probe_items=1)
    with pytest.raises(UsageError, match="changed while the judge relevance was measured") as caught:
        await calibrate_async(judge, how)
    assert caught.value.where == str(file)
    assert not lock_path(judge.path).exists()

    file.write_bytes(whole)
    found = await calibrated(judge, replace(how, offline=True))  # all was paid for
    assert found.looks == 1


async def test_parameters_of_the_command_line_are_measured_and_locked(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    model = Scripted("judge", {"revision": "1"}, function=right_at(0.95))
    how = replace(options(tmp_path, right_at(0.95), params={"max_tokens": 31}), providers={"scripted/judge": model})
    await calibrated(judge, how)

    assert {call.request.params["max_tokens"] for call in model.calls} == {31}
    lock = read_lock(lock_path(judge.path))
    assert lock is not None and lock.chosen.params == {"max_tokens": 31}


def test_a_script_calibrates_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(tmp_path, n=60)
    monkeypatch.chdir(tmp_path)
    found = calibrate("relevance", options=options(tmp_path, right_at(1.0), probe_items=50))

    assert (found.judge, found.status) == ("relevance", "calibrated")


async def test_in_a_notebook_the_way_to_await_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"await llmkit\.calibrate_async"):
        calibrate("relevance")


async def test_a_providers_option_of_the_command_line_is_refused_before_any_call(tmp_path: Path) -> None:
    judge = labelled(tmp_path)
    with pytest.raises(UsageError, match=r"-M latency_s: an option of the provider.*models\.\"scripted/judge\""):
        await calibrate_async(judge, options(tmp_path, right_at(1.0), params={"latency_s": 0.1}))


async def test_the_outlook_counts_labels_for_what_their_weights_are_worth(tmp_path: Path) -> None:
    judge = labelled(tmp_path, n=40, sampling="enriched")
    path = tmp_path / "judges" / "labels" / "relevance.items.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    heavy = [{**row, "weight": 12 if number % 5 == 0 else 1} for number, row in enumerate(rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in heavy), encoding="utf-8")

    found = await calibrated(judge, options(tmp_path, right_at(1.0)))

    assert found.best.status == found.status == "provisional"
