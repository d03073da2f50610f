"""The same weights in transformers, in float32: what vLLM's figures are held against."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Reference:
    """A model of transformers.

    Args:
        folder: Of the weights.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of others' imports
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer

            self._torch: Any = torch
            self.tokenizer = AutoTokenizer.from_pretrained(folder)
            self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def prompt(self, question: str) -> str:
        """A question in the model's chat template."""
        turns = [{"role": "user", "content": question}]
        return str(self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))

    def loglikelihood(self, prompt: str, continuation: str) -> tuple[float, int]:
        """Natural-log likelihood of a continuation, summed over its tokens, and their number."""
        start = len(self._ids(prompt))
        ids = self._ids(prompt + continuation)
        steps = self._logprobs(ids)
        return sum(steps[place - 1][ids[place]].item() for place in range(start, len(ids))), len(ids) - start

    def greedy(self, prompt: str, count: int) -> str:
        """The likeliest token, ``count`` times or until the model ends."""
        ids = self._ids(prompt)
        start = len(ids)
        while len(ids) < start + count and (token := int(self._logprobs(ids)[-1].argmax())) != self._end:
            ids.append(token)
        return str(self.tokenizer.decode(ids[start:]))

    @property
    def _end(self) -> int:
        return int(self.tokenizer.eos_token_id)

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _logprobs(self, ids: Sequence[int]) -> Any:
        with self._torch.inference_mode():
            return self._torch.log_softmax(self._model(self._torch.tensor([ids])).logits[0], -1)
