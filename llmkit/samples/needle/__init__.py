"""Needle-in-a-haystack sets: rows made at run time, of a stated number of tokens, the same for the same seed."""

from llmkit.samples.needle.source import NeedleSource
from llmkit.samples.needle.spec import NeedleData

__all__ = ["NeedleData", "NeedleSource"]
