"""The rate behind a raw rate, and when there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.stats.correction import Confusion, rogan_gladen

cells = st.integers(0, 200)
confusions = st.builds(Confusion, cells, cells, cells, cells).filter(lambda c: c.tp * c.tn > c.fn * c.fp)
verdicts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.floats(0, 1), st.integers(1, 50), st.integers(1, 50), st.integers(0, 40), st.integers(0, 40))
def test_it_inverts_what_the_judge_does_to_a_rate(theta, tp, tn, fn, fp):
    labels = Confusion(tp + fn, fn, fp, tn + fp)  # better than chance
    raw = theta * labels.tpr + (1 - theta) * (1 - labels.tnr)
    assert rogan_gladen(labels, raw * 1000, 1000).value == pytest.approx(theta, abs=1e-9)


@given(confusions, verdicts)
def test_a_rate_and_its_interval_stay_within_0_and_1(labels, kn):
    got = rogan_gladen(labels, *kn)
    assert 0 <= got.value <= 1
    if got.interval is not None:
        assert 0 <= got.interval.low <= got.interval.high <= 1


@given(confusions, verdicts)
def test_passes_and_fails_mirror_each_other(labels, kn):
    passed, n = kn
    there = rogan_gladen(labels, passed, n)
    back = rogan_gladen(Confusion(labels.tn, labels.fp, labels.fn, labels.tp), n - passed, n)
    assert there.value == pytest.approx(1 - back.value, abs=1e-9)
    assert there.se == pytest.approx(back.se, rel=1e-6, abs=1e-9)


def test_a_judge_that_never_errs_has_its_raw_rate_corrected_by_nothing():
    assert rogan_gladen(Confusion(30, 0, 0, 30), 70, 100).value == pytest.approx(0.7)


def test_no_spread_is_no_interval():
    """One of zero width would claim certainty."""
    assert rogan_gladen(Confusion(30, 0, 0, 30), 100, 100).interval is None


@pytest.mark.parametrize("labels", [Confusion(10, 10, 11, 9), Confusion(9, 1, 9, 1), Confusion(1, 9, 9, 1)])
def test_a_judge_no_better_than_chance_is_refused(labels):
    with pytest.raises(ValueError, match=r"TPR \+ TNR ≤ 1"):
        rogan_gladen(labels, 5, 10)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Confusion(9, 1, 0, 0), "no labelled item fails"),
        (Confusion(0, 0, 1, 9), "no labelled item passes"),
        (Confusion(0, 0, 0, 0), "there are none"),
        (Confusion(9, -1, 1, 9), "not negative"),
        (Confusion(9, float("nan"), 1, 9), "finite"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        rogan_gladen(labels, 5, 10)


@pytest.mark.parametrize(("passed", "n"), [(5, 0), (-1, 10), (11, 10), (float("nan"), 10), (0, float("inf"))])
def test_impossible_verdicts_are_refused(passed, n):
    with pytest.raises(ValueError, match="0 ≤ passed ≤ n"):
        rogan_gladen(Confusion(9, 1, 1, 9), passed, n)
