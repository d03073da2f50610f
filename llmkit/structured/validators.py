"""Validators: functions that say what else is wrong with a value that has the right form."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from llmkit.errors import LlmkitError, UnknownNameError, UsageError, nearest
from llmkit.generations import Issue
from llmkit.structured.format import Context
from llmkit.text import one_line, shorten

GROUP = "llmkit.validators"
"""The entry-point group: a name, and a function of (value, context); or a family of them, named ``NAME:ARGUMENT``."""

Found = None | str | Issue | Sequence[str | Issue]
Validator = Callable[[Any, Context], Found | Awaitable[Found]]
"""``fn(value, context)``: None where all is well, else what is wrong; a coroutine function will do."""


@runtime_checkable
class Family(Protocol):
    """Makes validators of one sort: ``judge:relevance`` is what the family ``judge`` makes of ``relevance``."""

    def of(self, argument: str, *, where: str | None = None, folder: Path | None = None) -> Validator:
        """Return the validator of an argument.

        Args:
            argument: What stands behind the colon.
            where: ``path:line`` that names it; None where the user typed it.
            folder: Of that file; the current one where None.

        Raises:
            LlmkitError: There is none.
        """
        ...


class ValidatorCrash(LlmkitError):
    """What checks the answers broke, a validator or another package's format: says which, and with what."""


def name_of(validator: Validator) -> str:
    """Return a validator's name, for issues and the list of rules."""
    name = getattr(validator, "name", None) or getattr(validator, "__qualname__", None)
    return str(name or type(validator).__name__)


def signature_of(validator: Validator) -> str:
    """Return all that decides what a validator accepts, where it says that; else its name."""
    return str(getattr(validator, "signature", None) or name_of(validator))


def notes_of(validator: Validator) -> tuple[str, ...]:
    """Return what a reader of the bill should know of a validator; mostly nothing."""
    return tuple(getattr(validator, "notes", ()))


async def check(value: Any, validators: Iterable[Validator], context: Context) -> tuple[Issue, ...]:
    """Ask all validators and return what they found, in their order.

    A ValueError or AssertionError is a verdict, as pydantic has it.

    Raises:
        ValidatorCrash: One of them raised anything else, or returned what is no verdict.
    """
    found: list[Issue] = []
    for validator in validators:
        name = name_of(validator)
        try:
            said = validator(value, context)
            if inspect.isawaitable(said):
                said = await said
        except (ValueError, AssertionError) as error:
            said = str(error) or type(error).__name__
        except LlmkitError:
            raise
        except (Exception, SystemExit) as error:  # one that ends the process would take the bill along
            reason = shorten(one_line(f"{type(error).__name__}: {error}"), 300)
            raise ValidatorCrash(f"the validator {name} crashed: {reason}") from error
        found.extend(_issues(said, name))
    return tuple(found)


def _issues(said: object, name: str) -> list[Issue]:
    if said is None:
        return []
    if isinstance(said, str):
        return [Issue(said if said.strip() else f"{name} does not accept it", rule=name)]
    if isinstance(said, Issue) and isinstance(said.message, str):
        return [said if said.message.strip() else replace(said, message=f"{said.rule or name} does not accept it")]
    if isinstance(said, (list, tuple)):
        return [issue for one in said for issue in _issues(one, name)]
    raise ValidatorCrash(
        f"the validator {name} returned {type(said).__name__}", hint="Return None, a text, an Issue, or a list of them"
    )


def known() -> list[str]:
    """Names of the registered validators."""
    return sorted(_registered())


def find(name: str, *, imports: bool = True, where: str | None = None, folder: Path | None = None) -> Validator:
    """Find a validator by its registered name, as ``FAMILY:ARGUMENT``, or as ``package.module:function``.

    Args:
        name: As a user writes it. A registered family goes before a module of its name.
        imports: Whether a module may be imported by name: yes where the user typed it, no where a file says it.
        where: ``path:line`` for errors.
        folder: Of the file that names it.

    Raises:
        UnknownNameError: Not registered.
        UsageError: The module or function is not there.
    """
    registered = _registered()
    module, colon, attribute = name.partition(":")
    if module in registered:
        loaded = _loaded(registered[module])
        if isinstance(loaded, Family):
            if not attribute:
                raise UsageError(f"{module} is no validator, but many", where=where, hint=f"Write {module}:NAME")
            return usable(loaded.of(attribute, where=where, folder=folder), name, where)
        if not colon:
            return usable(loaded, name, where)
    if not colon:
        hint = nearest(name, registered)
        if not hint.startswith("Did you mean"):
            hint = "Name a function of yours as package.module:function"
            hint += f", or one that is registered: {', '.join(sorted(registered))}" if registered else ""
        raise UnknownNameError("validator", name, registered, where=where, hint=hint)
    if not imports:
        raise UsageError(
            f"the validator {name!r} may not be imported from a file's word", where=where,
            hint=f"Register it as an entry point of the group {GROUP}, and write its name",
        )  # fmt: skip
    return usable(imported(module, attribute, name, where), name, where)


def imported(module: str, attribute: str, name: str, where: str | None = None) -> Any:
    """Import what a user named ``package.module:attribute`` on the command line.

    Raises:
        UsageError: There is no such module, it cannot be imported, or it has no such attribute.
    """
    try:
        found: Any = import_module(module)
    except ImportError as error:
        hint = "Is it installed, or on PYTHONPATH?"
        raise UsageError(f"{name}: {one_line(str(error))}", where=where, hint=hint) from None
    except Exception as error:  # the user's own module: whatever it raises on import is theirs to see
        reason = one_line(f"{type(error).__name__}: {error}")
        raise UsageError(f"{name}: importing {module} fails: {reason}", where=where) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [n for n in vars(found) if not n.startswith("_")] if hasattr(found, "__dict__") else []
            raise UsageError(f"{module} has no {part!r}", where=where, hint=nearest(part, names))
        found = getattr(found, part)
    return found


def _registered() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except LlmkitError:
        raise
    except Exception as error:  # another package's module: whatever it raises is one line of ours
        reason = one_line(f"{type(error).__name__}: {error}")
        raise LlmkitError(f"the validator {point.name} cannot be loaded from {point.value}: {reason}") from error


def usable(found: Any, name: str | None = None, where: str | None = None) -> Validator:
    """Return a validator that can be called as one: what cannot is said before anything is asked.

    Raises:
        UsageError: It is no function, or none of a value and a context.
    """
    name = name or name_of(found)
    if not callable(found):
        raise UsageError(f"the validator {name} is no function but {type(found).__name__}", where=where)
    try:
        takes = inspect.signature(found)
    except (TypeError, ValueError):  # some that are written in C do not say
        return found  # type: ignore[no-any-return]
    try:
        takes.bind(None, None)
    except TypeError:
        hint = "It is called with the value and a context: def check(value, context)"
        raise UsageError(f"the validator {name} takes {takes}", where=where, hint=hint) from None
    return found  # type: ignore[no-any-return]
