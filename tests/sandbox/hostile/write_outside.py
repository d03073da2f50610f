"""Writes outside its folder: beside another's files, into the system, into the interpreter's libraries.

Ends: itself
Deadly: yes
"""

import os
import sys

FOLDERS = [
    "__OUTSIDE__",
    "/",
    "/etc",
    "/usr",
    "/usr/bin",
    "/usr/local/lib",
    "/var",
    "/home",
    "/root",
    "/dev",
    sys.prefix,
    sys.base_prefix,
    os.path.dirname(os.__file__),
    os.path.dirname(sys.executable),
]
for folder in FOLDERS:
    path = os.path.join(folder, "llmkit-hostile")
    for make, remove in ((lambda path: open(path, "x").close(), os.unlink), (os.mkdir, os.rmdir)):
        try:
            make(path)
            remove(path)  # what it can do is shown; nobody need clean up after it
            print("ESCAPED:", path)
        except OSError:
            continue
for path in (os.__file__, sys.executable, "/etc/ld.so.cache", "__SECRET__"):
    try:
        os.close(os.open(path, os.O_WRONLY))
        print("ESCAPED:", path)
    except OSError:
        continue
