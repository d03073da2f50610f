"""Yes/no verdicts against yes/no labels."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from llmkit.stats.confusion import Confusion

counts = st.integers(0, 50)


@given(counts, counts, counts, counts)
def test_correlation_and_kappa_are_those_of_the_two_columns(tp, fp, fn, tn):
    assume(tp + fp and tn + fn and tp + fn and tn + fp)
    found = Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
    said = np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])
    so = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn])
    assert found.mcc == pytest.approx(np.corrcoef(said, so)[0, 1], abs=1e-12)
    observed, chance = (said == so).mean(), said.mean() * so.mean() + (1 - said.mean()) * (1 - so.mean())
    assert found.kappa == pytest.approx((observed - chance) / (1 - chance), abs=1e-12)
    assert found.accuracy == pytest.approx(observed)
    assert found.balanced_accuracy == pytest.approx((said[so == 1].mean() + 1 - said[so == 0].mean()) / 2)
    if tp:
        precision, recall = tp / (tp + fp), tp / (tp + fn)
        assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_rate_without_a_denominator_is_unknown():
    no_yes, nothing = Confusion(tp=0, fn=0, fp=0, tn=5), Confusion(0, 0, 0, 0)
    assert (no_yes.tpr, no_yes.tnr, no_yes.balanced_accuracy) == (None, 1, None)
    assert (no_yes.mcc, no_yes.kappa, no_yes.f1) == (None, None, None)
    assert (nothing.total, nothing.accuracy) == (0, None)


@given(counts, counts, counts, counts)
def test_youdens_index_is_tpr_and_tnr_less_one_and_exactly_0_for_a_coin(tp, fn, fp, tn):
    found = Confusion(tp, fn, fp, tn)
    if tp + fn and fp + tn:
        assert found.youden == pytest.approx(found.tpr + found.tnr - 1, abs=1e-12)
        assert Confusion(tp, fn, tp, fn).youden in (0, None)
    else:
        assert found.youden is None


def test_effective_counts_need_not_be_whole():
    found = Confusion(7.2, 0.8, 1.5, 4.5)
    assert (found.tpr, found.tnr, found.total) == pytest.approx((0.9, 0.75, 14))
