"""Reads what is not its own: a file of this machine, passwords, the memory and variables of other processes.

Ends: itself
"""

import glob
import os

PATHS = [
    "__SECRET__",
    os.path.dirname("__SECRET__"),
    "/etc/shadow",
    "/etc/passwd",
    "/etc/hostname",
    "/proc/__PARENT__/environ",
    "/proc/__PARENT__/cmdline",
    "/proc/__PARENT__/root/etc/passwd",
    "/proc/__PARENT__/cwd",
    "/proc/1/environ",
    "/proc/1/mem",
    "/proc/kcore",
    "/sys/kernel",
    "/var/run/docker.sock",
    "/run/user",
    "/home",
    os.path.expanduser("~root/.ssh"),
    *glob.glob("/proc/[0-9]*/environ"),
    *glob.glob("/home/*/.*"),
]
for path in PATHS:
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            with open(path, "rb") as file:
                file.read(1)
    except OSError:
        continue
    print("ESCAPED:", path)  # never what it says: this comes into logs
    break  # one is proof enough: where nothing isolates it, it reads the first alone
