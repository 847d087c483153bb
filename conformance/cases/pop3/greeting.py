"""The greeting: one line of +OK, unasked (RFC 1939 §4)."""

from conformance.answer import Ended
from conformance.case import case
from conformance.judgement import Judgement, observed, satisfied, undetermined, violated
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

EXPECTED = "+OK"


@case("pop3.greeting.positive")
async def a_server_greets(peer: Pop3Peer) -> Judgement:
    """The server greets with +OK; -ERR is a server that has no time."""
    answer = await peer.answer()
    if answer.err:
        return observed(f"the session was refused: {answer}")
    if answer.ok and answer.octets.startswith(b"+OK"):
        return satisfied(answer, EXPECTED)
    # Once it may be too many connections; if the sounding was not greeted either, nobody is.
    broken = answer.response is not None or answer.ended is Ended.UNREADABLE or (
        answer.closed and peer.subject.found.unwelcome
    )
    return (violated if broken else undetermined)(answer, EXPECTED)


@case("pop3.greeting.unprompted")
async def a_greeting_comes_unasked(peer: Pop3Peer) -> Judgement:
    """The greeting comes without a word from the client."""
    answer = await peer.answer()
    if not answer.silent:
        return (satisfied if answer.response is not None else undetermined)(answer, "a greeting")
    asked = await peer.ask(b"CAPA", multi_line=False)
    return (undetermined if asked.response is None else violated)(
        f"{answer}, then {asked} to a command", "a greeting before anything is said"
    )


@case("pop3.greeting.single-line")
async def a_greeting_is_one_line(peer: Pop3Peer) -> Judgement:
    """The greeting is one line."""
    await peer.greet()
    more = await peer.answer_or_silence()
    if more.err or more.closed:
        return undetermined(f"{more} behind the greeting")       # it leaves, and nobody has asked why
    if more.response is not None or peer.pending:
        return violated(f'"{printable(more.octets or peer.pending, 120)}" behind the greeting', "nothing more")
    return satisfied("nothing more")
