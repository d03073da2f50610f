"""Whose processes a sandbox's are."""

from __future__ import annotations

import pytest

from llmkit.sandbox import users
from llmkit.sandbox.users import OWN, Users


def test_root_gives_each_execution_a_user_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_range", lambda: (1000, 2**20))
    found = {Users(root=True).fresh() for _ in range(20)}
    assert len(found) == 20
    assert all(1000 <= uid < 1000 + 2**20 for uid in found)
    assert Users(root=True).tasks(7, own=True) == 7


def test_an_ordinary_users_programs_stay_his() -> None:
    assert Users(root=False).fresh() is None


@pytest.mark.parametrize(
    ("maps", "first", "count"),
    [
        ("0 0 4294967295\n", 2**31 - 1 - 2**24, 2**24),  # the first namespace
        ("0 1000 1\n1 100000 65536\n", 32769, 32768),  # a rootless container's
    ],
)
def test_they_are_of_the_upper_half_of_those_that_exist(
    monkeypatch: pytest.MonkeyPatch, maps: str, first: int, count: int
) -> None:
    monkeypatch.setattr(users.Path, "read_text", lambda self, encoding: maps)
    assert users._range() == (first, count)


def test_where_root_alone_exists_there_is_nobody_to_become(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users.Path, "read_text", lambda self, encoding: "0 1000 1\n")
    monkeypatch.setattr(users.os, "geteuid", lambda: 0)
    assert not users.may_become_others()


@pytest.mark.parametrize(
    ("kernel", "counted", "tasks"),
    [((6, 1), True, 9 + OWN), ((5, 10), True, 9 + OWN + 300), ((6, 1), False, 9 + OWN + 300)],
)
def test_what_the_user_runs_already_counts_where_the_kernel_counts_it(
    monkeypatch: pytest.MonkeyPatch, kernel: tuple[int, int], counted: bool, tasks: int
) -> None:
    monkeypatch.setattr(users.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(users, "_kernel", lambda: kernel)
    monkeypatch.setattr(users, "_running", lambda: 300)
    assert Users(root=False).tasks(9, own=False, counted=counted) == tasks


def test_root_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users.os, "geteuid", lambda: 0)
    assert Users(root=False).tasks(9, own=False) is None


def test_this_process_is_among_those_that_run() -> None:
    assert users._running() >= 1
    assert users._kernel() > (2, 0)
