"""Validators: functions that say what else is wrong, found by name or given."""

from __future__ import annotations

import functools
import operator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from llmkit.errors import LlmkitError, ProviderError, UnknownNameError, UsageError
from llmkit.generations import Issue
from llmkit.structured import validators
from llmkit.structured.format import Context
from llmkit.structured.validators import ValidatorCrash, check, find, known, name_of, usable

NO_CONTEXT = Context()


async def said(found: Any) -> list[tuple[str, str]]:
    def validator(value: Any, context: Context) -> Any:
        return found

    return [(issue.message, issue.rule.rpartition(".")[2]) for issue in await check(1, [validator], NO_CONTEXT)]


@pytest.mark.parametrize(
    ("found", "issues"),
    [
        (None, []),
        ([], []),
        ("wrong", [("wrong", "validator")]),
        (Issue("low", rule="minimum"), [("low", "minimum")]),
        (["a", Issue("b", rule="r"), None, ("c",)], [("a", "validator"), ("b", "r"), ("c", "validator")]),
    ],
)
async def test_a_verdict_is_nothing_a_text_an_issue_or_a_list_of_them(found, issues):
    assert await said(found) == issues


@pytest.mark.parametrize("found", [False, True, 0, 1.5, {"message": "x"}, {"a"}, b"no", Issue(None)])
async def test_anything_else_is_no_verdict_and_never_taken_for_one(found):
    with pytest.raises(ValidatorCrash, match="returned"):
        await said(found)


async def test_coroutines_are_awaited_and_the_order_is_kept():
    async def later(value: int, context: Context) -> str:
        return f"{value} {context.attempt}"

    issues = await check(7, [later, lambda value, context: "now"], Context(attempt=2))
    assert [issue.message for issue in issues] == ["7 2", "now"]


@pytest.mark.parametrize("error", [ValueError("too small"), AssertionError("too small")])
async def test_a_value_error_is_a_verdict_as_pydantic_has_it(error):
    def validator(value: int, context: Context) -> None:
        raise error

    assert [issue.message for issue in await check(1, [validator], NO_CONTEXT)] == ["too small"]


async def test_a_verdict_without_words_says_what_was_raised():
    def validator(value: int, context: Context) -> None:
        raise ValueError

    assert (await check(1, [validator], NO_CONTEXT))[0].message == "ValueError"


async def test_a_crash_is_no_verdict_and_names_the_validator():
    def mine(value: int, context: Context) -> None:
        raise KeyError("city\nhall")

    with pytest.raises(ValidatorCrash, match=r"the validator .*mine crashed: KeyError: 'city.*hall'") as caught:
        await check(1, [mine], NO_CONTEXT)
    assert isinstance(caught.value.__cause__, KeyError) and "\n" not in str(caught.value)


async def test_one_that_would_end_the_process_is_a_crash_like_any_other():
    def leave(value: int, context: Context) -> None:
        raise SystemExit(3)

    with pytest.raises(ValidatorCrash, match=r"leave crashed: SystemExit: 3"):
        await check(1, [leave], NO_CONTEXT)


@pytest.mark.parametrize(
    ("found", "message"), [(" ", "validator does not accept it"), (Issue("", rule="r"), "r does not accept it")]
)
async def test_a_verdict_of_no_words_says_whose_it_is(found, message):
    ((said_so, _),) = await said(found)
    assert said_so.endswith(message)


async def test_our_own_errors_pass_as_they_are():
    async def judge(value: int, context: Context) -> None:
        raise ProviderError("auth", "no key")

    with pytest.raises(ProviderError, match="no key"):
        await check(1, [judge], NO_CONTEXT)


def test_a_validators_name_is_its_own_its_functions_or_its_types():
    class Judge:
        name = "judge:polite"

        def __call__(self, value: Any, context: Context) -> None: ...

    class Plain:
        def __call__(self, value: Any, context: Context) -> None: ...

    assert name_of(Judge()) == "judge:polite"
    assert name_of(Plain()) == "Plain"
    assert name_of(len) == "len"
    assert name_of(functools.partial(print)) == "partial"


def registered(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    found = [EntryPoint(name, value, validators.GROUP) for name, value in points.items()]
    monkeypatch.setattr(validators, "entry_points", lambda group: found)


def test_a_registered_validator_is_found_by_its_name(monkeypatch):
    registered(monkeypatch, positive="operator:eq")
    assert find("positive", imports=False) is operator.eq
    assert known() == ["positive"]


def test_an_unknown_name_offers_the_nearest(monkeypatch):
    registered(monkeypatch, positive="operator:eq")
    with pytest.raises(UnknownNameError, match=r"unknown validator 'postive'.*Did you mean 'positive'"):
        find("postive")


def test_where_none_is_registered_the_hint_says_how_to_name_a_function(monkeypatch):
    registered(monkeypatch)
    with pytest.raises(UnknownNameError, match=r"package\.module:function"):
        find("positive")


def test_a_function_is_found_by_its_module(monkeypatch):
    registered(monkeypatch)
    assert find("operator:eq") is operator.eq
    assert find("collections:OrderedDict.fromkeys") is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_module_here:f", "No module named"),
        ("operator:abz", "operator has no 'abz'. Did you mean 'abs'"),
        ("math:pi", "is no function but float"),
        ("tests.structured.breaks:f", "importing tests.structured.breaks fails: RuntimeError: on import"),
    ],
)
def test_a_function_that_is_not_there_is_one_line(name, why, monkeypatch):
    registered(monkeypatch)
    with pytest.raises(UsageError) as caught:
        find(name, where="suite.yaml:3")
    assert why in str(caught.value) and str(caught.value).startswith("suite.yaml:3: ")


def one(value): ...
def three(value, context, more): ...


class Judge:
    def __call__(self, value): ...


@pytest.mark.parametrize("wrong", [one, three, Judge(), lambda: None, functools.partial(three, more=1, value=2)])
def test_what_does_not_take_a_value_and_a_context_is_said_before_it_is_called(wrong):
    with pytest.raises(UsageError, match=r"the validator .* takes \(.*\)\. It is called with the value and a context"):
        usable(wrong)


@pytest.mark.parametrize(
    "right", [lambda *found: None, lambda value, context, more=1: None, operator.eq, functools.partial(three, 1)]
)
def test_what_takes_both_or_does_not_say_is_taken(right):
    assert usable(right) is right


def test_one_of_too_few_parameters_is_found_out_by_its_name(monkeypatch):
    registered(monkeypatch)
    with pytest.raises(UsageError, match=r"suite\.yaml:3: the validator tests\..*:one takes \(value\)"):
        find("tests.structured.test_validators:one", where="suite.yaml:3")


def test_a_file_may_not_import(monkeypatch):
    registered(monkeypatch)
    with pytest.raises(UsageError, match="may not be imported from a file's word"):
        find("operator:eq", imports=False)


def test_a_registered_one_that_cannot_be_loaded_is_one_line_of_ours(monkeypatch):
    registered(monkeypatch, broken="tests.structured.breaks:f")
    with pytest.raises(LlmkitError, match=r"the validator broken cannot be loaded from tests\.structured\.breaks:f"):
        find("broken")


class Shorter:
    """A family: ``shorter:5`` accepts texts of fewer than five characters."""

    def of(self, argument: str, *, where: str | None = None, folder: Path | None = None) -> validators.Validator:
        def shorter(value: Any, context: Context) -> str | None:
            return None if len(value) < int(argument) else f"is not shorter than {argument}, {where}, {folder}"

        return shorter


SHORTER = Shorter()


async def test_a_family_makes_a_validator_of_what_stands_behind_the_colon(monkeypatch):
    registered(monkeypatch, shorter="tests.structured.test_validators:SHORTER")
    found = find("shorter:3", imports=False, where="s.yaml:1", folder=Path("here"))
    assert await check("ab", [found], NO_CONTEXT) == ()
    (issue,) = await check("abc", [found], NO_CONTEXT)
    assert issue.message == "is not shorter than 3, s.yaml:1, here"


@pytest.mark.parametrize("name", ["shorter", "shorter:"])
def test_a_family_alone_is_no_validator(monkeypatch, name):
    registered(monkeypatch, shorter="tests.structured.test_validators:SHORTER")
    with pytest.raises(UsageError, match=r"s\.yaml:1: shorter is no validator, but many\. Write shorter:NAME"):
        find(name, where="s.yaml:1")


async def test_what_a_validator_says_of_itself_is_on_the_bill():
    def plain(value: Any, context: Context) -> None: ...

    plain.notes = ("asks a model",)
    assert validators.notes_of(plain) == ("asks a model",) and validators.notes_of(len) == ()
    assert validators.signature_of(len) == "len"
