"""When what was printed is what should have been."""

import pytest

from llmkit.scoring.programs.outputs import Compare, same


@pytest.mark.parametrize(
    ("how", "printed", "expected", "right"),
    [
        ("lines", "1 2\n3\n", "1 2\n3", True),
        ("lines", "1 2  \r\n3\n\n\n", "1 2\n3", True),
        ("lines", " 1", "1", False),
        ("lines", "1\n\n2", "1\n2", False),
        ("lines", "", "\n", True),
        ("exact", "1\n", "1\n", True),
        ("exact", "1", "1\n", False),
        ("tokens", " 1\n2 ", "1 2", True),
        ("tokens", "1.0", "1", False),
        ("floats", "0.3333333 yes", "0.33333334\nyes", True),
        ("floats", "1000000.5", "1000000", True),
        ("floats", "0.34", "0.33", False),
        ("floats", "1 2", "1", False),
        ("floats", "inf", "1", False),
        ("floats", "nan", "1", False),
        ("floats", "no", "yes", False),
    ],
)
def test_each_way_to_compare(how: Compare, printed: str, expected: str, right: bool) -> None:
    assert same(printed, expected, how) is right


def test_the_tolerance_is_said() -> None:
    assert same("1.1", "1.0", "floats", 0.2)
    assert not same("1.1", "1.0", "floats", 0.01)
