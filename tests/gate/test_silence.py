"""How many answers without a verdict a gate may leave out, and still decide."""

import pytest

from llmkit.gate.silence import hopeless, silence
from llmkit.verdicts import Unjudged
from tests.judges.labelling import judge_in


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return judge_in(tmp_path_factory.mktemp("judge"))


ALL = Unjudged(100)


@pytest.mark.parametrize(
    ("base", "head", "alone"),
    [
        (ALL, ALL, (0, 0)),
        (Unjudged(100, 10, 2), Unjudged(100, 10, 2), (3, 3)),
        (ALL, Unjudged(100, 3, 2), (0, 5)),  # five of five may be luck
    ],
)
def test_what_calibration_allows_is_left_out(judge, base, head, alone):
    assert silence(judge, (base, head, alone), whole=True) == ""


@pytest.mark.parametrize(
    ("base", "head", "alone", "said"),
    [
        (ALL, Unjudged(100, 0, 3), (0, 3), "head: 3 of 100 answers ended without a verdict, more than 2 %"),
        (Unjudged(100, 11, 0), ALL, (0, 0), "base: of 11 of 100 answers the judge cannot tell, more than 10 %"),
        (ALL, Unjudged(1000, 6, 0), (0, 6), "head alone has no verdict in 6 pairs, base alone in 0 (sign test, p"),
        (ALL, Unjudged(1000, 6, 0), (6, 0), "head alone has no verdict in 0 pairs, base alone in 6"),
    ],
)  # fmt: skip
def test_more_than_that_or_more_on_one_side_decides_nothing(judge, base, head, alone, said):
    assert said in silence(judge, (base, head, alone), whole=True)


@pytest.mark.parametrize(("head", "silent"), [(Unjudged(30, 0, 2), False), (Unjudged(30, 0, 3), True)])
def test_of_a_slice_the_share_is_to_be_proven(judge, head, silent):
    """Two of thirty without a verdict are found one time in eight where one in fifty is without one."""
    assert bool(silence(judge, (Unjudged(30), head, (0, head.unread)), whole=False)) == silent


@pytest.mark.parametrize(("unread", "lost"), [(4, False), (5, True)])
def test_it_is_hopeless_where_the_last_look_would_find_too_many_still(judge, unread, lost):
    sides = (Unjudged(20), Unjudged(20, 0, unread), (0, unread))
    assert hopeless(judge, sides, pairs=200) == lost
