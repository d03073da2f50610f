"""Looks for descriptors that whoever started it left open.

Ends: itself
"""

import os

for number in range(4096):
    try:
        os.fstat(number)
    except OSError:
        continue
    if number > 3:
        print("ESCAPED: descriptor", number)
