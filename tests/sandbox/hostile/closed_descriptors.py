"""Closes whatever it was given, and puts other files in the place of what it prints to.

Ends: itself
"""

import os

os.closerange(0, 4096)
for name in ("input", "output", "errors", "channel"):
    os.open(name, os.O_CREAT | os.O_RDWR)
os.write(1, b"into a file of its own")
