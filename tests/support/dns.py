"""One question to the node's DNS."""

from __future__ import annotations

import socket
import struct

from ml_local.node.layout import PORTS

HEADER = struct.Struct("!6H")
RECURSE, INTERNET = 0x0100, 1


def answers(name: str, kind: int) -> int:
    """How many records it gives of a kind (of the DNS parameters: 1 is A, 252 AXFR); it is asked by TCP."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = HEADER.pack(1, RECURSE, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, INTERNET)
    with socket.create_connection(PORTS["coredns"], timeout=5) as connection:
        connection.sendall(struct.pack("!H", len(question)) + question)
        head = connection.recv(2 + HEADER.size, socket.MSG_WAITALL)
    return int(HEADER.unpack(head[2:])[3])
