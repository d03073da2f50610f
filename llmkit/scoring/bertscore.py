"""bertscore: how close the answer's words are to the reference's in a language model's eyes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator

from llmkit.errors import ScorerError
from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import NO_REFERENCE, Builtin, unscorable
from llmkit.scoring.contextual import minilm, transformer
from llmkit.scoring.contextual.encoder import Encoder, Vectors
from llmkit.scoring.contextual.idf import Idf, learn
from llmkit.scoring.contextual.layers import known_as
from llmkit.scoring.contextual.matching import Figures, Pair, match
from llmkit.scoring.contextual.rescale import Baseline, published, read_baseline
from llmkit.scoring.contextual.source import Hub, Source, layer_of, source_of
from llmkit.scoring.contextual.tokens import Tokens, Weights, tokenized, uniform
from llmkit.scoring.files import FILES, Files
from llmkit.types import Failure, Score

_CHUNK = 256  # items whose vectors are held at once: 400 MB at the longest, of the embedded model
_DIGITS = 6  # beyond them, threads, devices and batches may differ
_COMMIT = r"^[0-9a-f]{40}$"

Measure = Literal["f1", "precision", "recall"]
_NONE: Vectors = np.zeros((0, 1), np.float32)
AUTO = "auto"
_COLUMN: Mapping[Measure, int] = {"precision": 0, "recall": 1, "f1": 2}


class BertScore(Builtin):
    """BERTScore (Zhang et al., 2020, arXiv 1904.09675), the best over the references; needs the extra [bertscore].

    Each token of the answer is matched to the most similar one of the reference (precision), and the other way
    round (recall), by cosine; F1 is their harmonic mean. By default the embedded all-MiniLM-L6-v2 looks at them. With
    ``model`` any encoder of the Hugging Face hub does, or of a folder, through torch (extra [torch]); the values are
    those of the package bert-score. Values lie close together unless they are rescaled: read differences, not levels.

    A text of more tokens than the model takes (512 for nearly all) is a failure, ``too_long``, unless ``truncate``
    cuts it. An answer without a token scores 0 before rescaling.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_by_alias=True)

    metric: ClassVar[str] = "bertscore"
    kind: ClassVar[MetricKind] = "mean"
    heavy: ClassVar[bool] = True
    batch: ClassVar[int] = 128  # of 32, batches of like length are a tenth padding
    revision: ClassVar[int] = 2

    measure: Measure = "f1"
    model: str | None = Field(
        default=None,
        min_length=1,
        description="A model of the Hugging Face hub, or ./FOLDER; the embedded MiniLM where it is not set.",
    )
    commit: str | None = Field(
        default=None, alias="revision", pattern=_COMMIT, description="The commit of the hub's model, all 40 digits."
    )
    layer: int | None = Field(
        default=None, ge=0, description="The layer whose vectors count; bert-score's choice where it makes one."
    )
    idf: bool = Field(default=False, description="Weigh each token by how rare it is among the run's references.")
    rescale: str | None = Field(
        default=None,
        min_length=1,
        description="A baseline to subtract: FILE.tsv in bert-score's form, or auto: the package bert-score's own.",
    )
    language: str = Field(
        default="en", pattern=r"^[a-z][a-z-]{0,19}$", description="Of the baseline that rescale: auto reads."
    )
    truncate: bool = Field(default=False, description="Cut texts that are too long instead of failing them.")
    device: transformer.Device = Field(default="auto", description="Where torch computes.")
    dtype: transformer.DType = Field(default="float32", description="The numbers that torch computes with.")
    threads: int | None = Field(
        default=None, ge=1, le=256, description=f"Threads; {minilm.THREADS_VARIABLE}, or up to 4, where it is not set."
    )

    _source: Source | None = PrivateAttr(default=None)
    _layer: int = PrivateAttr(default=minilm.LAYER)
    _baseline: Baseline | None = PrivateAttr(default=None)
    _corpus: Idf | None = PrivateAttr(default=None)

    @classmethod
    def _own_name(cls, options: Mapping[str, object]) -> str:
        measure = options.get("measure", "f1")
        return "bertscore" if measure == "f1" else f"bertscore_{measure}"

    @model_validator(mode="after")
    def _resolve(self, info: ValidationInfo) -> BertScore:
        files: Files = (info.context or {}).get(FILES) or Files()
        if self.model is None:
            self._refuse_what_only_torch_has()
        else:
            self._source = source_of(self.model, self.commit, files)
            self._layer = layer_of(self._source, self.layer, files.where)
        if self.rescale is not None:
            auto = self.rescale == AUTO
            path = published(self._published_name(), self.language) if auto else files.find(self.rescale)
            self._baseline = read_baseline(path, self._layer, files.where)
        return self

    def _refuse_what_only_torch_has(self) -> None:
        if self.layer not in (None, minilm.LAYER):
            raise ValueError(f"the embedded model gives layer {minilm.LAYER} alone; name a model for another one")
        own = {"revision": self.commit is not None, "dtype": self.dtype != "float32"}
        own["device"] = self.device not in ("auto", "cpu")
        if given := [name for name, is_given in own.items() if is_given]:
            raise ValueError(f"{given[0]} is of a model that torch runs; name one (model: roberta-large)")

    def _published_name(self) -> str:
        if not isinstance(self._source, Hub):
            raise ValueError("rescale: auto is for a model of the hub; name a file: rescale: FILE.tsv")
        return known_as(self._source.name)

    def _parts(self) -> Mapping[str, str]:
        if self._source is None:
            which = {"model": minilm.MODEL, "sha256": minilm.MODEL_SHA256[:12], "backend": "onnx"}
        else:
            which = {"model": self._source.name, **self._source.identity, "backend": "torch", "dtype": self.dtype}
            which["transformers"] = transformer.version()
        limit = str(minilm.MAX_TOKENS) if self._source is None else "model"
        return {
            "measure": self.measure,
            **which,
            "layer": str(self._layer),
            "idf": self._idf_part(),
            "rescale": "no" if self._baseline is None else self._baseline.digest[:12],
            "long": f"{'cut' if self.truncate else 'fail'}@{limit}",
            "refs": "best",
        }

    def _idf_part(self) -> str:
        if not self.idf:
            return "no"
        return "refs" if self._corpus is None else f"refs.{self._corpus.documents}.{self._corpus.digest[:12]}"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """What values can be; None where that is 0 to 1."""
        return None if self._baseline is None else (self._nothing, 1.0)

    @property
    def learns(self) -> bool:
        """Whether it has to see the references of the whole run."""
        return self.idf

    def learn(self, references: Iterable[Sequence[str]]) -> BertScore:
        """Return the scorer that weighs tokens by how rare they are among these references.

        Raises:
            MissingExtraError: The extra is not installed.
            UsageError: The tokenizer is nowhere to be had.
        """
        return self._knowing(learn((text for several in references for text in several), self._tokens()))

    @property
    def untaught(self) -> BertScore:
        """It before it has seen any reference."""
        return self._knowing(None)

    def _knowing(self, corpus: Idf | None) -> BertScore:
        other = self.model_copy()
        other.__dict__.pop("signature", None)  # cached, and another one now
        other._corpus = corpus
        return other

    def prepare(self) -> None:
        """Open the model.

        Raises:
            MissingExtraError: The extra is not installed.
            UsageError: The model's files are nowhere to be had.
            ScorerError: They are not what they should be.
        """
        self._encoder()

    def wrong(self, item: Item) -> Score | None:
        """Return the score of an answer without a token."""
        return Score(self._nothing)

    @cached_property
    def _nothing(self) -> float:
        return self._value(np.zeros(3))

    def _one(self, item: Item) -> Score | Failure:
        return self.score([item])[0]

    def score(self, items: Sequence[Item]) -> Sequence[Score | Failure]:
        """Score a batch: one result an item, in order.

        Raises:
            MissingExtraError: The extra is not installed.
            ScorerError: ``idf`` is wanted, and the scorer has not seen the run's references.
        """
        if self.idf and self._corpus is None:
            raise ScorerError("bertscore with idf must learn the references of the whole run first")
        return [
            result for start in range(0, len(items), _CHUNK) for result in self._chunk(items[start : start + _CHUNK])
        ]

    def _tokens(self) -> Tokens:
        return minilm.tokens() if self._source is None else transformer.tokens(self._source)

    def _encoder(self) -> Encoder:
        if self._source is None:
            return minilm.encoder(self.threads)
        return transformer.encoder(self._source, self._layer, self.device, self.dtype, self.threads)

    def _chunk(self, items: Sequence[Item]) -> list[Score | Failure]:
        tokens, encoder = self._tokens(), self._encoder()
        texts = [text for item in items if item.references for text in (item.text, *item.references)]
        ids = tokenized(tokens, texts, cut=self.truncate)
        vectors = encoder.encode(ids, keep={reference for item in items for reference in item.references})
        weights = {text: self._weights(each, tokens.silent) for text, each in ids.items()}
        faults = [self._fault(item, ids, weights, tokens.limit) for item in items]
        pairs = [
            Pair(vectors.get(item.text, _NONE), vectors[reference], weights[item.text], weights[reference])
            for item, fault in zip(items, faults, strict=True)
            if fault is None
            for reference in item.references
        ]
        figures = iter(match(pairs))
        return [
            fault or Score(self._value(np.max([next(figures) for _ in item.references], axis=0)))
            for item, fault in zip(items, faults, strict=True)
        ]

    def _weights(self, ids: Sequence[int], silent: frozenset[int]) -> Weights:
        return uniform(ids, silent) if self._corpus is None else self._corpus.weights(ids)

    def _fault(
        self, item: Item, ids: Mapping[str, Sequence[int]], weights: Mapping[str, Weights], limit: int
    ) -> Failure | None:
        if not item.references:
            return NO_REFERENCE
        if not all(text in ids for text in (item.text, *item.references)):
            return unscorable("too_long", f"bertscore takes {limit} tokens at most (option truncate: true cuts texts)")
        if not all(len(ids[reference]) for reference in item.references):
            return unscorable("bad_reference", "a reference has no token to compare")
        if not all(weights[reference].any() for reference in item.references):
            return unscorable("bad_reference", "a reference has no token that weighs anything")
        return None

    def _value(self, figures: Figures) -> float:
        """Return what is measured, of precision, recall and F1, each the best over the references (bert-score)."""
        rescaled = figures if self._baseline is None else self._baseline.rescale(figures)
        return round(float(rescaled[_COLUMN[self.measure]]), _DIGITS)
