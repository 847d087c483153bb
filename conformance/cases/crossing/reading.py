"""A POP3 session amid a case: what lies in a maildrop, as its owner would see it."""

from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from conformance.cases.crossing.passage import box_of, boxes
from conformance.judgement import NotApplicable
from conformance.maildrops import Maildrop
from conformance.peer import SmtpPeer
from conformance.pop3_peer import Pop3Peer

NEWEST: Final = 40               # messages that are looked into where it is not known which ones they are


def quiet_box(peer: SmtpPeer) -> bytes:
    """Return an address whose maildrop other cases look into least: the last one that can be read by POP3."""
    found = [box for box in boxes(peer) if _maildrop_of(peer, box) is not None]
    if peer.subject.reader is None or not found:
        raise NotApplicable("needs a POP3 account of an accepted address (a pop3:// target, accounts.pop3)")
    return found[-1]


def _maildrop_of(peer: SmtpPeer, address: bytes) -> Maildrop | None:
    every = peer.subject.maildrops.every
    return next((one for one in every if one.place.address == address.decode()), None)


@asynccontextmanager
async def reading(peer: SmtpPeer, address: bytes) -> AsyncIterator[Pop3Peer]:
    """Give a POP3 session that has logged in to an address's maildrop; meanwhile no other case looks into it."""
    maildrop, reader = _maildrop_of(peer, address), peer.subject.reader
    assert maildrop is not None
    assert reader is not None
    async with box_of(peer, address).left_alone(), AsyncExitStack() as stack:
        session = Pop3Peer.beside(reader, peer.token, stack, peer.transcripts, maildrop)
        await session.log_in()
        yield session



async def own(session: Pop3Peer, token: str, keys: Collection[bytes] = ()) -> dict[int, bytes]:
    """Return the messages in which a token stands, by number: of those with some unique-ids, if any, else the newest.

    Undetermined if one of them cannot be read.
    """
    listed = await session.unique_ids()
    numbers = [number for number, unique_id in listed.items() if unique_id in keys] or list(listed)[-NEWEST:]
    found = {}
    for number in numbers:
        body = session.must(await session.ask(b"RETR %d" % number), to=b"RETR").body or b""
        if token.encode() in body:
            found[number] = body
    return found
