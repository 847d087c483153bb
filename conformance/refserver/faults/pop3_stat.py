"""Faults in STAT (RFC 1939 §5)."""

import re
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_fault_kinds import answers, changes
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State


def _counts_deleted(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    if verb != b"STAT" or session.view is None:
        return go_on()
    every = session.view.every()
    return b"+OK %d %d\r\n" % (len(every), sum(message.octets for message in every))


def _one_too_many(response: bytes) -> bytes:
    return re.sub(rb"\A\+OK ([0-9]+)", lambda found: b"+OK %d" % (int(found[1]) + 1), response)


FAULTS: Final = (
    Fault("stat-two-spaces", "STAT puts two spaces between its numbers.",
          pop3=Pop3Points(around=changes(b"STAT", lambda response: re.sub(rb"(\d) (\d)", rb"\1  \2", response)))),
    Fault("stat-in-words", "STAT gives its numbers amid words.",
          pop3=Pop3Points(around=changes(
              b"STAT", lambda response: re.sub(rb"(\d+) (\d+)", rb"\1 messages, \2 octets", response)))),
    Fault("stat-counts-one-more", "STAT counts one message more than there are.",
          pop3=Pop3Points(around=changes(b"STAT", _one_too_many))),
    Fault("stat-octets-wrong", "STAT's octets are not the sum of LIST's.",
          pop3=Pop3Points(around=changes(b"STAT", lambda response: response.replace(b"\r\n", b"1\r\n")))),
    Fault("stat-counts-deleted", "STAT counts what is marked as deleted.", pop3=Pop3Points(around=_counts_deleted)),
    Fault("stat-empty-refused", "STAT of an empty maildrop is refused.",
          pop3=Pop3Points(around=answers(b"STAT", b"-ERR Nothing there\r\n",
                                         lambda session, _: session.view is not None and not session.view.every()))),
)  # fmt: skip
