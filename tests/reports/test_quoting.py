"""Untrusted text in Markdown."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from llmkit.reports.quoting import inside_code, quoted, sentence, spelled

HOSTILE = "</code><script>alert(1)</script> @me #1 | [u](http://x) `c` *b* _i_ <!-- ~~s~~ $x$ www.x.org \x1b[2J\n# h"


def test_plain_words_stay_readable_in_the_source():
    assert quoted("prompts/exact_match.prompty, run 2026-11 (1 of 2)") == (
        "<code>prompts/exact_match.prompty, run 2026-11 (1 of 2)</code>"
    )


def test_no_character_of_markup_is_left():
    left = re.sub(r"&#\d+;", "", spelled(HOSTILE))
    assert not re.search(r"[\\`*\[\]<>#|~@$!&\n\x1b]|www\.|://", left)


def test_what_is_shown_is_what_was_there():
    assert html.unescape(spelled("a|b <i> @me `x` \\ &amp; _y_")) == "a|b <i> @me `x` \\ &amp; _y_"


def test_an_underscore_within_a_word_is_no_markup_and_stays():
    assert spelled("exact_match") == "exact_match"
    assert "_" not in spelled("_it_")


def test_nothing_is_no_empty_code():
    assert quoted("") == ""


def test_a_sentence_mentions_nobody_and_no_issue():
    assert sentence("by @me in #12") == "by &#64;<!-- -->me in &#35;<!-- -->12"


def test_tags_within_code_are_ours_alone():
    assert inside_code([("a <b>", None), ("c", "del")]) == "<code>a &#60;b&#62;<del>c</del></code>"


@given(st.text(max_size=60))
def test_whatever_it_is_it_stays_on_one_line_and_in_its_cell(text):
    assert not set(quoted(text)) & set("\n\r|`")
    assert quoted(text).count("<") in (0, 2)
