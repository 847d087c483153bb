"""Postfix's smtp-source, the anchor in C, in both its modes; and over the number of sessions, the cost curve."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.comparison import Comparison, Contender, Taken
from benchmarks.figures import OURS, Metrics
from benchmarks.ours import load_metrics, run_mailproof
from benchmarks.place import postfix_program, shown
from benchmarks.scenario import Deliveries
from benchmarks.servers import Sink, smtp_sink
from benchmarks.turn import CLIENT_CORE, Finished, TurnFailedError, expect_success, pinned, run

KIB = 1024
FEW_SESSIONS, MANY_SESSIONS = 100, 5_000
HELO_NAME = "mailproof.invalid"      # what mailproof says too
Mode = Literal["fresh", "reuse"]


@dataclass(frozen=True, slots=True)
class Work:
    """What both do."""

    mode: Mode                # a session for each message, or every session keeps its connection
    sessions: int             # at once
    payload_octets: int
    messages: int             # a multiple of the sessions

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


def work_for(mode: Mode, sessions: int, payload_octets: int, *, quick: bool) -> Work:
    """Return how much is sent: for some seconds, and several messages by each session.

    Many sessions go in step with each other, all with one command and then all with the next. A run of a certain
    time would hold some of these rounds and cut off the last; a run of a certain work is all of them.
    """
    wanted = 5_000 if payload_octets > KIB else 10_000 if mode == "fresh" else 20_000
    if sessions < FEW_SESSIONS:
        wanted //= 4                      # a round trip at a time
    each = 4 if mode == "reuse" or sessions < MANY_SESSIONS else 2
    if quick:
        wanted, each = wanted // 4, max(1, each // 2)
    return Work(mode, sessions, payload_octets, sessions * max(each, wanted // sessions))


def mailproof_turn(work: Work) -> Taken:
    """Let mailproof do the work."""
    with smtp_sink(sessions=work.sessions) as sink:
        load, finished, command = run_mailproof(work.deliveries(sink.port).toml())
        took_all(sink, work.messages)
    rate = load.messages.accepted / load.steady_s
    return Taken(load_metrics(load, finished, rate=rate, count=load.messages.accepted), command)


def source_turn(work: Work) -> Taken:
    """Let smtp-source do the work."""
    program, environment = postfix_program("smtp-source")
    with smtp_sink(sessions=work.sessions) as sink:
        command = pinned([program, *work.source_options(sink.port)], CLIENT_CORE)
        finished = expect_success(run(command, environment=environment))
        took_all(sink, work.messages)
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
    """Return the twelve pairs, and the points that the curve needs beside them."""
    pairs = [
        _comparison(mode, sessions, payload_octets)
        for mode in _MODES for payload_octets in (KIB, 100 * KIB) for sessions in (100, 1_000, 5_000)
    ]  # fmt: skip
    curve = [_comparison("reuse", sessions, KIB, group="curve") for sessions in (1, 10, 10_000, 19_500)]
    return (*pairs, *curve)


_MODES: tuple[Mode, ...] = ("fresh", "reuse")


def _comparison(mode: Mode, sessions: int, payload_octets: int, *, group: str = "source") -> Comparison:
    size = f"{payload_octets // KIB} KiB"
    title = (
        f"{'a session for each message' if mode == 'fresh' else 'connections kept'}, {size}, "
        f"{sessions:,} session{'s' if sessions > 1 else ''}"
    )

    def turn(take: Callable[[Work], Taken]) -> Callable[[bool], Taken]:
        return lambda quick: take(work_for(mode, sessions, payload_octets, quick=quick))

    many = sessions >= MANY_SESSIONS
    return Comparison(
        name=f"source-{mode}-{payload_octets // KIB}k-{sessions}",
        group=group,
        title=title,
        contenders=(Contender(OURS, turn(mailproof_turn)), Contender("smtp-source", turn(source_turn))),
        round_s=9.5 + sessions / 500,
        quick_s=5.5 + sessions / 1000,
        rounds_max=2 if sessions > MANY_SESSIONS else 3 if many or group == "curve" else 5,
        x=sessions if mode == "reuse" and payload_octets == KIB else None,
        in_quick=sessions <= MANY_SESSIONS,
    )
