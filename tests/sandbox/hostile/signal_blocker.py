"""Ignores and blocks every signal that can be, and waits.

Ends: wall
"""

import contextlib
import signal
import time

for number in range(1, signal.NSIG):
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
while True:
    time.sleep(3600)
