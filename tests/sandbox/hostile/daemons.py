"""Leaves processes behind that go on making processes.

Ends: itself or processes or memory
Deadly: to root
"""

import os
import time

for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                if os.fork():
                    os._exit(0)
            except OSError:
                time.sleep(0.01)
print("left")
