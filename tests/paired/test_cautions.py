"""A comparison of few samples says what its intervals cannot know of."""

from dataclasses import replace

import pytest

from llmkit.paired.cautions import FEW, cautions
from llmkit.stats.proportion import unseen
from llmkit.types import Interval
from tests.reports.comparisons import metric

GRADED = replace(metric("f1", 0.8, 0.81, (-0.1, 0.1), tally=(10, 9, 1), ci="tango-or-skew-t"), n=40)


def said(*metrics, confidence=0.95):
    return list(cautions({m.name: m for m in metrics}, confidence))


def test_of_few_graded_samples_the_share_that_may_be_unseen_is_said():
    (note,) = said(GRADED)
    assert note.startswith("f1: 40 samples leave open that up to 7.2 % of all fare as none of these does")
    assert unseen(40) == pytest.approx(0.0722, abs=1e-4)
    assert "11 %" in said(GRADED, confidence=0.99)[0]


def test_metrics_of_as_many_samples_share_a_line():
    assert [note.split(":")[0] for note in said(GRADED, replace(GRADED, name="rouge"))] == ["f1, rouge"]
    assert len(said(GRADED, replace(GRADED, name="rouge", n=41))) == 2


def test_of_clusters_it_is_their_number_that_counts():
    (note,) = said(replace(GRADED, n=400, clusters=40))
    assert note.startswith("f1: 40 clusters leave open")
    assert said(replace(GRADED, n=4000, clusters=FEW)) == []


def test_many_samples_need_no_word():
    assert FEW == 100
    assert said(replace(GRADED, n=99)) != []
    assert said(replace(GRADED, n=100)) == []


@pytest.mark.parametrize("method", ["tango", "cluster-tango"])
def test_an_interval_that_counts_with_the_worst_needs_no_word(method):
    """A pair of 0 and 1 can do nothing that Tango does not count with, and neither can pairs that all tie."""
    assert said(replace(GRADED, interval=Interval(-0.1, 0.1, method))) == []


def test_what_has_no_interval_needs_no_word():
    assert said(replace(GRADED, interval=None)) == []
