"""A gate as Markdown."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from llmkit.reports.gate_markdown import COMMENT_BYTES, gate_markdown
from tests.reports import verdicts as v

FAILING = """\
### llmkit gate: FAIL

<code>origin/main (merge base 3f9c2a1)</code> → <code>working tree at 81bd0c2, with uncommitted changes</code>

#### FAIL: <code>sums</code> (<code>suites/sums.yaml</code>)

- prompt changed: prompts/sums.prompty&#58;3-5,9: 2 lines

| metric | verdict | head − base [90 % interval] | margin | base | head | n | look | won/lost/tied |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| <code>exact_match</code> | **FAIL** | -0.21 [-0.31, -0.11] | 0.02 | 0.95 | 0.74 | 150 | 2/8 | 2/33/115 |
| <code>cost</code> | **pass (warning)** | +6.5 % [+3.1 %, +9.8 %] | 20 % | &#36;0.00123 | &#36;0.00131 | 600 | 3/8 | 8/5/587 |

- exact_match: a drop is proven, of at least 0.113; the margin is 0.02
- exact_match: stopped early, which favours large differences: -0.21 as observed, -0.18 adjusted (median-unbiased)
- cost: a rise is proven, of at least 3.1 %, but within the margin: one of 20 % is ruled out

**35 samples flipped; the worst 1:**

<details><summary><code>row-12</code>: <code>exact_match</code> 1 → 0</summary>

<table>
<tr><td>asked</td><td><code>What is 2 + 2?</code></td></tr>
<tr><td>right</td><td><code>4</code></td></tr>
<tr><td><code>base</code></td><td><code>The answer is <del>4</del>.</code></td></tr>
<tr><td><code>head</code></td><td><code>The answer is <ins>5</ins>.</code></td></tr>
</table>

</details>

<details><summary>What this rests on</summary>

- planned: at most 1,200 samples, of 1,319 in the data; spread: A/A run 20261121-0900-aaaa
- 150 of 1,200 samples seen, look 2 of 8: stopping early saved 1,200 calls (&#36;1.34)
- A pair counts where both sides have a score; failures are a metric of their own
- base: openai/gpt-4o-mini · 450 calls · &#36;0.5535 paid · 150 stored answers · run 20261122-0800-b4se
- head: openai/gpt-4o-mini · 600 calls · &#36;0.7860 paid · 2 failed · run 20261122-0800-h34d
- <code>exact_match</code>: <code>exact_match&#124;case&#58;mixed&#124;v&#58;1  (exact walk; Tango score)</code>
- <code>cost</code>: <code>(ratio of means)</code>
- compare them: <code>llmkit compare 20261122-0800-b4se 20261122-0800-h34d</code>

</details>

Not reached: <code>capitals</code>

seed 7 · error rate 5 % for either verdict · 41.2 s

**FAIL: 1 suite failed (exit 1)**
"""  # noqa: E501


def rendered(text):
    """As GitHub does it: CommonMark with raw HTML and tables."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def many_flips(count, verdict="fail", **more):
    flips = tuple(replace(v.LOSS, sample_id=f"row-{number:04}", question="why? " * 60) for number in range(count))
    return v.suite(verdict, (v.FAILED,), flips=flips, flipped=count, **more)


def test_the_whole_of_a_failure():
    assert gate_markdown(v.FAILING) == FAILING


def test_it_renders_as_tables_and_blocks_that_open():
    html = rendered(gate_markdown(v.FAILING))
    assert html.count("<table>") == 2
    assert html.count("<details>") == html.count("</details>") == 2
    assert "<td><strong>FAIL</strong></td>" in html
    assert "<del>4</del>" in html


@pytest.mark.parametrize("report", v.ALL)
def test_every_element_that_opens_closes(report):
    html = rendered(gate_markdown(report))
    for tag in set(re.findall(r"<([a-z0-9]+)", html)) - {"hr", "br"}:
        assert html.count(f"<{tag}>") == html.count(f"</{tag}>"), tag


def test_nothing_in_a_report_is_obeyed():
    html = rendered(gate_markdown(v.EVIL))
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= {
        *("h3", "h4", "p", "code", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong"),
        *("details", "summary", "ins", "del", "i"),
    }
    assert "\x1b" not in html


def test_nobody_is_mentioned_and_no_issue_referred_to():
    html = rendered(gate_markdown(v.EVIL))
    for text in re.sub(r"<code>.*?</code>", "", html, flags=re.S).split(">"):
        assert not re.search(r"[@#]\w", text.partition("<")[0])


def test_nothing_to_gate():
    said = "**PASS: nothing that differs reaches a gated suite (capitals); no call was made (exit 0)**"
    assert said in gate_markdown(v.UNTOUCHED)


def test_a_list_shows_the_plan():
    text = gate_markdown(v.LISTED)
    assert text.startswith("### llmkit gate: plan\n")
    assert "- at most 2,400 calls on both sides (300 answers are there already), for at most &#36;1.25\n" in text


def test_missing_answers_are_listed_up_to_twenty():
    text = gate_markdown(v.OFFLINE)
    assert text.count("  - <code>head row-") == 20
    assert "  - <code>and 14 more</code>" in text


def test_the_third_verdict_gives_its_advice():
    assert "Running this gate again until it passes is not evidence" in gate_markdown(v.SHORT)


def test_what_a_pass_does_not_cover_stands_right_below_it():
    said = "- warning&#58; head alone has no usable answer in 75 pairs, base alone in 0\n"
    text = gate_markdown(v.WARNED).replace("- warning: ", "- warning&#58; ")
    assert f"#### PASS (with a warning): <code>sums</code> (<code>suites/sums.yaml</code>)\n\n{said}" in text


def test_where_all_is_new_nothing_was_compared():
    text = gate_markdown(v.NEW)
    assert text.startswith("### llmkit gate: NOT COMPARED\n")
    assert "**NOT COMPARED: 1 suite not compared (exit 0)**" in text


def test_flips_that_do_not_fit_are_left_out_whole_and_it_says_so():
    text = gate_markdown(v.report(many_flips(300)))
    assert 0.9 * COMMENT_BYTES < len(text.encode()) <= COMMENT_BYTES
    shown = text.count("<summary><code>row-")
    assert f"**300 samples flipped; the worst {shown}:**" in text
    assert f"\n{300 - shown} more are left out, for want of room.\n" in text
    assert "row-0000" in text
    assert text.count("<details>") == text.count("</details>")


def test_every_suite_keeps_its_worst_flips():
    text = gate_markdown(v.report(many_flips(300), many_flips(300)))
    assert text.count("row-0000") == 2
    assert len(text.encode()) <= COMMENT_BYTES


@pytest.mark.parametrize("most", [3000, 6000, 20_000])
def test_suites_that_do_not_fit_are_named_then_counted(most):
    long = tuple(v.verdict(slice=("topic", f"t{n}")) for n in range(40))
    text = gate_markdown(v.report(*(v.suite(metrics=long) for _ in range(200)), notes=("x" * 999,) * 99), most)
    assert len(text.encode()) <= most
    assert re.search(r"[\d,]+ more suites are left out, for want of room\.", text)
    assert text.endswith("**PASS: 200 of 200 suites passed (exit 0)**\n")
