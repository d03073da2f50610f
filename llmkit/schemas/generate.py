"""Makes the JSON Schemas from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmkit.config import ConfigSpec
from llmkit.documents import schema
from llmkit.judges.scorer import ENTRY as JUDGE
from llmkit.judges.spec import JudgeSpec, SearchSpec
from llmkit.prompts.frontmatter import FrontMatter
from llmkit.scoring import option_schemas
from llmkit.scoring.registry import BUILTIN
from llmkit.suites.spec import SuiteSpec


def generate() -> dict[str, str]:
    """Return file name → text of each schema."""
    schemas = {
        "suite": _suite(),
        "prompt": schema(FrontMatter),
        "config": schema(ConfigSpec),
        "judge": schema(JudgeSpec),
        "search": schema(SearchSpec),
    }
    return {
        f"{name}.schema.json": json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in schemas.items()
    }


def write(folder: Path) -> list[Path]:
    """Write the schemas, each aside and then into its place, so that no reader meets half a file."""
    paths = []
    for name, text in generate().items():
        aside, path = folder / f"{name}.new", folder / name
        aside.write_text(text, "utf-8")
        aside.replace(path)
        paths.append(path)
    return paths


def _judge() -> dict[str, Any]:
    """The schema of what names a judge."""
    judge = {"type": "string", "minLength": 1, "description": "judges/NAME.yaml, or its path from this file."}
    name = {"type": "string", "description": "The metric's name in reports; the judge's own where it is not set."}
    properties = {"judge": judge, "name": name}
    whole = {"type": "object", "required": ["judge"], "additionalProperties": False, "properties": properties}
    return {"anyOf": [judge, whole]}


def _suite() -> dict[str, Any]:
    """The suite's schema, the scorers' names and options in it.

    A name that is not llmkit's own may be another package's, so it is allowed, with any options.
    """
    whole = schema(SuiteSpec)
    definitions = whole.setdefault("$defs", {})
    options: dict[str, Any] = {}
    for name, written in option_schemas().items():
        if name not in BUILTIN:  # what is installed here says nothing of the user's machine
            continue
        definitions |= written.pop("$defs", {})
        definitions[f"scorer_{name}"] = written
        options[name] = {"anyOf": [{"$ref": f"#/$defs/scorer_{name}"}, {"type": "null"}]}
    options[JUDGE] = _judge()
    whole["properties"]["scorers"]["anyOf"][0]["items"] = {
        "anyOf": [
            {"enum": sorted(BUILTIN)},
            {"type": "string", "minLength": 1},
            {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": options},
        ]
    }
    return whole
