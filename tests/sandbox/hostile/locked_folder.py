"""Makes its own files hard to remove.

Ends: itself
"""

import os

os.makedirs("locked/within")
open("locked/within/file", "w").close()
open("line\nbreak", "w").close()
os.chmod("locked/within", 0)
os.chmod("locked", 0)
os.unlink(__file__)
os.chmod(".", 0)
