"""Faults in how much is taken: of a path, a command, a line, a message, and how many recipients (RFC 5321 §4.5.3.1)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import Around, When, answers, closes_after, holds
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_state import Reading, SmtpState, State

Content = Callable[[SmtpState, bytes], bytes]

_FLOOD_OCTETS: Final = 64 * 1024       # in one read: nobody's command


def _longer(verb: bytes, octets: int) -> When:
    """Return the question whether a command line, CRLF and all, is longer."""
    return lambda session, argument: len(verb) + 1 + len(argument) + 2 > octets


def _cuts_commands(octets: int) -> Callable[[SmtpState, bytes], bytes]:
    """Return the function of a server with a buffer of so many octets: what does not fit in is the next line."""
    found = re.compile(rb"([^\r\n]{%d})(?=[^\r\n])" % octets)
    return lambda session, heard: found.sub(rb"\1\r\n", heard) if session.reading is Reading.COMMAND else heard


def _starves_others(session: SmtpState, octets: bytes) -> bytes:
    if session.reading is Reading.COMMAND and len(octets) >= _FLOOD_OCTETS and b"\n" not in octets:
        session.service.memory["flooded"] = 1
    return octets


def _silent_when_flooded(session: SmtpState, verb: bytes, octets: bytes) -> bytes:
    return b"" if verb == b"NOOP" and "flooded" in session.service.memory else octets


def _refuses(pattern: bytes) -> Content:
    """Spoil a message that holds a pattern with a bare LF, so that it is refused."""
    found = re.compile(pattern)
    return lambda session, content: content + b"\n" if found.search(content) else content


def _changes(pattern: bytes, by: bytes) -> Content:
    found = re.compile(pattern)
    return lambda session, content: found.sub(by, content)


def _refuses_received(count: int) -> Content:
    return lambda session, content: content + b"\n" if content.count(b"\nReceived: ") > count else content


def _refuses_octets(octets: int) -> Content:
    return lambda session, content: content + b"\n" if len(content) > octets else content


def _taken_so_far(session: SmtpState) -> int:
    return len(session.transaction.recipients) if session.transaction is not None else 0


def _no_more_than(count: int, code: int, status: str, *, closes: bool = False) -> Around:
    told = replies.reply(code, status, "Too many recipients")

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if verb != b"RCPT" or _taken_so_far(session) < count:
            return go_on()
        if closes:
            session.after = After.CLOSE
            return None
        return told

    return around


def _at_the_limit(what: Callable[[SmtpState], None]) -> Around:
    """Do something to the transaction when a recipient is one too many."""

    def around(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if reply is replies.TOO_MANY_RECIPIENTS:
            what(session)
        return reply

    return around


def _forgets_all(session: SmtpState) -> None:
    session.forget_transaction()
    session.state = State.READY


def _forgets(index: int) -> Callable[[SmtpState], None]:
    def forget(session: SmtpState) -> None:
        assert session.transaction is not None
        del session.transaction.recipients[index]

    return forget


def _loops(session: SmtpState, content: bytes) -> bytes:
    """Deliver what was received too often, again and again, and take it besides."""
    found = re.compile(rb"(?m)^Received:[^\r]*\r\n")
    if len(found.findall(content)) <= session.service.limits.received_fields:
        return content
    session.service.maildrops.deliver(["user1@example.test"], content)
    return found.sub(b"", content)


_LONG: Final = rb"(?m)^[^\r\n]{%d}"

FAULTS: Final = (
    Fault("limit-local-part-63", "a local-part of 64 octets is too long", around=answers(
        b"MAIL", 501, holds(rb"<[a-z]{64}@"),
    )),
    Fault("limit-local-part-63-of-recipients", "a recipient's local-part of 64 octets is too long", around=answers(
        b"RCPT", 501, holds(rb"<[a-z]{64}@"),
    )),
    Fault("limit-local-part-20", "a local-part of 21 octets is too long", around=answers(
        b"MAIL", 501, holds(rb"<[a-z]{21}"),
    )),
    Fault("limit-domain-200", "a domain of 201 octets is too long", around=answers(
        b"MAIL", 501, holds(rb"@[a-z.]{201}"),
    )),
    Fault("limit-domain-128", "a domain of 129 octets is too long", around=answers(
        b"MAIL", 501, holds(rb"@[a-z.]{129}"),
    )),
    Fault("limit-path-255", "a path of 256 octets is too long", around=answers(
        b"MAIL", 501, holds(rb"<[^>]{254}>"),
    )),
    Fault("limit-path-255-of-recipients", "a forward-path of 256 octets is too long", around=answers(
        b"RCPT", 501, holds(rb"<[^>]{254}>"),
    )),
    Fault("limit-command-510", "a command line of 511 octets is too long", around=answers(
        b"NOOP", 500, _longer(b"NOOP", 510),
    )),
    Fault("limit-command-511", "a command line of 512 octets is too long", around=answers(
        b"NOOP", 500, _longer(b"NOOP", 511),
    )),
    Fault("limit-command-closes", "a command line of 512 octets ends the session", around=closes_after(
        b"NOOP", _longer(b"NOOP", 511),
    )),
    Fault("limit-command-cut", "a command line of more than 509 octets is two", incoming=_cuts_commands(509)),
    Fault("limit-flood-starves", "an endless line holds everybody up", incoming=_starves_others,
          outgoing=_silent_when_flooded),
    Fault("limit-flood-cut", "an endless line is many", incoming=_cuts_commands(100_000)),
    Fault("limit-mail-512", "parameters make MAIL no longer than 512 octets", around=answers(
        b"MAIL", 500, _longer(b"MAIL", 512),
    )),
    Fault("limit-line-999", "a line of 1000 octets is too long", content=_refuses(_LONG % 998)),
    Fault("limit-line-1000-stuffed", "the stuffed dot counts", content=_refuses(rb"(?m)^\.[^\r\n]{997}")),
    Fault("limit-line-cut-500", "what a line has above 500 octets is lost", content=_changes(
        rb"(?m)^([^\r\n]{500})[^\r\n]*", rb"\1",
    )),
    Fault("limit-line-folds-990", "a line of more than 990 octets is folded", content=_changes(
        rb"(?m)^([^\r\n]{990})", b"\\1!\r\n ",
    )),
    Fault("limit-header-line-500", "a line of the header has 500 octets at most", content=_refuses(
        rb"(?m)^[A-Z][A-Za-z-]+: [^\r\n]{500}",
    )),
    Fault("limit-header-line-cut", "what a line of the header has above 255 octets is lost", content=_changes(
        rb"(?m)^([A-Z][A-Za-z-]+: [^\r\n]{255})[^\r\n]*", rb"\1",
    )),
    Fault("limit-message-64k", "a message of 64 KiB is too big", content=_refuses_octets(64 * 1024 - 1)),
    Fault("limit-recipients-99", "a transaction has 99 recipients at most", around=_no_more_than(99, 452, "4.5.3")),
    Fault("limit-recipients-50-550", "more than 50 recipients are refused for good", around=_no_more_than(
        50, 550, "5.5.3",
    )),
    Fault("limit-recipients-hangs-up-at-60", "more than 60 recipients end the session", around=_no_more_than(
        60, 452, "4.5.3", closes=True,
    )),
    Fault("limit-recipients-450", "one recipient too many is answered 450", around=_no_more_than(120, 450, "4.5.3")),
    Fault("limit-recipients-hangs-up", "one recipient too many ends the session", around=_no_more_than(
        120, 452, "4.5.3", closes=True,
    )),
    Fault("limit-recipients-forgets-all", "one recipient too many ends the transaction", around=_at_the_limit(
        _forgets_all,
    )),
    Fault("limit-recipients-forgets-first", "one recipient too many pushes the first out", around=_at_the_limit(
        _forgets(0),
    )),
    Fault("limit-recipients-forgets-last", "one recipient too many takes the last one with it", around=_at_the_limit(
        _forgets(-1),
    )),
    Fault("limit-received-50", "50 Received fields are a loop", content=_refuses_received(50)),
    Fault("limit-received-none", "nothing is a loop", content=_loops),
    Fault("limit-size-hidden", "there is a limit, and SIZE is not offered", outgoing=lambda session, verb, octets: (
        re.sub(rb"250-SIZE [0-9]+\r\n", b"", octets) if verb == b"EHLO" else octets
    )),
)  # fmt: skip
