"""Starts an answer that is a script."""

from llmkit.scoring.programs.inside.load import run
from llmkit.scoring.programs.inside.task import read


def start() -> None:
    """Run it."""
    run(read()["sources"])
