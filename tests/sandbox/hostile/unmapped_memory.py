"""Takes memory that belongs to no process: files in memory, shared segments, queues.

Ends: itself
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
try:
    os.memfd_create("hidden")
    print("ESCAPED: memfd_create")
except OSError:
    pass
if libc.shmget(0, ctypes.c_size_t(1 << 20), 0o1600) != -1:
    print("ESCAPED: shmget")
if libc.msgget(0, 0o1600) != -1:
    print("ESCAPED: msgget")
