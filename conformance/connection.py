"""A case's end of one connection: it says anything, takes whatever comes, and records every octet.

What the octets mean is for the protocols: `SmtpConnection` and `Pop3Connection` read answers out of them.
"""

from contextlib import AsyncExitStack
from typing import Final

import trio

from conformance.answer import Answer, Ended
from conformance.judgement import Undetermined
from conformance.monitors.follow import Side
from conformance.room import resting
from conformance.subject import Subject
from conformance.transcript import Transcript
from conformance.x25 import PACKET_OCTETS
from loadgen.transport.errors import PeerClosed, TlsFailed, TransportError, TransportTimeout
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext, TlsFacts
from loadgen.wire.printable import printable

APART_S: Final = 0.002       # between two segments, so that no kernel joins them


class Connection:
    """One connection to the subject, made by the first use of it. What the server does is an Answer, never raised.

    Undetermined is raised where no question can be asked: no connection is made, or the server reads no more.
    """

    def __init__(self, subject: Subject, stack: AsyncExitStack, name: str) -> None:
        self.subject = subject
        self.transcript = Transcript(name)
        self.in_tls = False
        self.tls_facts: TlsFacts | None = None      # of the newest handshake
        self._stack = stack                # closes the transport when the case is over
        self._transport: Transport | None = None
        self._began_s = 0.0
        self._broken_off = False           # by a reset that a send has met: nothing tells of it a second time

    @property
    def is_open(self) -> bool:
        """Say whether the connection was made; the server may have ended it since."""
        return self._transport is not None

    async def connect(self, *, tls: bool = True) -> None:
        """Connect, and do not wait for the greeting. Implicit TLS is part of connecting, unless told otherwise."""
        assert self._transport is None, "connected already"
        try:
            transport = await self.subject.dial(self.subject.endpoint, trio.current_time() + self.subject.call_s)
        except TransportError as error:
            raise Undetermined(f"no connection: {error}") from None
        if self.subject.x25:
            transport.send_in_segments(PACKET_OCTETS)
        self._transport = transport
        self._stack.push_async_callback(transport.aclose)
        self._began_s = trio.current_time()
        if tls and self.subject.endpoint.implicit_tls and (trouble := await self.handshake()) is not None:
            raise Undetermined(f"no TLS: {trouble}")

    async def send(self, octets: bytes) -> None:
        """Send octets as they are. That a server is gone shows in the next answer."""
        transport = await self._connected()
        self.transcript.sent(octets, self._now())
        try:
            await transport.send(octets, trio.current_time() + self.subject.reply_s)
        except PeerClosed:
            self._broken_off = True
        except TransportTimeout:
            raise Undetermined("the server stopped reading") from None
        except TlsFailed as error:
            self.transcript.note(str(error), self._now())

    async def send_one_by_one(self, octets: bytes) -> None:
        """Send each octet in a segment of its own."""
        for octet in octets:
            await self.send(bytes([octet]))
            await trio.sleep(APART_S)

    async def more(self, began_s: float, limit_s: float) -> bytes | Answer:
        """Return the octets that come next, or how none came in so many seconds since the loop's clock stood so."""
        transport = await self._connected()
        try:
            octets = await transport.receive(began_s + limit_s)
        except TransportTimeout:
            self.transcript.silences.append(limit_s)
            return Answer(ended=Ended.SILENT, waited_s=limit_s)
        except PeerClosed as closed:
            reset = closed.reset or self._broken_off
            if reset:
                self.transcript.note("the server reset", self._now())
            else:
                self.transcript.note("the server closed", self._now(), Side.CLOSED)
            ended = Ended.RESET if reset else Ended.CLOSED
            detail = "" if closed.announced else "without a close_notify"
            return Answer(ended=ended, waited_s=trio.current_time() - began_s, detail=detail)
        except TlsFailed as error:
            return Answer(ended=Ended.TLS_BROKE, detail=str(error))
        self.transcript.received(octets, self._now())
        return octets

    async def pause(self, seconds: float) -> None:
        """Let time pass, in which other cases may talk."""
        async with resting():
            await trio.sleep(seconds)

    async def octets(self, within_s: float) -> bytes | Answer:
        """Return octets that are no reply, such as TLS's own, as they come, or how none came. No monitor hears them."""
        transport = await self._connected()
        try:
            octets = await transport.receive(trio.current_time() + within_s)
        except TransportTimeout:
            self.transcript.silences.append(within_s)
            return Answer(ended=Ended.SILENT, waited_s=within_s)
        except PeerClosed as closed:
            return Answer(ended=Ended.RESET if closed.reset else Ended.CLOSED)
        except TlsFailed as error:
            return Answer(ended=Ended.TLS_BROKE, detail=str(error))
        self.transcript.note(f"the server sent {printable(octets, 80)}", self._now())
        return octets

    async def handshake(self, tls: TlsContext | None = None) -> Answer | None:
        """Begin TLS on the connection; return how that failed, if it did. What was sent in clear is forgotten."""
        transport = await self._connected()
        deadline = trio.current_time() + self.subject.reply_s
        try:
            facts = await transport.start_tls(tls or self.subject.tls, self.subject.endpoint.host, deadline)
        except TransportTimeout:
            return Answer(ended=Ended.SILENT, waited_s=self.subject.reply_s)
        except PeerClosed as closed:
            return Answer(ended=Ended.RESET if closed.reset else Ended.CLOSED)
        except TlsFailed as error:
            self.transcript.note(f"TLS: {error}", self._now())
            return Answer(ended=Ended.TLS_BROKE, detail=str(error))
        self.in_tls, self.tls_facts = True, facts
        self.forget_what_came()
        self.transcript.note(f"TLS: {facts.version} {facts.cipher}", self._now(), Side.TLS)
        return None

    async def send_eof(self) -> None:
        """Close our direction only."""
        transport = await self._connected()
        self.transcript.note("we closed our direction", self._now())
        await transport.send_eof()

    async def hang_up(self) -> None:
        """Close the connection without another word."""
        transport = await self._connected()
        self.transcript.note("we closed the connection", self._now())
        await transport.aclose()

    async def reset(self) -> None:
        """Break the connection off with a reset."""
        transport = await self._connected()
        self.transcript.note("we reset the connection", self._now())
        transport.abort()

    def forget_what_came(self) -> None:
        """Drop what was received and not yet taken: TLS has begun."""
        raise NotImplementedError

    async def _connected(self) -> Transport:
        if self._transport is None:
            await self.connect()
        assert self._transport is not None
        return self._transport

    def _now(self) -> float:
        return trio.current_time() - self._began_s
