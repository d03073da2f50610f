"""Kills whoever started it.

Ends: itself
Deadly: yes
"""

import os
import signal

if os.getpid() > 100:
    print("ESCAPED: it is not alone, and would kill others")
    raise SystemExit
for pid in (os.getppid(), 1, int("__PARENT__")):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except OSError:
            continue
print("still here")
