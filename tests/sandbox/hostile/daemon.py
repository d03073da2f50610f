"""Leaves a process behind that has nothing to do with it any more, and ends well.

Ends: itself
"""

import os
import signal
import sys
import time

if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(3600)
    os._exit(0)
os.wait()
print("left", sys.argv[1:])
