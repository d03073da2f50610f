"""The result table as Markdown."""

from llmkit.reports.markdown import escaped, markdown_table
from tests.reports.records import HOSTED, LOCAL, THIRD, metric, run

EXPECTED = """\
| quickstart | local/smollm2-135m-instruct | openai/gpt-4o-mini |
| --- | --- | --- |
| exact_match | 0.82 [0.75, 0.87] n=57; 3 failed: 0.78 if wrong | 0.95 [0.86, 0.98] n=60 |
| bleu | 31.2 [28.0, 34.1] n=60 | 44.1 [40.2, 47.8] n=60 |
| bertscore | 0.902 [no interval] n=1 | – |

| quickstart · exact_match by topic | local/smollm2-135m-instruct |
| --- | --- |
| add | 0.90 [0.74, 0.96] n=30 |
| multiply | 0.70 [0.52, 0.84] n=27; 3 failed: 0.63 if wrong |

- exact_match: `exact_match|case:exact|v:1`
- bleu: `bleu|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|v:2.5.1` (local/smollm2-135m-instruct)
- bleu: `bleu|nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|v:2.5.1` (openai/gpt-4o-mini)
- bertscore: `bertscore|case:exact|v:1`

- local/smollm2-135m-instruct on quickstart: completed, 57 of 60 in 41.2 s, $0, 10 from the cache, 2 truncated, 3 failed (`20261122-0503-k3f9`)
- openai/gpt-4o-mini on quickstart: completed, 60 of 60 in 41.2 s, cost unknown (`20261122-0504-a1b2`)
"""  # noqa: E501


def test_the_whole_of_two_runs():
    assert markdown_table([LOCAL, HOSTED]) == EXPECTED


def test_nothing_is_nothing():
    assert markdown_table([]) == ""


def test_a_stopped_run_says_so():
    assert "budget, 31 of 60" in markdown_table([THIRD])


def test_bars_and_newlines_cannot_break_a_table():
    evil = run(suite="a|b\nc", model="m|n", metrics=[metric("x|y", 0.5, (0.4, 0.6))])
    table = markdown_table([evil]).split("\n\n")[0].splitlines()
    assert table[0] == r"| a\|b\\nc | m\|n |"
    assert len(table) == 3
    assert table[2].startswith(r"| x\|y | ")


def test_markup_and_html_are_shown_not_obeyed():
    assert escaped("<img src=x> [l](u) *b* `c` @me #1") == r"\<img src=x\> \[l\](u) \*b\* \`c\` \@me \#1"


def test_backticks_in_a_signature_stay_inside_its_code_span():
    shown = markdown_table([run(metrics=[metric("m", 0.5, (0.4, 0.6), signature="re:``x`")])])
    assert "- m: ``` re:``x` ```" in shown
