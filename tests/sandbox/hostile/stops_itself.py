"""Stops, so that a signal that asks it to end is never seen.

Ends: wall
"""

import os
import signal

while True:
    os.kill(os.getpid(), signal.SIGSTOP)
