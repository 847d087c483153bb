"""DATA: when it may be said, and that what was sent is what is kept (RFC 5321 §4.1.1.4)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

ANSWERED_WITHIN_S: Final = 600.0                  # RFC 5321 §4.5.3.2.6: what a client must wait, a server must keep
CONTROLS: Final = bytes(octet for octet in (*range(0x01, 0x20), 0x7F) if octet not in b"\r\n")
ABORTS: Final = {"in-line": b"cut he", "after-cr": b"line\r", "after-crlf": b"line\r\n", "after-dot": b"line\r\n."}


@case("smtp.data.intermediate")
async def data_is_answered_354(peer: SmtpPeer) -> Judgement:
    """DATA after a recipient was accepted is answered 354."""
    await peer.begin_transaction()
    return (await peer.ask(b"DATA")).expect("354", to="DATA")


@case("smtp.data.final-ok")
async def the_end_is_answered(peer: SmtpPeer) -> Judgement:
    """The end of mail data is answered, finally: by 2yz if the message was taken."""
    await peer.open()
    answer = await peer.deliver(peer.message())
    return answer.expect("2yz", lawful=("5yz",), to="CRLF.CRLF")


@case("smtp.data.before-rcpt")
async def data_needs_a_recipient(peer: SmtpPeer) -> Judgement:
    """DATA without a recipient is refused, or what follows it is."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    await peer.mail()
    answer = await peer.ask(b"DATA")
    if not answer.go_on:
        return answer.expect("503", "554", lawful=("5yz",), to="DATA without a recipient")
    await peer.send(stuff(peer.another_message()))
    final = await peer.answer()
    if final.yes:
        return violated(f"{answer}, then {final} to the mail data", "503 or 554")
    return declined(f"{answer}, then {final} to the mail data", "503 or 554")


@case("smtp.data.before-mail")
async def data_needs_a_transaction(peer: SmtpPeer) -> Judgement:
    """DATA without MAIL is out of order."""
    await peer.open()
    await peer.control(b"NOOP")
    return (await peer.ask(b"DATA")).expect("503", "554", lawful=("5yz",), to="DATA without MAIL")


@case("smtp.data.buffers-cleared", variants={"data": b"DATA", "rcpt": None})
async def a_finished_message_clears_the_envelope(peer: SmtpPeer, command: bytes | None) -> Judgement:
    """After a message was taken, its sender and recipients are forgotten."""
    await peer.open()
    peer.must(await peer.deliver(peer.message()), to=b"a message")
    after = command or b"RCPT TO:<" + peer.recipient + b">"
    return (await peer.ask(after)).expect("5yz", to=f"{after[:4].decode()} after a finished message")


@case("smtp.data.cleared-after-failure")
async def a_refused_message_clears_the_envelope(peer: SmtpPeer) -> Judgement:
    """After a message was refused, its sender and recipients are forgotten just the same."""
    await peer.open()
    refused = await deliver_too_much(peer)
    if not (refused.no or refused.later):
        raise Undetermined(f"{refused} to a message above the limit")
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after a refused message")


async def deliver_too_much(peer: SmtpPeer) -> Answer:
    """Send a message above the declared limit, without naming its size; return the answer."""
    line = b"x" * 70 + b"\r\n"
    return await peer.deliver(peer.message(line * (peer.low_limit // len(line) + 2)))


async def _kept(peer: SmtpPeer, body: bytes) -> bytes:
    """Deliver a body and return it as it lies in the maildrop."""
    await peer.open()
    answer = await peer.deliver(peer.message(body))
    if not answer.yes:
        raise Undetermined(f"{answer} to the message")
    return await peer.stored_body()


@case("smtp.data.commands-inert")
async def commands_in_a_body_are_text(peer: SmtpPeer) -> Judgement:
    """Lines of a message that read like commands are text."""
    body = b"RSET\r\nQUIT\r\nMAIL FROM:<>\r\nDATA\r\nlast\r\n"
    await peer.open()
    answer = await peer.deliver(peer.message(body))
    if not answer.yes:
        return answer.expect("2yz", lawful=("5yz",), to="a message with commands in it")
    second = await peer.answer_or_silence()
    if second.reply is not None:
        return violated(f"{answer}, then {second}", "one answer")
    return same(await peer.stored_body(), body)


@case("smtp.data.content-identity")
async def what_is_sent_is_kept(peer: SmtpPeer) -> Judgement:
    """A body is kept octet for octet."""
    lines = [b"plain", b"", b".", b"..", b".dot", b" leading", b"trailing ", b"\ttab", b"=20", b"x" * 998]
    body = b"".join(line + b"\r\n" for line in lines)
    return same(await _kept(peer, body), body)


@case("smtp.data.no-line-added")
async def no_line_is_added(peer: SmtpPeer) -> Judgement:
    """The end of mail data adds no line to the message."""
    body = b"first\r\nlast\r\n"
    kept = await _kept(peer, body)
    return violated(f"{kept[-20:]!r} at the end", "no line added") if kept == body + b"\r\n" else same(kept, body)


@case("smtp.data.last-crlf-kept")
async def the_last_line_keeps_its_end(peer: SmtpPeer) -> Judgement:
    """The CRLF before the final dot belongs to the message."""
    body = b"first\r\nlast\r\n"
    return same(await _kept(peer, body), body)


@case("smtp.data.trailing-blank-lines")
async def blank_lines_at_the_end_are_kept(peer: SmtpPeer) -> Judgement:
    """Empty lines at the end of a message are part of it."""
    body = b"last\r\n\r\n\r\n\r\n"
    return same(await _kept(peer, body), body)


@case("smtp.data.control-octets-kept")
async def control_octets_are_kept(peer: SmtpPeer) -> Judgement:
    """Control octets in a body are kept, or refused; never changed unsaid."""
    body = b"".join(b"<" + bytes([octet]) + b">\r\n" for octet in CONTROLS)
    await peer.open()
    answer = await peer.deliver(peer.message(body))
    if not answer.yes:
        return declined(f"{answer}: refuses control octets") if answer.no else undetermined(answer)
    return same(await peer.stored_body(), body)


@case("smtp.data.nul")
async def what_becomes_of_nul(peer: SmtpPeer) -> Judgement:
    """What a server does with NUL in a body is recorded."""
    return await _recorded(peer, b"before\0after\r\nlast\r\n")


@case("smtp.data.8bit-unnegotiated")
async def what_becomes_of_8_bit(peer: SmtpPeer) -> Judgement:
    """What a server does with 8-bit octets that were not announced is recorded."""
    return await _recorded(peer, "gr\xfc\xdfe\r\n".encode())


async def _recorded(peer: SmtpPeer, body: bytes) -> Judgement:
    await peer.open()
    answer = await peer.deliver(peer.message(body))
    if not answer.yes:
        return observed(answer)
    kept = await peer.stored_body()
    return observed(f"{answer}; {'kept' if kept == body else f'kept as {kept[:60]!r}'}")


@case("smtp.data.no-header")
async def a_message_needs_no_header(peer: SmtpPeer) -> Judgement:
    """Mail is not refused for want of a header section."""
    await peer.open()
    peer.must(await peer.deliver(peer.message()), to=b"a whole message")
    return (await peer.deliver(b"only text, no header section\r\n")).expect("2yz", to="a message without a header")


MISSING: Final = {
    "date": b"From: <a@example.test>\r\nSubject: no date\r\n\r\nx\r\n",
    "from": b"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nSubject: no author\r\n\r\nx\r\n",
    "two-from": b"From: <a@example.test>\r\nFrom: <b@example.test>\r\nSubject: two authors\r\n\r\nx\r\n",
}


@case("smtp.data.missing-fields", variants=MISSING)
async def missing_fields_are_no_reason(peer: SmtpPeer, message: bytes) -> Judgement:
    """Mail is not refused because its header lacks a field, or has one twice."""
    await peer.open()
    peer.must(await peer.deliver(peer.message()), to=b"a whole message")
    return (await peer.deliver(message)).expect("2yz", to="a message with a faulty header")


RESENT: Final = {
    "to-alone": b"Resent-To: <a@example.test>\r\n",
    "twice": b"Resent-To: <a@example.test>\r\nResent-From: <b@example.test>\r\nResent-From: <c@example.test>\r\n",
}


@case("smtp.data.resent-mismatch", variants=RESENT)
async def resent_fields_need_not_match(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Resent fields that do not fit each other are no reason to refuse."""
    return await _taken_with(peer, fields)


RECEIVED: Final = {
    "malformed": b"Received: this is no trace field at all\r\n",
    "no-date": b"Received: from a by b\r\n",
    "long": b"Received: from a.example (" + b"x" * 900 + b")\r\n by b.example; Thu, 01 Jan 2026 00:00:00 +0000\r\n",
}


@case("smtp.data.odd-received", variants=RECEIVED)
async def odd_trace_fields_are_no_reason(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Received fields of any form are no reason to refuse."""
    return await _taken_with(peer, fields)


@case("smtp.data.many-header-recipients")
async def a_long_to_field_is_no_reason(peer: SmtpPeer) -> Judgement:
    """The addresses of a header are not counted against the limit of recipients."""
    fields = b"Cc: " + b",\r\n ".join(b"<user%d@example.test>" % n for n in range(500)) + b"\r\n"
    return await _taken_with(peer, fields)


async def _taken_with(peer: SmtpPeer, fields: bytes) -> Judgement:
    await peer.open()
    peer.must(await peer.deliver(peer.another_message()), to=b"the same message without these fields")
    return (await peer.deliver(peer.message(header=fields))).expect("2yz", to="the message with these fields")


@case("smtp.data.empty")
async def what_becomes_of_no_data(peer: SmtpPeer) -> Judgement:
    """A message without a single octet is taken or refused."""
    await peer.begin_mail_data()
    return observed(await peer.end_mail_data())


@case("smtp.data.abort-not-delivered", variants=ABORTS)
async def what_was_cut_off_is_not_delivered(peer: SmtpPeer, last: bytes) -> Judgement:
    """A message whose data were cut off by the end of the connection is not delivered."""
    cut = peer.another()
    await cut.begin_mail_data()
    await cut.send(peer.message(last))
    await cut.reset()
    arrived = await peer.stored_before_a_later_one()
    return violated(f"{len(arrived)} messages arrived", "none") if arrived else satisfied("nothing arrived")


@case("smtp.data.reject-not-delivered")
async def what_was_refused_is_not_delivered(peer: SmtpPeer) -> Judgement:
    """A message refused at its end is not delivered."""
    await peer.open()
    refused = await deliver_too_much(peer)
    if not (refused.no or refused.later):
        raise Undetermined(f"{refused} to a message above the limit")
    arrived = await peer.stored_before_a_later_one()
    return violated(f"{refused}, and it arrived", "nothing delivered") if arrived else satisfied(refused)


@case("smtp.data.accept-delivered")
async def what_was_taken_arrives_once(peer: SmtpPeer) -> Judgement:
    """A message that was answered 250 arrives, once."""
    await peer.open()
    peer.must(await peer.deliver(peer.message()), to=b"a message")
    if not await peer.stored():
        return violated("it did not arrive in the time allowed (timers.delivery)", "one copy")
    copies = len(await peer.stored_before_a_later_one())
    return satisfied("one copy") if copies == 1 else violated(f"{copies} copies arrived", "one copy")


@case("smtp.data.partial-success-ok")
async def one_full_maildrop_does_not_refuse_all(peer: SmtpPeer) -> Judgement:
    """A message that is delivered to some of its recipients is answered 250; the others are told by a report."""
    full = peer.subject.declared.addresses.over_quota
    if not full:
        raise NotApplicable("needs an address whose maildrop is full (addresses.over_quota)")
    await peer.open()
    await peer.mail()
    await peer.rcpt()
    if not (await peer.ask(b"RCPT TO:<" + full[0].encode() + b">")).yes:
        raise NotApplicable("the full maildrop was refused at RCPT")
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    answer = await peer.answer()
    arrived = await peer.stored_before_a_later_one()
    if arrived and not answer.yes:
        return violated(f"{answer}, and one recipient has it", "250")
    return answer.expect("2yz", lawful=("4yz", "5yz"), to="CRLF.CRLF")


@case("smtp.data.reply-latency", limit_s=ANSWERED_WITHIN_S + 60)
async def the_end_is_answered_in_time(peer: SmtpPeer) -> Judgement:
    """The end of mail data is answered within ten minutes."""
    await peer.begin_mail_data()
    await peer.send(stuff(peer.message()))
    answer = await peer.answer(ANSWERED_WITHIN_S)
    if answer.silent:
        return violated(answer, "an answer within 10 minutes")
    return satisfied(f"{answer.waited_s:.3g} s") if answer.reply is not None else undetermined(answer)


def same(kept: bytes, sent: bytes) -> Judgement:
    """Judge a body as kept by the body as sent."""
    if kept == sent:
        return satisfied("kept octet for octet", "the body unchanged")
    at = next((at for at, (a, b) in enumerate(zip(kept, sent, strict=False)) if a != b), min(len(kept), len(sent)))
    got = f"from octet {at} on {kept[at : at + 40]!r} instead of {sent[at : at + 40]!r}"
    return violated(got, "the body unchanged")

