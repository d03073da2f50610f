"""includes, starts_with, ends_with: a reference is a part of the answer."""

import pytest

from llmkit.scoring import create
from tests.scoring.ask import fault, value


def test_includes() -> None:
    assert value("includes", "It is  Paris, I think", "Rome", "is Paris") == 1
    assert value("includes", "It is paris", "Paris") == 0
    assert value("includes", "It is paris", "Paris", ignore_case=True) == 1


def test_starts_with() -> None:
    assert value("starts_with", "\n Yes, it is", "Yes") == 1
    assert value("starts_with", "Oh Yes", "Yes") == 0


def test_ends_with() -> None:
    assert value("ends_with", "So the answer is 42 \n", "42") == 1
    assert value("ends_with", "42 it is", "42") == 0
    assert value("ends_with", "So the answer is 42.", "42", ignore_punctuation=True) == 1


NAMES = ["includes", "starts_with", "ends_with"]


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_answer_is_wrong(name: str) -> None:
    assert value(name, "", "a") == 0


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_reference_would_match_everything(name: str) -> None:
    assert fault(name, "a", "a", " ") == "bad_reference"


@pytest.mark.parametrize("name", NAMES)
def test_no_reference_is_a_failure(name: str) -> None:
    assert fault(name, "a") == "no_reference"


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert create(name).signature == (
        f"metric:{name}|case:mixed|punct:kept|articles:kept|space:collapse|unicode:NFC|refs:any|v:1"
    )
