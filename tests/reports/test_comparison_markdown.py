"""A comparison as Markdown."""

from dataclasses import replace

from llmkit.comparisons import Answered
from llmkit.reports import comparison_markdown as module
from llmkit.reports.comparison_markdown import comparison_markdown
from tests.reports.comparisons import FLIPS, SAME, UNKNOWN, WHOLE, WORSE, comparison, metric

START = """\
- a: openai/gpt-4o-mini on sums (<code>20261122-0503-k3f9</code>)
- b: openai/gpt-4o on sums (<code>20261122-0504-a1b2</code>), 3 of 203 failed
- differ in model: openai/gpt-4o-mini → openai/gpt-4o, prompt
- 203 pairs of sample and epoch · 2 in a alone; 95 % intervals, seed 0

| sums | a → b | b − a | p, two-sided | won / lost / tied | n |  |
| --- | --- | --- | --- | --- | --- | --- |
| exact_match | 0.850 → 0.700 | -0.150 [-0.213, -0.087] | p &#60;0.0001 (mcnemar-exact) | 5 / 35 / 160 | 200 | ▼ b is worse; failed 0 in a, 3 in b |
| wer | 0.312 → 0.255 | -0.057 [-0.080, -0.034] | p 0.0012 (paired-randomisation) | 80 / 40 / 83 | 203 | ▲ b is better |
| f1 | 0.8010 → 0.8050 | +0.0040 [-0.0121, +0.0202] | p 0.63 (sign-flip) | 20 / 18 / 162 | 200 | no difference shown |
| bleu | – | – | – | 9 / 8 / 183 | 200 | unknown: its statistics were not exported |

| sums · exact_match by topic |"""  # noqa: E501


def test_runs_and_metrics_come_first():
    assert comparison_markdown(WHOLE).startswith(START)


def test_amounts_flips_signatures_and_notes_follow():
    blocks = comparison_markdown(WHOLE).split("\n\n")
    joined = "\n\n".join(blocks[3:])
    assert "| output tokens, mean | 45.2 → 30.1 | × 0.67 [0.60, 0.74] | 200 |" in joined
    assert "| latency, median | unknown: the answers of b come from the cache | – | 0 |" in joined
    assert "<details><summary><code>s7</code>" in joined
    assert "<code>llmkit runs show 20261122-0504-a1b2 --sample s7</code>" in joined
    assert blocks[-1] == "- note: only a has chrf\n"


def test_every_row_of_a_table_has_its_columns():
    for block in comparison_markdown(WHOLE).split("\n\n"):
        if block.startswith("| "):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_what_was_forced_is_said():
    assert "- **FORCED**: these runs are not comparable: data: x ≠ y" in comparison_markdown(
        comparison(SAME, forced=("data: x ≠ y",))
    )


def test_nothing_of_others_is_obeyed():
    evil = replace(FLIPS[0], sample_id="</code><img src=x>", b=Answered("@me ```\n| x </table>", 0.0))
    found = comparison(
        metric("m|n<b>", 0.5, 0.6, (0.01, 0.2)), replace(UNKNOWN, unknown="@you [x](y)"), flips=(evil,), flipped=1,
        differs=("model: @org → <script>",), notes=("#7",), b=replace(WHOLE.b, model="@team"),
    )  # fmt: skip
    text = comparison_markdown(found)
    for bad in ("@", "<img", "<script", "<b>", "```", "](", "#7", "</table> "):
        assert bad not in text, bad


def test_flips_are_cut_whole_where_there_is_no_room(monkeypatch):
    monkeypatch.setattr(module, "MOST", 3000)
    text = comparison_markdown(replace(WHOLE, flips=FLIPS[:1] * 40))
    assert text.count("<details>") == text.count("</details>") < 40
    assert f"{40 - text.count('<details>')} more are left out, for want of room." in text


def test_a_metric_without_pairs_is_a_row():
    assert "no pair is scored on both sides" in comparison_markdown(comparison(metric("em", None, None, None, None)))


def test_slices_have_tables_of_their_own():
    assert comparison_markdown(comparison(WORSE)).count(f"\n{'| --- ' * 7}|\n") == 2
