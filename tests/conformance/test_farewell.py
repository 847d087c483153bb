"""421 may come at any time: what follows from it is held against nobody, what came before it is."""

import pytest

from conformance.farewell import unless_cut_short
from conformance.judgement import Did, Judgement, declined, satisfied, violated, weakened
from conformance.transcript import Transcript


def heard(*octets: bytes) -> Transcript:
    transcript = Transcript()
    for each in octets:
        transcript.received(each, 0.0)
    return transcript


LEFT = heard(b"220 mail.example.test\r\n", b"4", b"21 4.7.0 closing\r\n")
STAYED = heard(b"220 mail.example.test\r\n", b"500 421 is no command\r\n")


@pytest.mark.parametrize(
    "judgement",
    [violated("closed the connection to NOOP"), weakened("500, then 421 4.7.0 closing to NOOP"), violated("250, 421")],
)
def test_leaving_in_good_order_is_held_against_nobody(judgement: Judgement) -> None:
    assert unless_cut_short(judgement, [STAYED, LEFT]).did is Did.UNDETERMINED


def test_a_close_without_a_word_is() -> None:
    judgement = violated("closed the connection to NOOP")
    assert unless_cut_short(judgement, [STAYED]) is judgement


@pytest.mark.parametrize(
    "judgement",
    [
        violated("250 2.0.0 queued before the end"), violated("421 closing; 1 messages arrived"),
        satisfied("421 closing"), declined("421 closing"),
    ],
)  # fmt: skip
def test_what_was_done_before_counts(judgement: Judgement) -> None:
    assert unless_cut_short(judgement, [LEFT]) is judgement
