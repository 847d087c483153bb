"""The course every session takes: connect, follow its script, say goodbye. Which trouble decides its outcome."""

from collections.abc import Awaitable, Callable

from loadgen.session.dialogue import Connection
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.refused import CutOff, NotOffered, Refused
from loadgen.transport.errors import TransportError
from loadgen.wire.errors import RemoteProtocolError


async def follow(
    dialogue: Connection,
    script: Callable[[], Awaitable[Outcome]],
    leave: Callable[[], Awaitable[Refused | None]] | None = None,
) -> Outcome:
    """Run one session and say how it ended.

    What breaks in the script decides. A refusal, too, is said goodbye to (RFC 5321 §4.1.1.10), and what
    becomes of the goodbye then changes nothing: a server that hangs up on whom it refused is no news. Where
    all was granted, a goodbye that is refused or never answered is the outcome, in the phase `quit`: a
    client of POP3 cannot know then whether its messages were deleted (RFC 1939 §6), and a server of
    SMTP must not close without an answer. The messages it had accepted stand in the trace all the same.
    `leave` says goodbye in another way than by QUIT.

    A server that closes on a session which tries its patience (`may_be_cut_off`) has granted all it must.

    Whatever the network or the server does becomes an Outcome. What raises is our bug, or
    `trio.Cancelled`, which passes through untouched.
    """
    outcome = None
    try:
        async with dialogue:
            outcome = await _outcome_of(script, dialogue)
            refusal = await (dialogue.quit if leave is None else leave)()
            if outcome is ACCEPTED and refusal is not None:
                outcome = refusal.outcome
    except CutOff:
        assert outcome is not None, "the script's own end by it is an outcome"
    except (TransportError, RemoteProtocolError) as error:
        if outcome is None or outcome is ACCEPTED:
            outcome = Outcome.of_error(error, dialogue.trace.phase)
    return outcome


async def _outcome_of(script: Callable[[], Awaitable[Outcome]], dialogue: Connection) -> Outcome:
    try:
        return await script()
    except CutOff:
        return ACCEPTED
    except Refused as refused:
        return refused.outcome
    except NotOffered as error:
        return Outcome.of_error(error, dialogue.trace.phase)


async def without_a_word() -> Refused | None:
    """Leave by closing only. Ends without a checkpoint."""
    return None
