"""The last steps before a program: files, limits, Landlock, seccomp, exec.

Nothing of llmkit can be imported where this runs: ``llmkit.sandbox.order`` hands the code over. Each execution pays
for what is imported here: no ``typing``, ``contextlib``, ``signal`` or ``pathlib``, which would double its start.
"""

from __future__ import annotations

import ctypes
import os
import resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

CHANNEL = 3
TOLD = 4
HIGHEST = 4096  # descriptors above are not handed down: ours are low, and RLIMIT_NOFILE is below

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
CAPABILITIES_VERSION = 0x20080522
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every machine
RULESET_VERSION, PATH_BENEATH = 1, 1

# Bits of landlock(7), with the ABI that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
FILES = ((1, (1 << 13) - 1), (2, 1 << 13), (3, TRUNCATE), (5, 1 << 15))
TCP_ABI, TCP = 4, 0b11  # bind, connect
SCOPE_ABI, SCOPES = 6, 0b11  # abstract Unix sockets, signals

libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def checked(result: int, what: str) -> int:
    """Return what a call of the C library returned.

    Raises:
        OSError: It failed.
    """
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, *arguments: Any) -> None:
    """Set something of this process (prctl(2))."""
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    values += [ctypes.c_ulong(0)] * (4 - len(values))
    checked(libc.prctl(option, *values), f"prctl {option}")


def become(uid: int | None) -> None:
    """Leave root for a user who owns nothing."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def powerless() -> None:
    """Give up every capability, those that a program could inherit too."""
    header, none = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0), (ctypes.c_uint32 * 6)()
    checked(libc.capset(header, none), "capset")


def unpack(files: dict[str, bytes], work: str) -> None:
    """Write the program's files."""
    for name, content in files.items():
        path = os.path.join(work, name)  # noqa: PTH118 - pathlib costs 3 ms an execution
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "xb") as file:  # noqa: PTH123
            file.write(content)


def limit(limits: dict[str, int]) -> None:
    """Set each limit, soft and hard, by its name in setrlimit(2); never above what holds already."""
    for name, wanted in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(number, (value, value))
        except ValueError:  # macOS has some of these by name alone
            continue


def landlock(writable: list[str], devices: list[str]) -> int:
    """Let files be written in some folders alone, no TCP be spoken and nothing outside be signalled.

    Returns:
        The kernel's version of Landlock; 0 where it has none, and then nothing is done.
    """
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), RULESET_VERSION)
    if version < 1:
        return 0
    every = sum(bits for abi, bits in FILES if version >= abi)
    ruleset = _Ruleset(every, TCP if version >= TCP_ABI else 0, SCOPES if version >= SCOPE_ABI else 0)
    size = 8 if version < TCP_ABI else 16 if version < SCOPE_ABI else 24
    rules = checked(libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0), "landlock")
    allowed = [("/", EXECUTE | READ_FILE | READ_DIR), *((path, every) for path in writable)]
    allowed += [(path, (READ_FILE | WRITE_FILE | TRUNCATE) & every) for path in devices]
    for path, bits in allowed:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _Beneath(bits, folder)
        checked(libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(rule), 0), f"landlock: {path}")
        os.close(folder)
    checked(libc.syscall(RESTRICT_SELF, rules, 0), "landlock")
    os.close(rules)
    return int(version)


def seccomp(code: bytes) -> None:
    """Install a filter of system calls, for this process and all that come of it."""
    program = _Filter(len(code) // 8, code)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


def shut(number: int) -> None:
    """Close a descriptor that may be closed."""
    try:
        os.close(number)
    except OSError:
        return


def keep(descriptors: dict[int, int | None]) -> None:
    """Give descriptors their numbers, and close all others above them. No number may be another's source."""
    for number, source in descriptors.items():
        if source is None:
            shut(number)
        elif source != number:
            os.dup2(source, number)
    os.closerange(max(descriptors) + 1, HIGHEST)


def begin(order: dict[str, Any], channel: int, status: int) -> NoReturn:
    """Become the program. What goes wrong before is told through ``status``, which closes when the program begins.

    Args:
        order: What ``llmkit.sandbox.order`` made.
        channel: The program's descriptor 3; -1: none.
        status: A pipe to the watching process.
    """
    told = status
    try:
        while told <= TOLD:  # below would be written over
            told = os.dup(told)
        keep({CHANNEL: None if channel < 0 else channel, TOLD: told})
        told = TOLD
        os.set_inheritable(told, False)
        _settle(order)
        os.write(told, b"+")
        os.execve(order["argv"][0], order["argv"], order["environment"])  # noqa: S606
    except BaseException as error:
        os.write(told, f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(1)


def _settle(order: dict[str, Any]) -> None:
    os.umask(0o077)
    become(order["uid"])
    for folder in order["folders"]:
        os.mkdir(folder, 0o700)  # noqa: PTH102 - within one that a sandbox has made, and nowhere else
    unpack(order["files"], order["work"])
    os.chdir(order["work"])
    limit(order["limits"])
    if order["confine"]:
        powerless()
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        landlock(order["writable"], order["devices"])
        if order["seccomp"]:
            seccomp(order["seccomp"])
