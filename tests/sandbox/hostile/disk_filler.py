"""Writes files wherever it can, until nothing more can be written.

Ends: itself
Deadly: yes
"""

import os

MOST = int("__SCRATCH__") << 20
BLOCK = bytes(1 << 16)
written, made = 0, []
for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/run", "/dev", "/", "/usr", "/box", "/proc", "/sys"):
    for number in range(1000):
        before = written
        try:
            with open(os.path.join(folder, f"llmkit-filler-{number}"), "xb", buffering=0) as file:
                made.append(file.name)
                while written <= 4 * MOST:  # where nothing holds it, that is shown by then
                    written += file.write(BLOCK)
        except OSError:
            pass
        if written == before:
            break
for path in made:
    os.unlink(path)
if written > MOST:
    print("ESCAPED:", written, "bytes")
print("wrote", written)
