"""instructions: whether the answer follows the instructions that can be verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from llmkit.scoring.base import Item, MetricKind
from llmkit.scoring.builtin import Builtin, unscorable
from llmkit.scoring.ifeval import kinds
from llmkit.text import shorten
from llmkit.types import Failure, Score

MOST_CHARACTERS = (
    100_000  # of an answer: words in capitals take 0.8 s to count in so many, and each reading counts anew
)
LISTED = 5  # of the instructions that were not followed, in a sample's record


class Instructions(Builtin):
    """IFEval's accuracy (Zhou et al., 2023, arXiv 2311.07911); needs the extra [instructions].

    The row lists the instructions by their ids (``length_constraints:number_words`` …), and the arguments of each.
    ``level: prompt``: 1 where all of them are followed, else 0. ``level: instruction``: the share of all instructions
    of the run that are followed. ``mode: loose`` takes an instruction for followed where one of eight readings of the
    answer follows it: without its first line, its last line, its asterisks.
    """

    metric: ClassVar[str] = "instructions"
    heavy: ClassVar[bool] = True
    revision: ClassVar[int] = 2

    level: Literal["prompt", "instruction"] = Field(default="prompt", description="What is counted.")
    mode: Literal["strict", "loose"] = Field(default="strict", description="Whether a near miss counts.")
    instructions: str = Field(
        default="instruction_id_list", description="The row's field with the list of instructions."
    )
    arguments: str = Field(default="kwargs", description="The row's field with the arguments of each.")

    @classmethod
    def _own_name(cls, options: Mapping[str, Any]) -> str:
        return f"{options.get('level', 'prompt')}_{options.get('mode', 'strict')}"

    @property
    def kind(self) -> MetricKind:  # type: ignore[override]
        """``corpus`` at the level of instructions: prompts have different numbers of them."""
        return "proportion" if self.level == "prompt" else "corpus"

    @property
    def needs_references(self) -> bool:
        """Never: the instructions stand in the row."""
        return False

    def _parts(self) -> Mapping[str, str]:
        from importlib.metadata import version

        return {
            "level": self.level,
            "mode": self.mode,
            **self._fields(),
            "sentences": "punkt-llmkit",
            "langdetect": version("langdetect"),
        }

    def _fields(self) -> dict[str, str]:
        """Return the fields of the row that are not IFEval's own."""
        fields = type(self).model_fields
        named = {"instructions": self.instructions, "arguments": self.arguments}
        return {name: f"row.{field}" for name, field in named.items() if field != fields[name].default}

    def prepare(self) -> None:
        """See that languages can be told.

        Raises:
            MissingExtraError: The extra is not installed.
        """
        from llmkit.scoring.ifeval.language import detected

        detected("")

    def _one(self, item: Item) -> Score | Failure:
        if len(item.text) > MOST_CHARACTERS:
            return unscorable("too_long", f"instructions are checked in {MOST_CHARACTERS:,} characters at most")
        try:
            asked = self._asked(item.row)
            readings = list(kinds.variants(item.text)) if self.mode == "loose" else [item.text]
            missed = [
                kind
                for kind, arguments in asked
                if not any(kinds.followed(kind, reading, arguments) for reading in readings)
            ]
        except ValueError as error:
            return unscorable("bad_reference", shorten(str(error), 200))
        return self._score(len(asked), missed)

    def _score(self, asked: int, missed: Sequence[str]) -> Score:
        followed = asked - len(missed)
        listed = ", ".join([*missed[:LISTED], *(["…"] if len(missed) > LISTED else [])])
        answer = f"{followed} of {asked}" + (f"; not {listed}" if missed else "")
        if self.level == "prompt":
            return Score(float(not missed), answer=answer)
        return Score(followed / asked, (float(followed), float(asked)), answer)

    def _asked(self, row: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        ids, arguments = row.get(self.instructions), row.get(self.arguments)
        if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
            raise ValueError(f"the row's field {self.instructions!r} is no list of instructions")
        if arguments is None:
            arguments = [{}] * len(ids)
        if not isinstance(arguments, list) or len(arguments) != len(ids):
            raise ValueError(f"the row's field {self.arguments!r} does not list arguments for each of {len(ids)}")
        if not all(isinstance(each, Mapping) for each in arguments):
            raise ValueError(f"the row's field {self.arguments!r} holds something other than named arguments")
        return list(zip(ids, arguments, strict=True))

    def wrong(self, item: Item) -> Score | None:
        """Return the score of an answer that follows none; None where the row does not say what was asked."""
        try:
            asked = self._asked(item.row)
        except ValueError:
            return None
        return self._score(len(asked), [kind for kind, _ in asked])

    def corpus_value(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map summed (followed, asked) to the share."""
        totals = np.asarray(totals, dtype=np.float64)
        return totals[..., 0] / np.maximum(totals[..., 1], 1.0)
