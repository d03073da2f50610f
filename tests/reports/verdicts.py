"""Hand-made gates that the tests of reports render."""

from __future__ import annotations

import math
from dataclasses import replace

from llmkit.comparisons import Answered, Flip
from llmkit.types import Interval
from llmkit.verdicts import Change, GateReport, MetricVerdict, Needs, Planned, Spent, SuiteVerdict

BASE = "origin/main (merge base 3f9c2a1)"
HEAD = "working tree at 81bd0c2, with uncommitted changes"
HOSTILE = (
    "[red]x[/red] \x1b]0;owned\x07 </code></td></table></details><script>@me #1</script> `|` ::error::z %0A\n\n# h"
)


def verdict(metric="exact_match", verdict="pass", difference=0.005, interval=(-0.012, 0.023), **more):
    given = dict(
        margin=0.02,
        relative=False,
        base=0.905,
        head=0.91,
        n=600,
        look=3,
        gains=8,
        losses=5,
        ties=587,
        method="exact walk; Tango score",
        signature=f"{metric}|case:mixed|v:1",
    )
    found = Interval(*interval, "repeated", 0.9) if interval else None
    return MetricVerdict(metric, verdict, difference=difference, interval=found, **(given | more))


COST = verdict(
    "cost",
    margin=0.2,
    relative=True,
    base=0.00123,
    head=0.00131,
    difference=0.065,
    interval=(0.031, 0.098),
    within=True,
    higher_is_better=False,
    signature="",
    method="ratio of means",
)
FAILED = verdict(
    verdict="fail",
    difference=-0.21,
    interval=(-0.31, -0.113),
    base=0.95,
    head=0.74,
    n=150,
    look=2,
    adjusted=-0.18,
    gains=2,
    losses=33,
    ties=115,
)
UNDECIDED = verdict(
    verdict="undecided",
    difference=-0.02,
    interval=(-0.064, 0.022),
    n=50,
    look=8,
    ruled_out=0.064,
    losses=2,
    gains=1,
    ties=47,
    needs=Needs(samples=1204, margin=0.12, epochs=4, available=50),
)
UNKNOWN = verdict(
    "latency_p95",
    "undecided",
    margin=0.25,
    relative=True,
    base=None,
    head=None,
    difference=None,
    interval=None,
    n=0,
    look=0,
    higher_is_better=False,
    reason="some answers are of an earlier run, and only calls made side by side can be timed: use --no-cache",
    losses=0,
    gains=0,
    ties=0,
    signature="",
    method="",
)
CHANGE = Change("prompt", "changed", "prompts/sums.prompty", "2 lines", lines=((3, 5), (9, 9)))
PLANNED = Planned(
    1200, 1200, 1319, "samples", 1, "A/A run 20261121-0900-aaaa", worst_case_usd=1.25, calls=2400, from_cache=300
)
BASE_SPENT = Spent(450, 150, 0, 0.5535, "20261122-0800-b4se", "openai/gpt-4o-mini")
HEAD_SPENT = Spent(600, 0, 2, 0.786, "20261122-0800-h34d", "openai/gpt-4o-mini")
LOSS = Flip(
    "row-12",
    1,
    "exact_match",
    -1.0,
    "What is 2 + 2?",
    ("4",),
    Answered("The answer is 4.", 1.0),
    Answered("The answer is 5.", 0.0),
)
RULE = "A pair counts where both sides have a score; failures are a metric of their own"


PASSED = verdict()


def suite(verdict="pass", metrics=(PASSED,), **more):
    given = dict(
        changes=(CHANGE,),
        planned=PLANNED,
        look=3,
        looks=8,
        n=600,
        base=BASE_SPENT,
        head=HEAD_SPENT,
        rule=RULE,
        saved_calls=1200,
        saved_usd=1.34,
        exit_code={"pass": 0, "fail": 1, "undecided": 3}[verdict],
    )
    return SuiteVerdict("sums", "suites/sums.yaml", verdict, metrics=metrics, **(given | more))


def report(*suites, verdict=None, exit_code=None, **more):
    found = verdict or ("pass" if not suites else suites[0].verdict)
    code = exit_code if exit_code is not None else max((s.exit_code for s in suites), default=0)
    given = dict(base=BASE, head=HEAD, untouched=("capitals",), wall_s=41.2, seed=7)
    return GateReport(found, code, suites, **(given | more))


PASSING = report(suite(metrics=(verdict(), verdict(slice=("topic", "add"), margin=0.1), COST), dropped=2, same=12))
FAILING = report(suite("fail", (FAILED, COST), look=2, n=150, flips=(LOSS,), flipped=35))
SHORT = report(
    suite(
        "undecided",
        (UNDECIDED, UNKNOWN),
        look=8,
        n=50,
        planned=replace(PLANNED, n_max=50, available=50, wanted=1204, resolvable={"exact_match": 0.12}),
        saved_calls=0,
        saved_usd=0.0,
        flips=(LOSS,),
        flipped=3,
    )
)
LISTED = report(
    suite(metrics=(), look=0, looks=0, n=0, base=Spent(), head=Spent(), rule="", saved_calls=0),
    suite(
        metrics=(),
        look=0,
        looks=0,
        n=0,
        base=Spent(),
        head=Spent(),
        rule="",
        saved_calls=0,
        planned=replace(PLANNED, worst_case_usd=None, unknown="no price of openai/own is known", from_cache=0),
    ),
    listed=True,
)
WARNED = report(suite(warning="head alone has no usable answer in 75 pairs, base alone in 0"))
UNTOUCHED = report()
NEW = report(
    suite(
        "undecided",
        (),
        planned=None,
        look=0,
        looks=0,
        n=0,
        base=Spent(),
        head=Spent(),
        rule="",
        saved_calls=0,
        reason="new suite: base has nothing to compare with",
        new=True,
        exit_code=0,
    ),
    verdict="pass",
)
OFFLINE = report(
    suite(
        "undecided",
        (),
        look=0,
        looks=0,
        n=0,
        base=Spent(),
        head=Spent(),
        rule="",
        saved_calls=0,
        missing=tuple(f"head row-{number:02} 1" for number in range(34)),
    )
)
EVIL = report(
    suite(
        "fail",
        (
            replace(
                verdict(HOSTILE, "fail", signature=HOSTILE, reason=HOSTILE, method=HOSTILE), slice=(HOSTILE, HOSTILE)
            ),
            verdict(HOSTILE, "undecided", interval=(-math.inf, math.inf), reason=HOSTILE),
        ),
        changes=(Change("prompt", "renamed", HOSTILE, HOSTILE, HOSTILE, ((1, 2),)),),
        planned=replace(PLANNED, spread=HOSTILE, unit=HOSTILE, resolvable={HOSTILE: 0.5}, wanted=9999),
        base=Spent(1, 1, 1, None, HOSTILE, HOSTILE),
        head=Spent(1, 1, 1, None, HOSTILE, HOSTILE),
        flips=(replace(LOSS, sample_id=HOSTILE, metric=HOSTILE, b=Answered(HOSTILE, 0.0)),),
        flipped=9,
        stopped_by=HOSTILE,
        warning=HOSTILE,
        reason=f"no {HOSTILE}",
        missing=(HOSTILE,),
        notes=(HOSTILE,),
        rule=HOSTILE,
    ),
    base=HOSTILE,
    head=HOSTILE,
    untouched=(HOSTILE,),
    notes=(HOSTILE,),
)
EVIL = replace(EVIL, suites=(replace(EVIL.suites[0], suite=HOSTILE, path=HOSTILE),))
ALL = (PASSING, FAILING, SHORT, WARNED, LISTED, UNTOUCHED, NEW, OFFLINE, EVIL)
