"""From a format's grammar to what an engine takes: compiled before any call, in bounded time, once."""

import json
import os
from dataclasses import dataclass

import pytest

from llmkit.errors import MissingExtraError
from llmkit.structured import compiling
from llmkit.structured.decoding import ENDLESS, HEADER, Constraint, SlowGrammar, constrain, lark_text
from llmkit.structured.format import Grammar, UnsupportedShape
from llmkit.structured.registry import create
from tests.structured.engine import accepts


@dataclass
class Form:
    """Only what decoding looks at."""

    source: Grammar
    rules: tuple[str, ...] = ("shape",)
    name: str = "form"

    def grammar(self):
        return self.source


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(compiling, "_known", {})


def text_of(constraint):
    return constraint.params["structured"]["grammar"]


def as_sent(constraint):
    return Grammar("lark", text_of(constraint))


USER = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "ages": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["name", "ages"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("engine", ["local", "vllm"])
class TestOneTextForBothEngines:
    def test_json_stands_in_one_layout_so_that_no_model_writes_blanks_for_ever(self, engine):
        sent = as_sent(constrain(Form(Grammar("json_schema", USER)), engine))
        value = {"name": "ann", "ages": [1, 2]}
        assert accepts(sent, json.dumps(value))
        assert not accepts(sent, json.dumps(value, separators=(",", ":")))
        assert not accepts(sent, json.dumps(value, indent=1))
        assert not accepts(sent, '{"name": "Ann", "ages": []}')

    def test_a_schemas_own_options_win(self, engine):
        schema = {**USER, "x-guidance": {"item_separator": ",", "key_separator": ":"}}
        assert accepts(as_sent(constrain(Form(Grammar("json_schema", schema)), engine)), '{"name":"a","ages":[1,2]}')

    def test_a_pattern_is_searched_for_as_json_schema_has_it(self, engine):
        sent = as_sent(constrain(Form(Grammar("json_schema", {"type": "string", "pattern": "@"})), engine))
        assert accepts(sent, '"a@b"')
        assert not accepts(sent, '"ab"')

    def test_a_regular_expression_is_a_whole_match_whatever_it_holds(self, engine):
        sent = as_sent(constrain(Form(Grammar("regex", 'a/b\\/"\n#//')), engine))
        assert accepts(sent, 'a/b/"\n#//')

    def test_the_empty_regular_expression_admits_the_empty_text(self, engine):
        sent = as_sent(constrain(Form(Grammar("regex", "")), engine))
        assert accepts(sent, "")
        assert not accepts(sent, "a")

    def test_lark_goes_as_it_is_behind_the_header_that_names_the_engine(self, engine):
        text = 'start: "a" INT\n%import common.INT\n'
        assert text_of(constrain(Form(Grammar("lark", text)), engine)) == HEADER + text

    def test_true_is_any_json_and_false_is_refused(self, engine):
        assert accepts(as_sent(constrain(Form(Grammar("json_schema", True)), engine)), '{"a": [1, null]}')
        with pytest.raises(UnsupportedShape, match="no JSON value"):
            constrain(Form(Grammar("json_schema", False)), engine)

    def test_what_the_grammar_leaves_out_stays_unenforced(self, engine):
        form = Form(Grammar("regex", "a", unenforced=("sum",)), ("shape", "sum"))
        assert constrain(form, engine).unenforced == ("sum",)


def test_choices_go_as_choices_to_vllm_and_as_one_terminal_to_local():
    form = Form(Grammar("choice", ("größer", 'a "b"', "a")))
    assert constrain(form, "vllm").params == {"structured": {"choice": ["größer", 'a "b"', "a"]}}
    sent = as_sent(constrain(form, "local"))
    assert [accepts(sent, text) for text in ("größer", 'a "b"', "a", "b", "")] == [True, True, True, False, False]


def test_keywords_that_the_engine_does_not_know_are_left_to_the_validator_and_named():
    schema = {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True, "maxItems": 2}}, "not": {}}
    rules = ("shape", "a: type", "a: uniqueItems", "a: maxItems", ": not")
    constraint = constrain(Form(Grammar("json_schema", schema), rules), "local")
    assert constraint.unenforced == ("a: uniqueItems", ": not")
    assert constraint.notes == ("the decoder does not know not, uniqueItems: checked in the answer alone",)
    assert accepts(as_sent(constraint), '{"a": [1, 1]}')
    assert not accepts(as_sent(constraint), '{"a": [1, 1, 1]}')


class TestRefusedBeforeAnyCall:
    @pytest.mark.parametrize(
        ("grammar", "why"),
        [
            (Grammar("regex", "(?=a)a"), "look-around"),
            (Grammar("lark", "start: nowhere"), "unknown name"),
            (Grammar("lark", 'start: A\nA.2: "a"'), "priority"),
            (Grammar("json_schema", {"type": "string", "pattern": "(?=a)a"}), "look-around"),
            (Grammar("json_schema", {"$ref": "http://example.org/schema"}), "not present in a registry"),
            (Grammar("json_schema", {"const": float("nan")}), "expected value|cannot be written|failed to parse"),
            (Grammar("choice", ()), "no choices"),
            (Grammar("choice", ("\ud800",)), "lone surrogate"),
            (Grammar("lark", 'start: "\ud800"'), "lone surrogate"),
        ],
    )
    def test_a_grammar_that_the_engine_does_not_take(self, grammar, why):
        with pytest.raises(UnsupportedShape, match=why) as caught:
            constrain(Form(grammar), "local")
        assert "\n" not in str(caught.value)

    def test_an_engine_that_takes_none(self):
        with pytest.raises(UnsupportedShape, match="openai takes no grammar"):
            constrain(Form(Grammar("regex", "a")), "openai")

    def test_a_grammar_on_which_the_compiler_overflows_its_stack(self):
        rules = "\n".join(f'r{i}: "(" r{i + 1} ")"' for i in range(10_000))
        with pytest.raises(UnsupportedShape, match="broke down"):
            constrain(Form(Grammar("lark", f'start: r0\n{rules}\nr10000: "a"')), "local")

    def test_a_schema_too_deep_to_be_written(self):
        schema: dict = {}
        for _ in range(100_000):
            schema = {"items": schema}
        with pytest.raises(UnsupportedShape):
            constrain(Form(Grammar("json_schema", schema)), "local")
        while schema:  # taken apart by hand: CPython's own way recurses
            schema = schema.pop("items")


def children_s() -> float:
    """Seconds that the processor has spent in children that have ended, however long they waited for it."""
    spent = os.times()
    return spent.children_user + spent.children_system


class TestTime:
    SLOW = Grammar("json_schema", {
        "type": "object",
        "properties": {f"p{i}": {"type": "string", "pattern": f"^[a-z]{{{i % 50 + 1}}}$"} for i in range(6_000)},
    })  # fmt: skip

    def test_a_grammar_that_takes_too_long_is_abandoned_and_not_tried_again(self):
        before = children_s()
        with pytest.raises(SlowGrammar, match=r"took over 0\.1 s") as caught:
            constrain(Form(self.SLOW), "local", limit_s=0.1)
        assert caught.value.seconds == 0.1
        abandoned = children_s()
        assert abandoned - before < 0.1 + compiling.STARTUP_S + 1  # compiling it takes three seconds
        with pytest.raises(SlowGrammar):
            constrain(Form(self.SLOW), "local", limit_s=0.1)
        assert children_s() == abandoned  # no child was started

    def test_compiling_is_paid_once(self):
        form = Form(Grammar("regex", "[a-z]{3,30}"))
        assert constrain(form, "local").compile_s > 0
        assert constrain(form, "local").compile_s == 0

    def test_a_long_grammar_is_compiled_too(self):
        words = tuple(f"word {number}" for number in range(2_000))
        constraint = constrain(Form(Grammar("choice", words)), "local")
        assert len(text_of(constraint)) > compiling.SHORT
        assert constraint.compile_s > 0
        assert accepts(as_sent(constraint), "word 1999")

    def test_the_store_of_outcomes_is_bounded(self):
        for number in range(compiling.KEPT + 10):
            compiling.compiled(f'start: "{number}"', 5.0)
        assert len(compiling._known) == compiling.KEPT


class TestWithoutTheCompiler:
    @pytest.fixture(autouse=True)
    def not_installed(self, monkeypatch):
        monkeypatch.setattr(compiling, "available", lambda: False)

    def test_local_says_what_to_install(self):
        with pytest.raises(MissingExtraError, match=r"llmkit\[local\]"):
            constrain(Form(Grammar("regex", "a")), "local")

    def test_vllm_goes_on_and_says_so(self):
        constraint = constrain(Form(Grammar("regex", "a")), "vllm")
        assert constraint == Constraint(
            {"structured": {"grammar": HEADER + "start: /a/"}},
            notes=("the grammar was not compiled beforehand: that needs the extra [local]",),
        )


def test_the_header_sets_what_is_the_engines_default_anyway():
    """So that one text can be compared with and without it."""
    text = lark_text(Grammar("regex", "a+b"))
    assert accepts(Grammar("lark", HEADER + text), "aab") and accepts(Grammar("lark", text), "aab")


@pytest.mark.parametrize(
    ("form", "endless"),
    [
        ("text", True),
        ("text:max_chars=20", False),
        ("tags:B-PER,I-PER,O", True),
        ("choice:yes,no", False),
        ("regex:[a-z]{2,9}", False),
        ("regex:[a-z]+", True),
        ('lark:start: "a" x\nx: "b" | "c"~1..3', False),
        ('lark:start: "a"+', True),
        ('lark:start: "a" start "b" | "c"', True),
        ('lark:start: A\nA: /[a-z]+/', True),
        ('lark:start: A\nA: /[a-z]{3}/\n%ignore " "', True),
    ],
)  # fmt: skip
def test_a_form_without_a_longest_answer_says_what_will_end_it(form: str, endless: bool) -> None:
    assert (ENDLESS in constrain(create(form), "local").notes) == endless
