"""Tokenizers: how a text falls into tokens, exactly or by a stated rule."""

from llmkit.tokens.base import Offsets, Tokenizer
from llmkit.tokens.characters import Characters
from llmkit.tokens.naming import MODEL, check_name, open_tokenizer, own_tokenizer

__all__ = ["MODEL", "Characters", "Offsets", "Tokenizer", "check_name", "open_tokenizer", "own_tokenizer"]
