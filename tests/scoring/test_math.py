"""math: which formula of an answer counts, when it is right, and what becomes of answers that cannot be compared."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkit.errors import DocumentError, MissingExtraError
from llmkit.scoring import Item, create
from llmkit.scoring.formulas import checker
from llmkit.scoring.formulas.workers import workers
from llmkit.types import Failure, Score
from tests.scoring.ask import fault, score, value

pytest.importorskip("math_verify", reason="needs the extra [math]")


def values(pairs: Sequence[tuple[str, str]], **options: object) -> list[float | str]:
    """One batch, so that the processes share it; the kind where there is no value."""
    results = create("math", options).score([Item(text, (reference,)) for text, reference in pairs])
    return [result.value if isinstance(result, Score) else result.kind for result in results]


EQUAL = [
    ("29.00", "29"),
    ("1,000", "1000"),
    (r"\frac{1}{2}", "0.5"),
    ("0.5", "1/2"),
    ("x^2 + 2x + 1", "(x+1)^2"),
    ("so x is $2\\cos a \\sin b$", r"2 \sin b \cos a"),
    (r"\boxed{\frac{\sqrt{8}}{2}}", r"\sqrt{2}"),
    (r"\{3, 1, 2\}", r"\{1,2,3\}"),
    ("$(1,2)$", "(1, 2)"),
    (r"$x \in [0, 1)$", "[0,1)"),
    (r"\begin{pmatrix} 1/2 \\ 1 \end{pmatrix}", r"\begin{pmatrix} 0.5 \\ 2/2 \end{pmatrix}"),
    ("x = 5", "5"),
    ("28 percent", r"28\%"),
    ("5 cm", "5"),
    (r"90^\circ", "90"),
    (r"\text{Evelyn}", r"\text{Evelyn}"),
    (r"$\sum_{n=0}^{\infty} \frac{1}{n!}$", "e"),
    ("0.333333", "1/3"),
]
UNEQUAL = [
    ("28", "29"),
    ("x + 1", "x + 2"),
    ("(2, 1)", "(1, 2)"),
    ("[0, 1]", "[0, 1)"),
    ("x > 5", "x < 5"),
    ("y", "x"),
    ("0.33", "1/3"),
]


def test_equal_are_formulas_of_the_same_value_however_they_are_written() -> None:
    assert values(EQUAL) == [1] * len(EQUAL)
    assert values(UNEQUAL) == [0] * len(UNEQUAL)


def test_any_reference_counts() -> None:
    assert value("math", "$7$", "5", "7") == 1


@pytest.mark.parametrize(
    ("extract", "expected"),
    [("auto", "2"), ("boxed", "2"), ("announced", "3"), ("last", "x + 5"), ("whole", None)],
)
def test_the_choice_of_formula_is_an_option_and_is_shown(extract: str, expected: str | None) -> None:
    text = "$1$, then $\\boxed{2}$. The answer is $3$.\nIt is 4 or $x + 5$"
    if expected is None:
        assert fault("math", text, "1", extract=extract) == "unparsable"
    else:
        result = score("math", text, expected, extract=extract)
        assert (result.value, result.answer) == (1, expected)
    assert f"|extract:{extract}|" in create("math", {"extract": extract}).signature


def test_an_answer_without_a_formula_is_unparsable() -> None:
    assert fault("math", "I do not know", "5") == "unparsable"
    assert fault("math", "", "5") == "unparsable"
    assert fault("math", "5", "5", extract="boxed") == "unparsable"


def test_a_reference_that_says_nothing_or_several_things_is_bad() -> None:
    assert fault("math", "5", "none") == "bad_reference"
    assert fault("math", "5", "3 apples and 5 pears") == "bad_reference"


def test_options_of_the_comparison() -> None:
    assert values([("0.33", "1/3")], rounding=2) == [1]
    assert values([("f(y)", "f(x)")], strict=False) == [1]
    assert values([(r"$1 \le x \le 2$", r"$x \in [1,2]$")], relations_as_sets=True) == [1]
    assert values([("1,22", "1.22"), ("$3$", "3")], notation="plain") == [1, 1]
    assert values([("the answer is 3", "3")], notation="latex") == ["unparsable"]


def test_as_text_nothing_is_computed() -> None:
    pairs = [(r"So it is $\boxed{\dfrac12}$", r"\frac{1}{2}"), ("#### 18", "18"), ("2/4", "1/2"), ("2, 1", "1, 2")]
    assert values(pairs, compare="string") == [1, 1, 0, 0]


BOMBS = [
    r"$9^{9^{9^9}}$",
    r"\boxed{100000000!}",
    r"\boxed{" + r"\sqrt{" * 200 + "2" + "}" * 200 + "}",
    r"\boxed{" + r"\frac{1}{" * 400 + "1" + "}" * 400 + "}",
    "$ " * 50_000,
    r"\boxed{\sum_{k=1}^{1000000000000} \sin(k)}",
]
FAST_BOMBS = [r"\boxed{" * 20_000, "{" * 100_000, r"\frac{1}{0}", r"\boxed{" + "9" * 5_000 + "}", "\x00$\ud800$"]


def test_a_bomb_ends_within_the_limit_and_the_next_answer_is_right() -> None:
    started = time.monotonic()
    texts = [text for bomb in BOMBS for text in (bomb, "$7$")]
    assert values([(text, "7") for text in texts], timeout_s=0.2) == ["timeout", 1.0] * len(BOMBS)
    assert time.monotonic() - started < 60


def test_what_merely_looks_like_a_bomb_is_no_timeout() -> None:
    found = values([(text, "7") for text in FAST_BOMBS])
    assert set(found) <= {0.0, "unparsable"}


def test_a_megabyte_before_the_answer_does_not_matter() -> None:
    assert value("math", "word " * 200_000 + r"so \boxed{7}", "7") == 1


def test_memory_that_runs_out_is_a_failure() -> None:
    pairs = [(r"\boxed{\operatorname{eye}(3000)}", "7"), ("7", "7")]
    assert values(pairs, memory_mb=64, workers=1) == ["memory", 1]


def test_an_answer_that_cannot_be_compared_says_so_in_one_line() -> None:
    (result,) = create("math", {"timeout_s": 0.1}).score([Item("$9^{9^{9^9}}$\n\x1b[2J", ("5",))])
    assert isinstance(result, Failure)
    assert result.kind == "timeout"
    assert "\n" not in result.message
    assert "\x1b" not in result.message


def test_what_sympy_cannot_decide_is_unequal_and_says_so() -> None:
    found = score("math", r"$\tan(\pi/2)$", r"$\frac{1}{0}$")
    assert (found.value, found.reason) == (0, "SymPy cannot decide whether they are equal (ValueError)")
    assert score("math", "28", "29").reason is None


def test_a_mistake_in_the_packages_is_a_failure_and_no_wrong_answer() -> None:
    assert fault("math", "$x < 1$", r"$x \ne 1$") == "incomparable"  # Math-Verify knows no opposite of \ne
    assert value("math", "$x < 1$", r"$x \ne 1$", "x < 1") == 1


def test_it_works_where_nothing_isolates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.scoring.formulas.workers.sandboxed", lambda program, memory: None)
    pool = workers.__wrapped__(Path(checker.__file__), 64, 1)
    monkeypatch.setattr("llmkit.scoring.math.workers", lambda *given: pool)
    assert values([("$7$", "7"), (r"$9^{9^{9^9}}$", "7"), ("$7$", "7")], timeout_s=0.2) == [1, "timeout", 1]
    pool.close()


def test_it_works_in_a_thread_that_is_not_the_main_one() -> None:
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(value("math", "$7$", "7")))
    thread.start()
    thread.join()
    assert found == [1]


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**4))
def test_numbers_equal_themselves_and_not_their_neighbours(top: int, bottom: int) -> None:
    fraction = rf"\frac{{{top}}}{{{bottom}}}"
    assert values([(fraction, f"{top}/{bottom}"), (str(top), f"${top}$"), (f"{top + 1}", str(top))]) == [1, 1, 0]


def test_the_signature_names_the_rules_and_the_packages() -> None:
    signature = create("math", {"rounding": 4, "timeout_s": 2}).signature
    assert signature.startswith(
        "metric:math|extract:auto|compare:symbolic|notation:any|round:4|digits:15|strict:yes|relations:relations|"
        "tail:100000|limit:2s,256MiB|refs:any|math-verify:"
    )
    assert "|sympy:1." in signature
    assert create("math", {"compare": "string"}).signature == (
        "metric:math|extract:auto|compare:string|norm:hendrycks|refs:any|v:1"
    )


def test_the_number_of_processes_is_no_part_of_it() -> None:
    assert create("math", {"workers": 1}).signature == create("math").signature


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmkit.scoring.math.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'llmkit\[math\]'"):
        create("math").prepare()
    create("math", {"compare": "string"}).prepare()


def test_an_option_that_is_none_is_refused() -> None:
    with pytest.raises(DocumentError, match="extract"):
        create("math", {"extract": "box"})
