"""Imports go downwards only, and nothing heavy is imported where a cheap command would pay for it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmkit

PACKAGE = Path(llmkit.__file__).parent

# From the bottom up. A room may import rooms of lower rows, and its own; rooms of one row do not know each other.
ROWS: tuple[tuple[str, ...], ...] = (
    ("errors", "redact", "speculation", "version"),
    ("types", "canonical", "text"),
    ("variants",),
    ("catalogue", "comparisons", "generations", "judgements", "plans"),
    ("agreements", "calibrations", "judged_runs", "verdicts"),
    ("documents", "sandbox", "stats", "shipped"),
    ("tokens",),
    ("config", "providers", "prompts", "samples", "scoring"),
    ("structured",),
    ("judges",),
    ("suites",),
    ("importing", "runs", "schemas"),
    ("paired",),
    ("generation",),
    ("calibration",),
    ("plan",),
    ("gate",),
    ("reports", "doctor"),
    ("cli", "pytest_plugin"),
    ("", "__main__"),
)
HEIGHT = {room: height for height, row in enumerate(ROWS) for room in row}

# The reports render records of llmkit.types: a run's stored form is no business of theirs.
FORBIDDEN = {
    "reports": {"runs", "paired", "plan", "gate", "suites", "samples", "providers", "prompts", "config", "scoring"},
    "stats": {"canonical"},
}

HEAVY = {
    "aiohttp",
    "anthropic",
    "datasets",
    "genai_prices",
    "gepa",
    "huggingface_hub",
    "instructor",
    "jiwer",
    "langdetect",
    "latex2sympy2_extended",
    "math_verify",
    "jsonschema",
    "json_repair",
    "lark",
    "llguidance",
    "lxml",
    "markdown_it",
    "nltk",
    "numpy",
    "onnxruntime",
    "openai",
    "pandas",
    "prompty",
    "pyarrow",
    "regex",
    "rouge_score",
    "sacrebleu",
    "scipy",
    "sympy",
    "tokenizers",
    "torch",
    "transformers",
    "uvloop",
    "vllm",
    "xllamacpp",
}


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [node.module or ""]
            if node.module == "llmkit":
                names = [f"llmkit.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "llmkit":
                yield (name.split(".")[1] if "." in name else ""), node.lineno


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downwards_only(path: Path) -> None:
    room = room_of(path)
    for imported, line in imports_of(path):
        if imported == room:
            continue
        assert imported in HEIGHT, f"{path.name}:{line}: the room {imported!r} has no place in the layers"
        assert HEIGHT[imported] < HEIGHT[room], f"{path.name}:{line}: {room} imports {imported}"
        assert imported not in FORBIDDEN.get(room, ()), f"{path.name}:{line}: {room} must not know {imported}"


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after ``code``."""
    program = f"{code}\nimport sys\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(said.stdout.splitlines()[-1].split())


EVERY_HELP = """
from llmkit.cli.main import main
for words in (
    "", "eval", "gate", "plan", "compare", "generate", "validate", "format show", "judge calibrate", "judge run",
    "label start", "judge new",
):
    assert main([*words.split(), "--help"]) == 0, words
"""
# In one process: what any of them loads is seen at the end.


@pytest.mark.parametrize(
    "code",
    [
        "import llmkit",
        "import llmkit.cli.main",
        EVERY_HELP,
        "import llmkit.pytest_plugin",
    ],
)
def test_the_way_to_the_help_loads_nothing_heavy(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_an_evaluation_loads_no_scipy_and_no_sdk(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"q": "a", "a": "a"}\n', encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "version: 1\ndata: rows.jsonl\nmap: {target: a}\n"
        'messages: [{role: user, content: "{{q}}"}]\nscorers: [exact_match]\n',
        encoding="utf-8",
    )
    code = f"import os; os.chdir({str(tmp_path)!r})\nfrom llmkit.cli.main import main\n"
    code += "assert main(['eval', 's.yaml', '-m', 'scripted/echo', '--json']) == 0"
    assert not loaded_after(code) & {"scipy", "openai", "anthropic", "datasets", "pandas", "torch", "sacrebleu"}
