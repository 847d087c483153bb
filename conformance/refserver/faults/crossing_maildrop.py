"""Faults in how a maildrop is listed, numbered and kept while mail comes in (RFC 1939 §4 to §7)."""

import re
from collections.abc import Iterator
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault
from conformance.refserver.pop3_fault_kinds import Around, changes
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.replies import Reply
from conformance.refserver.smtp_state import SmtpState
from conformance.refserver.transaction import Transaction

_OPEN: Final = "maildrops open for a client that asks STAT"
_UIDL_LINE: Final = re.compile(rb"(?m)^((?:\+OK )?[0-9]+) (\S+)(?=\r$)")
_MESSAGE_ID: Final = re.compile(rb"(?mi)^message-id: <([^@>]*)")
_REWRITES_FROM: Final = 3                 # messages that are removed; fewer are taken out one by one


def _adds_status(session: Pop3State, octets: bytes) -> bytes:
    """Give messages a field that is not counted where they are listed."""
    return octets.replace(b"\r\nSubject:", b"\r\nStatus: RO\r\nSubject:", 1)


def _one_line_end(session: Pop3State, octets: bytes) -> bytes:
    return octets.rstrip(b"\r\n") + b"\r\n" if octets.endswith(b"\r\n\r\n\r\n") else octets


def _counts_what_was_there(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Let STAT leave out the newest message."""
    if verb != b"STAT" or session.view is None:
        return go_on()
    present = session.view.present()[:-1]
    return b"+OK %d %d\r\n" % (len(present), sum(message.octets for _, message in present))


def _tops_otherwise(pattern: bytes, by: bytes) -> Around:
    """Return a TOP that gives lines which RETR does not."""
    found = re.compile(pattern)

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        if verb == b"TOP" and session.body is not None:
            body: Iterator[bytes] = session.body
            session.body = iter([found.sub(by, b"".join(body))])
        return response

    return around


def _renames_all(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Make unique-ids of numbers counted from the newest."""
    response = go_on()
    if verb != b"UIDL" or session.view is None:
        return response
    count = len(session.view.every())
    return _UIDL_LINE.sub(lambda found: b"%b u%d" % (found[1], count - int(found[1].removeprefix(b"+OK "))), response)


def _named_after_message_ids(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Make unique-ids of Message-IDs."""
    response = go_on()
    if verb != b"UIDL" or (view := session.view) is None:
        return response

    def named(line: re.Match[bytes]) -> bytes:
        message = view.read(view.every()[int(line[1].removeprefix(b"+OK ")) - 1]) or b""
        identity = _MESSAGE_ID.search(message)
        return b"%b %b" % (line[1], identity[1][-60:] if identity else line[2])

    return _UIDL_LINE.sub(named, response)


def _sees_what_comes(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Number what has come since the login as well."""
    if verb == b"STAT" and session.view is not None:
        session.view = session.view.anew()
    return go_on()


def _numbers_what_comes_first(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb == b"STAT" and session.view is not None:
        session.view = session.view.anew(newest_first=True)
    return go_on()


def _notes_who_looks(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Note that a maildrop is open for a client that wants to know how much there is."""
    if session.view is not None and verb in {b"STAT", b"QUIT"}:
        is_open = session.service.memory.setdefault(_OPEN, [])
        if verb == b"STAT":
            is_open.append(session.view.maildrop)
        else:
            is_open.clear()
    return go_on()


def _is_open(session: SmtpState, transaction: Transaction) -> bool:
    drops = [session.service.maildrops.maildrop(one.maildrop) for one in transaction.recipients]
    return any(drop in session.service.memory.get(_OPEN, []) for drop in drops)


def _loses_what_comes(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    if _is_open(session, transaction):
        for one in transaction.recipients:
            drop = session.service.maildrops.maildrop(one.maildrop)
            drop.remove([listed.unique_id for listed in drop.listing()[-1:]])
    return lawful


def _refuses_what_comes(session: SmtpState, transaction: Transaction, lawful: list[Reply]) -> list[Reply]:
    if not _is_open(session, transaction):
        return lawful
    _loses_what_comes(session, transaction, lawful)
    return [replies.reply(554, "5.2.1", "The maildrop is in use")] * len(lawful)


def _writes_back_the_view(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Write back at QUIT what the session saw, without what was marked: what has come since is gone."""
    view = session.view
    if verb == b"QUIT" and view is not None and len(view.every()) - len(view.present()) >= _REWRITES_FROM:
        known = {message.unique_id for message in view.every()}
        view.maildrop.remove([one.unique_id for one in view.maildrop.listing() if one.unique_id not in known])
    return go_on()


def _removes_neighbours(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Remove at QUIT by numbers that move with each message that is removed."""
    view = session.view
    if verb == b"QUIT" and view is not None:
        present = {number for number, _ in view.present()}
        marked = [number for number in range(1, len(view.every()) + 1) if number not in present]
        if len(marked) >= _REWRITES_FROM:
            view.unmark_all()
            for number in marked:
                view.mark(min(number + 1, len(view.every())))
    return go_on()


def _never_ends_the_empty(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    """Forget the line that ends RETR where a message has no body."""
    response = go_on()
    if verb == b"RETR" and session.body is not None:
        lines = b"".join(session.body)
        endless = lines.endswith(b"\r\n\r\n.\r\n") and lines.count(b"\r\n\r\n") == 1
        session.body = iter([lines[:-3] if endless else lines])
    return response


FAULTS: Final = (
    Fault("x-retr-adds-status", "RETR and TOP give a field that LIST does not count", pop3=Pop3Points(
        content=_adds_status,
    )),
    Fault("x-retr-joins-line-ends", "RETR gives fewer empty lines at the end than LIST counts", pop3=Pop3Points(
        content=_one_line_end,
    )),
    Fault("x-list-counts-one-more", "LIST counts an octet too many", pop3=Pop3Points(around=changes(
        b"LIST", lambda response: re.sub(rb"(?m)^([0-9]+) ([0-9]+)\r$", lambda found: b"%b %d\r" % (
            found[1], int(found[2]) + 1,
        ), response),
    ))),
    Fault("x-stat-is-late", "STAT leaves out the newest message", pop3=Pop3Points(around=_counts_what_was_there)),
    Fault("x-top-folds", "TOP folds a field that RETR does not", pop3=Pop3Points(around=_tops_otherwise(
        rb"Subject: mailproof ", b"Subject: mailproof\r\n ",
    ))),
    Fault("x-top-leaves-out", "TOP gives some fields only", pop3=Pop3Points(around=_tops_otherwise(
        rb"Date:[^\r]*\r\n", b"",
    ))),
    Fault("x-uidl-counts", "unique-ids are counted from the newest message", pop3=Pop3Points(around=_renames_all)),
    Fault("x-uidl-is-message-id", "unique-ids are Message-IDs", pop3=Pop3Points(around=_named_after_message_ids)),
    Fault("x-view-grows", "a session sees what comes", pop3=Pop3Points(around=_sees_what_comes)),
    Fault("x-view-shifts", "a session sees what comes, and numbers it first", pop3=Pop3Points(
        around=_numbers_what_comes_first,
    )),
    Fault("x-open-loses", "what comes while a maildrop is open is lost", final=_loses_what_comes, pop3=Pop3Points(
        around=_notes_who_looks,
    )),
    Fault("x-open-refuses", "mail for an open maildrop is refused for good", final=_refuses_what_comes, pop3=Pop3Points(
        around=_notes_who_looks,
    )),
    Fault("x-update-writes-back", "QUIT writes back what a session saw", pop3=Pop3Points(around=_writes_back_the_view)),
    Fault("x-update-takes-neighbours", "QUIT removes others than were marked", pop3=Pop3Points(
        around=_removes_neighbours,
    )),
    Fault("x-empty-never-ends", "RETR of a message without a body does not end", pop3=Pop3Points(
        around=_never_ends_the_empty,
    )),
    Fault("x-empty-gets-a-body", "a message without a body gets one", stored=lambda message: (
        message + b"(no text)\r\n" if message.endswith(b"\r\n\r\n") and message.count(b"\r\n\r\n") == 1 else message
    )),
)  # fmt: skip
