"""Sends datagrams, raw packets and messages to the kernel.

Ends: itself
"""

import socket

KINDS = [
    (socket.AF_INET, socket.SOCK_DGRAM, 0),
    (socket.AF_INET6, socket.SOCK_DGRAM, 0),
    (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    (socket.AF_PACKET, socket.SOCK_RAW, 0),
    (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    (38, socket.SOCK_SEQPACKET, 0),  # AF_ALG
    (40, socket.SOCK_STREAM, 0),  # AF_VSOCK
]
for family, kind, protocol in KINDS:
    try:
        with socket.socket(family, kind, protocol) as opened:
            print("ESCAPED:", family, kind)
            opened.sendto(b"hello from the sandbox", ("127.0.0.1", int("__PORT__")))
    except OSError:
        continue
