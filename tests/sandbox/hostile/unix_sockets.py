"""Connects to a Unix socket of this machine, by its path and by an abstract name.

Ends: itself
"""

import socket

for address in ("__SOCKET__", "\0__ABSTRACT__", "/var/run/docker.sock", "/run/dbus/system_bus_socket"):
    with socket.socket(socket.AF_UNIX) as opened:
        try:
            opened.connect(address)
            print("ESCAPED:", repr(address))
        except OSError:
            continue
