"""The filter of system calls, run here as the kernel would run it."""

from __future__ import annotations

import errno
import struct

import pytest

from llmkit.sandbox import seccomp

X86, ARM = 0xC000003E, 0xC00000B7


def decide(code: bytes, number: int, *, machine: int, argument: int = 0) -> int:
    """Interpret the filter (classic BPF) on one call."""
    data = struct.pack("=IIQ6Q", number, machine, 0, argument, 0, 0, 0, 0, 0)
    at, held = 0, 0
    while True:
        operation, yes, no, value = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        if operation == seccomp.LOAD:
            (held,) = struct.unpack_from("=I", data, value)
        elif operation == seccomp.RETURN:
            return value
        else:
            truth = {
                seccomp.JUMP_EQUAL: held == value,
                seccomp.JUMP_AT_LEAST: held >= value,
                seccomp.JUMP_ANY_BIT: bool(held & value),
            }[operation]
            at += yes if truth else no


CALLS = [  # machine, its number, read, socket, clone, clone3
    ("x86_64", X86, 0, 41, 56, 435),
    ("aarch64", ARM, 63, 198, 220, 435),
]


@pytest.mark.parametrize(("machine", "audit", "read", "socket", "clone", "clone3"), CALLS)
class TestOnEachMachine:
    def test_what_programs_need_is_allowed(self, machine, audit, read, socket, clone, clone3) -> None:
        code = seccomp.program(machine)
        assert decide(code, read, machine=audit) == seccomp.ALLOW
        assert decide(code, socket, machine=audit, argument=seccomp.AF_UNIX) == seccomp.ALLOW
        assert decide(code, clone, machine=audit, argument=0x3D0F00) == seccomp.ALLOW  # a thread of glibc's

    def test_every_call_of_the_list_is_refused(self, machine, audit, read, socket, clone, clone3) -> None:
        code, column = seccomp.program(machine), list(seccomp.MACHINES).index(machine)
        numbers = [numbers[column] for numbers in seccomp.REFUSED.values() if numbers[column] is not None]
        assert len(set(numbers)) == len(numbers)
        assert {decide(code, n, machine=audit) for n in numbers} == {seccomp.REFUSE | errno.EPERM}

    def test_new_namespaces_are_refused(self, machine, audit, read, socket, clone, clone3) -> None:
        code = seccomp.program(machine)
        for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
            assert decide(code, clone, machine=audit, argument=flag | 17) == seccomp.REFUSE | errno.EPERM
        assert decide(code, clone3, machine=audit) == seccomp.REFUSE | errno.ENOSYS

    def test_sockets_but_unix_ones_are_refused(self, machine, audit, read, socket, clone, clone3) -> None:
        code = seccomp.program(machine)
        for family in (2, 10, 16, 17, 38, 40):
            assert decide(code, socket, machine=audit, argument=family) == seccomp.REFUSE | errno.EACCES

    def test_the_numbers_of_another_machine_end_the_program(self, machine, audit, read, socket, clone, clone3) -> None:
        assert decide(seccomp.program(machine), read, machine=0x40000003) == seccomp.KILL  # 32 bits


def test_the_other_numbers_of_x86_end_the_program() -> None:
    assert decide(seccomp.program("x86_64"), seccomp.X32 | 0, machine=X86) == seccomp.KILL


def test_no_number_is_guessed_for_a_machine_that_is_not_known() -> None:
    assert seccomp.program("riscv64") is None
    assert seccomp.programs().keys() == {"x86_64", "aarch64"}
