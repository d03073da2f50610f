"""Starts a pytest file."""

from llmkit.scoring.programs.inside.examine import Tests
from llmkit.scoring.programs.inside.examine_pytest import examine_pytest
from llmkit.scoring.programs.inside.task import read


def start() -> None:
    """Examine the program, and give the verdict."""
    Tests(read()).main(examine_pytest)
