"""A transport with a listener: what both sides said is kept, and handed over when the connection is closed.

For those who judge a load's replies. A transport without a listener knows nothing of this.
"""

from collections.abc import Callable, Coroutine, Iterable
from enum import StrEnum, auto
from itertools import count
from typing import Any, Final, Self

from loadgen.endpoint import Protocol
from loadgen.transport.conversation import Conversation, Noted, Pieces, Rehearsal, Steps
from loadgen.transport.errors import PeerClosed
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext, TlsFacts

OCTETS_KEPT: Final = 1 << 16         # of one connection; what comes after them is left out
MAIL_DATA_KEPT: Final = 512          # mail data are kept whole up to here, and beyond it only as their end
STEPS_UNCOUNTED: Final = 1000        # of a conversation that is listened to
_END: Final = b"\r\n.\r\n"
_ASKED_FOR: Final = b"354"           # the reply that asks for mail data


class Happening(StrEnum):
    """What happened on a connection."""

    SENT = auto()
    RECEIVED = auto()
    TLS = auto()         # the handshake is done; no octets
    CLOSED = auto()      # the server closed, in good order; no octets


Event = tuple[Happening, bytes]


_SENT: Final = Happening.SENT
_RECEIVED: Final = Happening.RECEIVED


class Recording:
    """What happened on one connection, in order."""

    __slots__ = ("_left", "_over", "_whole", "events", "odd", "protocol", "wanted")

    def __init__(self, protocol: Protocol, over: "Callable[[Recording], None]", *, wanted: bool = True) -> None:
        self.protocol = protocol
        self.wanted = wanted             # even if all is as hoped: then a conversation is noted too
        self.events: list[Event] = []
        self.odd = False                 # it was not all as hoped
        self._over: Callable[[Recording], None] | None = over
        self._left = OCTETS_KEPT
        self._whole = True

    def sent(self, octets: bytes | memoryview) -> None:
        """Note what we sent. Of long mail data only the end, if they have no end of their own before it."""
        if len(octets) > MAIL_DATA_KEPT and self._mail_data_are_asked_for():
            whole = bytes(octets)
            if whole.find(_END) in {-1, len(whole) - len(_END)}:
                octets = whole[-len(_END):]
        self._note(Happening.SENT, octets)

    def received(self, octets: bytes) -> None:
        """Note what the server sent."""
        self._note(Happening.RECEIVED, octets)

    def note(self, happening: Happening) -> None:
        """Note what happened without octets."""
        if self._whole:
            self.events.append((happening, b""))

    def begin_again(self, events: int, left: int) -> None:
        """Forget what came after so many events: it will be gone over. Such a session is not as hoped."""
        del self.events[events:]
        self._left, self._whole, self.odd = left, True, True

    def take(self, noted: Iterable[Noted]) -> None:
        """Note what a native lane has noted on the way."""
        self.events += [
            (
                _SENT if ours else _RECEIVED,
                octets if type(octets) is bytes and not (ours and len(octets) > MAIL_DATA_KEPT) else _short(octets),
            )
            for ours, octets in noted
        ]
        self.settle()

    def settle(self) -> bool:
        """Count what was noted without counting, and leave out what is beyond the limit; say whether nothing is."""
        lengths = [len(octets) for _, octets in self.events]
        self._left = OCTETS_KEPT - sum(lengths)
        while self._left < 0:
            self._whole = False
            self._left += lengths.pop()
            self.events.pop()
        return self._whole

    @property
    def mark(self) -> tuple[int, int]:
        """Return where it stands, for `begin_again`."""
        return len(self.events), self._left

    def end(self) -> None:
        """Hand it over, once."""
        over, self._over = self._over, None
        if over is not None:
            over(self)

    def _note(self, happening: Happening, octets: bytes | memoryview) -> None:
        self._left -= len(octets)
        self._whole = self._whole and self._left >= 0
        if self._whole:
            self.events.append((happening, bytes(octets)))

    def _mail_data_are_asked_for(self) -> bool:
        for happening, octets in reversed(self.events):
            if happening is Happening.RECEIVED:
                return octets.startswith(_ASKED_FOR)
        return False


class Overheard(Transport):
    """A transport whose octets are noted as they go."""

    __slots__ = ("_mark", "_recording")
    _mark: tuple[int, int]
    _recording: Recording

    @classmethod
    def with_listener(cls, transport: Transport, recording: Recording) -> Self:
        """Return the transport of a new connection, or of one about to be gone over, in the place of the one given."""
        made = cls(transport._channel, transport.peer, transport._host)
        made.octets_sent, made.octets_received = transport.octets_sent, transport.octets_received
        made._recording = recording
        made._mark = recording.mark
        return made

    async def send(self, octets: bytes | memoryview, deadline: float) -> None:
        """See Transport."""
        self._recording.sent(octets)
        await super().send(octets, deadline)

    async def receive(self, deadline: float) -> bytes:
        """See Transport."""
        try:
            octets = await super().receive(deadline)
        except PeerClosed as closed:
            self._note_end(closed)
            raise
        self._recording.received(octets)
        return octets

    async def ask(self, octets: bytes, deadline: float) -> bytes:
        """See Transport."""
        self._recording.sent(octets)
        try:
            received = await super().ask(octets, deadline)
        except PeerClosed as closed:
            self._note_end(closed)
            raise
        self._recording.received(received)
        return received

    def converse(self, conversation: Conversation) -> Coroutine[Any, Any, bool]:
        """See Transport."""
        self._mark = self._recording.mark
        if not self._recording.wanted:           # one that is not as hoped is gone over, and noted then
            return super().converse(conversation)
        return self._converse(conversation)

    async def _converse(self, conversation: Conversation) -> bool:
        listened_to = _ListenedTo(conversation, self._recording)
        try:
            await super().converse(listened_to)
        finally:
            listened_to.give_back()
        if conversation.heard and not conversation.heard[-1][0]:
            self._recording.note(Happening.CLOSED)
        return conversation.done

    def rehearse(self, conversation: Conversation) -> Rehearsal:
        """See Transport."""
        self._recording.begin_again(*self._mark)
        return super().rehearse(conversation)

    async def start_tls(self, context: TlsContext, server_name: str | None, deadline: float) -> TlsFacts:
        """See Transport."""
        facts = await super().start_tls(context, server_name, deadline)
        self._recording.note(Happening.TLS)
        return facts

    def abort(self) -> None:
        """See Transport."""
        super().abort()
        self._recording.end()

    async def aclose(self) -> None:
        """See Transport."""
        try:
            await super().aclose()
        finally:
            self._recording.end()

    def _note_end(self, closed: PeerClosed) -> None:
        if closed.announced and not closed.reset:
            self._recording.note(Happening.CLOSED)


class _ListenedTo(Conversation):
    """A conversation that is another one's, and noted on the way."""

    __slots__ = ("_conversation", "_recording")

    def __init__(self, conversation: Conversation, recording: Recording) -> None:
        super().__init__()
        self._conversation = conversation
        self._recording = recording
        self.heard = conversation.heard

    @property
    def octets_received(self) -> int:
        """See Conversation."""
        return self._conversation.octets_received

    def steps(self) -> Steps:
        """See Conversation."""
        note: Callable[[Event], object] = self._recording.events.append
        conversation = self._conversation
        steps = conversation.steps()
        go_on = steps.send
        said = next(steps)
        try:
            for number in count(1):      # what is noted is counted now and then, to be quick
                if number % STEPS_UNCOUNTED == 0 and not self._recording.settle():
                    note = _leave_out
                octets = said[0]
                if octets:
                    note((_SENT, octets if type(octets) is bytes and len(octets) <= MAIL_DATA_KEPT else _short(octets)))
                heard = yield said
                conversation.octets_sent = self.octets_sent
                note((_RECEIVED, heard[0]))
                said = go_on(heard)
        except StopIteration:
            return

    def give_back(self) -> None:
        """Let the other one know what became of it."""
        conversation = self._conversation
        conversation.began_s, conversation.octets_sent = self.began_s, self.octets_sent
        conversation.failure = self.failure
        self._recording.settle()


def _leave_out(_: Event) -> None:
    return


def _short(octets: bytes | Pieces) -> bytes:
    """Return what is kept of something long. What is said in pieces is mail data, made here, and ends nowhere else."""
    if isinstance(octets, bytes):
        return _END if octets.endswith(_END) and octets.find(_END) == len(octets) - len(_END) else octets
    end = b""
    for piece in reversed(octets):
        end = bytes(piece[-len(_END):]) + end
        if len(end) >= len(_END):
            break
    return end[-len(_END):]
