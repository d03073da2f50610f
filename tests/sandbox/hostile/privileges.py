"""Becomes root: by asking, by a program that may, by raising its limits.

Ends: itself
Deadly: yes
"""

import ctypes
import os
import resource
import subprocess

for attempt in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setgid(0)):
    try:
        attempt()
        print("ESCAPED: became", os.getresuid(), os.getresgid(), os.getgroups())
    except OSError:
        continue
if os.getuid() == 0:
    print("ESCAPED: is root")
for command in (["su", "-c", "id -u"], ["sudo", "-n", "id", "-u"], ["mount", "-t", "tmpfs", "none", "/tmp"]):
    try:
        done = subprocess.run(command, capture_output=True, timeout=5, stdin=subprocess.DEVNULL)
    except OSError:
        continue
    if done.returncode == 0:
        print("ESCAPED:", command)
libc = ctypes.CDLL(None, use_errno=True)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(header, data)  # effective, permitted, inheritable: twice, for 64 of them
if any(data):
    print("ESCAPED: capabilities", list(data))
for name in ("CPU", "AS", "FSIZE", "NOFILE", "CORE"):
    number = getattr(resource, f"RLIMIT_{name}")
    try:
        resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("ESCAPED: no limit of", name)
    except (OSError, ValueError):
        continue
try:
    os.nice(-5)
    print("ESCAPED: before others")
except OSError:
    pass
