"""The trial: looks, verdicts, several measures."""

import numpy as np
import pytest

from llmkit.stats.sequential import Difference, Series, Trial
from llmkit.stats.sequential.trial import look_counts


def column(n, *, lost=(), gained=()):
    """Return base and head of n pairs: lost and gained are (start, stop, step)."""
    base, head = np.zeros(n), np.zeros(n)
    for at in lost:
        base[slice(*at)] = 1
    for at in gained:
        head[slice(*at)] = 1
    return base, head


def series(columns, counts):
    return {
        name: Series(base[: counts[-1]], head[: counts[-1]], counts[-1], counts)
        for name, (base, head) in columns.items()
    }


def run(trial, columns):
    counts, said = (), "go on"
    while (count := trial.next_count()) is not None:
        counts = (*counts, count)
        said = trial.look(series(columns, counts))
    return said


def of(*names, margin=0.05, **fields):
    return [Difference(name, margin, **fields) for name in names]


SAME = column(400)
WORSE = column(400, lost=[(0, 400, 5)])
SLIGHTLY = column(400, lost=[(0, 400, 16)])


def test_looks_come_in_equal_steps_and_none_below_twenty_units_but_the_last():
    assert look_counts(800) == {k: 100 * k for k in range(1, 9)}
    assert look_counts(64) == {3: 24, 4: 32, 5: 40, 6: 48, 7: 56, 8: 64}
    assert list(look_counts(12).values()) == [12]
    assert look_counts(30, looks=1) == {1: 30}


@pytest.mark.parametrize(("n", "verdict"), [(20, "undecided"), (72, "undecided"), (73, "pass"), (500, "pass")])
def test_zero_discordant_pairs_pass_as_soon_as_the_margin_allows(n, verdict):
    trial = Trial(of("x"), n_max=n)
    assert run(trial, {"x": column(n)}) == verdict
    assert trial.next_count() is None


@pytest.mark.parametrize(("margin", "least"), [(0.02, 188), (0.05, 73), (0.10, 35)])
def test_the_least_units_are_those_of_the_design(margin, least):
    said = {n: run(Trial(of("x", margin=margin), n_max=n), {"x": column(n)}) for n in (least - 1, least)}
    assert said == {least - 1: "undecided", least: "pass"}


def test_a_clear_drop_stops_early():
    trial = Trial(of("x"), n_max=400)
    assert run(trial, {"x": WORSE}) == "fail"
    reading = trial.readings["x"]
    assert reading.n < 200
    assert reading.drop_proven
    assert reading.estimate == pytest.approx(-0.2)
    assert reading.low < reading.adjusted < 0
    assert reading.adjusted > reading.estimate - 1e-9
    assert reading.high < 0


def test_a_proven_drop_within_the_margin_passes_and_says_so():
    trial = Trial(of("x", margin=0.2), n_max=3_200)
    assert run(trial, {"x": column(3_200, lost=[(0, 3_200, 12)])}) == "pass"
    assert trial.readings["x"].drop_proven


def test_any_failure_fails_and_ends_the_trial():
    trial = Trial(of("x", "y"), n_max=400)
    assert run(trial, {"x": SAME, "y": WORSE}) == "fail"
    assert trial.readings["y"].verdict == "fail"
    assert trial.next_count() is None
    with pytest.raises(ValueError, match="over"):
        trial.look({})


def test_a_failure_of_several_is_proven_at_its_share_of_alpha():
    alone, among = Trial(of("x"), n_max=400), Trial(of("x", "a", "b", "c"), n_max=400)
    flat = column(400, lost=[(0, 400, 9)], gained=[(1, 400, 14)])
    assert run(alone, {"x": WORSE}) == run(among, {"x": WORSE, "a": flat, "b": flat, "c": flat}) == "fail"
    assert among.readings["x"].n > alone.readings["x"].n
    weighted = Trial(of("x", "a"), n_max=400, weights={"x": 0.99, "a": 0.01})
    assert run(weighted, {"x": WORSE, "a": flat}) == "fail"
    assert weighted.readings["x"].n == alone.readings["x"].n


def test_what_else_fell_is_named_at_the_alpha_that_the_first_left():
    def third_look(lost):
        return series({"x": WORSE, "y": column(400, lost=[(0, lost, 1)])}, (50, 100, 150))

    named = []
    for lost in range(4, 12):
        trial = Trial(of("x", "y", margin=0.01), n_max=400)
        trial._done = 2  # as if nothing had been seen at two looks
        assert trial.look(third_look(lost)) == "fail"
        named.append(trial.readings["y"].verdict == "fail")
    alone = []
    for lost in range(4, 12):
        trial = Trial(of("y", margin=0.01), n_max=400)
        trial._done = 2
        alone.append(trial.look({"y": third_look(lost)["y"]}) == "fail")
    assert named == alone
    assert True in named
    assert False in named


def test_what_has_passed_stays_as_it_was():
    late = column(400, lost=[(200, 400, 2)])
    trial = Trial(of("x", "y", margin=0.1), n_max=400)
    noisy = column(400, lost=[(0, 400, 10)], gained=[(5, 400, 10)])
    assert run(trial, {"x": late, "y": noisy}) in ("pass", "undecided")
    reading = trial.readings["x"]
    assert reading.verdict == "pass"
    assert reading.n < 200
    assert reading.losses == 0


def test_all_must_pass():
    trial = Trial([*of("x"), *of("y", margin=0.01)], n_max=200)
    assert run(trial, {"x": column(200), "y": column(200)}) == "undecided"
    assert {name: r.verdict for name, r in trial.readings.items()} == {"x": "pass", "y": "undecided"}
    assert trial.readings["y"].ruled_out == pytest.approx(0.019, abs=0.001)


def test_no_data_is_no_evidence():
    trial = Trial(of("x", "y"), n_max=100)
    assert run(trial, {"x": column(100)}) == "undecided"
    assert (trial.readings["y"].verdict, trial.readings["y"].n) == ("undecided", 0)


def test_a_slice_has_its_own_information():
    trial = Trial([*of("x"), *of("x[a]", margin=0.1, planned=100)], n_max=400)
    counts, slice_counts = (), ()
    while (count := trial.next_count()) is not None:
        counts, slice_counts = (*counts, count), (*slice_counts, count // 4)
        said = trial.look({**series({"x": SAME}, counts), **series({"x[a]": column(100)}, slice_counts)})
    assert said == "pass"
    assert trial.readings["x[a]"].n == 62  # of 100, at the fifth look


def test_lost_pairs_leave_the_last_look_all_of_alpha():
    trial, kept = Trial(of("x"), n_max=80), ()
    base, head = column(80)
    while (count := trial.next_count()) is not None:
        kept = (*kept, count - count // 20)
        n = kept[-1]
        said = trial.look({"x": Series(base[:n], head[:n], count, kept)})
    assert said == "pass"
    assert trial.readings["x"].n == 76


def test_a_trial_that_is_stopped_is_undecided():
    trial = Trial(of("x"), n_max=400)
    assert trial.look(series({"x": SAME}, (50,)), stop=True) == "undecided"
    assert trial.next_count() is None
    assert trial.readings["x"].ruled_out == pytest.approx(0.13, abs=0.02)


def test_the_same_seed_gives_the_same_readings():
    random = np.random.default_rng(4)
    base = random.random(200)
    head = base - 0.05 + random.normal(0, 0.1, 200)
    readings = []
    for seed in (1, 1):
        trial = Trial(of("x"), n_max=200, seed=seed)
        run(trial, {"x": (base, np.clip(head, 0, 1))})
        readings.append(trial.readings["x"])
    assert readings[0] == readings[1]


@pytest.mark.parametrize(
    ("measures", "options", "says"),
    [
        ([], {}, "different names"),
        (of("x", "x"), {}, "different names"),
        (of("x"), {"n_max": 0}, "n_max"),
        (of("x"), {"alpha": 0.7}, "alpha"),
        (of("x", "y"), {"weights": {"x": 1.0}}, "sum to 1"),
        (of("x", "y"), {"weights": {"x": 0.5, "y": 0.6}}, "sum to 1"),
    ],
)
def test_what_is_no_trial_is_refused(measures, options, says):
    with pytest.raises(ValueError, match=says):
        Trial(measures, **{"n_max": 100, **options})


def test_a_series_of_no_measure_is_refused():
    with pytest.raises(ValueError, match="no such measure: y"):
        Trial(of("x"), n_max=100).look(series({"y": SAME}, (20,)))


def test_the_interval_of_head_minus_base_has_its_sign():
    better = column(400, gained=[(0, 400, 4)])
    trial = Trial(of("x"), n_max=400)
    run(trial, {"x": better})
    assert trial.readings["x"].low > 0 or trial.readings["x"].estimate > 0
    assert trial.readings["x"].low <= trial.readings["x"].estimate <= (trial.readings["x"].high or 1)
