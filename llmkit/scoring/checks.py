"""checks: everything that is asked of an answer holds, by the same checks for all rows or by each row's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from llmkit.canonical import digest
from llmkit.scoring.base import Item
from llmkit.scoring.builtin import RIGHT, WRONG, Builtin, unscorable
from llmkit.scoring.check import Check
from llmkit.text import shorten
from llmkit.types import Failure, Score

_LIST = TypeAdapter(list[Check])


class Checks(Builtin):
    """1 where every check holds, else 0.

    The checks stand in the option ``all``, or in each row's field ``field``: a list of objects, or its JSON text. A
    row whose checks are none is a failure, ``bad_reference``. Nothing is normalised: texts are compared as they are.
    """

    metric: ClassVar[str] = "checks"
    heavy: ClassVar[bool] = True

    all: list[Check] | None = Field(default=None, min_length=1, description="What must hold of every answer.")
    field: str | None = Field(default=None, description="The row's field that holds what must hold of its answer.")

    @model_validator(mode="after")
    def _one_source(self) -> Checks:
        if (self.all is None) == (self.field is None):
            raise ValueError("give either all or field")
        return self

    @property
    def needs_references(self) -> bool:
        """The checks take a reference's place."""
        return False

    def _parts(self) -> Mapping[str, str]:
        if self.all is None:
            return {"checks": f"row.{self.field}"}
        plain = [check.model_dump(exclude_unset=True, by_alias=True) for check in self.all]
        return {"checks": f"sha256.{digest(plain)[:12]}"}

    def _one(self, item: Item) -> Score | Failure:
        from referencing.exceptions import Unresolvable

        try:
            checks = self.all if self.all is not None else _of_row(item.row, self.field or "")
            return RIGHT if all(check.holds(item.text) for check in checks) else WRONG
        except ValueError as error:
            return unscorable("bad_reference", str(error))
        except TimeoutError as error:
            return unscorable("timeout", str(error))
        except Unresolvable as error:
            return unscorable("bad_reference", f"a schema points to what it does not hold: {shorten(str(error))}")


def _of_row(row: Mapping[str, Any], name: str) -> list[Check]:
    """Read a row's checks.

    Raises:
        ValueError: There are none, or they are wrong.
    """
    said = row.get(name)
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the field {name!r} is not JSON: {error}") from None
    if not said:
        raise ValueError(f"the row has no checks in its field {name!r}")
    try:
        return _LIST.validate_python(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise ValueError(f"the field {name!r} holds no checks: {at}: {shorten(first['msg'], 160)}") from None
