"""Any encoder of the transformers library, through torch: the vectors of one of its layers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import metadata
from typing import Any, Literal

from llmkit.errors import LlmkitError, MissingExtraError, ScorerError, UsageError
from llmkit.scoring.contextual.encoder import Encoder, Vectors
from llmkit.scoring.contextual.source import Source
from llmkit.scoring.contextual.workers import Workers
from llmkit.text import shorten

Device = Literal["auto", "cpu", "cuda", "mps"]
DType = Literal["float32", "bfloat16", "float16"]

EXTRA = "torch"
# Tokens of a batch, padding included. A processor's caches hold the activations of few; a GPU wants to be filled.
_BUDGET = {"cpu": 512, "cuda": 16_384, "mps": 8_192}
_NO_LIMIT = 1_000_000  # what a tokenizer says that knows none is 10^30
_USUAL_LIMIT = 512  # positions of BERT and of nearly all models in bert-score's table


class TransformerTokens:
    """A tokenizer of the transformers library.

    Args:
        tokenizer: It.
        positions: Tokens that the model takes, as its configuration says.
    """

    def __init__(self, tokenizer: Any, positions: int | None) -> None:
        self._tokenizer, self._lock = tokenizer, threading.Lock()
        said = tokenizer.model_max_length
        limits = [limit for limit in (said, positions) if limit is not None and 0 < limit < _NO_LIMIT]
        self.limit: int = min(limits, default=_USUAL_LIMIT)
        self.added: int = tokenizer.num_special_tokens_to_add()
        ids = (tokenizer.cls_token_id, tokenizer.sep_token_id)
        self.silent: frozenset[int] = frozenset(each for each in ids if each is not None)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's ids, special tokens included, however many they are."""
        if not texts:
            return []
        with self._lock:  # what truncates and what does not is the tokenizer's state
            found: list[list[int]] = self._tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
        return found

    def cut(self, text: str, ids: list[int]) -> list[int]:
        """Return the ids of a text that is too long, cut to the limit as the tokenizer does it."""
        with self._lock:
            found: list[int] = self._tokenizer(text, truncation=True, max_length=self.limit, verbose=False)["input_ids"]
        return found


@lru_cache(maxsize=4)
def tokens(source: Source) -> TransformerTokens:
    """Open a model's tokenizer.

    Raises:
        MissingExtraError: The extra is not installed.
        LlmkitError: Its files cannot be had, or are none.
    """
    transformers = _transformers(source)
    folder = str(source.folder(weights=False))
    with _told(source), _quiet(transformers):
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    return TransformerTokens(tokenizer, _positions(config))


@lru_cache(maxsize=2)
def encoder(source: Source, layer: int, device: Device, dtype: DType, threads: int | None) -> Encoder:
    """Open a model, its layers above ``layer`` left away.

    Args:
        source: Its files.
        layer: How many layers are computed; 0: the embeddings alone.
        device: Where; ``auto``: a GPU where torch sees one.
        dtype: The numbers that it computes with.
        threads: Threads on a processor; None: as torch has it.

    Raises:
        MissingExtraError: The extra is not installed.
        UsageError: It has fewer layers; or there is no such device.
        ScorerError: Its weights are pickled, incomplete, or none.
    """
    transformers = _transformers(source)
    import torch

    where = _device(torch, device)
    tokenizer = tokens(source)
    model = _model(transformers, torch, source, dtype)
    _keep_layers(torch, model, layer, source.name)
    model.eval().to(where)
    pad = tokenizer._tokenizer.pad_token_id or 0

    def run(batch: Sequence[Sequence[int]]) -> list[Vectors]:
        ids = torch.full((len(batch), max(map(len, batch))), pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, each in enumerate(batch):
            ids[row, : len(each)] = torch.as_tensor(each)
            mask[row, : len(each)] = 1
        with torch.inference_mode():
            hidden = model(input_ids=ids.to(where), attention_mask=mask.to(where))[0].float().cpu().numpy()
        return [hidden[row, : len(each)] for row, each in enumerate(batch)]

    return Encoder(run, _BUDGET[where], _workers(torch, threads) if where == "cpu" else None)


def _workers(torch: Any, threads: int | None) -> Workers:
    """Start threads that each compute a batch of their own, alone.

    Threads that share one batch wait for each other after every step of it, and use the processor while they do: a
    third of the time on an idle machine, and nearly all of it on a busy one.
    """
    before = torch.get_num_threads()

    def alone() -> None:
        torch.get_num_threads()  # the first question takes over the process's number; it would come later, over this
        torch.set_num_threads(1)

    workers = Workers(threads or before, alone, "llmkit-torch")
    torch.set_num_threads(
        before
    )  # each thread has a number of its own, but that of threads to come is the last one set
    return workers


def version() -> str:
    """Return which transformers library is installed: tokenizers differ between its versions."""
    try:
        return metadata.version("transformers")
    except metadata.PackageNotFoundError:
        return "none"


def _transformers(source: Source) -> Any:
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError:
        raise MissingExtraError(f"bertscore on {source.name}", EXTRA) from None
    return transformers


@contextlib.contextmanager
def _told(source: Source) -> Iterator[None]:
    """Say which model it is that transformers cannot open, in one line."""
    try:
        yield
    except LlmkitError:
        raise
    except Exception as error:  # it raises OSError, ValueError, KeyError, ImportError … for files that it cannot take
        reason = shorten(str(error).strip(), 200) or type(error).__name__
        raise ScorerError(f"transformers cannot open {source.name}: {reason}") from error


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Keep its progress bars and advice from the terminal; what matters in them is checked here."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _positions(config: Any) -> int | None:
    """Return how many tokens a model has positions for.

    RoBERTa and its kin number them from the padding token's id on (transformers, modeling_roberta.py).
    """
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int):
        return None
    pad = getattr(config, "pad_token_id", None)
    offset = any(name in config.model_type for name in ("roberta", "camembert", "longformer", "mpnet", "xmod", "esm"))
    return positions - pad - 1 if offset and isinstance(pad, int) else positions


def _device(torch: Any, device: Device) -> str:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, is_there in there.items() if is_there)
    if not there[device]:
        raise UsageError(f"bertscore: torch sees no device {device!r} here", hint="Write device: auto, or cpu")
    return device


def _model(transformers: Any, torch: Any, source: Source, dtype: DType) -> Any:
    """Load the weights; those that a file lacks would be drawn at random, so that is an error."""
    folder = str(source.folder(weights=True))
    with _told(source), _quiet(transformers):
        model, said = transformers.AutoModel.from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            dtype=getattr(torch, dtype),
        )
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    own = {name for name, _ in model.named_parameters()}
    # A pooler makes one vector of a text, which nobody asks for.
    lacking = [name for name in said["missing_keys"] if "pooler" not in name and _is_of(name, own)]
    if lacking or said["mismatched_keys"]:
        wrong = shorten(str((lacking or [str(each) for each in said["mismatched_keys"]])[0]))
        raise ScorerError(
            f"the weights of {source.name} are not those of its configuration: {wrong} is not as it should"
        )
    return model


def _is_of(name: str, own: set[str]) -> bool:
    return name in own or any(name.endswith(f".{each}") for each in own)


def _keep_layers(torch: Any, model: Any, layer: int, name: str) -> None:
    """Leave away the layers above one; what follows the last one, a norm say, then follows this one (bert-score).

    Raises:
        UsageError: There are not so many.
        ScorerError: The model's layers cannot be found.
    """
    count: int = model.config.num_hidden_layers
    if layer > count:
        raise UsageError(f"bertscore: {name} has {count} layers, and layer {layer} is asked for")
    if layer == count:
        return
    if model.config.model_type in ("albert", "xlm"):  # they count through their layers, shared ones in Albert's case
        model.config.num_hidden_layers = layer
        model.n_layers = layer
        return
    for path, module in model.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            above, _, last = path.rpartition(".")
            setattr(model.get_submodule(above), last, module[:layer])
            return
    raise ScorerError(f"bertscore cannot find the layers of {name}, a {model.config.model_type}")
