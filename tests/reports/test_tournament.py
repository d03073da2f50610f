"""Runs against each other: win rates, flips, standings."""

import json
from dataclasses import replace

import jsonschema
import pytest

from llmkit.judged_runs import Duel, Standing, Tournament
from llmkit.judgements import Rate
from llmkit.reports.tournament import tournament_document, tournament_schema, tournament_table
from llmkit.types import Interval, Totals
from tests.reports.records import printed


def duel(a, b, wins, losses, ties, flips, p, **more):
    n = wins + losses + ties
    return Duel(a, b, wins, losses, ties, flips, more.pop("unread", 0),
                Rate((wins + ties / 2) / n, n, Interval(0.4, 0.9, "wilson")), p, **more)  # fmt: skip


FOUND = Tournament(
    judge="better",
    status="provisional",
    lock="3f9c2a77b1d0",
    duels=(
        duel("small", "large", 60, 20, 20, 12, 0.00001),
        duel("small", "old", 20, 60, 20, 10, 0.00001),
        duel("large", "old", 48, 50, 2, 2, 0.92),
    ),
    standings=(
        Standing("large", 0.61, Interval(0.21, 1.01, "cluster-sandwich"), 1),
        Standing("small", 0.02, Interval(-0.3, 0.34, "cluster-sandwich"), 2),
        Standing("old", -0.63, Interval(-1.1, -0.16, "cluster-sandwich"), 3),
    ),
    paid=Totals(10, 5, 0, 0, 600, 600, 0.42, 0.0),
    notes=("both orders were asked",),
)
SAID = """\
better  runs against each other  PROVISIONAL  lock 3f9c2a77b1d0

Win rates  b over a, both orders, ties count half  provisional
  a → b           b wins [interval]         won/lost/tied   flips       p, sign test
  small → large   0.70 [0.40, 0.90] n=100   60/20/20        12 of 100   <0.0001        b is preferred
  small → old     0.30 [0.40, 0.90] n=100   20/60/20        10 of 100   <0.0001        a is preferred
  large → old     0.49 [0.40, 0.90] n=100   48/50/2         2 of 100    0.92           no preference shown

Standings by Bradley and Terry  strength [95 % interval], log odds, mean 0
              strength
  1   large   0.61 [0.21, 1.01]
  2   small   0.02 [-0.30, 0.34]
  3   old     -0.63 [-1.10, -0.16]
          -1.5                          0                           1.5
  large   ··································├───────●───────┤··········
  small   ························├─────●──────┤·······················
  old     ········├────────●─────────┤·································

$0.4200 paid for 600 calls · 10 tokens in, 5 out
note: both orders were asked
"""


def test_it_reads_like_this():
    assert printed(tournament_table(FOUND), width=120) == SAID


def test_what_has_no_verdict_has_a_column_where_there_is_some():
    some = replace(FOUND, duels=(duel("a", "b", 5, 4, 0, 0, 1.0, unread=2, cannot_tell=1),))
    assert "2 unread, 1 cannot tell" in printed(tournament_table(some), width=160)
    assert "unread" not in printed(tournament_table(FOUND), width=160)


def test_without_strengths_there_are_no_standings():
    assert "Standings" not in printed(tournament_table(replace(FOUND, standings=())), width=120)


@pytest.mark.parametrize(("wins", "losses", "p"), [(50, 50, 1.0), (5, 5, 0.01), (30, 20, None), (30, 20, 0.06)])
def test_no_preference_is_called_one_that_is_not_shown(wins, losses, p):
    found = replace(FOUND, duels=(duel("a", "b", wins, losses, 0, 0, p),), standings=())
    assert "no preference shown" in printed(tournament_table(found), width=120)


def test_the_document_fits_its_schema():
    found = json.loads(json.dumps(tournament_document(FOUND), allow_nan=False))
    jsonschema.validate(found, tournament_schema())
    assert found["duels"][0]["win_rate"]["value"] == 0.7
    assert [each["rank"] for each in found["standings"]] == [1, 2, 3]
