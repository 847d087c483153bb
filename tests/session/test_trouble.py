"""Each transcript below, broken off at every turn of the server's: by silence, a close, a 421, garbage.

The phase in which the session is met is worked out from the transcript; the rest is the same sentence each time.
"""

from typing import Final

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from loadgen.endpoint import Endpoint
from loadgen.session.outcome import OutcomeKind
from loadgen.session.perform import perform
from loadgen.session.phases import LIMITED_AS
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.session.trace import Trace
from loadgen.transport.errors import TransportTimeout
from loadgen.transport.stream import Transport
from tests.session.theatre import (
    COMPOSER,
    GOLDEN,
    LIMITS,
    SERVER_NAME,
    Played,
    Tls,
    Transcript,
    Turn,
    read_transcript,
    stage,
)

# transcript, and the phase that each of the server's turns belongs to
PHASES: Final = {
    "smtp-starttls-plain": "greeting ehlo tls tls ehlo auth mail rcpt data body quit",
    "smtp-auth-scram-sha-256": "greeting ehlo auth auth auth mail rcpt data body quit",
    "smtp-implicit-tls": "tls greeting ehlo mail rcpt data body quit",
    "smtp-every-recipient-refused": "greeting ehlo mail rcpt rcpt rset mail rcpt rcpt data body quit",
    "lmtp-rfc2033": "greeting ehlo mail body quit",
    "pop3-user-pass-tls": "greeting tls tls auth auth stat list uidl retr quit",
    "pop3-auth-scram-sha-256": "greeting auth auth auth stat quit",
    "pop3-rfc1939-10": "greeting auth stat list uidl retr dele retr dele quit",
    "hold-noop": "greeting ehlo noop noop noop quit",
    "hold-pop3": "greeting auth auth noop noop quit",
    "probe": "greeting ehlo noop rset vrfy ehlo noop rset vrfy ehlo quit",
    "rset-loop": "greeting ehlo mail rcpt rcpt rset mail rcpt rcpt rset quit",
    "storm-right": "greeting ehlo auth quit",
}
TURNS: Final = [
    pytest.param(read_transcript(GOLDEN / f"{name}.txt"), number, phase, id=f"{name}-{number}-{phase}")
    for name, phases in PHASES.items()
    for number, phase in enumerate(phases.split())
]
at_every_turn = pytest.mark.parametrize(("transcript", "number", "phase"), TURNS)


def broken(transcript: Transcript, number: int, *then: Turn) -> Transcript:
    return transcript.until(transcript.server_turns()[number], *then)


def is_handshake(transcript: Transcript, number: int) -> bool:
    return transcript.turns[transcript.server_turns()[number]] == ("*", b"tls")


def deaf_to(transcript: Transcript, number: int) -> tuple[Turn, ...]:
    """In a handshake our side speaks first: let it."""
    return (("*", b"deaf"),) if is_handshake(transcript, number) else ()


def seconds_before(transcript: Transcript, number: int) -> float:
    """How long the session holds still before the server's turn, where that is what it does."""
    if transcript.head["session"] != "idle-hold":
        return 0.0
    noops = sum(1 for kind, octets in transcript.turns[: transcript.server_turns()[number]] if octets == b"NOOP\r\n")
    return min(int(transcript.head["hold"]), noops * int(transcript.head["noop-every"]))


def refused_before(transcript: Transcript, number: int) -> bool:
    """Whether the server had said no before, so that only QUIT's own trouble would follow."""
    return transcript.name == "smtp-every-recipient-refused" and number > 3


def test_every_turn_has_its_phase() -> None:
    for name, phases in PHASES.items():
        assert len(read_transcript(GOLDEN / f"{name}.txt").server_turns()) == len(phases.split()), name


@at_every_turn
async def test_a_silent_server_times_out_in_its_phase_at_exactly_the_limit(
    transcript: Transcript, number: int, phase: str, tls: Tls, autojump_clock: MockClock
) -> None:
    played = await stage(broken(transcript, number, *deaf_to(transcript, number)), tls=tls)
    assert played.outcome is not None
    protocol = transcript.protocol
    limit_s = LIMITS.for_phase(f"{protocol}.{LIMITED_AS.get(phase, phase)}")
    assert played.elapsed_s == pytest.approx(seconds_before(transcript, number) + limit_s, abs=1e-6)
    if phase == "quit" and refused_before(transcript, number):
        assert played.outcome.kind is OutcomeKind.REFUSED
    else:
        assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.TIMED_OUT, f"{protocol}.{phase}")
    know_what_is_known(played, phase)


@at_every_turn
async def test_a_server_that_closes_fails_the_session_in_its_phase(
    transcript: Transcript, number: int, phase: str, tls: Tls, autojump_clock: MockClock
) -> None:
    played = await stage(broken(transcript, number, ("*", b"close")), tls=tls)
    assert played.outcome is not None
    if phase == "quit" and refused_before(transcript, number):
        assert played.outcome.kind is OutcomeKind.REFUSED
    else:
        assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, f"{transcript.protocol}.{phase}")
    know_what_is_known(played, phase)


@at_every_turn
async def test_an_answer_that_is_cut_fails_the_session_in_its_phase(
    transcript: Transcript, number: int, phase: str, tls: Tls, autojump_clock: MockClock
) -> None:
    position = transcript.server_turns()[number]
    kind, octets = transcript.turns[position]
    if kind == "*":      # the handshake: cut by the test above
        octets = b"\x16\x03"
    played = await stage(broken(transcript, number, ("S", octets[:3]), ("*", b"close")), tls=tls)
    assert played.outcome is not None
    if phase == "quit" and refused_before(transcript, number):
        assert played.outcome.kind is OutcomeKind.REFUSED
        return
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, f"{transcript.protocol}.{phase}")
    assert kind == "*" or "closed amid" in (played.outcome.cause or "")
    know_what_is_known(played, phase)


@at_every_turn
async def test_a_server_that_ends_the_session_refuses_it_in_its_phase(
    transcript: Transcript, number: int, phase: str, tls: Tls, autojump_clock: MockClock
) -> None:
    pop3 = transcript.protocol == "pop3"
    if is_handshake(transcript, number):
        return      # a handshake is not the place for it
    said = b"-ERR [SYS/TEMP] no more\r\n" if pop3 else b"421 4.3.2 no more\r\n"
    played = await stage(broken(transcript, number, ("S", said), ("*", b"close")), tls=tls)
    assert played.outcome is not None
    if pop3 and phase == "uidl":      # optional: the session goes on, and finds the server gone
        assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, "pop3.retr")
    elif phase == "quit" and not pop3:
        assert played.outcome.kind is OutcomeKind(transcript.head["outcome"].split()[0])
    else:
        assert played.outcome.kind is OutcomeKind.REFUSED
        assert played.outcome.phase == (
            "smtp.rcpt" if refused_before(transcript, number) else f"{transcript.protocol}.{phase}"
        )
    # LMTP: a 421 for the first of two recipients says nothing about the second.
    unanswered = played.ambiguous == ["green@foo.edu"]
    trace = played.trace
    assert trace.messages_refused + trace.messages_accepted + unanswered == trace.messages_offered


@at_every_turn
async def test_garbage_fails_the_session_and_is_kept_as_evidence(
    transcript: Transcript, number: int, phase: str, tls: Tls, autojump_clock: MockClock
) -> None:
    garbage = b"\x00\xff\x1b[2J nonsense\r\n"
    played = await stage(broken(transcript, number, ("S", garbage), *deaf_to(transcript, number)), tls=tls)
    assert played.outcome is not None
    if phase == "quit" and refused_before(transcript, number):
        assert played.outcome.kind is OutcomeKind.REFUSED
        return
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.FAILED, f"{transcript.protocol}.{phase}")
    assert "nonsense" not in (played.outcome.cause or "")
    if not is_handshake(transcript, number):
        assert garbage.strip() in played.outcome.evidence
    know_what_is_known(played, phase)


def know_what_is_known(played: Played, phase: str) -> None:
    """A message is ambiguous exactly if it was broken off at its body; one that was answered before stays answered."""
    trace = played.trace
    for index in range(len(trace.begun) - (phase == "body")):
        assert trace.settled[index].recipients
        assert not trace.settled[index].unanswered
    if phase == "body":
        assert len(trace.begun) - 1 not in trace.settled
        assert played.ambiguous == list(trace.begun[-1].recipients)
    assert trace.phase.endswith(phase)


async def test_a_dial_that_is_never_answered_times_out_in_connect(autojump_clock: MockClock) -> None:
    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        await trio.sleep_until(deadline)
        raise TransportTimeout("nobody answered")

    transcript = read_transcript(GOLDEN / "hold-silent.txt")
    route = Route(Endpoint("smtp", SERVER_NAME, 25, None, implicit_tls=False), LIMITS, dial=dial)
    trace = Trace()
    outcome = await perform(transcript.plan(), {"smtp": route}, COMPOSER, trace, 0)
    assert (outcome.kind, outcome.phase) == (OutcomeKind.TIMED_OUT, "smtp.connect")
    assert trio.current_time() == LIMITS.connect
    assert trace.timings == []


async def test_a_server_that_does_not_take_the_mail_data_times_out_in_body_at_the_limit_of_a_block(
    autojump_clock: MockClock,
) -> None:
    """On streams that hold nothing back: who does not read makes the other wait."""
    transcript = read_transcript(GOLDEN / "smtp-go-ahead-by-another-number.txt")
    body = transcript.server_turns()[5]
    stubborn = transcript.until(body - 1, ("*", b"wait 1000"), ("*", b"deaf"))
    played = await stage(stubborn, pair=trio.testing.lockstep_stream_pair)
    assert played.outcome is not None
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.TIMED_OUT, "smtp.body")
    assert played.elapsed_s == pytest.approx(LIMITS.block)
    assert played.ambiguous == ["user1@example.test"]


async def test_each_block_of_the_mail_data_has_the_limit_of_a_block_to_itself(autojump_clock: MockClock) -> None:
    """A long message to a slow server takes longer than one block may, and that is no trouble."""
    transcript = read_transcript(GOLDEN / "smtp-go-ahead-by-another-number.txt")
    long = Transcript(transcript.name, {**transcript.head, "size": str(4 * BLOCK_OCTETS)}, transcript.turns)
    played = await stage(long, pair=slow_pair)
    assert played.outcome is not None
    assert played.outcome.kind is OutcomeKind.ACCEPTED
    assert played.elapsed_s > LIMITS.block


class SlowEnd(trio.abc.Stream):
    """A stream that needs two thirds of the limit of a block for each large write."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if len(data) > 1000:
            await trio.sleep(LIMITS.block * 2 / 3)
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self._stream.aclose()


def slow_pair() -> tuple[trio.abc.Stream, trio.abc.Stream]:
    ours, theirs = trio.testing.memory_stream_pair()
    return SlowEnd(ours), theirs


async def test_the_last_words_of_a_server_that_stopped_reading_are_heard(autojump_clock: MockClock) -> None:
    """It refuses the message amid the mail data and closes: what it said is the outcome, not that it closed."""
    ours, theirs = trio.testing.memory_stream_pair()
    transcript = read_transcript(GOLDEN / "smtp-go-ahead-by-another-number.txt")
    body = transcript.server_turns()[5]
    early = transcript.until(body - 1, ("S", b"552 5.3.4 too much\r\n"), ("*", b"close"))
    played = await stage(early, pair=lambda: (ours, theirs))
    assert played.outcome is not None
    assert (played.outcome.kind, played.outcome.phase) == (OutcomeKind.REFUSED, "smtp.body")
    assert (played.accepted, played.ambiguous, played.trace.messages_refused) == ([], [], 1)
