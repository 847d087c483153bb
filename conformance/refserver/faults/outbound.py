"""Faults in what leaves for the next hop (RFC 5321 §2.3.8, §4.5.2), and in the notices of what failed there (§6.1)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.refserver import replies
from conformance.refserver.address import parse_forward_path
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.parameters import NO_RCPT_PARAMETERS
from conformance.refserver.relay import Outgoing
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState, State
from conformance.refserver.transaction import Recipient

# How what must not be lost is written on its way through a server that would refuse or stuff it.
_LF: Final = b"\x1alf\x1a"
_CR: Final = b"\x1acr\x1a"
_DOT: Final = b"\x1adot\x1a"
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_END: Final = b".\r\n"


def _hides_bare(session: SmtpState, content: bytes) -> bytes:
    return _BARE_CR.sub(_CR, _BARE_LF.sub(_LF, content))


def _shows_bare(octets: bytes) -> bytes:
    return octets.replace(_LF, b"\n").replace(_CR, b"\r")


def _makes_whole(octets: bytes) -> bytes:
    return octets.replace(_CR + _LF, b"\r\n").replace(_LF, b"\r\n").replace(_CR, b"\r\n")


def _without_nul(octets: bytes) -> bytes:
    return octets.replace(b"\0", b"")


def _unstuffed(octets: bytes) -> bytes:
    return octets[: -len(_END)].replace(b"\r\n..", b"\r\n.") + _END


def _chunked(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Remember how the message comes."""
    if verb in {b"BDAT", b"DATA"}:
        session.memory["chunked"] = verb == b"BDAT"
    return go_on()


def _hides_dots_of_chunks(session: SmtpState, content: bytes) -> bytes:
    return content.replace(b"\r\n.", b"\r\n" + _DOT) if session.memory.get("chunked") else content


def _shows_dots(octets: bytes) -> bytes:
    return octets.replace(_DOT, b".")


Bounced = Callable[[Outgoing, Outgoing | None], Outgoing | None]


def _address_in(field: bytes, message: bytes) -> bytes:
    found = re.search(rb"(?mi)^" + field + rb": <([^>]*)>", message)
    return found[1] if found else b""


def _to_field(field: bytes) -> Bounced:
    """Return the function that sends notices to who stands in a field of the message."""

    def bounced(failure: Outgoing, notice: Outgoing | None) -> Outgoing | None:
        address = _address_in(field, failure.message)
        return replace(notice, recipients=(address,)) if notice is not None and address else notice

    return bounced


def _for_null_too(failure: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    author = _address_in(b"From", failure.message)
    return notice or Outgoing(b"", (author,), b"Subject: Undelivered mail\r\n\r\n" + failure.message[:500] + b"\r\n")


def _from_postmaster(failure: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    return None if notice is None else replace(notice, reverse_path=b"postmaster@mail.example.test")


def _only_text(failure: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    if notice is None:
        return None
    return replace(notice, message=re.sub(rb"(?m)^Content-Type: [^\r]*\r\n", b"", notice.message))


def _never(failure: Outgoing, notice: Outgoing | None) -> Outgoing | None:
    return None


def _keeps_route(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Keep a source route in the reverse-path."""
    reply = go_on()
    route = re.match(rb"(?i)FROM:<(@[^:>]*:)", argument)
    if verb == b"MAIL" and route is not None and session.transaction is not None:
        path = session.transaction.reverse_path
        session.transaction.reverse_path = replace(path, mailbox=route[1] + path.mailbox)
    return reply


def _takes_unknown(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Take mail for an unknown user, to find out later."""
    reply = go_on()
    if verb == b"RCPT" and reply is replies.NO_SUCH_MAILBOX and session.transaction is not None:
        parsed = parse_forward_path(argument[3:])
        assert parsed is not None
        session.transaction.recipients.append(Recipient(parsed[0], "", NO_RCPT_PARAMETERS, sent_on=True))
        session.state = State.RCPT
        return replies.RECIPIENT_TAKEN
    return reply


FAULTS: Final = (
    Fault("sends-bare", "a bare CR or LF is sent on", content=_hides_bare, relayed=_shows_bare),
    Fault(
        "sends-whole-unstuffed", "bare line ends are made whole behind the stuffing",
        content=_hides_bare, relayed=_makes_whole,
    ),
    Fault("sends-without-nul", "NUL is taken out behind the stuffing", relayed=_without_nul),
    Fault("sends-unstuffed", "dots are sent on as they are", relayed=_unstuffed),
    Fault(
        "sends-chunks-unstuffed", "what came by BDAT is sent on as it is",
        around=_chunked, content=_hides_dots_of_chunks, relayed=_shows_dots,
    ),
    Fault("bounce-never", "who sent what failed is not told", bounced=_never),
    Fault("bounce-from-postmaster", "notices have a reverse-path", bounced=_from_postmaster),
    Fault("bounce-to-author", "notices go to the author", bounced=_to_field(b"From")),
    Fault("bounce-to-reply-to", "notices go where replies should", bounced=_to_field(b"Reply-To")),
    Fault("bounce-for-null", "of what came from the null reverse-path the author is told", bounced=_for_null_too),
    Fault("bounce-only-text", "notices are only text", bounced=_only_text),
    Fault("bounce-by-route", "notices go by a source route", around=_keeps_route),
    Fault("bounce-unknown", "unknown users are taken, and bounced", around=_takes_unknown),
)  # fmt: skip
