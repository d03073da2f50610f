"""Models with weights drawn from a seed: as good as any other where only equality is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEXTS = (
    "28-year-old chef found dead in San Francisco mall",
    "A chef who was 28 was found dead in a San Francisco shopping center",
    "The stock market fell sharply after the central bank raised rates",
    "Rates were raised by the bank, and the market fell",
    "Cats sleep",
    "A cat sat on the mat, and the dog found it there in the morning",
)
SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
_FEW = {"vocab_size": 0, "max_position_embeddings": 64}

# Name → configuration class, and what it is called with. Among them: layers in other places, shared layers, positions
# that begin at another number, a decoder beside the encoder, a norm after the last layer.
KINDS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertConfig", {**SIZES, **_FEW}),
    "roberta": ("RobertaConfig", {**SIZES, **_FEW, "pad_token_id": 0}),
    "distilbert": ("DistilBertConfig", {**_FEW, "dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48}),
    "electra": ("ElectraConfig", {**SIZES, **_FEW, "embedding_size": 16}),
    "albert": ("AlbertConfig", {**SIZES, **_FEW, "embedding_size": 16}),
    "deberta": ("DebertaConfig", {**SIZES, **_FEW}),
    "xlm": ("XLMConfig", {"vocab_size": 0, "emb_dim": 32, "n_layers": 3, "n_heads": 4, "max_position_embeddings": 64}),
    "xlnet": ("XLNetConfig", {"vocab_size": 0, "d_model": 32, "n_layer": 3, "n_head": 4, "d_inner": 48}),
    "t5": ("T5Config", {"vocab_size": 0, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4}),
    "bart": (
        "BartConfig",
        {
            **_FEW, "d_model": 32, "encoder_layers": 3, "decoder_layers": 1, "encoder_attention_heads": 4,
            "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48,
        },
    ),
}  # fmt: skip


def make(folder: Path, kind: str, *, change: Callable[[Any], None] = lambda model: None) -> Path:
    """Write a model and a tokenizer of words and letters into a folder.

    Args:
        folder: Where to.
        kind: One of ``KINDS``.
        change: Does something to the model before it is written.
    """
    import torch
    import transformers

    words = sorted({word for text in TEXTS for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *dict.fromkeys([*words, *letters]),
        *(f"##{c}" for c in letters),
    ]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    tokenizer = transformers.BertTokenizer.from_pretrained(str(folder), model_max_length=62)
    tokenizer.save_pretrained(str(folder))
    name, options = KINDS[kind]
    torch.manual_seed(7)
    config = getattr(transformers, name)(**{**options, "vocab_size": len(pieces)})
    model = transformers.AutoModel.from_config(config).eval()
    for parameter in model.parameters():  # the usual deviation of .02 leaves all vectors nearly alike
        torch.nn.init.normal_(parameter, std=0.3) if parameter.dim() > 1 else None
    change(model)
    model.save_pretrained(str(folder), safe_serialization=True)
    return folder
