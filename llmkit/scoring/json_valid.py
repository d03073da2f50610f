"""json_valid: the answer is JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, Builtin, unscorable
from llmkit.scoring.json_text import MAX_DEPTH, NotJson, TooDeep, Where, locate, read
from llmkit.types import Failure, Score


class JsonValid(Builtin):
    """1 where the answer parses as JSON (RFC 8259), else 0. NaN and Infinity are not JSON; nor is an empty answer.

    With ``extract: fenced`` the one fenced block counts if there is one, else the whole answer. JSON nested deeper
    than 100 is a failure, ``too_deep``, whether it would parse or not.
    """

    metric: ClassVar[str] = "json_valid"

    extract: Where = Field(default="whole", description="whole: all of the answer; fenced: the one ``` block in it.")

    @property
    def needs_references(self) -> bool:
        """JSON is compared to nothing."""
        return False

    def _parts(self) -> Mapping[str, str]:
        return {"extract": self.extract, "nan": "invalid", "depth": str(MAX_DEPTH)}

    def _one(self, item: Item) -> Score | Failure:
        try:
            read(locate(item.text, self.extract))
        except NotJson:
            return WRONG
        except TooDeep as error:
            return unscorable("too_deep", f"the answer is {error}")
        return RIGHT
