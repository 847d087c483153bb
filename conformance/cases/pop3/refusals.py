"""What a POP3 server must refuse: -ERR, whatever else it may do then (RFC 1939 §3)."""

from collections.abc import Awaitable, Callable

from conformance.judgement import Judgement, undetermined, violated
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

Come = Callable[[Pop3Peer], Awaitable[object]]       # brings a session to where the question is asked


async def before_login(peer: Pop3Peer) -> None:
    """Come to where one may log in."""
    await peer.prelude()


async def with_a_message(peer: Pop3Peer) -> None:
    """Come into a maildrop in which something lies."""
    await peer.open(least=1)


async def judge_refusal(peer: Pop3Peer, command: bytes, come: Come = before_login) -> Judgement:
    """Ask what must be refused, and judge the answer.

    No answer at all violates as well, once it is plain that it is this command which gets none: QUIT is answered
    behind it, or a second session ends in the same way.
    """
    await come(peer)
    return await judge_refusal_here(peer, command, come)


async def judge_refusal_here(peer: Pop3Peer, command: bytes, come: Come) -> Judgement:
    """Judge as `judge_refusal` does, in a session that has come there already."""
    to = f'"{printable(command, 60)}"' if command else "an empty line"
    first = await peer.ask(command, multi_line=False)
    if first.response is not None:
        if first.err:
            await peer.quit()        # something may have followed, which whoever looks into the conversation sees now
        return first.expect("-ERR", to=to)
    expected = f"-ERR to {to}"
    if first.silent:
        bye = await peer.quit()
        return (violated if bye.ok else undetermined)(f"{first} to {to}, then {bye} to QUIT", expected)
    if not first.closed:
        return undetermined(f"{first} to {to}", expected)
    again = peer.another()
    await come(again)
    second = await again.ask(command, multi_line=False)
    if second.response is not None:
        return second.expect("-ERR", to=to)
    return (violated if second.closed else undetermined)(f"{first} to {to}, and again", expected)
