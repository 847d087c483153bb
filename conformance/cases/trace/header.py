"""What a message came with is left alone (RFC 5321 §3.6.3, §6.4)."""

from typing import Final

from conformance.case import case
from conformance.cases.trace.fields import ours, store
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

ODD: Final = {
    "folded": b"X-Folded: one\r\n two\r\n\tthree   four\r\n",
    "spaces": b"X-Spaces:  two before, one behind \r\nX-None:none\r\n",
    "twice": b"X-Twice: 1\r\nX-Other: 2\r\nX-Twice: 3\r\n",
    "case": b"x-lOWER: a\r\nX-UPPER: B\r\n",
    "order": b"Sender: <z@elsewhere.invalid>\r\nReply-To: <y@elsewhere.invalid>\r\nCc: <x@elsewhere.invalid>\r\n",
    "long": b"X-Long: " + b"x" * 900 + b"\r\n",
    "delivered": b"Delivered-To: nobody@elsewhere.invalid\r\nX-Original-To: nobody@elsewhere.invalid\r\n",
    "mime": b"MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n\tcharset=US-ASCII\r\n",
}


def _meaning(field: bytes) -> bytes:
    """Return a field without what is only its layout: how it is folded, and how much space stands in it."""
    name, _, value = field.partition(b":")
    return name + b":" + b" ".join(value.split())


@case("trace.headers.untouched", variants=ODD)
async def fields_are_left_alone(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Fields that a message came with stay as they are, in their order."""
    if peer.subject.declared.session.login:
        raise NotApplicable("a submission server may put a header right (RFC 6409 §8)")
    await peer.begin_transaction()
    message = peer.message(header=fields)
    header = await store(peer, message)
    sent = ours(message)
    if (first := next((at for at, field in enumerate(header.fields) if field in sent), None)) is None:
        raise Undetermined("not one of the fields that were sent can be found")
    kept = [field for field in header.fields[first:] if field in sent]
    if kept == sent:
        return satisfied(f"{len(sent)} fields unchanged")
    meant = [_meaning(field) for field in sent]
    if [meaning for field in header.fields[first:] if (meaning := _meaning(field)) in meant] == meant:
        return declined("fields were folded or spaced anew", "every field unchanged, in its order")
    lost = [field for field in sent if _meaning(field) not in map(_meaning, header.fields)]
    got = f"changed or gone: {printable(lost[0].strip())}" if lost else "in another order"
    return violated(got, "every field unchanged, in its order")
