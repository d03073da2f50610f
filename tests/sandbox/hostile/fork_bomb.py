"""Starts processes until it cannot, and then goes on trying.

Ends: cpu or wall or processes or memory
"""

import os

while True:
    try:
        os.fork()
    except OSError:
        continue
