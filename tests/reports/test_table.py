"""The result table of a terminal."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from llmkit.reports.lines import Line
from llmkit.reports.table import print_results, results_table
from tests.reports.records import HOSTED, LOCAL, THIRD, metric, printed, run

ONE_AT_80 = r"""
quickstart  value [95 % interval] n=samples
                local/smollm2-135m-instruct
  exact_match   0.82 [0.75, 0.87]  n=57
                3 failed: 0.78 if wrong
  bleu          31.2 [28.0, 34.1]  n=60
  bertscore     0.902 [no interval]  n=1

quickstart · exact_match by topic  value [95 % interval] n=samples
             local/smollm2-135m-instruct
  add        0.90 [0.74, 0.96]  n=30
  multiply   0.70 [0.52, 0.84]  n=27
             3 failed: 0.63 if wrong

Signatures
  exact_match  exact_match|case:exact|v:1
  bleu         bleu|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|v:2.5.1
  bertscore    bertscore|case:exact|v:1

Runs
  20261122-0503-k3f9  quickstart · local/smollm2-135m-instruct
    completed: 57 of 60 in 41.2 s · 10 from the cache · 2 truncated · 3 failed
    $0 paid · 50 calls · 53 HTTP attempts · 12,345 tokens in (100 cached), 678
      out
    3 × scorer/unparsable: no number in 'I can not say'
    see them: llmkit runs show 20261122-0503-k3f9 --failed
"""

THREE_AT_120 = r"""
quickstart  value [95 % interval] n=samples
                local/smollm2-135m-instruct   openai/gpt-4o-mini        anthropic/claude-sonnet-4-5-20250929
  exact_match   0.82 [0.75, 0.87]  n=57       0.95 [0.86, 0.98]  n=60   0.95 [0.86, 0.98]  n=60
                3 failed: 0.78 if wrong
  bleu          31.2 [28.0, 34.1]  n=60       44.1 [40.2, 47.8]  n=60   44.1 [40.2, 47.8]  n=60
  bertscore     0.902 [no interval]  n=1      –                         –
"""

THREE_AT_80 = r"""
quickstart  value [95 % interval] n=samples
  exact_match
    local/smollm2-135m-instruct            0.82 [0.75, 0.87]  n=57
                                           3 failed: 0.78 if wrong
    openai/gpt-4o-mini                     0.95 [0.86, 0.98]  n=60
    anthropic/claude-sonnet-4-5-20250929   0.95 [0.86, 0.98]  n=60
  bleu
    local/smollm2-135m-instruct            31.2 [28.0, 34.1]  n=60
    openai/gpt-4o-mini                     44.1 [40.2, 47.8]  n=60
    anthropic/claude-sonnet-4-5-20250929   44.1 [40.2, 47.8]  n=60
  bertscore
    local/smollm2-135m-instruct            0.902 [no interval]  n=1
"""


def squeezed(text):
    return re.sub(r"\s+", "", text)


def test_one_model_in_eighty_columns():
    assert printed(results_table([LOCAL])) == ONE_AT_80.lstrip("\n")


def test_models_stand_side_by_side_where_they_fit():
    assert printed(results_table([LOCAL, HOSTED, THIRD]), 120).startswith(
        THREE_AT_120.strip("\n").replace("   n", "   n")
    )


def test_models_stand_one_under_the_other_where_they_do_not_fit():
    assert printed(results_table([LOCAL, HOSTED, THIRD])).startswith(THREE_AT_80.strip("\n"))


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_console_and_nothing_is_lost(width):
    text = printed(results_table([LOCAL, HOSTED, THIRD]), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
    for whole in (THIRD.model, LOCAL.run_id, LOCAL.metrics["bleu"].signature, THIRD.stopped_by):
        assert squeezed(whole) in squeezed(text)


def test_no_line_ends_in_spaces():
    text = printed(results_table([LOCAL, HOSTED, THIRD]), 100)
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_into_a_pipe_long_lines_stay_whole_and_plain():
    stream = io.StringIO()
    long = run(metrics=[metric("bleu", 1.0, (0.5, 1.0), signature="bleu|" + "|".join(f"k{i}:v" for i in range(60)))])
    print_results([long], Console(file=stream, width=80))
    assert any(long.metrics["bleu"].signature in line for line in stream.getvalue().splitlines())
    assert "\x1b" not in stream.getvalue()


def test_colours_add_nothing_to_the_text():
    plain = printed(results_table([LOCAL, HOSTED]))
    coloured = printed(
        results_table([LOCAL, HOSTED]), force_terminal=True, color_system="standard", legacy_windows=False
    )
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_failures_of_the_run_are_shown_with_the_way_to_them():
    text = printed(results_table([LOCAL]))
    assert "3 × scorer/unparsable: no number in 'I can not say'" in text
    assert "llmkit runs show 20261122-0503-k3f9 --failed" in text


def test_unknown_costs_and_tokens_are_unknown():
    text = printed(results_table([HOSTED]), 120)
    assert "cost unknown · $0.0123 saved by the cache" in text
    assert "12,345 tokens in, unknown out (500 reasoning)" in text


def test_what_set_the_model_and_each_parameter_stands_under_its_run():
    chosen = run(
        metrics=[metric("em", 1.0)],
        params={"temperature": 0, "stop": "x" * 99, "seed": 7},
        origins={
            "temperature": "-M",
            "stop": "prompt p/q.prompty",
            "model": "suite a/b/sums.yaml:9",
            "file": "x.toml:2",
        },
    )
    said = (
        f"model from suite sums.yaml:9 · temperature=0 from -M · stop={'x' * 23}… from prompt q.prompty"
        " · seed=7 from --seed · file from x.toml:2"
    )
    assert said in printed(results_table([chosen]), 400)


def test_a_run_that_was_stopped_says_by_what():
    text = printed(results_table([THIRD]))
    assert "stopped by the budget: 31 of 60" in text
    assert "stopped by: the cost cap of $0.50" in text


def test_differing_signatures_are_told_apart_and_warned_of():
    text = printed(results_table([LOCAL, HOSTED]), 120)
    assert "case:mixed|eff:no|tok:13a|smooth:exp|v:2.5.1  (local/smollm2-135m-instruct)" in text
    assert "bleu: signatures differ, so its figures must not be compared" in text
    assert "exact_match: signatures differ" not in text


def test_signatures_that_differ_in_the_interval_alone_can_be_compared():
    first = run("r1", model="a", metrics=[metric("em", 1.0, (0.9, 1.0), signature="em|v:1|ci:wilson")])
    other = run("r2", model="b", metrics=[metric("em", 1.0, None, signature="em|v:1|ci:none")])
    text = printed(results_table([first, other]))
    assert "em|v:1|ci:none  (b)" in text
    assert "must not be compared" not in text


def test_each_signature_is_shown_once():
    again = run("r2", model="other", metrics=[*LOCAL.metrics.values()])
    assert printed(results_table([LOCAL, again])).count("smooth:exp") == 1


def test_two_runs_of_one_model_are_told_apart_by_their_ids():
    text = printed(results_table([run("r1", metrics=[metric("em", 1.0)]), run("r2", metrics=[metric("em", 0.5)])]))
    assert "local/smol (r1)" in text
    assert "local/smol (r2)" in text


def test_several_suites_on_the_same_models_are_one_table():
    text = printed(
        results_table([run("r1", "one", metrics=[metric("a", 1.0)]), run("r2", "two", metrics=[metric("b", 0)])])
    )
    assert text.startswith("2 suites\n")
    assert text.index("  one · a   1.000") < text.index("  two · b   0.000")
    assert "(r1)" not in text


def test_suites_on_different_models_have_a_table_each():
    one = run("r1", "one", "a/b", [metric("a", 1.0)])
    text = printed(results_table([one, run("r2", "two", "c/d", [metric("b", 0)])]))
    assert text.index("one\n") < text.index("two\n")


def test_of_several_suites_the_slices_are_left_to_runs_show():
    parts = {"topic": {"add": metric("a", 1.0)}}
    several = [run(r, s, metrics=[metric("a", 1.0, slices=parts)]) for r, s in (("r1", "one"), ("r2", "two"))]
    text = printed(results_table(several))
    assert "by topic" not in text
    assert "one suite by its slices: llmkit runs show RUN" in text


def test_of_many_slices_a_terminal_shows_the_first_and_a_pipe_all():
    many = run(metrics=[metric("em", 1.0, slices={"id": {f"row-{n:04}": metric("em", 1.0) for n in range(1234)}})])
    shown, piped = (printed(results_table([many]), force_terminal=t, color_system=None) for t in (True, False))
    assert shown.count("row-") == 20
    assert "row-0019" in shown
    assert "  and 1,214 more: --json\n" in shown
    assert piped.count("row-") == 1234
    assert "more: --json" not in piped


def test_signatures_of_different_suites_may_differ():
    several = [run(r, s, metrics=[metric("a", 1.0, signature=f"a|{s}|v:1")]) for r, s in (("r1", "one"), ("r2", "two"))]
    text = printed(results_table(several))
    assert "a|one|v:1  (one)" in text
    assert "must not be compared" not in text


def test_without_results_or_metrics_there_is_no_crash():
    assert printed(results_table([])).strip() == ""
    assert "no metric" in printed(results_table([run()]))
    assert "no value  n=0" in printed(results_table([run(metrics=[metric("em", None, None, 0, 60, 0.0)])]))


HOSTILE = "[red]x[/red] \x1b]0;owned\x07 [link=http://e.vil]y\nz"


def test_nothing_in_names_or_messages_is_obeyed():
    evil = run(HOSTILE, HOSTILE, HOSTILE, [metric(HOSTILE, 0.5, (0.4, 0.6), signature=HOSTILE)], stopped_by=HOSTILE)
    evil = run(**{f: getattr(evil, f) for f in ("run_id", "suite", "model")}, metrics=evil.metrics.values(),
               faults={HOSTILE: (1, HOSTILE)}, stopped_by=HOSTILE)  # fmt: skip
    text = printed(results_table([evil]), 200, force_terminal=True, color_system=None)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count(r"[red]x[/red] \x1b]0;owned\x07 [link=http://e.vil]y\nz") >= 9


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]) | st.just(" "), max_size=200),
    st.integers(30, 90),
)
def test_a_wrapped_line_keeps_every_character(text, width):
    shown = printed(Line(Text(text), indent=4, hang=8), width)
    assert squeezed(shown) == squeezed(text)
