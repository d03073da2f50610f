"""Opens devices, makes some, and types into the terminal that it was started from.

Ends: itself
Deadly: yes
"""

import fcntl
import os
import stat

for path in ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/sda", "/dev/vda", "/dev/kmsg", "/dev/fuse", "/dev/kvm"):
    try:
        os.close(os.open(path, os.O_RDWR))
        print("ESCAPED:", path)
    except OSError:
        continue
for name, kind, number in (("disk", stat.S_IFBLK, os.makedev(8, 0)), ("memory", stat.S_IFCHR, os.makedev(1, 1))):
    try:
        os.mknod(name, kind | 0o600, number)
        os.close(os.open(name, os.O_RDWR))
        print("ESCAPED:", name)
    except OSError:
        continue
for path in ("/dev/tty", "/dev/pts/0", "/dev/console", "/dev/ptmx"):
    try:
        terminal = os.open(path, os.O_RDWR)
        fcntl.ioctl(terminal, 0x5412, b"x")  # TIOCSTI
        print("ESCAPED:", path)
    except OSError:
        continue
