"""docs/suites.md shows the list that the command prints, and an example that loads."""

import io
import re
from pathlib import Path

from rich.console import Console

from llmkit.documents import parse_yaml, validate
from llmkit.reports.catalogue import print_catalogue
from llmkit.suites.catalogue import entries
from llmkit.suites.spec import SuiteSpec
from llmkit.suites.variants import with_variant

DOCS = Path(__file__).parents[2] / "docs" / "suites.md"


def listed() -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, no_color=True, highlight=False)
    print_catalogue(entries(), console)
    return re.sub(r"\x1b\[\d+m", "", console.file.getvalue()).rstrip()


def test_the_list_is_the_one_that_the_command_prints():
    found = re.search(r"<!-- llmkit suites -->\n```\n(.*?)\n?```\n<!-- end -->", DOCS.read_text("utf-8"), re.DOTALL)
    assert found is not None and found[1] == listed(), f"put this into {DOCS.name}:\n{listed()}"


def test_the_example_is_a_suite_and_its_variant_too():
    found = re.search(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found is not None
    document = parse_yaml(found[1])
    assert validate(SuiteSpec, document).variants
    assert validate(SuiteSpec, with_variant(document, "loose")).about.rows == 195
