"""Starts an answer that is a module."""

from llmkit.scoring.programs.inside.serve import main
from llmkit.scoring.programs.inside.task import read


def start() -> None:
    """Load it, and serve it to its tests."""
    task = read()
    main(task["sources"], task["module"])
