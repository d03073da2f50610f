"""Connects to a server of this machine, and to the world.

Ends: itself
"""

import socket

TARGETS = [("127.0.0.1", int("__PORT__")), ("localhost", int("__PORT__")), ("::1", int("__PORT__")), ("192.0.2.1", 80)]
for target in TARGETS:
    try:
        with socket.create_connection(target, timeout=0.2) as connection:
            connection.sendall(b"hello from the sandbox")
            print("ESCAPED:", target)
    except OSError:
        continue
