"""lark: a text that a grammar derives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DocumentError, UsageError
from llmkit.structured.format import UnsupportedShape
from llmkit.structured.registry import Source, create
from tests.structured.engine import accepts, rejects
from tests.timing import processor_time_below

PAIRS = r"""
start: pair ("," pair)*
pair: NAME "=" value
?value: INT | ESCAPED_STRING | "[" [value (";" value)*] "]"
%import common (INT, ESCAPED_STRING, WS)
%import common.CNAME -> NAME
%ignore WS
"""


def lark(grammar):
    return create({"lark": {"grammar": grammar}})


FORM = lark(PAIRS)
SUMS = lark('start: e\ne: e "+" e | e "*" e | "n"')

VALUES = st.recursive(
    st.integers(0, 99).map(str)
    | st.text("ab é/'", max_size=4).map('"{}"'.format)
    | st.just(r'"a\"b\\"'),
    lambda inner: st.lists(inner, max_size=3).map(lambda values: f"[{';'.join(values)}]"),
    max_leaves=6,
)  # fmt: skip
TEXTS = st.lists(st.tuples(st.from_regex("[a-z_]{1,3}", fullmatch=True), VALUES), min_size=1, max_size=4).map(
    lambda pairs: ", ".join(f"{name} = {value}" for name, value in pairs)
)


@given(TEXTS)
def test_what_is_rendered_is_read_and_the_decoder_admits_it(text):
    assert FORM.parse(FORM.render(text)).value == text
    assert accepts(FORM.grammar(), text)


@given(TEXTS, st.data())
def test_a_text_with_a_character_changed_is_judged_alike_by_both(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from('x=,[]";1\\')) + text[at + 1 :]
    assert accepts(FORM.grammar(), changed) == (FORM.parse(changed).value == changed)


@given(st.text("n+*", max_size=7))
def test_an_ambiguous_grammar_is_judged_alike_by_both(text):
    assert accepts(SUMS.grammar(), text) == (SUMS.parse(text).value == text)


@pytest.mark.parametrize(
    ("grammar", "good", "bad"),
    [
        ('start: "if" NAME | NAME\nNAME: /[a-z]+/\n%ignore " "', ["if x", "if", "ifx"], ["if if x"]),
        ('start: "a"~2..3 "B"i?', ["aa", "aaab", "aaaB"], ["a", "aaaa"]),
        ('start: twice{"a"}\ntwice{t}: t "," t', ["a,a"], ["a"]),
        ('start: "\\x41" "\\n" "é/" /\\//', ["A\né//"], ["A"]),
        ('%import common.C_COMMENT\nstart: "a" C_COMMENT', ["a/* x */", "a/***/", "a/*\n*/"], ["a/*", "a/* */ */"]),
        ('start: "x"*', ["", "xx"], ["y"]),
        ('start: "a" start "a" | "b"', ["b", "aabaa"], ["aab"]),
        ('start: (A|B)+\nA: "a".."c"\nB: /x.y/is', ["abcX\nY"], ["d"]),
        ('start: _x\n_x: ["a"] "b"', ["b", "ab"], ["a"]),
    ],
)
def test_what_the_two_dialects_write_differently_is_translated(grammar, good, bad):
    form = lark(grammar)
    for text in good:
        assert form.parse(text).value == text
        assert accepts(form.grammar(), text)
    for text in bad:
        assert form.parse(text).issues
        assert rejects(form.grammar(), text)


@pytest.mark.parametrize(
    ("answer", "repairs"),
    [("a=1", ()), ("\na=1\n", ()), ("```\na=1\n```", ("code fence removed",)), ("`a=1`", ("quotes removed",))],
)
def test_what_stands_around_the_text_is_taken_away_and_recorded(answer, repairs):
    parsed = FORM.parse(answer)
    assert parsed.value in (answer, "a=1")
    assert parsed.repairs == repairs


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("a=1,\nb:2", "line 2, column 2: found ':'; expected '='"),
        ("a=", "the answer ends too early; expected ESCAPED_STRING, INT, '['"),
        ("a=1 b", "line 1, column 5: found 'b'; expected the end, ','"),
        ("=1", "line 1, column 1: found '='; expected NAME"),
    ],
)
def test_an_issue_says_where_what_was_found_and_what_was_expected(answer, message):
    (issue,) = FORM.parse(answer).issues
    assert issue.message == message
    assert issue.rule == "shape"


HOSTILE = {
    "long": "a=1," * 250_000,
    "open": "a=[" * 10_000,
    "deep": "a=" + "[" * 10_000 + "]" * 10_000,
    "quotes": '"' * 100_000,
    "nul": "\0",
    "surrogate": "\ud800",
    "sum": "n+" * 5_000,
    "letters": "a" * 1_000_000,
}
FORMS = {
    "pairs": FORM,
    "sums": SUMS,
    "cubic": lark('start: start start | "a" | "n+"'),
    "catastrophic": lark("start: T+\nT: /(a|a?)+b/"),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_hostile_answers_end_in_bounded_time(form, answer):
    with processor_time_below(5):  # it would take minutes, if not for the limit
        form.parse(answer)


class TestRefused:
    @pytest.mark.parametrize(
        ("grammar", "why"),
        [
            ("start: (a", "line 1 of the grammar: column 10 is no Lark$"),
            ("start: nowhere", "line 1 of the grammar: 'nowhere' is used and defined nowhere"),
            ('begin: "a"', "the grammar has no rule start"),
            ('strt: "a"', "no rule start. Did you mean 'strt'"),
            ('start: "b"\n | one\none_: "a"', "line 2 of the grammar: 'one' is used .* Did you mean 'one_'"),
            ('start: "b"\nx: "a', "line 2 of the grammar: column 4 is no Lark$"),
            ("start: A\nA: /(/", r"line 2 of the grammar: cannot be read: missing \)"),
            ("start: start", "no text can match"),
            ('start: x "a"\nx: start | x "b"', "no text can match"),
            ("start: A\nA: /x*/", "zero-width"),
            ('\n%import secrets.KEY\nstart: "a"', "line 2 of the grammar has an import from elsewhere"),
            ("%import .secrets.KEY\nstart: KEY", "line 1 of the grammar has an import from elsewhere"),
            ("%import \\\n secrets.KEY\nstart: KEY", "an import from elsewhere"),
            ('start: %json {"type": "object"}', "decoders alone know"),
            ('%llguidance {}\nstart: "a"', "line 1 .* decoders alone know"),
            ('start: a\na[capture]: "x"', "line 2 .* options in brackets"),
            ('%declare A\nstart: A', "%declare"),
            ("start: " + " ".join(f'"{c}"?' for c in "abcdefghijklmnopqrst"), "too many optional parts"),
            ("start: (" * 2000, "line 1|cannot be read"),
            ('start: A0\n' + "\n".join(f"A{i}: A{i + 1} A{i + 1}" for i in range(40)) + '\nA40: "a"', "20,000 pieces"),
            ('start: x{"a"}\nx{t}: "b" x{x{t}} | t', "template x uses itself"),
            ('start: x{"a"}\nx{t}: y{t}\ny{t}: x{y{t}}', "uses itself"),
            ('start: "a"\n' * 5_000, "longer than 20,000"),
            ("", "needs a grammar"),
        ],
    )  # fmt: skip
    def test_what_is_no_grammar_or_reaches_beyond_itself(self, grammar, why):
        with processor_time_below(3):
            with pytest.raises(UsageError, match=why) as caught:
                lark(grammar)
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("grammar", "why"),
        [
            ('start: A\n\nA.2: "a"', "the terminal A in line 3 has a priority"),
            ("start: NAME\nNAME: /a+?b/", "the terminal NAME in line 2: .* a lazy quantifier"),
            ("start: /(?=a)a/", "look-ahead"),
            (r"start: W" "\n" r"W: /\bw/", "line 2: .* a word boundary"),
        ],
    )
    def test_what_no_decoder_can_follow_is_named_with_its_line_and_still_validated(self, grammar, why):
        form = lark(grammar)
        with pytest.raises(UnsupportedShape, match=why):
            form.grammar()
        assert [form.parse(text).valid for text in ("a", "ab", "w", "?")].count(True) == 1


class TestFiles:
    def test_a_grammar_stands_in_a_file_or_on_the_command_line(self, tmp_path):
        (tmp_path / "g.lark").write_text('start: "a"+\n')
        source = Source(folder=tmp_path)
        form = create("lark:g.lark", source)
        assert form.parse("aa").valid
        assert form == create('lark:start: "a"+\n') == create({"lark": {"file": "g.lark"}}, source)
        assert form.definition() == {"format": "lark", "grammar": 'start: "a"+\n'}

    def test_errors_name_the_file(self, tmp_path):
        (tmp_path / "g.lark").write_text("start: (")
        with pytest.raises(UsageError, match=r"g\.lark:1: the grammar: a parenthesis is not closed"):
            create("lark:g.lark", Source(folder=tmp_path))
        with pytest.raises(UsageError, match=r"no file .*Did you mean 'g\.lark'"):
            create("lark:h.lark", Source(folder=tmp_path))

    def test_a_suite_reads_below_its_own_folder_only(self, tmp_path):
        (tmp_path / "g.lark").write_text('start: "a"')
        (tmp_path / "suites").mkdir()
        with pytest.raises(DocumentError, match="leads out of"):
            create("lark:../g.lark", Source(folder=tmp_path / "suites", confined=True))

    def test_either_a_file_or_a_grammar(self):
        with pytest.raises(UsageError, match="either file or grammar"):
            create({"lark": {"file": "g.lark", "grammar": "start: A"}})


def test_the_prompt_shows_the_grammar_in_a_fence_that_it_cannot_close():
    assert lark('start: "```"').describe().splitlines()[1:] == ["````", 'start: "```"', "````"]


def test_no_provider_takes_it_natively():
    with pytest.raises(UnsupportedShape, match="a grammar"):
        FORM.native("openai")


def test_blanks_that_are_ignored_count_against_the_deadline():
    form = lark('start: NUM ("+" NUM)*\nNUM: /[0-9]+/\n%ignore " "')
    with processor_time_below(5):  # it would take minutes, if not for the limit
        (issue,) = form.parse(" " * 4_000_000 + "!").issues
        assert "0.5 s" in issue.message
