"""What STAT, LIST, UIDL and TOP say of messages that were handed in, and came through (RFC 1939 §5, §7, §11)."""

from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import NOT_THERE, begin, copies_of, deliver, letter, look
from conformance.cases.crossing.reading import own, quiet_box, reading
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, violated
from conformance.peer import SmtpPeer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.transparency import stuff

# Bodies whose octets are easily counted otherwise. The last are such as a server may refuse.
BODIES: Final = {
    "plain": b"A line.\r\n", "dots": b".\r\n..\r\n.a\r\n" * 20, "blank": b"\r\n" * 20,
    "long": b"x" * 998 + b"\r\n", "lines": b"x\r\n" * 2000, "tabs": b"\t \t\r\n" * 10, "from": b"From me\r\n",
    "large": b"0123456789\r\n" * 7000, "8bit": "é\r\n".encode() * 50, "bare-lf": b"one\ntwo\nthree\r\n",
    "bare-cr": b"one\rtwo\r\n", "nul": b"a\0b\r\n",
}
TOPS: Final = (0, 1, 2, 7, 10_000)


async def _handed_in(peer: SmtpPeer, box: bytes) -> dict[bytes, bytes]:
    """Hand in one message of each kind, as far as they are taken, and wait until they lie there; by unique-id."""
    taken = 0
    for name, body in BODIES.items():
        session = peer.another()
        await begin(session, box)
        await session.control(b"DATA", "354")
        await session.send(stuff(letter(peer, name, body, to=box)))
        taken += (await session.answer()).yes
    found = await look(peer, box, taken)
    if len(found) < taken // 2 or not found:
        raise Undetermined(NOT_THERE)
    return dict(found)


def _names(peer: SmtpPeer, copy: bytes) -> str:
    return next((name for name in BODIES if copies_of([copy], peer, name)), "of this case")


@case("x.size.list-equals-retr")
async def list_counts_what_retr_gives(peer: SmtpPeer) -> Judgement:
    """LIST gives for each message as many octets as RETR gives, dots undone and each CRLF two."""
    box = quiet_box(peer)
    keys = await _handed_in(peer, box)
    async with reading(peer, box) as session:
        sizes = await session.sizes()
        copies = await own(session, peer.token, keys)
    if not copies:
        raise Undetermined("the messages were not found")
    wrong = [
        f"{sizes.get(number)} for {_names(peer, copy)}, of {len(copy)} octets"
        for number, copy in copies.items() if sizes.get(number) != len(copy)
    ]
    expected = f"the octets of RETR, for {len(copies)} messages"
    return violated("; ".join(wrong[:3]), expected) if wrong else satisfied(expected, expected)


@case("x.size.stat-equals-sum")
async def stat_sums_up_what_list_gives(peer: SmtpPeer) -> Judgement:
    """STAT counts the messages that LIST lists, and their octets, those just delivered among them."""
    box = quiet_box(peer)
    await _handed_in(peer, box)
    async with reading(peer, box) as session:
        sizes = await session.sizes()
        stat = await session.stat()
    got, expected = f"{stat[0]} messages, {stat[1]} octets", f"{len(sizes)} messages, {sum(sizes.values())} octets"
    return (satisfied if got == expected else violated)(got, expected)


@case("x.top.prefix-of-retr")
async def top_gives_how_retr_begins(peer: SmtpPeer) -> Judgement:
    """TOP gives the beginning of what RETR gives, the whole header at least."""
    box = quiet_box(peer)
    keys = await _handed_in(peer, box)
    async with reading(peer, box) as session:
        copies = await own(session, peer.token, keys)
        asked = 0
        for number, copy in copies.items():
            for lines in TOPS:
                answer = await session.ask(b"TOP %d %d" % (number, lines))
                if answer.err and not asked:
                    raise NotApplicable(f"{answer} to TOP: it is optional")
                top = session.must(answer, to=b"TOP").body or b""
                asked += 1
                header = copy.partition(b"\r\n\r\n")[0]
                if not copy.startswith(top.removesuffix(b"\r\n")) or not top.startswith(header):
                    got = f"TOP {lines} of {_names(peer, copy)}: {len(top)} octets, otherwise"
                    return violated(got, "as RETR begins")
    if not asked:
        raise Undetermined("the messages were not found")
    return satisfied(f"{asked} answers to TOP, each as RETR begins")


async def _ids(session: Pop3Peer, token: str, keys: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the unique-id of each message of a case, by its content."""
    listed = await session.unique_ids()
    return {copy: listed[number] for number, copy in (await own(session, token, keys)).items()}


@case("x.uidl.stable-new-mail")
async def unique_ids_outlive_new_mail(peer: SmtpPeer) -> Judgement:
    """A message keeps its unique-id when others are delivered between two sessions."""
    box = quiet_box(peer)
    for number in range(3):
        await deliver(peer, letter(peer, f"old{number}", to=box), box)
    keys = dict(await look(peer, box, 3))
    async with reading(peer, box) as session:
        before = await _ids(session, peer.token, keys)
        await session.quit()
    for number in range(3):
        await deliver(peer, letter(peer, f"new{number}", to=box), box)
    if len(keys := dict(await look(peer, box, 6))) <= len(before):
        raise Undetermined(NOT_THERE)
    async with reading(peer, box) as session:
        after = await _ids(session, peer.token, keys)
    same = [copy for copy in before if copy in after]
    if not same:
        raise Undetermined("the older messages were not found again")
    changed = [copy for copy in same if before[copy] != after[copy]]
    got = f"{len(changed)} of {len(same)} changed"
    if changed:
        return violated(got, "none")
    shared = len(after) - len(set(after.values()))
    return violated(f"{shared} shared by others", "each its own") if shared else satisfied(got)


@case("x.uidl.redelivery-new", variants={"deleted": True, "both": False})
async def the_same_mail_again_is_another_message(peer: SmtpPeer, delete: bool) -> Judgement:
    """A message that is sent a second time has a unique-id of its own, whether or not the first is still there."""
    box = quiet_box(peer)
    if delete and not peer.subject.declared.allow.destroy_mail:
        raise NotApplicable("needs leave to delete mail (allow.destroy_mail)")
    message = letter(peer, "again", to=box)
    await deliver(peer, message, box)
    if not (keys := dict(await look(peer, box, 1))):
        raise Undetermined(NOT_THERE)
    async with reading(peer, box) as session:
        first = await _ids(session, peer.token, keys)
        if delete:
            for number in await own(session, peer.token, keys):
                await session.control(b"DELE %d" % number)
        session.must(await session.quit(), to=b"QUIT")
    await deliver(peer, message, box)
    keys = dict(await look(peer, box, 2))
    async with reading(peer, box) as session:
        listed = await session.unique_ids()
        second = await own(session, peer.token, keys)
    news = {number: copy for number, copy in second.items() if copy not in first}
    if len(second) < (1 if delete else 2):
        raise Undetermined("the second one did not arrive: it may have been known by its Message-ID")
    old = set(first.values())
    again = [number for number in news if listed[number] in old]
    expected = "a new unique-id"
    if again and not delete:
        return violated("two messages that differ have one unique-id", expected)
    return declined("the old one: it may be made of the content", expected) if again else satisfied(expected)
