"""What holds for all tests."""

from __future__ import annotations

import compileall
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import llmkit

# The same examples every time: a test that fails, fails for everybody. LLMKIT_HYPOTHESIS=full tries more of
# them (with -m hypothesis: of nothing else), explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("full", derandomize=True, deadline=None, max_examples=200)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("LLMKIT_HYPOTHESIS", "same"))

LONG = (
    "tests/gate/test_run.py",
    "tests/providers/test_local.py",
    "tests/scoring/test_hostile.py",
    "tests/test_readme.py",
    "tests/gate/test_judged.py",
    "tests/runs/test_interrupt.py",
    "tests/structured/test_loop_bill.py",
    "tests/cli/test_console.py",
    "tests/structured/formats/test_markdown.py",
    "tests/samples/test_huggingface.py",
    "tests/test_pytest_plugin.py",
    "tests/ci/test_for_real.py",
    "tests/scoring/test_code.py",
    "tests/runs/test_kill.py",
    "tests/stats/sequential/test_simulation.py",
    "tests/conformance/test_metrics_math.py",
    "tests/generation/test_part.py",
    "tests/stats/test_coverage.py",
    "tests/providers/test_forced.py",
    "tests/structured/test_decoding_local.py",
    "tests/sandbox/test_hostile.py",
    "tests/sandbox/test_limits.py",
    "tests/scoring/test_bertscore.py",
    "tests/scoring/test_sacre.py",
)
"""Files that take a worker five seconds and more. They are begun first: none is left to a single worker at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep xdist, where it is there, from beginning with the files of the most tests: the longest ones have few.

    And compile the package, once: hundreds of tests start a process of their own, and where Python is told to write
    no bytecode (containers often say so) each of them would compile some 300 modules anew, a third of its time.
    Nor would pytest keep the tests as it rewrites them: each worker would do that anew, half of its time to begin.
    """
    sys.dont_write_bytecode = False  # in these processes alone; PYTHONDONTWRITEBYTECODE still holds in their children
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    if not hasattr(config, "workerinput"):  # the process that has no other above it
        compileall.compile_dir(Path(llmkit.__file__).parent, quiet=2, workers=0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONG)))
