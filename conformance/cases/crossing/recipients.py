"""Each recipient gets one copy in his own maildrop, and nobody else gets it (RFC 5321 §3.3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import trio

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.crossing.passage import (
    NOT_THERE,
    begin,
    boxes,
    copies_of,
    deliver,
    letter,
    look,
    marked,
    must_be_apart,
    set_apart,
    settled,
)
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.smtp.postmaster import own_domains, taken
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, observed, satisfied, violated
from conformance.message import make_message
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

RECIPIENTS: Final = 10
EACH: Final = 4                       # messages to each maildrop, side by side with those to the others
BOXES: Final = 50


async def _own_boxes(peer: SmtpPeer, addresses: Sequence[bytes]) -> None:
    """See mail for each address arrive in the maildrop that was declared for it: the control."""
    for number, address in enumerate(addresses):
        await deliver(peer, letter(peer, f"own{number}", to=address), address)
    for number, address in enumerate(addresses):
        found = await look(peer, address, 1)
        own = copies_of(found.values(), peer, f"own{number}")
        if not own:
            raise Undetermined(f"mail for {printable(address)} does not come to the maildrop declared for it")
        if len(found) > len(own):
            raise Undetermined(f"mail for others comes to the maildrop of {printable(address)} too")


@case("x.delivery.multi-rcpt", variants={"all": 1, "turned-round": -1})
async def each_recipient_gets_one_copy(peer: SmtpPeer, order: int) -> Judgement:
    """A message to several recipients lies once in the maildrop of each."""
    readable = boxes(peer, 2)[:RECIPIENTS]
    await _own_boxes(peer, readable)
    await deliver(peer, letter(peer, "all", b"for all\r\n", to=readable[0]), *readable[::order])
    for address in readable:
        await look(peer, address, 2)
    found = await settled(peer, *readable)
    counts = {address: len(copies_of(found[address], peer, "all")) for address in readable}
    got = ", ".join(f"{count} for {printable(address)}" for address, count in counts.items())
    return (satisfied if set(counts.values()) == {1} else violated)(got, "one copy in each maildrop")


@case("x.delivery.duplicate-rcpt", variants={"same": False, "other-case": True})
async def who_is_named_twice(peer: SmtpPeer, other_case: bool) -> Judgement:
    """How many copies come of a recipient who is named twice is recorded."""
    box = boxes(peer)[0]
    local, at, domain = box.rpartition(b"@")
    await begin(peer, box)
    answer = await peer.ask(rcpt_command(peer, local + at + domain.swapcase() if other_case else box))
    if not answer.yes:
        return observed(f"{answer} to the second RCPT")
    await peer.control(b"DATA", "354")
    await peer.send(stuff(letter(peer, "twice", to=box)))
    peer.must(await peer.answer(), to=b"the message")
    if peer.subject.is_lmtp:
        peer.must(await peer.answer(), to=b"the message")
    await look(peer, box, 1)
    count = len((await settled(peer, box))[box])
    return observed(f"{count} {'copy' if count == 1 else 'copies'}")


PLACES: Final = {"first": 0, "last": 1, "both": 2}


@case("x.delivery.rejected-rcpt-absent", variants=PLACES)
async def who_was_rejected_gets_nothing(peer: SmtpPeer, place: int) -> Judgement:
    """A message to a good recipient and a rejected one goes to the good one, once, and to nobody else."""
    readable = boxes(peer)
    good = readable[0]
    bad = peer.rejected
    await peer.open()
    await peer.mail()
    for address in ([bad, good], [good, bad], [bad, good, bad])[place]:
        answer = await peer.ask(rcpt_command(peer, address))
        if address == good:
            peer.must(answer, to=b"RCPT")
        elif not answer.no:
            raise NotApplicable(f"{answer} to a recipient who is rejected")
    await peer.control(b"DATA", "354")
    await peer.send(stuff(letter(peer, "good", to=good)))
    peer.must(await peer.answer(), to=b"the message")
    await look(peer, good, 1)
    found = await settled(peer, *readable)
    strangers = [address for address in readable[1:] if found[address]]
    expected = "one copy for the good one, nothing for others"
    if strangers:
        return violated(f"{printable(strangers[0])} has it, and was not named", expected)
    count = len(found[good])
    return (satisfied if count == 1 else violated)(f"{count} for the good one", expected)


@case("x.delivery.user-isolation")
async def mail_goes_to_whom_it_is_for(peer: SmtpPeer) -> Judgement:
    """Of messages to many recipients at once, each lies in the maildrop of its recipient, and in no other."""
    readable = boxes(peer, 2)[:BOXES]
    await peer.open()
    sessions = [peer.another() for _ in readable]

    async def session(number: int) -> None:
        for nth in range(EACH):
            message = letter(peer, f"for{number}n{nth}", b"for %d\r\n" % number, to=readable[number])
            await deliver(sessions[number], message, readable[number])

    async with trio.open_nursery() as nursery:
        for number in range(len(readable)):
            nursery.start_soon(session, number)
    for address in readable:
        await look(peer, address, EACH)
    found = await settled(peer, *readable)
    return _isolated(peer, readable, found)


def _isolated(peer: SmtpPeer, readable: Sequence[bytes], found: Mapping[bytes, Sequence[bytes]]) -> Judgement:
    """Judge where messages came to. An address whose mail all goes elsewhere is an alias, or was declared wrongly."""
    seen = 0
    for number, address in enumerate(readable):
        marks = [f"for{number}n{nth}" for nth in range(EACH)]
        own = sum(bool(copies_of(found[address], peer, mark)) for mark in marks)
        if not own:
            raise Undetermined(f"mail for {printable(address)} does not come to the maildrop declared for it")
        for other in readable:
            foreign = [mark for mark in marks if other != address and copies_of(found[other], peer, mark)]
            if foreign and len(foreign) < EACH:
                return violated(f"mail for {printable(address)} in the maildrop of {printable(other)}", "in no other")
            if foreign:
                raise Undetermined(f"all mail for {printable(address)} is copied to {printable(other)}")
        seen += own
    return satisfied(f"{seen} messages in {len(readable)} maildrops, each in its own")


@case("x.delivery.envelope-not-leaked")
async def blind_recipients_do_not_see_each_other(peer: SmtpPeer) -> Judgement:
    """Of two recipients whom the header does not name, neither finds the other's address in his copy."""
    readable = [box for box in boxes(peer) if box != peer.sender]
    known = [one for one in peer.recipients(2) if one != peer.sender]
    if not readable or len(known) < 2:
        raise NotApplicable("needs two recipients besides the sender, one whose maildrop can be read")
    first = readable[0]
    second = next(one for one in (*readable, *known) if one != first)
    message = make_message(
        peer.sender, b"undisclosed@mailproof.invalid", marked(peer, "blind"), b"For your eyes only.\r\n"
    )
    await set_apart(peer, second)
    await deliver(peer, message, first, second)
    for address, other in ((first, second), (second, first)):
        if address not in readable:
            continue
        if address == first:
            found = (await settled(peer, first))[first]
            must_be_apart(found, peer, second)
        else:
            found = list((await look(peer, address, 2)).values())
        copies = copies_of(found, peer, "blind")
        if not copies:
            raise Undetermined(NOT_THERE)
        lines = copies[0].lower().split(b"\r\n")
        shown = next((line for line in lines if other.lower() in line), None)
        if shown is not None:
            return violated(f"the other's address: {printable(shown.strip(), 120)}", "not the other's address")
    return satisfied("neither copy shows the other's address")


@case("x.delivery.bcc-not-leaked")
async def a_bcc_field_of_a_submission(peer: SmtpPeer) -> Judgement:
    """A Bcc field in what a user submits is taken off, or kept where the operator says so."""
    first = boxes(peer)[0]
    second = next(one for one in peer.recipients(2) if one != first)
    await peer.open()
    if not peer.subject.declared.session.login:
        if not peer.extensions.auth and peer.extensions.starttls and not peer.in_tls:
            await peer.start_tls()
        await peer.log_in()
    await deliver(peer, letter(peer, "bcc", to=first, header=b"Bcc: <" + second + b">\r\n"), first, second)
    found = list((await look(peer, first, 1)).values())
    if not found:
        raise Undetermined(NOT_THERE)
    header = found[0].lower().partition(b"\r\n\r\n")[0]
    if second.lower() not in header.partition(b"\r\nbcc:")[2].partition(b"\r\n")[0]:
        return satisfied("who reads the copy of To does not see it")
    if peer.subject.declared.claims.removes_bcc:
        return violated("kept", "taken off, as was declared (claims.removes_bcc)")
    return observed("kept: whoever wrote it may have meant it")


async def _written(peer: SmtpPeer, box: bytes, written: bytes) -> Answer:
    """Send an ordinary message to a maildrop, and return the answer to RCPT for an address as it is written."""
    await deliver(peer, letter(peer, "usual", to=box), box)
    await peer.mail()
    return await peer.ask(rcpt_command(peer, written))


async def _comes_to(peer: SmtpPeer, box: bytes, written: bytes) -> bool:
    """Send a message to the recipient just named; say whether it came to a maildrop to which the usual one came."""
    await peer.control(b"DATA", "354")
    await peer.send(stuff(letter(peer, "other", to=written)))
    peer.must(await peer.answer(), to=b"the message")
    await look(peer, box, 2)
    found = (await settled(peer, box))[box]
    if not copies_of(found, peer, "usual"):
        raise Undetermined(NOT_THERE)
    return bool(copies_of(found, peer, "other"))


DOMAINS: Final = {"upper": bytes.upper, "mixed": bytes.title, "swapped": bytes.swapcase}


@case("x.delivery.address-case", variants=DOMAINS)
async def a_domain_has_no_case(peer: SmtpPeer, rewrite: Callable[[bytes], bytes]) -> Judgement:
    """Mail for an address whose domain is written in another case comes to the same maildrop."""
    box = boxes(peer)[0]
    local, at, domain = box.rpartition(b"@")
    written = local + at + rewrite(domain)
    if not at or written == box:
        raise NotApplicable("needs an accepted address with a domain in letters")
    answer = await _written(peer, box, written)
    if not answer.yes:
        return answer.expect("2yz", to=f"RCPT for {printable(written)}")
    if await _comes_to(peer, box, written):
        return satisfied("it came to the same maildrop")
    return violated("it was taken, and did not come to the maildrop", "the same maildrop")


@case("x.delivery.address-case", variants={"local-part": None})
async def the_case_of_a_local_part(peer: SmtpPeer, _: None) -> Judgement:
    """Mail for an address whose local-part is written in another case comes where the server says."""
    box = boxes(peer)[0]
    return await _as_the_server_likes(peer, box, box.partition(b"@")[0].swapcase() + b"@" + box.partition(b"@")[2])


@case("x.delivery.quoted-equal")
async def a_quoted_local_part_is_the_same(peer: SmtpPeer) -> Judgement:
    """Mail for an address whose local-part is quoted comes to the same maildrop."""
    box = boxes(peer)[0]
    local, at, domain = box.rpartition(b"@")
    if not at or local.startswith(b'"'):
        raise NotApplicable("needs an accepted address with a domain")
    return await _as_the_server_likes(peer, box, b'"' + local + b'"' + at + domain)


async def _as_the_server_likes(peer: SmtpPeer, box: bytes, written: bytes) -> Judgement:
    answer = await _written(peer, box, written)
    if not answer.yes:
        return answer.expect("2yz", lawful=("5yz",), to=f"RCPT for {printable(written)}")
    came = await _comes_to(peer, box, written)
    return satisfied("it came to the same maildrop") if came else declined("it went elsewhere", "the same maildrop")


POSTMASTERS: Final = {
    "bare": (b"postmaster", False), "upper": (b"POSTMASTER", False), "mixed": (b"PostMaster", False),
    "at-domain": (b"postmaster", True), "upper-at-domain": (b"POSTMASTER", True),
}


@case("x.delivery.postmaster", variants=POSTMASTERS)
async def postmaster_gets_mail(peer: SmtpPeer, who: tuple[bytes, bool]) -> Judgement:
    """Mail for postmaster is taken, with a domain and without, in any case, and comes to whom it is said to go to."""
    name, at_domain = who
    address = name + b"@" + own_domains(peer)[0] if at_domain else name
    box = boxes(peer)[0]
    await peer.open()
    answer = await _written(peer, box, address)
    if not answer.yes or not peer.subject.declared.claims.postmaster_is_read:
        return taken(answer, peer, address)
    if await _comes_to(peer, box, address):
        return satisfied("it came to the maildrop")
    return violated("it did not come to the maildrop", "there, as was declared (claims.postmaster_is_read)")
