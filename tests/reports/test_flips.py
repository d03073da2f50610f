"""A flipped sample, for a terminal and for Markdown."""

from rich.console import Group

from llmkit.comparisons import Answered, Flip
from llmkit.reports.flips import flip_lines, flip_markdown
from tests.reports.records import printed

HOSTILE = "[red]x[/red] \x1b]0;owned\x07 <script>@me</script> </code></td></table></details> `|`\n\n# h"


def flip(a="The answer is 4.", b="The answer is 5.", **more):
    sides = {
        "a": a if isinstance(a, Answered) else Answered(a, 1.0),
        "b": b if isinstance(b, Answered) else Answered(b, 0.0),
    }
    given = dict(sample_id="row-12", epoch=1, metric="exact_match", change=-1.0, question="2 + 2?", references=("4",))
    return Flip(**(given | sides | more))


def shown(one, width=100, **more):
    return printed(Group(*flip_lines(one, **more)), width)


def test_a_loss_at_a_terminal():
    assert shown(flip()) == (
        "  row-12  exact_match 1 → 0\n"
        "    asked  2 + 2?\n"
        "    right  4\n"
        "    base   The answer is [-4-].\n"
        "    head   The answer is {+5+}.\n"
    )


def test_a_loss_as_markdown():
    assert flip_markdown(flip()) == (
        "<details><summary><code>row-12</code>: <code>exact_match</code> 1 → 0</summary>\n"
        "\n"
        "<table>\n"
        "<tr><td>asked</td><td><code>2 + 2?</code></td></tr>\n"
        "<tr><td>right</td><td><code>4</code></td></tr>\n"
        "<tr><td><code>base</code></td><td><code>The answer is <del>4</del>.</code></td></tr>\n"
        "<tr><td><code>head</code></td><td><code>The answer is <ins>5</ins>.</code></td></tr>\n"
        "</table>\n"
        "\n"
        "</details>\n"
    )


def test_the_sides_are_called_what_the_caller_calls_them():
    text = shown(flip(), a="20261122-0503-k3f9", b="gpt")
    assert "    20261122-0503-k3f9  The answer is [-4-].\n" in text
    assert "    gpt                 The answer is {+5+}.\n" in text
    assert "<td><code>gpt</code></td>" in flip_markdown(flip(), b="gpt")


def test_a_missing_answer_says_why():
    one = flip(b=Answered(None, None, failure="provider/timeout: no answer in 60 s"))
    assert "exact_match 1 → failed\n" in shown(one)
    assert "    head   no answer: provider/timeout: no answer in 60 s\n" in shown(one)
    assert "<i>no answer: provider/timeout" in flip_markdown(one)


def test_an_empty_answer_says_so():
    assert "    head   (empty)\n" in shown(flip(b=""))


def test_an_answer_that_could_not_be_scored_says_why():
    one = flip(b=Answered("none", None, failure="scorer/unparsable: no number"))
    assert "    head   none  (scorer/unparsable: no number)\n" in shown(one)


def test_what_was_taken_out_of_an_answer_stands_beside_it():
    assert "    head   I say 5  (took '5')\n" in shown(flip(b=Answered("I say 5", 0.0, extracted="5")))
    assert "took" not in shown(flip(b=Answered("5", 0.0, extracted="5")))


def test_of_many_references_the_first_are_shown():
    assert "right  a | b | c | 2 more\n" in shown(flip(references=tuple("abcde")))


def test_later_epochs_are_named_and_graded_values_kept_short():
    one = flip(metric="chrf", epoch=3, a=Answered("x", 45.23456), b=Answered("y", 12.0))
    assert shown(one).startswith("  row-12 · epoch 3  chrf 45.23 → 12\n")
    assert "</code> · epoch 3: <code>chrf</code> 45.23 → 12</summary>" in flip_markdown(one)


def test_nothing_in_a_flip_is_obeyed_at_a_terminal():
    one = flip(HOSTILE, HOSTILE + "y", sample_id=HOSTILE, metric=HOSTILE, question=HOSTILE, references=(HOSTILE,))
    text = printed(Group(*flip_lines(one)), 400, force_terminal=True, color_system=None)
    assert not set(text) & {"\x1b", "\x07"}
    assert text.count("[red]x[/red]") == 6
    assert len(text.splitlines()) == 5


def test_nothing_in_a_flip_is_obeyed_in_markdown():
    one = flip(HOSTILE, HOSTILE + "y", sample_id=HOSTILE, metric=HOSTILE, question=HOSTILE, references=(HOSTILE,))
    text = flip_markdown(one)
    for tag in ("details", "summary", "table"):
        assert (text.count(f"<{tag}>"), text.count(f"</{tag}>")) == (1, 1)
    assert text.count("<code>") == text.count("</code>") == 8
    assert text.count("\n\n") == 2
    assert not set(text) & set("@|`*")
    assert "<script" not in text


def test_lines_wrap_under_their_answer():
    text = shown(flip(b="word " * 40), 60)
    assert all(line.startswith(" " * 11) for line in text.splitlines()[5:])
