"""Postfix's smtp-source, the anchor in C, in both its modes; and over the number of sessions, the cost curve."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.figures import OURS, Metrics
from benchmarks.ours import load_metrics, run_mailproof
from benchmarks.place import postfix_program, shown
from benchmarks.scenario import Deliveries
from benchmarks.servers import Sink, null_sink, reference_server, smtp_sink
from benchmarks.turn import CLIENT_CORE, Finished, TurnFailedError, expect_success, pinned, run

KIB = 1024
FEW_SESSIONS, MANY_SESSIONS = 100, 5_000
HELO_NAME = "mailproof.invalid"      # what mailproof says too
Mode = Literal["fresh", "reuse"]
Server = Literal["sink", "null", "reference"]
CURVE = (1, 10, 100, 1_000, 5_000, 10_000, 19_500)
CURVE_QUICK = (1, 10, 1_000)


@dataclass(frozen=True, slots=True)
class Work:
    """What both do."""

    mode: Mode                # a session for each message, or every session keeps its connection
    sessions: int             # at once
    payload_octets: int
    messages: int             # a multiple of the sessions
    server: Server = "sink"

    def deliveries(self, port: int) -> Deliveries:
        """Return it in mailproof's words."""
        each = 1 if self.mode == "fresh" else self.messages // self.sessions
        return Deliveries(port, self.sessions, self.messages // each, each, self.payload_octets)

    def source_options(self, port: int) -> list[str]:
        """Return it in smtp-source's words."""
        return [
            *(["-d"] if self.mode == "reuse" else []),
            "-s", str(self.sessions), "-m", str(self.messages), "-l", str(self.payload_octets),
            "-f", "load@example.test", "-t", "user1@example.test", "-M", HELO_NAME, f"127.0.0.1:{port}",
        ]  # fmt: skip


def work_for(mode: Mode, sessions: int, payload_octets: int, *, server: Server = "sink", quick: bool) -> Work:
    """Return how much is sent: for some seconds, and several messages by each session.

    Many sessions go in step with each other, all with one command and then all with the next. A run of a certain
    time would hold some of these rounds and cut off the last; a run of a certain work is all of them.
    """
    wanted = 5_000 if payload_octets > KIB else 30_000 if mode == "fresh" else 60_000
    if server == "reference":
        wanted = 20_000                   # it is slower
    if sessions < FEW_SESSIONS:
        wanted //= 4                      # a round trip at a time
    each = 4 if mode == "reuse" or sessions < MANY_SESSIONS else 2
    if quick:
        wanted, each = wanted // 4, max(1, each // 2)
    return Work(mode, sessions, payload_octets, sessions * max(each, wanted // sessions), server)


@contextmanager
def target(work: Work) -> Iterator[int]:
    """Run the server for one turn; return its port. TurnFailedError at the end unless smtp-sink has counted it all."""
    if work.server == "reference":
        with reference_server("smtp", ["--max-connections", str(work.sessions + 100)]) as port:
            yield port
        return
    if work.server == "null":
        with null_sink() as port:
            yield port
        return
    with smtp_sink(sessions=work.sessions) as sink:
        yield sink.port
        took_all(sink, work.messages)


def mailproof_turn(work: Work) -> Taken:
    """Let mailproof do the work."""
    with target(work) as port:
        load, finished, command = run_mailproof(work.deliveries(port).toml())
    rate = load.messages.accepted / load.steady_s
    return Taken(load_metrics(load, finished, rate=rate, count=load.messages.accepted), command)


def source_turn(work: Work) -> Taken:
    """Let smtp-source do the work."""
    program, environment = postfix_program("smtp-source")
    with target(work) as port:
        command = pinned([program, *work.source_options(port)], CLIENT_CORE)
        finished = expect_success(run(command, environment=environment))
    return Taken(whole_process(finished, work.messages), shown(command))


def took_all(sink: Sink, messages: int) -> None:
    """Raise TurnFailedError unless the sink itself counted every message."""
    if (counted := sink.messages()) != messages:
        raise TurnFailedError(f"the sink counted {counted} messages, not {messages}")


def whole_process(finished: Finished, messages: int) -> Metrics:
    """Return the figures of a program that does nothing but send: all of it is the load."""
    cpu_us = finished.cpu_s / messages * 1e6
    return {
        "messages/s": messages / finished.wall_s, "CPU µs/message": cpu_us, "whole process, CPU µs/message": cpu_us
    }  # fmt: skip


def comparisons() -> tuple[Comparison, ...]:
    """Return the twelve pairs; the last again with a server that is quicker than both; and the curve."""
    pairs = [
        _comparison(mode, sessions, payload_octets)
        for mode in _MODES for payload_octets in (KIB, 100 * KIB) for sessions in (100, 1_000, 5_000)
    ]  # fmt: skip
    curve = [_comparison("reuse", sessions, KIB, server="reference") for sessions in CURVE]
    return (*pairs, _comparison("reuse", MANY_SESSIONS, 100 * KIB, server="null"), *curve)


_MODES: tuple[Mode, ...] = ("fresh", "reuse")


def _comparison(mode: Mode, sessions: int, payload_octets: int, *, server: Server = "sink") -> Comparison:
    def turn(take: Callable[[Work], Taken]) -> Callable[[bool], Taken]:
        return lambda quick: take(work_for(mode, sessions, payload_octets, server=server, quick=quick))

    on_curve = server == "reference"
    how = "a session for each message" if mode == "fresh" else "connections kept"
    against = "-null" if server == "null" else ""
    return Comparison(
        name=f"{'curve' if on_curve else f'source{against}-{mode}-{payload_octets // KIB}k'}-{sessions}",
        group="curve" if on_curve else "source",
        title=f"{how}, {payload_octets // KIB} KiB, {sessions:,} session{'s' if sessions > 1 else ''}"
        f"{', null sink' if against else ''}",
        contenders=(Contender(OURS, turn(mailproof_turn)), Contender("smtp-source", turn(source_turn))),
        round_s=(9.5 if on_curve or payload_octets > KIB else 11.5) + sessions / 700,
        quick_s=5.5 + sessions / 1000,
        rounds_max=2 if on_curve else 3 if sessions >= MANY_SESSIONS else 5,
        x=sessions if on_curve else None,
        in_quick=not on_curve or sessions in CURVE_QUICK,
    )
