"""Starts more threads than it may have processes.

Ends: itself or processes
"""

import threading

MOST = int("__PROCESSES__")
stop = threading.Event()
started = 0
try:
    for _ in range(MOST + 1):
        threading.Thread(target=stop.wait, daemon=True).start()
        started += 1
except RuntimeError:
    pass
if started > MOST:
    stop.wait(1)
    print("ESCAPED:", started, "threads")
