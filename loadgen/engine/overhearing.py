"""A load's sessions overheard, and what was said in them judged, at a price that the load does not feel.

Who judges is the caller's affair: loadgen knows no requirement. Judging a session takes half of what driving one does,
so in a fast run it is a sample: one after another, a three-hundredth of the time, those first in which not all was
as hoped.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from typing import Protocol as Shape

import trio

from loadgen.clock import clock_of_this_run
from loadgen.endpoint import Protocol
from loadgen.transport.conversation import Noted
from loadgen.transport.instants import AtInstants, by_sleeping
from loadgen.transport.overheard import Event, Overheard, Recording
from loadgen.transport.stream import Transport
from reports.monitors import MonitorsResult

SHARE: Final = 0.003             # of the time that judging may take while the load lasts
TURN_S: Final = 0.0005           # at a go: to come round for it takes a tenth of it
ODD_KEPT: Final = 256            # recordings that wait: beyond it they are passed over
USUAL_KEPT: Final = 64


class Judge(Shape):
    """Judges what was overheard, and keeps what it found. Crosses processes."""

    def judge(self, protocol: Protocol, events: Sequence[Event]) -> Iterator[None]:
        """Judge one connection. Yields between its parts, each a millisecond of work at most."""

    def merge(self, other: Any) -> None:
        """Add what another process's judge found; it is of the same kind."""

    def result(self, heard: "Heard") -> MonitorsResult:
        """Return the document's section."""


MakeJudge = Callable[[], Judge]


@dataclass(slots=True)
class Heard:
    """What was overheard in one process, and how much of it was judged. Crosses processes."""

    judge: Judge
    connections: int = 0
    judged: int = 0
    odd: int = 0
    odd_judged: int = 0

    def merge(self, other: "Heard") -> None:
        """Add what was overheard in another process of the same run."""
        self.judge.merge(other.judge)
        self.connections += other.connections
        self.judged += other.judged
        self.odd += other.odd
        self.odd_judged += other.odd_judged

    def result(self) -> MonitorsResult:
        """Return the document's section."""
        return self.judge.result(self)


@dataclass(slots=True)
class Overhearing:
    """The listener of one process's part of a load."""

    heard: Heard
    _odd: deque[Recording] = field(default_factory=deque)
    _usual: deque[Recording] = field(default_factory=deque)
    _listened_to: int = 0            # open connections whose recording is wanted whatever happens
    _taking_s: float = 0.0           # what it took, since the last turn, to take over what was noted
    _under_way: Iterator[None] | None = None

    @property
    def wants_more(self) -> bool:
        """Say whether there is room for a recording of what goes as hoped."""
        return len(self._usual) + self._listened_to < USUAL_KEPT

    def listening_to(
        self, transport: Transport, protocol: Protocol, recording: Recording | None = None
    ) -> Transport:
        """Return a transport that is overheard, in the place of a new one. `recording` has begun before it."""
        self.heard.connections += 1
        return Overheard.with_listener(transport, recording or self.recording(protocol))

    def was_noted(self, noted: Iterable[Noted] | None, recording: Recording | None, *, connected: bool) -> None:
        """Take what was noted of a connection that is over, if it was made; None: nobody wanted it."""
        self.heard.connections += connected
        if recording is not None:
            began_s = trio.current_time()
            recording.take(noted or ())
            recording.end()
            self._taking_s += trio.current_time() - began_s

    def were_tallied(self, connections: int) -> None:
        """Count connections that were made, and tallied; what was noted of some is not counted again."""
        self.heard.connections += connections

    def recording(self, protocol: Protocol) -> Recording:
        """Return the recording of a new connection.

        It is wanted whatever happens if there is room for it: nearly all sessions of a fast run are as hoped, and
        passed over. That they were noted first cost a seventh of their processor time.
        """
        wanted = self.wants_more
        self._listened_to += wanted
        return Recording(protocol, self._ended, wanted=wanted)

    async def judge(self, at_instants: AtInstants = by_sleeping) -> None:
        """Judge what was overheard, a three-hundredth of the time. Runs until cancelled."""
        clock = clock_of_this_run()

        def go_on() -> float:
            began_s = clock()
            while self._go_on() and clock() < began_s + TURN_S:
                pass
            ended_s, taking_s, self._taking_s = clock(), self._taking_s, 0.0
            return ended_s + max(TURN_S, ended_s - began_s + taking_s) * (1 / SHARE - 1)

        await at_instants(clock(), go_on)

    async def finish(self) -> None:
        """Judge all that is left, now that the load is over."""
        while self._go_on():
            await trio.lowlevel.checkpoint()

    def _ended(self, recording: Recording) -> None:
        self.heard.odd += recording.odd
        self._listened_to -= recording.wanted
        if recording.odd and len(self._odd) < ODD_KEPT:
            self._odd.append(recording)
        elif recording.wanted and not recording.odd and recording.events:
            self._usual.append(recording)

    def _go_on(self) -> bool:
        """Judge a part of a recording; False if there is none."""
        if self._under_way is None:
            queue = self._odd or self._usual
            if not queue:
                return False
            self._under_way = self._judged(queue.popleft())
        if next(self._under_way, self) is self:
            self._under_way = None
        return True

    def _judged(self, recording: Recording) -> Iterator[None]:
        yield from self.heard.judge.judge(recording.protocol, recording.events)
        self.heard.judged += 1
        self.heard.odd_judged += recording.odd
