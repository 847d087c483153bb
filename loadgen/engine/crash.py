"""Crashing the server amid the load: when it is due, once for the whole run, however many processes generate it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.engine.crash_command import Struck, run_command
from loadgen.engine.outage import NEVER
from loadgen.engine.outage import Outage as Away
from loadgen.engine.recorder import Recorder
from loadgen.engine.shard import at_once, crash_instants_ns
from loadgen.scenario.model import Scenario
from reports.crash_result import CrashMoment, CrashResult, Outage
from reports.errors import UserError

HOW: Final = (
    "the scenario has the server crashed amid the load, and only you can say how: give --crash 'COMMAND', which kills "
    "it and starts it again"
)

Strike = Callable[[], Awaitable[Struck]]
Note = Callable[[str], None]
OURS: Final = (
    "--crash is for a server of your own: the embedded one is killed and started again by mailproof itself, where the "
    "scenario has [crash], or --crash-at says when"
)


class Restartable(Protocol):
    """A server of ours, which can be killed and started again."""

    async def restart(self) -> str | None:
        """Kill it and start it again; return how that failed, None if it did not."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One crash that was carried out."""

    at_ns: int                # from the run's start
    took_ns: int
    struck: Struck


@dataclass(slots=True)
class Crasher:
    """Strikes at the instants that are due. Its task ends with the last of them, or when the load does."""

    instants_ns: Sequence[int]
    strike: Strike
    note: Note
    blows: list[Blow] = field(default_factory=list)
    _origin_ns: int | None = None
    _began: trio.Event = field(default_factory=trio.Event)

    def begin(self, origin_ns: int) -> None:
        """Learn the run's start, on `clock_ns`."""
        self._origin_ns = origin_ns
        self._began.set()

    async def begin_now(self) -> int:
        """Begin the run now."""
        origin_ns = await at_once()
        self.begin(origin_ns)
        return origin_ns

    async def watch(self, over: trio.Event) -> None:
        """Strike when it is due, until `over`. A blow that has begun is seen to its end: it starts the server again."""
        for instant_ns in self.instants_ns:
            if not await self._due(instant_ns, over):
                return
            self.note(f"crash: {instant_ns / NS_PER_S:.1f} s after the start, the server is killed and started again")
            began_ns = clock_ns()
            struck = await self.strike()
            assert self._origin_ns is not None
            self.blows.append(Blow(began_ns - self._origin_ns, clock_ns() - began_ns, struck))
            if struck.trouble is not None:
                self.note(f"crash: {struck.trouble}")

    async def _due(self, instant_ns: int, over: trio.Event) -> bool:
        """Wait for an instant of the run; say whether it came before the end."""
        async with trio.open_nursery() as waiting:

            async def until_over() -> None:
                await over.wait()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until_over)
            await self._began.wait()
            assert self._origin_ns is not None
            await trio.sleep_until((self._origin_ns + instant_ns) / NS_PER_S)
            waiting.cancel_scope.cancel()
        return not over.is_set()


def check_command(scenario: Scenario, command: str | None) -> None:
    """Refuse a crash nobody has said how to bring about, and a command where none is wanted. UserError."""
    if scenario.target.embedded:
        if command is not None:
            raise UserError(OURS)
    elif scenario.crash is not None and command is None:
        raise UserError(HOW)


def crasher_for(scenario: Scenario, command: str | None, embedded: Restartable | None, note: Note) -> Crasher:
    """Return what crashes the server as a scenario wants it, or never; UserError if nobody has said how."""
    check_command(scenario, command)
    if scenario.crash is None:
        return Crasher((), _never, note)
    instants_ns, limit_s = crash_instants_ns(scenario), scenario.crash.limit.s
    if embedded is not None:
        return Crasher(instants_ns, partial(_restarted, embedded), note)
    assert command is not None, "the check has refused that"
    return Crasher(instants_ns, partial(run_command, command, limit_s), note)


async def _restarted(server: Restartable) -> Struck:
    return Struck(trouble=await server.restart())


async def _never() -> Struck:
    raise AssertionError("there is no instant at which to")


def crash_result(
    crasher: Crasher, scenario: Scenario, command: str | None, recorder: Recorder
) -> CrashResult | None:
    """Return what was done and seen, for the document; None where nobody meant to crash anything."""
    if scenario.crash is None:
        return None
    return CrashResult(
        command=command,
        planned=len(crasher.instants_ns),
        recover_within_ns=scenario.crash.recover_within.ns,
        load_ns=recorder.load_ended_ns,
        moments=tuple(_moment(blow, recorder.outages.after(number)) for number, blow in enumerate(crasher.blows)),
    )


def _moment(blow: Blow, seen: Mapping[str, Away]) -> CrashMoment:
    outages = [
        Outage(
            protocol=protocol, refused=away.refused.total(), cut=away.cut.total(), began_ns=away.began_ns,
            back_ns=None if away.back_ns >= NEVER else away.back_ns,
        )
        for protocol, away in seen.items() if away.began_ns < NEVER
    ]   # fmt: skip
    return CrashMoment(
        at_ns=blow.at_ns, took_ns=blow.took_ns, exit_code=blow.struck.exit_code, output=blow.struck.output,
        trouble=blow.struck.trouble, outages=tuple(outages),
    )   # fmt: skip
