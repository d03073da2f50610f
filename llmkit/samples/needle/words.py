"""What needles are made of: names and values that occur nowhere in a haystack."""

from __future__ import annotations

from random import Random
from uuid import UUID

from llmkit.samples.needle.spec import Values

_FIRST = (
    "amber", "bronze", "cobalt", "coral", "crimson", "dusky", "ebony", "emerald", "frosted", "gilded", "hazel",
    "indigo", "ivory", "jade", "lilac", "maroon", "mossy", "opal", "pearly", "russet", "saffron", "scarlet", "silken",
    "speckled", "tawny", "teal", "umber", "velvet", "violet", "woven",
)  # fmt: skip
_SECOND = (
    "acorn", "anchor", "badger", "beacon", "cactus", "compass", "condor", "dolphin", "falcon", "gazelle", "glacier",
    "hammock", "heron", "iguana", "lantern", "lobster", "magnet", "marmot", "mosaic", "nutmeg", "obelisk", "otter",
    "pelican", "piston", "puffin", "quartz", "sextant", "teapot", "trident", "tulip", "turbine", "walrus", "zeppelin",
)  # fmt: skip
_TRIES = 10_000


class Words:
    """Draws names and values, each once, none of which the haystack holds.

    Args:
        random: Draws.
        folded: The haystack, case-folded.
    """

    def __init__(self, random: Random, folded: str) -> None:
        self._random, self._folded = random, folded
        self._drawn: set[str] = set()

    def one(self, sort: Values) -> str:
        """Draw a value of a sort.

        Raises:
            ValueError: The haystack holds nearly all that there are.
        """
        for _ in range(_TRIES):
            found = self._draw(sort)
            if found not in self._drawn and found not in self._folded:
                self._drawn.add(found)
                return found
        raise ValueError(f"too few {sort} are left that do not occur in the haystack")

    def _draw(self, sort: Values) -> str:
        if sort == "uuid":
            return str(UUID(int=self._random.getrandbits(128), version=4))
        if sort == "numbers":
            return str(self._random.randrange(1_000_000, 10_000_000))
        return f"{self._random.choice(_FIRST)} {self._random.choice(_SECOND)}"
