"""Ends with success before anything could be asked of it.

Ends: itself
"""

import os

os._exit(0)
