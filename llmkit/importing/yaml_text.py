"""YAML that people read, and that ``documents`` reads back as the same data."""

from __future__ import annotations

from typing import Any

from llmkit.documents import parse_yaml_value
from llmkit.errors import DocumentError

WIDTH = 110


def yaml_text(data: Any) -> str:
    """Write data: keys in their order, long texts as blocks, quotes where a word would be read as something else."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Of this text alone: what is registered here is seen nowhere else."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        lines = value.split("\n")
        block = len(lines) > 1 and lines[0] == lines[0].strip() != "" and not value.endswith("\n\n")
        if block and not any(map(_ragged, lines)):
            style: str | None = "|"
        elif not value.isprintable():  # line ends, and what YAML takes for one
            style = '"'
        else:
            style = None if _plain(value) else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def _ragged(line: str) -> bool:
    return line != line.rstrip() or not line.isprintable()


def _plain(value: str) -> bool:
    """Whether a word without quotes is read as itself: YAML 1.1, which PyYAML writes, and 1.2 differ."""
    try:
        return bool(parse_yaml_value(value) == value)
    except DocumentError:
        return False
