"""Kills every process that it can see.

Ends: itself
Deadly: yes
"""

import os
import signal

if os.getpid() > 100:
    print("ESCAPED: it is not alone, and would kill others")
    raise SystemExit
os.kill(-1, signal.SIGKILL)
print("still here")
