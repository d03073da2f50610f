"""Prints errors without end, from a child of its own.

Ends: output
"""

import os
import time

if os.fork() == 0:
    while True:
        os.write(2, b"x" * 4096)
time.sleep(3600)
