"""What ``llmkit gate`` says where it does not come to its end."""

import pytest

from llmkit.cli.gating import Gating
from llmkit.errors import UsageError
from tests.reports.verdicts import PLANNED


@pytest.fixture
def ended_by(capfd, monkeypatch):
    """Return what is said of an ending, after a suite was planned."""
    monkeypatch.setattr("sys.argv", ["llmkit", "gate", "--limit", "9"])

    def run(error, *, cache=True, planned=True):
        with pytest.raises(type(error)), Gating(cache=cache) as watching:
            if planned:
                watching.planned("sums", PLANNED)
            raise error
        return capfd.readouterr().err

    return run


def test_an_interruption_says_what_is_kept_and_how_to_go_on(ended_by):
    said = ended_by(KeyboardInterrupt())
    assert said.endswith("the same command takes them from the cache: llmkit gate --limit 9\n")


def test_without_the_cache_an_interruption_promises_nothing_of_it(ended_by):
    assert ended_by(KeyboardInterrupt(), cache=False) == "llmkit: interrupted; every answer is kept\n"


def test_a_mistake_is_no_interruption(ended_by):
    assert ended_by(UsageError("another model is served")) == ""


def test_where_nothing_was_asked_nothing_is_kept(ended_by):
    assert ended_by(KeyboardInterrupt(), planned=False) == ""
