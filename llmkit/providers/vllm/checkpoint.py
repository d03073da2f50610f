"""What a checkpoint's tensors take once they are loaded, from the headers of its safetensors files: no tensor is read.

A file begins with the header's length, eight bytes with the lowest first, and the header: JSON of each tensor's name,
type, shape and place (the format's description at https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_HEADER = 100_000_000
"""The format's own bound."""
FLOATS: Mapping[str, int] = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Types that vLLM converts to the type that it computes in; others (of quantised weights) stay as they are."""
_LAYER = re.compile(r"^model\.layers\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One of a file's: ``size`` in bytes as it is stored, and its type by the format's name (``BF16``)."""

    name: str
    kind: str
    size: int


def loaded_bytes(folder: Path, config: Mapping[str, Any], number: int) -> int | None:
    """Return what the tensors take, over all GPUs together; None where a file's header cannot be read.

    Left out is what vLLM leaves out: an output layer that is the embedding once more, layers beyond the model's own
    (for predicting several tokens), and a second copy of the weights in Mistral's format.

    Args:
        folder: The model's.
        config: Its config.json.
        number: Bytes of a number that the model computes with. Quantised weights keep their types.
    """
    keeps = "quantization_config" in config
    total = 0
    for file in weight_files(folder):
        try:
            for tensor in tensors(file):
                if not _passed_over(tensor.name, config):
                    stored = None if keeps else FLOATS.get(tensor.kind)
                    total += tensor.size if stored is None else tensor.size // stored * number
        except (OSError, ValueError, RecursionError):
            return None  # a broken file is told by who loads it
    return total or None


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files that are loaded: those of the index where there is one."""
    found = sorted(folder.glob("*.safetensors"))
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_text("utf-8"))
        named = set(index["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        plain = [file for file in found if not file.name.startswith("consolidated")]
        return plain or found
    return [file for file in found if file.name in named]


def tensors(file: Path) -> Iterator[Tensor]:
    """Read a file's header.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no header.
    """
    with file.open("rb") as opened:
        start = opened.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(opened.read(length))
    entries = header.items() if isinstance(header, dict) else [("", header)]
    for name, entry in entries:
        match entry:
            case {"dtype": str(kind), "data_offsets": [int(begin), int(end)]} if 0 <= begin <= end:
                yield Tensor(name, kind, end - begin)
            case _ if name != "__metadata__":
                raise ValueError(f"no tensor: {name}")


def _passed_over(name: str, config: Mapping[str, Any]) -> bool:
    if name == "lm_head.weight":
        return config.get("tie_word_embeddings") is True
    layer, layers = _LAYER.match(name), config.get("num_hidden_layers")
    return layer is not None and type(layers) is int and int(layer[1]) >= layers
