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
            torch.set_num_threads(1)  # the engine beside it has the other processor
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
        ids = self._torch.tensor([self._ids(prompt)])
        with self._torch.inference_mode():
            whole = self._model.generate(
                ids, max_new_tokens=count, do_sample=False, attention_mask=ids.new_ones(ids.shape)
            )
        return str(self.tokenizer.decode(whole[0, ids.shape[1] :], skip_special_tokens=True))

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _logprobs(self, ids: Sequence[int]) -> Any:
        with self._torch.inference_mode():
            return self._torch.log_softmax(self._model(self._torch.tensor([ids])).logits[0], -1)
