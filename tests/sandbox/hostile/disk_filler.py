"""Writes files wherever it can, until nothing more can be written.

Ends: itself
Deadly: yes
"""

import os

MOST = int("__SCRATCH__") << 20
BLOCK = bytes(1 << 16)
written = 0
for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", "/", "/usr", "/box", "/proc", "/sys"):
    for number in range(1000):
        before = written
        try:
            with open(os.path.join(folder, f"filler-{number}"), "wb", buffering=0) as file:
                while True:
                    written += file.write(BLOCK)
        except OSError:
            pass
        if written == before:
            break
if written > MOST:
    print("ESCAPED:", written, "bytes")
print("wrote", written)
