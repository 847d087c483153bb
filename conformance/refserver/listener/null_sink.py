"""A null sink: it answers what a client of SMTP waits for, reads nothing, keeps nothing, and costs as little as it can.

It measures clients, and is no server: every command that does not begin with D or Q is granted, mail data end with
the octets they must end with, and a client has to wait for each reply, as nothing else is offered to it.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Final

_GREETING: Final = b"220 sink\r\n"
_GRANTED: Final = b"250 ok\r\n"
_GO_ON: Final = b"354 go on\r\n"
_GOODBYE: Final = b"221 bye\r\n"
_END_OF_DATA: Final = b"\r\n.\r\n"
_RECEIVE_OCTETS: Final = 256 * 1024
_ACCEPTS_PER_WAKE: Final = 256


class Dialogue:
    """What is said to one client."""

    __slots__ = ("_in_data", "_tail", "messages")

    def __init__(self) -> None:
        self._in_data = False
        self._tail = b""                # of the mail data, as long as their end is
        self.messages = 0

    def answer(self, octets: bytes) -> bytes:
        """Return what to say to these octets, if anything. After the goodbye the connection is to be closed."""
        if self._in_data:
            self._tail = (self._tail + octets[-len(_END_OF_DATA):])[-len(_END_OF_DATA):]
            if self._tail != _END_OF_DATA:
                return b""
            self._in_data = False
            self.messages += 1
            return _GRANTED
        match octets[:1]:
            case b"D" | b"d":
                self._in_data, self._tail = True, b"\r\n"      # the command's own: mail data may be a dot alone
                return _GO_ON
            case b"Q" | b"q":
                return _GOODBYE
            case _:
                return _GRANTED


class NullSink:
    """The sink on one listening socket. One thread, no event loop but the system's own."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ, self._accept)
        self._open = True
        self.connections = 0
        self.messages = 0

    def serve(self) -> None:
        """Serve until `close_with` has ended it."""
        while self._open:
            for key, _ in self._selector.select():
                key.data()

    def close_with(self, descriptor: int, tell: Callable[[], None]) -> None:
        """Serve only until this descriptor is at its end; whenever something comes of it, `tell` how things stand."""

        def read() -> None:
            if os.read(descriptor, 4096):
                tell()
            else:
                self._open = False

        self._selector.register(descriptor, selectors.EVENT_READ, read)

    def used(self) -> dict[str, float]:
        """Return what was served so far, and the processor time it took."""
        return {"connections": self.connections, "messages": self.messages, "cpu_s": time.process_time()}

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_PER_WAKE):
            try:
                connected, _ = self._listening.accept()
            except OSError:                # nobody more, or no descriptor for them: they wait
                return
            self.connections += 1
            connected.setblocking(False)
            self._selector.register(connected, selectors.EVENT_READ, self._attend(connected))
            self._say(connected, _GREETING)

    def _attend(self, connected: socket.socket) -> Callable[[], None]:
        dialogue = Dialogue()

        def read() -> None:
            try:
                octets = connected.recv(_RECEIVE_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                octets = b""
            if not octets:
                self._hang_up(connected)
                return
            answer = dialogue.answer(octets)
            if answer:
                self._say(connected, answer)
            if answer is _GOODBYE:
                self._hang_up(connected)
            elif dialogue.messages:
                self.messages += dialogue.messages
                dialogue.messages = 0

        return read

    def _say(self, connected: socket.socket, octets: bytes) -> None:
        try:
            connected.send(octets)         # a dozen octets after each of the client's: there is room
        except OSError:
            return                         # the client is gone: reading will tell

    def _hang_up(self, connected: socket.socket) -> None:
        self._selector.unregister(connected)
        connected.close()
