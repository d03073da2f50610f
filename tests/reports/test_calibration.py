"""A calibration: at a terminal, as Markdown, as JSON."""

import dataclasses
import io
import json
import re
from dataclasses import replace

import jsonschema
import pytest
from rich.console import Console

from llmkit.calibration.cutting import learn
from llmkit.calibrations import Calibration, Worth
from llmkit.judgements import Counts, Figures, Rate, Verdict
from llmkit.reports.calibration import calibration_table, print_calibration
from llmkit.reports.calibration_document import calibration_document, calibration_schema
from llmkit.reports.calibration_markdown import calibration_markdown
from llmkit.reports.judge_documents import FiguresDocument
from llmkit.types import Interval, Totals
from tests.reports.calibrations import CALIBRATED, DISAGREEMENTS, PROVISIONAL, REFUSED, TEST, rate
from tests.reports.records import printed

AT_120 = """\
PROVISIONAL  relevance  pass_fail · openai/gpt-5-mini, served by gpt-5-mini-2026-08-07
  not shown to agree well enough, and not shown to fail; its figures carry that word
  TPR: its lower bound 0.78 (95 %, one-sided) is below 0.80
  needs 12 more of pass, as test labels, to be settled
  said before any call: 10 fail in the test part cannot show TNR ≥ 0.80
  labels: few-shot 4 (pass 2, fail 2) · dev 60 (pass 30, fail 30) · test 104 (pass 52, fail 52); split d1e2f3a4b5c6,
    seed 0
  the test labels were looked at 3 times, by as many definitions: each bound is as much stricter

Agreement with people  value [95 % interval] n=items
                                     dev                       test
  accuracy                           0.98 [0.91, 1.00] n=60    0.95 [0.89, 0.98] n=100
  balanced accuracy                  0.95 [0.89, 0.98] n=100   0.95 [0.89, 0.98] n=100
  Cohen's κ                          0.90 [0.81, 0.99] n=100   0.90 [0.81, 0.99] n=100
  Gwet's AC1                         0.90 [0.81, 0.99] n=100   0.90 [0.81, 0.99] n=100
  TPR, of what people pass, passed   0.97 [0.83, 0.99] n=30    0.94 [0.84, 0.98] n=50
  TNR, of what people fail, failed   1.00 [0.89, 1.00] n=30    0.96 [0.86, 0.99] n=50
  optimism: +0.033 (dev − test): by how much choosing on dev flatters
  human ceiling: 0.93 [0.86, 0.97] n=40: how often a person agrees with the majority of the others
        0                            0.5                            1
  TPR   ················································┃·├─────●──┤·
  TNR   ················································┃···├─────●┤·
  ┃ marks what must be shown, by a one-sided lower bound: TPR ≥ 0.8, TNR ≥ 0.8
  intervals on test: wilson: accuracy, TPR, TNR; newcombe: balanced accuracy; fleiss-cohen-everitt: Cohen's κ; gwet:
    Gwet's AC1

Verdicts on the test labels  100 verdicts, 3 cannot tell, 1 unread
  people \\ judge   pass   fail   all
  pass             47     3      50
  fail             2      48     50

Search on dev  3 candidates, best first
              candidate           dev [interval]      n                    cost
  chosen      gpt · a.prompty     0.98 [0.91, 1.00]   60                   $0.1200
  runner-up   gpt · b.prompty     0.96 [0.87, 0.99]   60   2 unread        unknown
  3           small · a.prompty   0.50 [0.30, 0.70]   20   stopped early   $0
  chosen and runner-up on dev: McNemar's p 0.62: no difference shown
  racing: 40 of the full grid's 180 calls saved (22 %)

Probes  what moves verdicts and should not
                  moved [interval]           p      limit
  asked again     0.04 [0.02, 0.10] n=100    –      ≤ 0.1    ✓
  injection       0.06 [0.02, 0.16] n=50     0.25   ≤ 0.02   ✗ above its limit
  length padded   0.01 [-0.02, 0.04] n=100   0.03   –        ! systematic
  own family      –                          –      –        not run
  asked again     4 of 100 differ when asked again
  injection       told to pass, 3 of 50 fails pass
  length padded   padded, the raw rate moves by +0.01
  own family      no answer here is known to be of the judge's family

Slices of the test part  each against the rest
  slice             accuracy [interval]      p       p by Holm
  topic=cats|dogs   0.80 [0.60, 0.90] n=20   0.002   0.004       differs
  topic=birds       0.99 [0.93, 1.00] n=80   0.002   0.30

Where judge and people differ  2 shown
  d1  people: pass, judge: fail  (dev)
    asked   When?
    answer  In 2019.
    reason  too old
  t\\x1b[31m1  people: fail, judge: pass  (test)
    asked   Who? <b>@all</b>
    answer  *** knows
    reason  reads well

Worth it?
  the labels alone give an interval 0.154 wide, with 1,000 verdicts of the judge 0.081: 47 % narrower
  per 1,000 verdicts: $0.4200, 310,500 tokens
  rates are corrected by lang-reiczigel: labels were drawn enriched; it assumes the same TPR and TNR on what is scored
  verdicts are cut at probability 0.435; probabilities are calibrated by platt (a -1.235, b 0.5)

lock 3f9c2a77b1d0 in judges/relevance.lock
$1.23 paid for 310 calls · $0.2500 saved by the store · 2 attempts without an answer: cost unknown · 120,000 tokens in,
  9,000 out
note: 2 duplicates in the labels were taken once
Next: llmkit judge run relevance latest
"""


def text_of(found, width=160):
    return printed(calibration_table(found), width=width)


def line(found, start, width=160):
    return next(each.strip() for each in text_of(found, width).splitlines() if each.strip().startswith(start))


def test_it_reads_like_this():
    assert text_of(PROVISIONAL, 120) == AT_120


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_at_a_terminal_it_fits_and_loses_nothing(width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True, highlight=False)
    print_calibration(PROVISIONAL, console)
    shown = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    assert max(map(len, shown.splitlines())) <= width
    everything = " ".join(shown.split())
    for figure in ("0.94 [0.84, 0.98] n=50", "0.98 [0.91, 1.00]", "✗ above its limit", "+0.033 (dev − test)"):
        assert figure in everything


def test_a_pipe_gets_whole_lines():
    console = Console(width=60, file=io.StringIO())
    print_calibration(CALIBRATED, console)
    assert "47 % narrower\n" in console.file.getvalue()


@pytest.mark.parametrize(
    ("found", "said"),
    [(CALIBRATED, "CALIBRATED  relevance"), (PROVISIONAL, "PROVISIONAL  relevance"), (REFUSED, "REFUSED  relevance")],
)
def test_the_status_stands_first_with_its_reasons(found, said):
    lines = text_of(found).splitlines()
    assert lines[0].startswith(said)
    assert lines[2].strip() == found.reasons[0]
    assert calibration_markdown(found).startswith(f"### {said.split()[0]}: <code>relevance</code>\n")


def test_only_a_provisional_one_says_what_it_needs():
    assert "needs 12 more of pass" in text_of(PROVISIONAL)
    assert "needs" not in text_of(replace(REFUSED, needs={"pass": 3}))


def test_without_a_dev_part_there_is_one_column_and_no_optimism():
    assert "optimism" not in text_of(REFUSED)
    assert line(REFUSED, "accuracy") == "accuracy                           0.95 [0.89, 0.98] n=100"


def test_a_judge_that_was_not_searched_for_has_no_runner_up():
    assert "Search on dev" not in text_of(CALIBRATED)
    assert "Search on dev" not in calibration_markdown(CALIBRATED)


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.05, "the chosen one is shown to be better"), (0.051, "no difference shown"), (None, "p unknown")],
)
def test_the_chosen_one_is_called_better_only_where_the_test_shows_it(p, said):
    assert said in line(replace(PROVISIONAL, runner_up_p=p), "chosen and runner-up")


def test_a_long_search_is_cut_and_says_so():
    many = replace(PROVISIONAL, candidates=PROVISIONAL.candidates * 5)
    assert "and 5 more: --json" in text_of(many)
    assert "5 more candidates are not shown" in calibration_markdown(many)
    assert len(calibration_document(many)["candidates"]) == 15


@pytest.mark.parametrize(
    ("worth", "said"),
    [
        (Worth(0.2, 0.1, 500, 0.1, 10.0), "with 500 verdicts of the judge 0.100: 50 % narrower"),
        (Worth(0.1, 0.2, 500, 0.1, 10.0), "100 % wider; on the labelled population itself, the labels say more"),
        (Worth(0.1, None, 500, 0.1, 10.0), "no rate is corrected, so the judge narrows nothing"),
        (Worth(None, None, 0, 0.1, 10.0), "the labels alone give no interval to be compared with"),
        (Worth(0.2, 0.1, 500, None, None), "per 1,000 verdicts: dollars unknown, tokens unknown"),
    ],
)
def test_what_a_judge_is_worth_is_said_plainly(worth, said):
    found = replace(CALIBRATED, worth=worth)
    assert said in text_of(found)
    assert said in calibration_markdown(found)


@pytest.mark.parametrize("n", [20, 400])
def test_the_curve_that_was_learnt_is_named(n):
    labels = ["fail", "pass"] * (n // 2)
    verdicts = [Verdict("verdict", word, probability=0.2 + 0.01 * (at % 60)) for at, word in enumerate(labels)]
    learnt = learn(labels, verdicts).calibrator
    assert f"probabilities are calibrated by {learnt['method']} (" in text_of(replace(CALIBRATED, calibrator=learnt))


def test_the_plot_reaches_below_0_where_an_interval_does():
    poor = replace(TEST, kappa=rate(0.1, -0.2, 0.4, 100))
    shown = text_of(replace(CALIBRATED, test=poor, required={"kappa": 0.6}))
    assert "-0.2" in shown
    assert "├───" in line(replace(CALIBRATED, test=poor, required={"kappa": 0.6}), "Cohen's κ   ├")


def test_without_bounds_nothing_is_drawn():
    assert "●" not in text_of(replace(CALIBRATED, required={}))
    assert "●" not in text_of(replace(CALIBRATED, required={"tpr": 0.8}, test=replace(TEST, tpr=Rate(None, 0))))


def test_grades_show_their_own_figures_and_no_empty_rows():
    labels = tuple(map(str, range(1, 6)))
    table = ((5, 1, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 7.5, 0, 0), (0, 0, 0, 8, 2), (0, 0, 0, 0, 9))
    graded = Figures(
        Counts(labels, table, weighted=True), rate(0.9, 0.8, 0.95, 33),
        weighted_kappa=rate(0.9, 0.8, 0.97, 33), spearman=Rate(0.93, 33), mae=rate(0.1, 0.02, 0.2, 33, "t"),
    )  # fmt: skip
    shown = text_of(replace(CALIBRATED, kind="graded", dev=None, optimism=None, test=graded, required={}))
    assert "32.5 effective verdicts" in shown
    assert "Spearman's ρ          0.930 [no interval] n=33" in shown
    assert "TPR" not in shown.partition("Verdicts on")[0].partition("Agreement")[2]
    assert [row.split()[0] for row in shown.partition("all\n")[2].splitlines()[:4]] == ["1", "3", "4", "5"]


def test_cost_that_is_unknown_is_never_nothing():
    assert "cost unknown for 3 calls" in text_of(replace(CALIBRATED, paid=Totals(calls=3, cost_usd=None)))


def test_nothing_of_others_is_obeyed_or_betrayed():
    hostile = replace(
        PROVISIONAL,
        judge="x\x1b]0;owned\x07",
        notes=("Authorization: Bearer abcdefgh12345678 | <script>",),
        model="openai/`rm`",
    )
    for shown in (text_of(hostile), calibration_markdown(hostile), json.dumps(calibration_document(hostile))):
        assert "\x1b" not in shown
        assert "sk-abcdef" not in shown
    markdown = calibration_markdown(hostile)
    assert "<script>" not in markdown
    assert "<b>" not in markdown
    assert "abcdefgh12345678" not in markdown + text_of(hostile)


def test_long_texts_are_cut_where_people_read_and_whole_in_json():
    long = replace(DISAGREEMENTS[0], answer="word " * 200)
    found = replace(PROVISIONAL, disagreements=(long,))
    assert "…" in line(found, "answer", width=1000)
    assert calibration_document(found)["disagreements"][0]["answer"] == "word " * 200


@pytest.mark.parametrize("found", [CALIBRATED, PROVISIONAL, REFUSED])
def test_the_document_is_plain_json_and_fits_its_schema(found):
    text = json.dumps(calibration_document(found), allow_nan=False)
    jsonschema.validate(json.loads(text), calibration_schema())


def test_the_document_holds_every_field_of_the_record():
    assert {field.name for field in dataclasses.fields(Calibration)} == set(calibration_document(CALIBRATED))
    assert {field.name for field in dataclasses.fields(Figures)} == set(FiguresDocument.__annotations__)


def test_what_json_cannot_hold_is_null():
    odd = replace(TEST, accuracy=Rate(float("nan"), 3, Interval(0.0, float("inf"), "t")))
    found = calibration_document(replace(CALIBRATED, test=odd))
    assert found["test"]["accuracy"] == {"value": None, "ci": None, "ci_method": "t", "confidence": 0.95, "n": 3}
