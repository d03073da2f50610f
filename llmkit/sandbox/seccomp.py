"""The system calls that a program may not make, as a filter for the kernel (seccomp(2), BPF).

What is refused has no use in an answer and a history of holes: other processes' memory, new namespaces, mounts, kernel
modules, key rings, and all sockets but Unix ones. Memory that no process maps is refused too, for nobody counts it.
The numbers are those of the kernel's ``unistd_64.h`` (x86-64) and ``asm-generic/unistd.h`` (aarch64).
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping
from functools import cache

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; the argument's low half comes first
X32 = 0x40000000  # x86-64's other set of numbers, which this list does not know
NAMESPACES = 0x7E020080  # the CLONE_NEW… of clone(2): time, mount, cgroup, uts, ipc, user, pid, net
AF_UNIX = 1

MACHINES: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_… of linux/audit.h."""

REFUSED: Mapping[str, tuple[int, int | None]] = {
    # name: (x86-64, aarch64)
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "vhangup": (153, 58),
    "syslog": (103, 116),
    "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "personality": (135, 92),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "mlock": (149, 228),
    "mlock2": (325, 284),
    "mlockall": (151, 230),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
SOCKETS = ((41, 198), (53, 199))  # socket, socketpair


@cache
def program(machine: str | None = None) -> bytes | None:
    """Return the filter, eight bytes an instruction; None for a machine whose numbers are not known here.

    Args:
        machine: As ``platform.machine`` names it; this one where not given.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        return None
    column = list(MACHINES).index(machine)
    code = [(LOAD, 0, 0, MACHINE), (JUMP_EQUAL, 1, 0, MACHINES[machine]), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    if machine == "x86_64":
        code += [(JUMP_AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL)]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += [(JUMP_EQUAL, 0, 1, number), _refuse(errno.EPERM)]
    # Its flags lie in memory, where no filter can look: without it the C library takes clone, whose flags do not.
    code += [(JUMP_EQUAL, 0, 1, CLONE3[column]), _refuse(errno.ENOSYS)]
    clone = [(LOAD, 0, 0, FIRST_ARGUMENT), (JUMP_ANY_BIT, 0, 1, NAMESPACES), _refuse(errno.EPERM), _ALLOW]
    code += [(JUMP_EQUAL, 0, len(clone), CLONE[column]), *clone]
    for socket in SOCKETS:
        family = [(LOAD, 0, 0, FIRST_ARGUMENT), (JUMP_EQUAL, 1, 0, AF_UNIX), _refuse(errno.EACCES), _ALLOW]
        code += [(JUMP_EQUAL, 0, len(family), socket[column]), *family]
    code.append(_ALLOW)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def programs() -> dict[str, bytes]:
    """Return the filter of each machine, by its name."""
    return {machine: code for machine in MACHINES if (code := program(machine)) is not None}


_ALLOW = (RETURN, 0, 0, ALLOW)


def _refuse(number: int) -> tuple[int, int, int, int]:
    return RETURN, 0, 0, REFUSE | number
