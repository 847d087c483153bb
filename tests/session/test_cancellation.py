"""Cancelled at any await, a session closes its stream and its trace keeps what was known."""

import re
from collections.abc import Awaitable, Callable
from itertools import count

import pytest
import trio
from trio.testing import MockClock

from loadgen.session.break_off import KEPT
from tests.session.theatre import GOLDEN, Played, Tls, Transcript, read_transcript, stage

CLEAR = [
    "smtp-every-recipient-refused",
    "smtp-pipelined",
    "smtp-across-messages",
    "smtp-across-refused",
    "lmtp-across-messages",
    "smtp-body-refused",
    "smtp-helo",
    "lmtp-all-refused",
    "pop3-rfc1939-10",
    "pop3-without-uidl",
    "hold-noop",
    "hold-pop3",
    "smtp-bdat",
    "smtp-bdat-chunk-refused",
    "lmtp-bdat",
    "pop3-pipelined",
    "probe",
    "rset-loop",
    "storm-wrong",
    "storm-pop3-wrong",
    "slow-sender",
    "slow-sender-421",
    "half-open-ehlo",
    "half-open-pop3",
    "reset-in-data",
]
UNHURRIED = ["slow-reader"]      # what came may still lie unread on our side
SECURED = ["smtp-starttls-plain", "smtp-implicit-tls", "pop3-user-pass-tls"]


class CancelAt(trio.abc.Instrument):
    """Cancel a scope when the task that made this has yielded for the k-th time (k = 0: before it goes on)."""

    def __init__(self, scope: trio.CancelScope, k: int) -> None:
        self.task = trio.lowlevel.current_task()
        self.scope = scope
        self.left = k
        if k == 0:
            scope.cancel()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self.task:
            self.left -= 1
            if self.left == 0:
                self.scope.cancel()


async def stage_until(transcript: Transcript, k: int, tls: Tls) -> tuple[Played, bool]:
    """Stage it and cancel our side at its k-th await; say whether it was over before."""
    over = False

    async def watch(session: Callable[[], Awaitable[None]]) -> None:
        nonlocal over
        with trio.CancelScope() as scope:
            instrument = CancelAt(scope, k)
            trio.lowlevel.add_instrument(instrument)
            try:
                await session()
            finally:
                trio.lowlevel.remove_instrument(instrument)
        over = not scope.cancel_called

    played = await stage(transcript, tls=tls, watch=watch)
    assert (played.outcome is not None) or not over
    return played, over


@pytest.mark.parametrize("name", [*CLEAR, *UNHURRIED, *SECURED])
async def test_a_session_cancelled_at_any_await_keeps_what_it_knew(
    name: str, tls: Tls, autojump_clock: MockClock
) -> None:
    transcript = read_transcript(GOLDEN / f"{name}.txt")
    whole = await stage(transcript, tls=tls)
    for k in count():
        played, over = await stage_until(transcript, k, tls)      # checks that the stream is closed
        ours, full = played.trace, whole.trace
        assert [name for name, _, _ in ours.timings] == [name for name, _, _ in full.timings[: len(ours.timings)]]
        assert ours.replies == full.replies[: len(ours.replies)]
        assert ours.begun == full.begun[: len(ours.begun)]
        assert [r.unique_id for r in ours.retrieved] == [r.unique_id for r in full.retrieved[: len(ours.retrieved)]]
        assert played.accepted == whole.accepted[: len(played.accepted)]
        if name in CLEAR:
            answers = [code for _, code, _ in ours.replies if code != KEPT]
            assert len(answers) == answers_in(played.received), f"cancelled at await {k}"
        if over:
            break
    assert k > 2 * len(whole.phases) - 2      # each phase waits at least to send and to receive
    assert played.outcome == whole.outcome


def answers_in(received: bytes) -> int:
    """Count the answers our side has read to their ends."""
    if received[:1] == b"2":
        return len(re.findall(rb"^\d{3} .*\r\n", received, re.MULTILINE))
    listings = re.sub(rb"(?s)(?<=\r\n)(?!\+OK|-ERR).*?\r\n\.\r\n", b"", received)
    return len(re.findall(rb"^(?:\+OK|-ERR).*\r\n", listings, re.MULTILINE))


@pytest.mark.parametrize("name", ["smtp-pipelined", "smtp-across-messages", "smtp-body-refused", "lmtp-all-refused"])
async def test_a_message_is_begun_before_its_first_octet_is_out_and_settled_by_what_was_read(
    name: str, tls: Tls, autojump_clock: MockClock
) -> None:
    """At every await: no accepted message is forgotten, none is made up, what nobody answered is ambiguous."""
    transcript = read_transcript(GOLDEN / f"{name}.txt")
    lmtp = transcript.protocol == "lmtp"
    for k in count():
        played, over = await stage_until(transcript, k, tls)
        trace = played.trace
        bodies = [code for phase, code, _ in trace.replies if phase.endswith(".body")]
        each = len(trace.begun[0].recipients) if lmtp and trace.begun else 1
        said_yes = sum(1 for code in bodies if code == "250")
        assert len(played.accepted) == said_yes * (1 if lmtp else len(transcript.words("recipients")) or 1)
        unanswered = len(trace.begun) * each - len(bodies)
        assert len(played.ambiguous) == unanswered * (1 if lmtp else len(transcript.words("recipients")) or 1)
        go_aheads = sum(1 for _, code, _ in trace.replies if code == "354")
        assert len(trace.begun) == go_aheads, "begun as soon as it may, and not before"
        if over:
            return


@pytest.mark.parametrize("name", ["slow-sender", "slow-sender-421", "smtp-bdat-421", "reset-in-data"])
async def test_mail_data_without_its_end_is_offered_to_nobody(name: str, tls: Tls, autojump_clock: MockClock) -> None:
    """At every await: it is ambiguous only once its end is on the way, and whatever is found before is misdelivered."""
    transcript = read_transcript(GOLDEN / f"{name}.txt")
    ambiguous = set()
    for k in count():
        played, over = await stage_until(transcript, k, tls)
        trace = played.trace
        ambiguous.add(tuple(played.ambiguous))
        told = trace.messages_refused + trace.messages_accepted + len(played.ambiguous)
        assert told == trace.messages_offered or name == "smtp-bdat-421"
        if over:
            break
    assert ambiguous == ({(), ("user1@example.test",)} if name == "slow-sender" else {()})
