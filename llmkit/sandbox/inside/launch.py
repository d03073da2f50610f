"""Makes namespaces and a root of its own, and becomes the program there. Arguments: ORDER CHANNEL STATUS INFO.

Three processes: the first tells the second's number and waits for it; the second is the namespace's first process, with
whose end the kernel ends all others in it, and reaps; the third is the program. The steps are those that
``namespaces(7)``, ``user_namespaces(7)`` and ``pivot_root(2)`` describe.
"""

from __future__ import annotations

import ctypes
import os
import sys

from llmkit.sandbox.inside.steps import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, become, begin, checked, libc, prctl, shut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

NEW_MOUNTS, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEW_USER, NEW_PIDS, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE, DETACH = 4096, 16384, 1 << 18, 2
MOUNT_SETATTR, HERE, ALL_BELOW = 442, -100, 0x8000
READ_ONLY, NO_SUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8
BASE = "/tmp"  # noqa: S108 - covered before anything is written there
SIGKILL, SIGNALS = 9, 65


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users"))


def main(order: dict[str, Any]) -> None:
    """Begin the program in namespaces of its own."""
    channel, status, info = map(int, sys.argv[2:5])
    space = order["space"]
    try:
        _unshare(space["root"], space["nobody"])
        prctl(PR_SET_PDEATHSIG, SIGKILL)  # not before: it is lost with whatever changes who one is
        living, lifeline = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(lifeline)
            _first(order, channel, status, living, info)
        os.write(info, b'{"child-pid": %d}\n' % first)
        os.write(lifeline, b"+")
        for number in (channel, status, info, living):
            shut(number)
        os._exit(_code(os.waitpid(first, 0)[1]))
    except BaseException as error:
        _fail(status, error)


def _unshare(root: bool, nobody: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    spaces = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_PIDS | NEW_NETWORK | NEW_CGROUP
    checked(libc.unshare(spaces if root else spaces | NEW_USER), "unshare")
    if not root:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{nobody} {uid} 1"),
            ("gid_map", f"{nobody} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
                file.write(text)


def _first(order: dict[str, Any], channel: int, status: int, living: int, info: int) -> NoReturn:
    """Be the first process of the namespace."""
    try:
        shut(info)
        for number in range(1, SIGNALS):  # no signal from within reaches it, unless it handles one, as Python does
            libc.signal(number, None)
        prctl(PR_SET_PDEATHSIG, SIGKILL)
        if not os.read(living, 1):  # until whoever watches knows this process
            os._exit(1)
        checked(libc.sethostname(b"sandbox", 7), "sethostname")
        _root(order["space"], order["uid"])
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        become(order["uid"])
        prctl(PR_SET_PDEATHSIG, SIGKILL)  # which another user's processes do not inherit
        order["uid"] = None
        if _over(living):
            os._exit(1)
        program = os.fork()
        if program == 0:
            os.close(living)
            begin(order, channel, status)
        shut(channel)
        shut(status)
        while True:
            ended, how = os.wait()
            if ended == program:
                os._exit(_code(how))
    except BaseException as error:
        _fail(status, error)


def _over(living: int) -> bool:
    """Whether the process before this one ended already."""
    os.set_blocking(living, False)
    try:
        return not os.read(living, 1)
    except BlockingIOError:
        return False


def _fail(status: int, error: BaseException) -> NoReturn:
    os.write(status, f"{type(error).__name__}: {error}".encode())
    os._exit(1)


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _root(space: dict[str, Any], uid: int | None) -> None:
    """Make a root of nothing but what is named, read-only but for the scratch folder, and go there."""
    sources = {path: os.path.realpath(path) for path in (*space["binds"], *space["devices"])}
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    _mount("tmpfs", BASE, "tmpfs", NO_SUID | NO_DEVICES, "mode=0755")
    os.mkdir(f"{BASE}/old")  # noqa: PTH102
    os.mkdir(f"{BASE}/new")  # noqa: PTH102
    _mount("tmpfs", f"{BASE}/new", "tmpfs", NO_SUID | NO_DEVICES, "mode=0755")
    _pivot(BASE, f"{BASE}/old")
    owner = space["nobody"] if uid is None else uid
    os.mkdir("/new" + space["scratch"])  # noqa: PTH102
    bounds = f"size={space['bytes']},nr_inodes={space['files']},mode=0700,uid={owner},gid={owner}"
    _mount("tmpfs", "/new" + space["scratch"], "tmpfs", NO_SUID | NO_DEVICES, bounds)
    for path in space["binds"]:
        _show("/old" + sources[path], "/new" + path, READ_ONLY | NO_SUID | NO_DEVICES)
    for path in space["devices"]:  # what is read-only is their mode and times, not what is written to them
        _show("/old" + sources[path], "/new" + path, READ_ONLY | NO_SUID | NO_PROGRAMS)
    for target, path in space["links"]:
        os.makedirs(os.path.dirname("/new" + path), exist_ok=True)  # noqa: PTH103, PTH120
        os.symlink(target, "/new" + path)  # noqa: PTH211
    _restrict("/new", READ_ONLY | NO_SUID | NO_DEVICES, 0)
    checked(libc.umount2(b"/old", DETACH), "umount /old")
    os.chdir("/new")
    _pivot(".", ".")
    checked(libc.umount2(b".", DETACH), "umount .")
    os.chdir("/")


def _show(source: str, path: str, attributes: int) -> None:
    folder = path if os.path.isdir(source) else os.path.dirname(path)  # noqa: PTH112, PTH120
    os.makedirs(folder, mode=0o755, exist_ok=True)  # noqa: PTH103
    if folder != path:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, path, None, BIND | RECURSIVE)
    _restrict(path, attributes, ALL_BELOW)


def _restrict(path: str, attributes: int, below: int) -> None:
    wanted = _Attributes(attributes, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    done = libc.syscall(MOUNT_SETATTR, HERE, path.encode(), below, ctypes.byref(wanted), size)
    checked(done, f"mount_setattr {path}")


def _mount(source: str, path: str, kind: str | None, flags: int, options: str = "") -> None:
    done = libc.mount(
        source.encode(), path.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options.encode() or None
    )
    checked(done, f"mount {path}")


def _pivot(new: str, old: str) -> None:
    checked(libc.syscall(PIVOT_ROOT[os.uname().machine], new.encode(), old.encode()), f"pivot_root {new}")
    os.chdir("/")


PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
