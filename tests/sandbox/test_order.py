"""What the code inside a sandbox is told: the kinds that isolate hold a program to the same."""

import marshal
from types import ModuleType
from typing import Any

import pytest

from llmkit.sandbox import bubblewrap, namespaces
from llmkit.sandbox import seccomp as filters
from llmkit.sandbox.base import Limits, Program
from llmkit.sandbox.bubblewrap import Bubblewrap
from llmkit.sandbox.namespaces import Namespaces
from llmkit.sandbox.order import contents
from llmkit.sandbox.places import DEVICES, FOLDERS, SCRATCH
from llmkit.sandbox.users import Users

PROGRAM = Program(("main.py",), {"main.py": b"pass"})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the kinds would have told, in place of their programs."""
    if filters.program() is None:
        pytest.skip("no filter of system calls for this machine")
    found: list[dict[str, Any]] = []

    def keep(launch: Any, program: Program, limits: Limits) -> None:
        found.append(marshal.loads(launch.order)[1])

    module: ModuleType
    for module in (bubblewrap, namespaces):
        monkeypatch.setattr(module, "Watched", keep)
    return found


@pytest.mark.parametrize("root", [False, True])
def test_both_kinds_of_namespaces_hold_a_program_to_the_same_walls(told: list[dict[str, Any]], root: bool) -> None:
    for kind in (Bubblewrap("bwrap", Users(root=root)), Namespaces(Users(root=root))):
        kind.start(PROGRAM, Limits())
    first, second = told
    assert (first.pop("uid") is None, second.pop("uid") is None) == (not root, not root)
    assert second.pop("space")["scratch"] == SCRATCH
    assert first == second
    walls = {key: first[key] for key in ("confine", "seccomp", "writable", "devices", "folders")}
    assert walls == {
        "confine": True,
        "seccomp": filters.program(),
        "writable": [SCRATCH],
        "devices": list(DEVICES),
        "folders": list(FOLDERS),
    }


def test_what_a_kind_does_not_say_is_no_wall() -> None:
    plain = contents(PROGRAM, Limits(), python="python", scratch=FOLDERS, tasks=None)
    assert (plain["confine"], plain["seccomp"], plain["writable"]) == (False, None, [])
