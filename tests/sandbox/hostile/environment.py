"""Looks for keys in its environment, its arguments and its memory.

Ends: itself
"""

import os
import sys

for name, value in os.environ.items():
    if "__SECRET_VALUE__" in value or name.endswith(("_KEY", "_TOKEN")):
        print("ESCAPED:", name)
if any("__SECRET_VALUE__" in argument for argument in sys.orig_argv):
    print("ESCAPED: in the arguments")
