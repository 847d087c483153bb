"""One connection's task: it moves octets between a stream and a machine, and watches the clock."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import trio

from conformance.refserver.fault import instead_of_tls
from conformance.refserver.listener.link import SocketLink, Unread
from conformance.refserver.session import After, Session

# Lays TLS over a stream as the server; returns the new stream and the cipher's name.
StartTls = Callable[[trio.abc.Stream], Awaitable[tuple[trio.abc.Stream, str]]]

_SEND_OCTETS: Final = 64 * 1024       # between two looks at the clock, so that a slow reader is not an idle one
_FAREWELL_S: Final = 1.0
_CLOSE_S: Final = 2.0
_LINGER_OCTETS: Final = 1024 * 1024


async def begin_tls(
    stream: trio.abc.Stream, start_tls: StartTls, instead: Callable[[bytes], bytes | None] | None
) -> tuple[trio.abc.Stream, str] | None:
    """Lay TLS over a stream, unless a faulty server says something else to the client's first octets."""
    if instead is None:
        return await start_tls(stream)
    first = bytes(await stream.receive_some())
    said = instead(first)
    if said is None:
        return await start_tls(Unread(stream, first))
    await stream.send_all(said)
    return None


class Conversation:
    """Run one session over one stream. Everything that goes wrong with the peer ends it and nothing else."""

    __slots__ = ("_due_s", "_expected", "_link", "_scope", "_session", "_start_tls", "_stopping", "_stream")

    def __init__(self, stream: trio.abc.Stream, session: Session, start_tls: StartTls | None) -> None:
        self._stream = stream
        self._link = stream if isinstance(stream, SocketLink) else None     # clear text over a socket: the quick way
        self._session = session
        self._start_tls = start_tls
        self._scope = trio.CancelScope()
        self._due_s = 0.0           # when the session will have been idle for too long
        self._stopping = False
        self._expected = False      # Invariant: true exactly while waiting for the peer to speak

    def stop(self) -> None:
        """End it soon, with last words if it was waiting for the peer."""
        self._stopping = True
        self._scope.cancel()

    async def run(self) -> None:
        """Talk until either side ends it; the stream is closed afterwards. Raises nothing a peer can cause."""
        try:
            await self._talk_until_due(self._session.greeting())
            if self._expected:
                words = self._session.shutting_down() if self._stopping else self._session.timed_out()
                if words:
                    with trio.move_on_after(_FAREWELL_S, shield=True):
                        await self._stream.send_all(words)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass      # the peer is gone: there is nobody to tell
        finally:
            self._session.closed()
            await self._close()

    async def _talk_until_due(self, greeting: bytes) -> None:
        """Talk until it is over or the session has been idle for too long.

        The scope's deadline is moved only when it is reached, or when a send has to wait: moving it at every command
        costs a tenth of a message. So reaching it means nothing before `_due_s` has been looked at; and what it then
        interrupts is the wait for the peer, where nothing can be lost.
        """
        self._progressed()
        opening = greeting
        while True:
            with self._scope:
                self._scope.deadline = self._due_s
                if opening:
                    await self._send(opening)
                    opening = b""
                if self._session.after is After.CLOSE:
                    return      # only a faulty server greets and goes
                await self._talk()
            if not self._expected or self._stopping or trio.current_time() >= self._due_s:
                return
            self._scope = trio.CancelScope()

    async def _talk(self) -> None:
        session = self._session
        progress = session.progress
        while True:
            self._expected = True
            octets = bytes(await self._stream.receive_some())
            if not octets and any(fault.outstays for fault in session.faults):
                await trio.sleep_forever()
            self._expected = False
            if not octets:
                return
            answer = session.receive(octets)
            if session.progress != progress:
                progress = session.progress
                self._progressed()
            if session.pause_s:
                await trio.sleep(session.pause_s)
            if answer:
                await self._send(answer)
            while session.more:
                await self._send(session.receive(b""))
            after = session.after
            if after is not After.GO_ON:
                if after is After.CLOSE or self._start_tls is None:
                    return
                self._scope.deadline = self._due_s
                secured = await begin_tls(self._stream, self._start_tls, instead_of_tls(session.faults))
                if secured is None:
                    return
                self._stream, cipher = secured
                self._link = None
                if opening := session.tls_started(cipher):
                    await self._send(opening)

    async def _send(self, octets: bytes) -> None:
        if self._link is not None:
            octets = octets[self._link.send_now(octets):]
        for start in range(0, len(octets), _SEND_OCTETS):
            self._scope.deadline = self._due_s
            await self._stream.send_all(octets[start:start + _SEND_OCTETS])
            self._progressed()

    def _progressed(self) -> None:
        self._due_s = trio.current_time() + self._session.idle_s

    async def _close(self) -> None:
        stream = self._stream
        if isinstance(stream, SocketLink):
            await self._close_link(stream)
            return
        if any(fault.cuts_tls for fault in self._session.faults):
            await trio.aclose_forcefully(stream)
            return
        with trio.move_on_after(_CLOSE_S, shield=True), suppress(trio.BrokenResourceError):
            await stream.aclose()      # a peer need not say good-bye in TLS

    async def _close_link(self, link: SocketLink) -> None:
        """Close so that the last octets arrive: with input unread a close sends RST, which may undo them."""
        try:
            if link.unread():
                with trio.move_on_after(_CLOSE_S, shield=True):
                    await link.send_eof()
                    left = _LINGER_OCTETS
                    while left > 0 and (octets := await link.receive_some()):
                        left -= len(octets)
        except trio.BrokenResourceError:
            pass
        finally:
            link.close()
