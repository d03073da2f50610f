"""extracted: what a pattern finds in the answer is one of the references, up to a stated normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from llmkit.scoring.base import Item
from llmkit.scoring.builtin import unscorable
from llmkit.scoring.normalize import TextOptions
from llmkit.text import shorten
from llmkit.types import Failure, Score


def _compiles(pattern: str) -> str:
    import regex

    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Extracted(TextOptions):
    """1 where what the pattern finds in the answer equals any reference, else 0.

    The steps: extract from the answer; drop what ``remove`` matches, from the extract and from the references; then
    the normalisation of ``exact_match``. An answer in which the pattern finds nothing is unparsable, a failure.

    This is what lm-evaluation-harness does by the filters ``regex`` and ``take_first`` and its ``exact_match`` with
    ``regexes_to_ignore`` (``lm_eval/filters/extraction.py``, ``lm_eval/api/metrics.py``; there an answer without a
    match is a wrong one). As in ``regex``, the engine is the package ``regex``, and each match has a deadline.
    """

    metric: ClassVar[str] = "extracted"
    heavy: ClassVar[bool] = True

    pattern: Pattern | None = Field(
        default=None,
        description="A regular expression, as the package regex reads it; where not given, all of the answer counts.",
    )
    group: int | str | None = Field(
        default=None,
        description="The group that is compared, by number or name; by default the first that holds something, or all"
        " that matched where the pattern has no groups.",
    )
    take: int | Literal["first", "last"] = Field(
        default="first", description="Which match is taken; as a number from 0, from the last where negative."
    )
    strip: bool = Field(default=True, description="Blanks at the ends of what was extracted go.")
    remove: list[Pattern] = Field(
        default=[], description="Patterns; what they match goes, from the extract and from the references."
    )
    timeout_s: float = Field(default=1.0, gt=0, le=60, description="Deadline of one match, in seconds.")

    @model_validator(mode="after")
    def _group_exists(self) -> Extracted:
        if self.group is None:
            return self
        if self.pattern is None:
            raise ValueError("group: there is no pattern")
        if self.group not in (0, *range(1, self._compiled.groups + 1), *self._compiled.groupindex):
            raise ValueError(f"group: the pattern has no group {self.group!r}")
        return self

    @cached_property
    def _compiled(self) -> Any:
        import regex

        return regex.compile(self.pattern)

    @cached_property
    def _removed(self) -> list[Any]:
        import regex

        return [regex.compile(pattern) for pattern in self.remove]

    def _parts(self) -> Mapping[str, str]:
        parts = {"pattern": "none" if self.pattern is None else self.pattern}
        if self.pattern is not None:
            group = "auto" if self.group is None else str(self.group)
            parts |= {"group": group, "take": str(self.take), "strip": "yes" if self.strip else "no"}
        removed = {f"remove{number}": pattern for number, pattern in enumerate(self.remove, 1)}
        return {**parts, **removed, **self._text_parts(), "refs": "any", "deadline": f"{self.timeout_s!r}s"}

    def _one(self, item: Item) -> Score | Failure:
        try:
            found = self._extract(item.text)
            if found is None:
                return unscorable("unparsable", f"the pattern found nothing to extract in {shorten(item.text)!r}")
            answer = self._plain(found)
            right = any(self._plain(reference) == answer for reference in item.references)
        except TimeoutError:
            return unscorable("timeout", f"a pattern took longer than {self.timeout_s:g} s on this answer")
        return Score(float(right), answer=found)

    def _extract(self, text: str) -> str | None:
        if self.pattern is None:
            return text
        matches = list(self._compiled.finditer(text, timeout=self.timeout_s))
        place = {"first": 0, "last": -1}.get(str(self.take), self.take)
        if not isinstance(place, int) or not -len(matches) <= place < len(matches):
            return None
        match = matches[place]
        found: str | None
        if self.group is not None:
            found = match[self.group]
        elif self._compiled.groups == 0:
            found = match[0]
        else:
            found = next((group for group in match.groups() if group), None)
        return found.strip() if found is not None and self.strip else found

    def _plain(self, text: str) -> str:
        for pattern in self._removed:
            text = pattern.sub("", text, timeout=self.timeout_s)
        return self.normal(text)
