"""DATA over LMTP: a reply for each recipient that was taken, in their order, and each with its own outcome (§4.2)."""

from typing import Final

from conformance.case import case
from conformance.cases.lmtp.replies import (
    GOODBYE,
    begin_for,
    final_answers,
    judge_count,
    send_message,
    take_over_quota,
)
from conformance.cases.smtp.groups import codes_of, rcpt_command
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

TRANSACTIONS: Final = 100
GROUP: Final = 50


def good_recipients(peer: SmtpPeer, count: int) -> list[bytes]:
    """Return so many recipients that are taken: as many different ones as there are, then the same again."""
    known = [address.encode() for address in peer.subject.found.recipients] or [peer.recipient]
    return (known * (count // len(known) + 1))[:count]


@case("lmtp.data.no-rcpt")
async def data_needs_a_recipient(peer: SmtpPeer) -> Judgement:
    """DATA without a recipient is answered 503."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    await peer.mail()
    return (await peer.ask(b"DATA")).expect("503", to="DATA after MAIL")


@case("lmtp.data.all-rcpt-failed")
async def data_needs_a_recipient_that_was_taken(peer: SmtpPeer) -> Judgement:
    """DATA is answered 503 if every recipient was refused."""
    refused = rcpt_command(peer, peer.rejected)
    await peer.begin_transaction()
    await peer.control(b"RSET")
    await peer.mail()
    peer.must(await peer.ask(refused), "5yz", to=refused)
    return (await peer.ask(b"DATA")).expect("503", to="DATA after a RCPT that failed")


@case("lmtp.data.one-reply-per-rcpt", variants={str(count): count for count in (1, 2, 10, 100)})
async def each_recipient_has_a_reply(peer: SmtpPeer, count: int) -> Judgement:
    """After the final dot there is one reply for each recipient that was taken."""
    recipients = peer.recipients(count) if count == 2 else good_recipients(peer, count)
    await begin_for(peer, recipients)
    await send_message(peer)
    return judge_count(await final_answers(peer, count), count)


@case("lmtp.data.reply-order", variants={"quota": True, "names": False})
async def the_replies_come_in_the_order_of_rcpt(peer: SmtpPeer, by_quota: bool) -> Judgement:
    """The replies come in the order in which the recipients were named."""
    if by_quota:
        return await _order_by_quota(peer)
    recipients = peer.recipients(2)
    await begin_for(peer, recipients)
    await send_message(peer)
    answers = await final_answers(peer, len(recipients))
    texts = [b" ".join(answer.reply.texts).lower() for answer in answers if answer.reply is not None]
    named = [[address for address in recipients if address.lower() in text] for text in texts]
    if not all(len(names) == 1 for names in named):
        raise NotApplicable("the replies do not say for whom they are")
    order = [names[0] for names in named]
    if sorted(order) != sorted(recipients):
        raise NotApplicable("the replies do not say for whom each is")
    got = ", ".join(address.decode() for address in order)
    expected = ", ".join(address.decode() for address in recipients)
    return (satisfied if order == recipients else violated)(f"replies for {got}", expected)


async def _order_by_quota(peer: SmtpPeer) -> Judgement:
    good_ones = peer.recipients(2)
    await peer.open()
    await peer.mail()
    await take_over_quota(peer)          # first, so that the other way round is another order
    for recipient in good_ones:
        await peer.rcpt(recipient)
    await send_message(peer)
    answers = await final_answers(peer, 3)
    good = [answer.yes for answer in answers]
    got, expected = codes_of(answers), "4yz or 5yz, 2yz, 2yz"
    if good == [False, True, True]:
        return satisfied(got, expected)
    if len(good) != 3 or good.count(False) != 1:
        return undetermined(f"{got}: not one of three was refused after the dot", expected)
    return violated(got, expected)


@case("lmtp.data.failed-rcpt-no-reply")
async def who_was_refused_has_no_reply(peer: SmtpPeer) -> Judgement:
    """A recipient that was refused at RCPT has no reply after the final dot."""
    refused = rcpt_command(peer, peer.rejected)
    first, last = good_recipients(peer, 2)
    await begin_for(peer, [first])
    peer.must(await peer.ask(refused), "5yz", to=refused)
    await peer.rcpt(last)
    await send_message(peer)
    return judge_count(await final_answers(peer, 2), 2)


@case("lmtp.data.duplicate-rcpt", variants={"twice": 2, "apart": 3})
async def who_is_named_twice_has_two_replies(peer: SmtpPeer, count: int) -> Judgement:
    """A recipient that was named and taken twice has two replies."""
    address = peer.recipient
    await _begin_twice(peer, address, address, between=peer.recipients(2)[1:] if count > 2 else [])
    await send_message(peer)
    return judge_count(await final_answers(peer, count), count)


@case("lmtp.data.case-duplicate")
async def who_is_named_in_another_case_has_two_replies(peer: SmtpPeer) -> Judgement:
    """A recipient that was named twice, in another case the second time, has two replies."""
    local, at, domain = peer.recipient.rpartition(b"@")
    await _begin_twice(peer, peer.recipient, local.upper() + at + domain, between=[])
    await send_message(peer)
    return judge_count(await final_answers(peer, 2), 2)


async def _begin_twice(peer: SmtpPeer, first: bytes, second: bytes, *, between: list[bytes]) -> None:
    await begin_for(peer, [first, *between])
    again = await peer.ask(rcpt_command(peer, second))
    if again.reply is None:
        raise Undetermined(f"{again} to the second RCPT")
    if not again.yes:
        raise NotApplicable(f"the same recipient is not taken twice: {again}")


@case("lmtp.data.354-once")
async def mail_data_are_asked_for_once(peer: SmtpPeer) -> Judgement:
    """DATA is answered once, however many the recipients."""
    await begin_for(peer, good_recipients(peer, 3))
    answer = await peer.ask(b"DATA")
    if not answer.matches("354"):
        return answer.expect("354", to="DATA")
    second = await peer.answer_or_silence()
    if second.reply is not None:
        return violated(f"{answer}, then {second}", "one 354")
    await peer.send(stuff(peer.message()))
    return judge_count(await final_answers(peer, 3), 3)


@case("lmtp.data.too-big-all")
async def too_much_is_refused_for_each(peer: SmtpPeer) -> Judgement:
    """A message above the limit is refused once for each recipient."""
    limit = peer.subject.declared.claims.message_octets_max
    if limit is None:
        raise NotApplicable("needs a low limit on the size of a message (claims.message_octets_max)")
    line = b"x" * 70 + b"\r\n"
    await begin_for(peer, good_recipients(peer, 3))
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message(line * (limit // len(line) + 2))))
    answers = await final_answers(peer, 3)
    if any(not answer.no for answer in answers):
        return undetermined(f"{codes_of(answers)} to a message above the limit", "5yz for each recipient")
    return judge_count(answers, 3)


@case("lmtp.data.sync-after")
async def the_session_stays_in_step(peer: SmtpPeer) -> Judgement:
    """A hundred transactions in a session, and every command has its own answer."""
    await peer.open()
    recipients = [address.encode() for address in peer.subject.found.recipients[-2:]] or [peer.recipient]
    steps = [
        (b"MAIL FROM:<" + peer.sender + b">\r\n", "2yz"),
        *((rcpt_command(peer, address) + b"\r\n", "2yz") for address in recipients),
        (b"DATA\r\n", "354"),
        (stuff(peer.another_message()), "2yz"),
        *((b"", "2yz") for _ in recipients[1:]),
        (b"NOOP\r\n", "2yz"),
    ]
    for number in range(1, TRANSACTIONS + 1):
        for octets, wanted in steps:
            if octets:
                await peer.send(octets)
            answer = await peer.answer()
            told, expected = f"{answer} in transaction {number}, where {wanted} was due", "every answer in its place"
            if answer.silent and (await peer.answer()).silent:     # a slow server speaks now, without a NOOP
                late = await peer.ask(b"NOOP")
                return (violated if late.reply is not None else undetermined)(f"{told}, then {late} to NOOP", expected)
            if answer.reply is None or answer.later or answer.no:
                raise Undetermined(told)
            if not answer.matches(wanted):
                return violated(told, expected)
    left = await peer.quit()
    if left.yes and not left.matches(GOODBYE):
        return violated(f"{left} to QUIT", "221")
    return satisfied(f"{TRANSACTIONS} transactions in step")


BEHIND: Final = {"rset": b"RSET", "noop": b"NOOP", "mail": b"MAIL", "unknown": b"MAILPROOF"}


@case("lmtp.data.rset-after", variants=BEHIND)
async def what_follows_the_dot_is_answered_after_it(peer: SmtpPeer, verb: bytes) -> Judgement:
    """A command that comes with the final dot is answered once every recipient has had its reply."""
    recipients = good_recipients(peer, 3)
    await begin_for(peer, recipients)
    await peer.control(b"DATA", "354")
    command = verb + (b" FROM:<" + peer.sender + b">" if verb == b"MAIL" else b"")
    await peer.send(stuff(peer.message()) + command + b"\r\n")
    answers = await final_answers(peer, len(recipients) + 1)
    if any(answer.later for answer in answers):
        return undetermined(codes_of(answers))
    if len(answers) > len(recipients) and verb == BEHIND["unknown"] and answers[-1].yes:
        return violated(codes_of(answers), "the replies to the message, then 5yz")
    return judge_count(answers, len(recipients) + 1)


@case("lmtp.pipeline.full")
async def a_whole_envelope_in_a_segment(peer: SmtpPeer) -> Judgement:
    """MAIL, fifty RCPT and DATA in one segment have 52 replies, in their order."""
    recipients = good_recipients(peer, GROUP)
    commands = [b"MAIL FROM:<" + peer.sender + b">", *(rcpt_command(peer, address) for address in recipients)]
    await peer.open()
    for command in commands:
        await peer.control(command)
    await peer.control(b"RSET")
    await peer.send(b"".join(command + b"\r\n" for command in (*commands, b"DATA")))
    due = ["2yz"] * len(commands) + ["354"]
    for number, wanted in enumerate(due, 1):
        answer = await peer.answer()
        if answer.later or answer.closed:
            return undetermined(f"{answer} as reply {number}")
        if not answer.matches(wanted):
            return violated(f"{answer} as reply {number}", f"{wanted}, and {len(due)} replies in all")
    await peer.send(stuff(peer.message()))
    return judge_count(await final_answers(peer, GROUP), GROUP)
