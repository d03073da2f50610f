"""Where an answer says what its final answer is."""

import pytest

from llmkit.scoring.extract import announced, boxed


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        (r"\boxed{5}", "5"),
        (r"\boxed{1} then \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{}", ""),
        (r"\boxed{5", None),
        ("5", None),
    ],
)
def test_the_last_box_with_its_braces_balanced(text: str, inside: str | None) -> None:
    assert boxed(text) == inside


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("The answer is 5.", "5."),
        ("Answer: 5", "5"),
        ("**Answer:** 5", "5"),
        ("answer = 5", "5"),
        ("The answer is 4. The answer is: 5", "5"),
        ("The answers are 4, 5", "4, 5"),
        ("so\n#### 18", "18"),
        ("#### A heading\ntext", None),
        ("I answered 5", None),
        ("The answer is", None),
        ("Answer: 5. What is the answer:", "5. What is the answer:"),
        ("", None),
    ],
)
def test_what_follows_the_last_announcement(text: str, after: str | None) -> None:
    assert announced(text) == after
