"""What delivery does with a message: fields of its own are a right, and some content need not be taken as it is.

RFC 5321 §4.4 has the fields; §2.3.8 and §4.5.2 leave open what becomes of bare line ends and NUL, and §6.1 that mail
which has come before is dropped.
"""

import re
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState
from conformance.refserver.transaction import Transaction

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MESSAGE_ID: Final = re.compile(rb"(?mi)^message-id:[ \t]*(<[^>\r]*>)")


def _adds_fields(message: bytes) -> bytes:
    header, blank, body = message.partition(b"\r\n\r\n")
    first, crlf, rest = header.partition(b"\r\n")
    added = first + crlf + b"Delivered-To: somebody\r\n" + rest
    return added.removesuffix(b"\r\n") + b"\r\nX-Spam-Status: No,\r\n\tscore=0.1" + (blank or b"\r\n") + body


def _notes_binary(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Note whether a message has no lines, and must be kept as it is (RFC 3030 §3)."""
    if verb == b"MAIL":
        session.memory["binary"] = b"BINARYMIME" in argument.upper()
    return go_on()


def _is_binary(session: SmtpState) -> bool:
    return session.memory.get("binary") is True


def _made_whole(session: SmtpState, content: bytes) -> bytes:
    return content if _is_binary(session) else re.sub(rb"\r(?!\n)|(?<!\r)\n", b"\r\n", content)


def _without_nul(session: SmtpState, content: bytes) -> bytes:
    return content if _is_binary(session) else content.replace(b"\0", b"\\0")


def _refuses_controls(session: SmtpState, content: bytes) -> bytes:
    """Spoil, so that it is refused, what holds control octets."""
    return content + b"\n" if _CONTROL.search(content) and not _is_binary(session) else content


def _newest(session: SmtpState, name: str) -> tuple[str, bytes]:
    maildrop = session.service.maildrops.maildrop(name)
    *_, newest = maildrop.listing()
    return newest.unique_id, maildrop.read(newest.unique_id) or b""


def _drops_duplicates(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    """Take a message back out whose Message-ID has come to the maildrop before, as some filters do."""
    for name in dict.fromkeys(one.maildrop for one in transaction.recipients if not one.sent_on):
        if all(reply.code != 250 for reply in lawful):
            break
        unique_id, message = _newest(session, name)
        found = _MESSAGE_ID.search(message)
        known = session.service.memory.setdefault("message-ids", set())
        if found is not None and (name, found[1]) in known:
            session.service.maildrops.maildrop(name).remove([unique_id])
        elif found is not None:
            known.add((name, found[1]))
    return lawful


def _a_copy_for_each(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    """Deliver to who was named twice two copies."""
    names = [one.maildrop for one in transaction.recipients if not one.sent_on]
    for name in {name for name in names if names.count(name) > 1}:
        if any(reply.code == 250 for reply in lawful):
            _, message = _newest(session, name)
            session.service.maildrops.deliver([name] * (names.count(name) - 1), message)
    return lawful


def _waits_for_the_lock(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    """Put mail off that comes while its maildrop is open."""
    put_off = False
    for name in dict.fromkeys(one.maildrop for one in transaction.recipients if not one.sent_on):
        maildrop = session.service.maildrops.maildrop(name)
        if maildrop.lock():
            maildrop.unlock()
        elif any(reply.code == 250 for reply in lawful):
            maildrop.remove([_newest(session, name)[0]])
            put_off = True
    return [replies.reply(450, "4.2.0", "The maildrop is in use")] * len(lawful) if put_off else lawful


CHOICES: Final = (
    Fault("adds-fields", "Delivered-To above, X-Spam-Status below", stored=_adds_fields),
    Fault("makes-lines-whole", "a bare CR or LF becomes CRLF", around=_notes_binary, content=_made_whole),
    Fault("shows-nul", "NUL is written in other signs", around=_notes_binary, content=_without_nul),
    Fault("refuses-controls", "control octets in mail are refused", around=_notes_binary, content=_refuses_controls),
    Fault("drops-duplicates", "a message whose Message-ID has come before is dropped", final=_drops_duplicates),
    Fault("a-copy-for-each", "who is named twice gets two copies", final=_a_copy_for_each),
    Fault("waits-for-the-lock", "mail for a maildrop that is open is put off", final=_waits_for_the_lock),
)
