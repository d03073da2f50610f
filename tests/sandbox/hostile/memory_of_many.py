"""Takes memory in many processes, each within its limit.

Ends: memory
Deadly: to root
"""

import os
import time

for _ in range(4):
    if os.fork() == 0:
        held = bytearray(int("__MEMORY__") << 19)  # half of what one may have
        held[::4096] = b"x" * len(held[::4096])
        break
time.sleep(60)
