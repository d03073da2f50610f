"""Rows: data sets in files and on the hub, read as streams. A bad row fails alone."""

from llmkit.samples.files import FileSource
from llmkit.samples.huggingface import HubSource
from llmkit.samples.ids import IdHashes, check_unique
from llmkit.samples.joined import JoinedSource
from llmkit.samples.needle import NeedleSource
from llmkit.samples.opening import is_data, open_source
from llmkit.samples.source import Row, Source

__all__ = [
    "FileSource",
    "HubSource",
    "IdHashes",
    "JoinedSource",
    "NeedleSource",
    "Row",
    "Source",
    "check_unique",
    "is_data",
    "open_source",
]
