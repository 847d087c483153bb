"""Sessions that are broken off: nothing is removed, and the lock is given back (RFC 1939 §6)."""

from collections.abc import Mapping
from typing import Final

from conformance.case import case
from conformance.cases.pop3.quit import LINGERS_S, freed, late, names_in_the_next_session, names_of
from conformance.cases.pop3.rset import mark_all
from conformance.judgement import Judgement, observed, satisfied, violated
from conformance.pop3_peer import Pop3Peer

AT_ONCE_S: Final = 0.25
UNENDED_QUITS: Final[Mapping[str, bytes]] = {"no-crlf": b"QUIT", "cr-alone": b"QUIT\r"}
LAST_WORDS: Final[Mapping[str, tuple[bytes, bool]]] = {
    # what is sent before, and whether the end is a reset
    "fin": (b"", False), "reset": (b"", True), "half-a-quit": (b"QUI", False), "half-a-dele": (b"DELE 1", False),
}


async def break_off(peer: Pop3Peer, said: bytes, *, reset: bool) -> None:
    """Say something, and end the connection."""
    if said:
        await peer.send(said)
    await (peer.reset() if reset else peer.hang_up())


@case("pop3.drop.keeps-all", variants=LAST_WORDS)
async def a_drop_removes_nothing(peer: Pop3Peer, end: tuple[bytes, bool]) -> Judgement:
    """A session that ends without QUIT removes nothing of what it has marked."""
    said, reset = end
    peer.may_destroy()
    await peer.open(least=3)
    before = await names_of(peer)
    await mark_all(peer)
    await break_off(peer, said, reset=reset)
    return await _all_there(peer, before)


@case("pop3.drop.keeps-all", variants={"half-closed": None})
async def an_end_of_input_removes_nothing(peer: Pop3Peer, _: None) -> Judgement:
    """A session whose client only stops sending removes nothing of what it has marked."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await names_of(peer)
    await mark_all(peer)
    await peer.send_eof()
    await peer.answer_or_silence()
    await peer.hang_up()
    return await _all_there(peer, before)


@case("pop3.drop.quit-no-crlf", variants=UNENDED_QUITS)
async def an_unended_quit_is_none(peer: Pop3Peer, said: bytes) -> Judgement:
    """A QUIT whose line never ended removes nothing."""
    peer.may_destroy()
    await peer.open(least=2)
    before = await names_of(peer)
    await peer.control(b"DELE 1")
    await break_off(peer, said, reset=False)
    return await _all_there(peer, before)


async def _all_there(peer: Pop3Peer, before: list[bytes]) -> Judgement:
    after = await names_in_the_next_session(peer)
    missing = [number for number, name in enumerate(before, 1) if name not in after]
    expected = f"all {len(before)} messages"
    if missing:
        return violated(f"{', '.join(map(str, missing))} of {len(before)} were deleted and are gone", expected)
    return satisfied(f"{len(after)} messages", expected)


@case("pop3.drop.after-quit-unread")
async def whoever_does_not_wait_for_the_answer(peer: Pop3Peer) -> Judgement:
    """Whether QUIT removes what is marked when nobody waits for its answer is recorded."""
    peer.may_destroy()
    await peer.open(least=3)
    before = await names_of(peer)
    await peer.control(b"DELE 1")
    await peer.control(b"DELE 2")
    await break_off(peer, b"QUIT\r\n", reset=True)
    after = await names_in_the_next_session(peer)
    removed = len(before) - len(after)
    return observed({0: "nothing was removed", 2: "all was removed"}.get(removed, f"{removed} of 2 were removed"))


@case("pop3.drop.lock-released", variants={**LAST_WORDS, "amid-lines": (b"RETR 1\r\n", False)})
async def a_drop_gives_the_lock_back(peer: Pop3Peer, end: tuple[bytes, bool]) -> Judgement:
    """After a session that was broken off one can log in again soon."""
    said, reset = end
    await peer.open(least=1)
    await break_off(peer, said, reset=reset)
    answer, waited_s = await freed(peer)
    expected = f"+OK to a login within {LINGERS_S:.0f} s"
    if not answer.ok:
        return violated(f"{answer} to a login {waited_s:.3g} s after the drop", expected)
    if waited_s <= LINGERS_S:
        return satisfied(f"{answer} after {waited_s:.3g} s", expected)
    return late(answer, waited_s, expected)
