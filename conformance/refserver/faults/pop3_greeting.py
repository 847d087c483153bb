"""Faults in the greeting of POP3 (RFC 1939 §4)."""

from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_points import Pop3Points
from conformance.refserver.pop3_state import Pop3State
from conformance.refserver.session import After


def _greets(with_: bytes) -> Pop3Points:
    """Say something else for a greeting."""
    return Pop3Points(outgoing=lambda session, verb, octets: with_ if verb == b"" else octets)


def _waits(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Greet before the first answer, once somebody has spoken."""
    if verb == b"":
        session.memory["greeting"] = octets
        return b""
    return bytes(session.memory.pop("greeting", b"")) + octets


def _closes(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    if verb == b"":
        session.after = After.CLOSE
        return b""
    return octets


FAULTS: Final = (
    Fault("pop3-greets-in-lower-case", "The greeting is +ok.", pop3=_greets(b"+ok ready\r\n")),
    Fault("pop3-greets-without-plus", "The greeting is OK, without a plus.", pop3=_greets(b"OK ready\r\n")),
    Fault("pop3-greets-with-a-word", "The greeting is a word.", pop3=_greets(b"POP3 server ready\r\n")),
    Fault("pop3-greets-with-a-challenge", "The greeting is a plus alone.", pop3=_greets(b"+ ready\r\n")),
    Fault("pop3-greets-twice", "The greeting is two lines of +OK.", pop3=_greets(b"+OK one\r\n+OK two\r\n")),
    Fault("pop3-greets-at-length", "The greeting is followed by a line of words.",
          pop3=_greets(b"+OK ready\r\nWelcome to this server.\r\n")),
    Fault("pop3-greets-a-little-too-long", "A line is begun behind the greeting.", pop3=_greets(b"+OK ready\r\n+OK")),
    Fault("pop3-greets-when-spoken-to", "The greeting waits for a command.", pop3=Pop3Points(outgoing=_waits)),
    Fault("pop3-greets-nobody", "The connection is closed without a greeting.", pop3=Pop3Points(outgoing=_closes)),
)  # fmt: skip
