"""Maildrops that hold very many messages; how many, the operator says (allow.messages_max)."""

from typing import Final

from conformance.pop3_peer import Pop3Peer
from conformance.samples import Sample

MANY_MAX: Final = 10_000
COPY: Final = Sample("copy", b"The same message again.\r\n")


async def with_copies(peer: Pop3Peer, count: int) -> frozenset[int]:
    """Log in to a maildrop into which copies of a message were put, and return their numbers."""
    await peer.prepare()
    before = peer.another()
    await before.log_in()
    ids = set((await before.unique_ids()).values())
    await before.quit()
    await peer.deliver_copies(COPY, count)
    await peer.log_in()
    return frozenset(number for number, one in (await peer.unique_ids()).items() if one not in ids)


async def crowded(peer: Pop3Peer) -> frozenset[int]:
    """Log in to a maildrop that holds as many messages as it may, and return the numbers of those that were put in."""
    count = min(MANY_MAX, peer.subject.declared.allow.messages_max)
    return await with_copies(peer, max(0, count - await peer.lay()))


async def remove(peer: Pop3Peer, numbers: frozenset[int]) -> None:
    """Remove what was put in, and quit."""
    for number in sorted(numbers):
        await peer.control(b"DELE %d" % number)
    await peer.quit()
