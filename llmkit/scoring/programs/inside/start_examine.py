"""Starts tests of the shapes HumanEval and MBPP."""

from llmkit.scoring.programs.inside.examine import Tests, examine_humaneval, examine_statements
from llmkit.scoring.programs.inside.task import read


def start() -> None:
    """Examine the program, and give the verdict."""
    task = read()
    Tests(task).main(examine_statements if "statements" in task else examine_humaneval)
