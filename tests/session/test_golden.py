"""Every transcript, octet for octet: what our side sends, how its session ends, what its trace knows."""

import pytest
from trio.testing import MockClock

from tests.session.theatre import GOLDEN, Tls, Transcript, read_transcript, stage

TRANSCRIPTS = [read_transcript(path) for path in sorted(GOLDEN.glob("*.txt"))]


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) > 60


@pytest.mark.parametrize(
    ("transcript", "trickle"),
    [
        pytest.param(transcript, trickle, id=f"{transcript.name}{'-an-octet-at-a-time' if trickle else ''}")
        for transcript in TRANSCRIPTS
        for trickle in (False, True)
        if not (trickle and "whole" in transcript.head)      # what is about octets that come together
    ],
)
async def test_a_transcript_is_followed(
    transcript: Transcript, trickle: bool, tls: Tls, autojump_clock: MockClock
) -> None:
    head = transcript.head
    played = await stage(transcript, tls=tls, trickle=trickle)
    kind, phase, cause = (*head["outcome"].split(" ", 2), "", "")[:3]
    if kind == "refused":
        cause = f"the server answered {cause}"
    assert played.outcome is not None
    assert (played.outcome.kind, played.outcome.phase or "", played.outcome.cause or "") == (kind, phase, cause)
    assert played.phases == transcript.words("phases")
    assert played.accepted == transcript.words("accepted")
    assert played.ambiguous == transcript.words("ambiguous")
    assert played.trace.messages_offered == int(head.get("messages-offered", "0"))
    assert played.trace.messages_refused == int(head.get("messages-refused", "0"))
    assert [(each.unique_id or b"-").decode() for each in played.trace.retrieved] == transcript.words("retrieved")
    if "last-reply" in head:
        assert list(played.trace.replies[-1][:2]) == transcript.words("last-reply")
    assert played.elapsed_s == pytest.approx(int(head.get("elapsed", "0")) + waits(transcript))


def waits(transcript: Transcript) -> float:
    """The seconds a server takes its time, where no hold says how long the session lasts."""
    if "elapsed" in transcript.head:
        return 0.0
    return sum(float(octets.split()[1]) for kind, octets in transcript.turns if kind == "*" and octets[:4] == b"wait")
