"""Postfix's smtp-source, the anchor in C, in both its modes; and over the number of sessions, the cost curve."""

import signal
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
KEPT_MESSAGES = 20           # that mailproof sends by one connection in "reuse"; smtp-source never ends one
NO_END = 10_000_000
LONG_FROM_SESSIONS = 5_000
HELO_NAME = "mailproof.invalid"      # what mailproof says too
Mode = Literal["fresh", "reuse"]


@dataclass(frozen=True, slots=True)
class Work:
    """What both do."""

    mode: Mode                # a session for each message, or every session keeps its connection
    sessions: int             # at once
    payload_octets: int
    for_ms: int

    def deliveries(self, port: int) -> Deliveries:
        """Return it in mailproof's words."""
        return Deliveries(
            port, self.sessions, 1 if self.mode == "fresh" else KEPT_MESSAGES, self.payload_octets, self.for_ms
        )

    def source_options(self, port: int) -> list[str]:
        """Return it in smtp-source's words: more messages than it can send in the time it is given."""
        return [
            *(["-d"] if self.mode == "reuse" else []),
            "-s", str(self.sessions), "-m", str(NO_END), "-l", str(self.payload_octets),
            "-f", "load@example.test", "-t", "user1@example.test", "-M", HELO_NAME, f"127.0.0.1:{port}",
        ]  # fmt: skip


def mailproof_turn(work: Work) -> Taken:
    """Let mailproof do the work."""
    with smtp_sink(sessions=work.sessions) as sink:
        load, finished, command = run_mailproof(work.deliveries(sink.port).toml())
        taken_in = sink.messages()
    accepted = load.messages.accepted
    # What was on its way when the load was cut off may have arrived, and nobody heard.
    if not accepted <= taken_in <= accepted + load.sessions.interrupted:
        raise TurnFailedError(f"the sink counted {taken_in} messages, mailproof {accepted}")
    assert load.throughput is not None
    return Taken(
        load_metrics(load, finished, rate=load.throughput.messages_accepted_per_s, count=accepted), command
    )


def source_turn(work: Work) -> Taken:
    """Let smtp-source do the work until its time is up; the sink has counted."""
    program, environment = postfix_program("smtp-source")
    with smtp_sink(sessions=work.sessions) as sink:
        command = pinned([program, *work.source_options(sink.port)], CLIENT_CORE)
        finished = run(command, environment=environment, stop_after_s=work.for_ms / 1000)
        killed(finished)
        messages = sink.messages()
    return Taken(whole_process(finished, messages), shown(command))


def killed(finished: Finished) -> None:
    """Raise TurnFailedError if a program that was to be killed has ended before."""
    if finished.status != -signal.SIGKILL:
        expect_success(finished)
        raise TurnFailedError("ended before its time was up")


def took_all(sink: Sink, messages: int) -> None:
    """Raise TurnFailedError unless the sink itself counted every message."""
    if (counted := sink.messages()) != messages:
        raise TurnFailedError(f"the sink counted {counted} messages, not {messages}")


def whole_process(finished: Finished, messages: int) -> Metrics:
    """Return the figures of a program that does nothing but send: all of it is the load."""
    if messages < 1:
        raise TurnFailedError(f"the sink got no message: {' '.join(finished.output.split())[-200:]}")
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
        return lambda quick: take(Work(mode, sessions, payload_octets, time_for(sessions, quick=quick)))

    many = sessions >= LONG_FROM_SESSIONS
    rounds_max = 3 if many or group == "curve" else 4
    return Comparison(
        name=f"source-{mode}-{payload_octets // KIB}k-{sessions}",
        group=group,
        title=title,
        contenders=(Contender(OURS, turn(mailproof_turn)), Contender("smtp-source", turn(source_turn))),
        round_s=5 + 2 * time_for(sessions, quick=False) / 1000 + (3 if many else 0),
        quick_s=4.5 + 2 * time_for(sessions, quick=True) / 1000,
        rounds_max=2 if sessions > LONG_FROM_SESSIONS else rounds_max,
        x=sessions if mode == "reuse" and payload_octets == KIB else None,
        in_quick=sessions <= LONG_FROM_SESSIONS,
    )


def time_for(sessions: int, *, quick: bool) -> int:
    """Return how many ms to run for.

    Many sessions go in step with each other, all with one command and then all with the next, and finish their
    messages in bursts: the time must hold a number of these.
    """
    if sessions < LONG_FROM_SESSIONS:
        return 1_000 if quick else 3_000
    if quick:
        return 3_000
    return 8_000 if sessions == LONG_FROM_SESSIONS else 14_000
