"""Makes system calls that have no use in an answer and a history of holes.

Ends: itself
Deadly: yes
"""

import ctypes
import errno
import os
import platform
import socket

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {  # name: (x86-64, aarch64, arguments that fail for another reason where the call is allowed)
    "ptrace": (101, 117, (16, 1, 0, 0)),
    "process_vm_readv": (310, 270, (1, 0, 0, 0, 0, 0)),
    "keyctl": (250, 219, (0, -3, 0)),
    "add_key": (248, 217, (0, 0, 0, 0, 0)),
    "bpf": (321, 280, (-1, 0, 0)),
    "perf_event_open": (298, 241, (0, 0, 0, 0, 0)),
    "userfaultfd": (323, 282, (1,)),
    "io_uring_setup": (425, 425, (1, 0)),
    "mount": (165, 40, (0, 0, 0, 0, 0)),
    "umount2": (166, 39, (0, 0)),
    "pivot_root": (155, 41, (0, 0)),
    "chroot": (161, 51, (0,)),
    "open_tree": (428, 428, (-1, 0, 0)),
    "unshare": (272, 97, (0x10000000,)),
    "setns": (308, 268, (-1, 0)),
    "kexec_load": (246, 104, (0, 0, 0, 0)),
    "init_module": (175, 105, (0, 0, 0)),
    "reboot": (169, 142, (0, 0, 0, 0)),
    "quotactl": (179, 60, (0, 0, 0, 0)),
    "open_by_handle_at": (304, 265, (-1, 0, 0)),
    "fanotify_init": (300, 262, (-1, 0)),
    "clone3": (435, 435, (0, 0)),
}
column = ("x86_64", "aarch64").index(platform.machine())
for name, call in NUMBERS.items():
    ctypes.set_errno(0)
    arguments = [ctypes.c_long(argument) for argument in call[2]]
    if libc.syscall(ctypes.c_long(call[column]), *arguments) != -1:
        print("ESCAPED:", name)
    elif ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print("ESCAPED:", name, "was tried:", os.strerror(ctypes.get_errno()))
flags = 0x10000000 | 17  # CLONE_NEWUSER | SIGCHLD
pid = libc.syscall(ctypes.c_long((56, 220)[column]), ctypes.c_long(flags), 0, 0, 0, 0)
if pid == 0:
    os._exit(0)
if pid > 0:
    print("ESCAPED: clone into a user namespace")
try:
    socket.socket(socket.AF_INET)
    print("ESCAPED: socket")
except OSError:
    pass
