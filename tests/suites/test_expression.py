"""An expression is a field, a path or a template, and its value becomes text as people write it."""

import pytest

from llmkit.errors import DocumentError
from llmkit.suites.expression import MISSING, as_text, compile_expression

ROW = {"a": 1, "b": {"c": [{"d": "deep"}]}, "x.y": "dotted", "Best Answer": "spaced", "n": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 1),
        ("b.c.0.d", "deep"),
        ("x.y", "dotted"),
        ("Best Answer", "spaced"),
        ("n", None),
        ("zz", MISSING),
        ("b.zz", MISSING),
        ("b.c.7", MISSING),
        ("a.b", MISSING),
        ("{{a}} and {{b.c[0].d}}", "1 and deep"),
        ("{% if a == 1 %}one{% endif %}", "one"),
    ],
)
def test_a_bare_word_is_a_field_a_dotted_one_a_path_and_braces_are_a_template(text, value):
    assert compile_expression(text, "s.yaml:1").get(ROW) == value


def test_a_field_that_is_absent_names_the_nearest():
    with pytest.raises(ValueError, match=r"no field 'b.cc'. Did you mean 'b.c'\?"):
        compile_expression("b.cc", "s.yaml:1").value(ROW)


def test_null_is_no_value():
    with pytest.raises(ValueError, match="the field 'n' is null"):
        compile_expression("n", "s.yaml:1").value(ROW)


def test_a_template_whose_variable_is_absent_says_so():
    with pytest.raises(ValueError, match="zz"):
        compile_expression("{{zz}}", "s.yaml:1").value(ROW)


def test_a_template_that_is_no_template_is_an_error_of_the_suite():
    with pytest.raises(DocumentError, match=r"s.yaml:4"):
        compile_expression("{{ a", "s.yaml:4")


def test_a_template_cannot_reach_out_of_its_sandbox():
    with pytest.raises(ValueError):
        compile_expression("{{ a.__class__.__mro__ }}", "s.yaml:1").value(ROW)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (42, "42"),
        (3.0, "3.0"),
        (0.1, "0.1"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ([1, "é", None], '[1, "é", null]'),
        ({"a": True}, '{"a": true}'),
    ],
)
def test_values_become_text_as_people_write_them(value, text):
    assert as_text(value) == text
