"""Where octets arrive from the kernel, of whichever connection, until it is known how many there are.

`socket.recv` makes an object of as many octets as might come and has it shrunk to those that came. What is left of
it is a hole, and what is made meanwhile and lives as long as its connection, as OpenSSL's buffers do, lies in the
midst of it: no other read fits in there. With 500 sessions in TLS holes of nearly 64 KiB grew by 400 KiB a second.
"""

import socket
import threading
from typing import Final

from loadgen.transport.channel import RECEIVE_OCTETS


class _Place(threading.local):
    """Room for one read, of each thread its own. Invariant: nothing in it is of use once a read is over."""

    def __init__(self) -> None:
        self.octets = memoryview(bytearray(RECEIVE_OCTETS))


_PLACE: Final = _Place()


def place() -> memoryview:
    """Return where a read of this thread may put RECEIVE_OCTETS; whoever reads copies them from there at once."""
    return _PLACE.octets


def receive(sock: socket.socket) -> bytes:
    """Return what has arrived, RECEIVE_OCTETS at most, as `socket.recv` does. OSError."""
    octets = _PLACE.octets
    return octets[: sock.recv_into(octets)].tobytes()
