"""The tasks that accept connections, and the conversations that come of it."""

import errno
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from conformance.refserver.listener.conversation import Conversation, StartTls, begin_tls
from conformance.refserver.listener.link import SocketLink
from conformance.refserver.session import Session

_ACCEPTS_PER_WAKE: Final = 256     # then the sessions get their turn
_HANDSHAKE_S: Final = 60.0         # of implicit TLS; STARTTLS has the session's idle time
_NO_DESCRIPTORS_S: Final = 0.1     # how long to wait when there are none left, as trio's own listener does


@dataclass(frozen=True, slots=True)
class Greeter:
    """What one listening socket speaks."""

    open_session: Callable[[str | None, str | None], Session]     # client's address literal, cipher
    too_busy: bytes                                               # said to who comes past the connection limit
    start_tls: StartTls | None
    implicit_tls: bool = False
    instead_of_tls: Callable[[bytes], bytes | None] | None = None     # a faulty server's answer to a handshake


@dataclass(slots=True)
class Conversations:
    """Those going on now, over all listening sockets."""

    limit: int
    connections: int = 0                                          # hand-shakes of implicit TLS included
    going_on: set[Conversation] = field(default_factory=set)

    async def run(self, link: SocketLink, peer: str | None, greeter: Greeter) -> None:
        """Serve one connection, which was counted when it was accepted."""
        try:
            if greeter.implicit_tls:
                stream, cipher = await _secured(link, greeter)
                if stream is None:
                    return
                conversation = Conversation(stream, greeter.open_session(peer, cipher), None)
            else:
                conversation = Conversation(link, greeter.open_session(peer, None), greeter.start_tls)
            self.going_on.add(conversation)
            try:
                await conversation.run()
            finally:
                self.going_on.discard(conversation)
        finally:
            self.connections -= 1

    def stop(self) -> None:
        """End all of them soon."""
        for conversation in self.going_on:
            conversation.stop()


async def _secured(link: SocketLink, greeter: Greeter) -> tuple[trio.abc.Stream | None, str]:
    assert greeter.start_tls is not None
    stream, cipher = None, ""
    try:
        with trio.fail_after(_HANDSHAKE_S):
            secured = await begin_tls(link, greeter.start_tls, greeter.instead_of_tls)
            if secured is not None:
                stream, cipher = secured
    except (trio.BrokenResourceError, trio.TooSlowError):
        pass
    finally:
        if stream is None:
            link.close()
    return stream, cipher


async def accept_forever(
    listening: socket.socket, greeter: Greeter, conversations: Conversations, nursery: trio.Nursery
) -> None:
    """Start a task in `nursery` for every connection. Ends only by cancellation."""
    fd = listening.fileno()
    while True:
        await trio.lowlevel.wait_readable(fd)
        for _ in range(_ACCEPTS_PER_WAKE):
            try:
                connected, address = listening.accept()
            except BlockingIOError:
                break
            except OSError as exc:
                if exc.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    await trio.sleep(_NO_DESCRIPTORS_S)
                break      # any other error is of a connection that is gone already
            connected.setblocking(False)
            if conversations.connections >= conversations.limit:
                _turn_away(connected, greeter)
                continue
            conversations.connections += 1
            peer = _address_literal(address[0]) if isinstance(address, tuple) else None
            nursery.start_soon(conversations.run, SocketLink(connected), peer, greeter)


def _turn_away(connected: socket.socket, greeter: Greeter) -> None:
    with connected:
        if not greeter.implicit_tls:
            try:
                connected.send(greeter.too_busy)
            except OSError:
                return


def _address_literal(host: str) -> str:
    """Return a socket's host as RFC 5321 §4.1.3 writes it."""
    if ":" not in host:
        return f"[{host}]"
    address = ipaddress.IPv6Address(host.partition("%")[0])
    return f"[IPv6:{address}]" if address.ipv4_mapped is None else f"[{address.ipv4_mapped}]"
