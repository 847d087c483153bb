"""How a POP3 server words its responses: RFC 1939 leaves the text behind +OK and -ERR to it, but for a few."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.choices.pop3_offers import lacks
from conformance.refserver.fault import Fault
from conformance.refserver.pop3_fault_kinds import changes
from conformance.refserver.pop3_points import Pop3Points
from conformance.refserver.pop3_state import Pop3State

_STATUS: Final = re.compile(rb"\A(\+OK|-ERR)(?: (\[[A-Z/-]+\])?([^\r\n]*))?\r\n")
_TIMESTAMP: Final = re.compile(rb"<[^>]+>")
_TELLS: Final = {b"STAT"}                  # whose first line says something; LIST and UIDL with a number do too
_LISTS: Final = (b"LIST", b"UIDL")
_LONG: Final = b"and so on " * 45         # RFC 1939 §3: 512 octets

Outgoing = Callable[[Pop3State, bytes, bytes], bytes]


def _in_other_words(yes: bytes, no: bytes, *, keeps_code: bool = True) -> Outgoing:
    """Word every status line anew, but for those whose text means something."""

    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        found = _STATUS.match(octets)
        says_something = verb in _TELLS or (verb in _LISTS and octets.count(b"\r\n") == 1)
        if found is None or (says_something and octets.startswith(b"+OK")):
            return octets
        indicator, code, _ = found.groups(b"")
        words = [yes if indicator == b"+OK" else no]
        if code and keeps_code:
            words.insert(0, code)
        if verb == b"" and (timestamp := _TIMESTAMP.search(octets)) is not None:
            words.append(timestamp[0])
        return b" ".join([indicator, *filter(None, words)]) + b"\r\n" + octets[found.end():]

    return outgoing


def _only_space(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    """Put a space behind an indicator that stands alone."""
    return re.sub(rb"\A(\+OK|-ERR)\r\n", rb"\1 \r\n", octets)


def _greets(text: bytes) -> Outgoing:
    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        return text.replace(b"<>", session.timestamp) if verb == b"" and octets.startswith(b"+OK") else octets

    return outgoing


def _first_line(text: bytes) -> Callable[[bytes], bytes]:
    return lambda response: re.sub(rb"\A\+OK[^\r]*", lambda _: b"+OK" + text, response)


CHOICES: Final = (
    Fault("pop3-other-words", "texts that look like something else",
          pop3=Pop3Points(outgoing=_in_other_words(b"-ERR is not what this is, 3 120", b"+OK it is not: 1 2 <a b>"))),
    Fault("pop3-few-words", "a word is enough", pop3=Pop3Points(outgoing=_in_other_words(b"k", b"n"))),
    Fault("pop3-long-words", "lines of nearly 512 octets",
          pop3=Pop3Points(outgoing=_in_other_words(_LONG, _LONG))),
    Fault("pop3-no-words", "indicators alone",
          pop3=Pop3Points(around=lacks(tags=(b"AUTH-RESP-CODE",)),
                          outgoing=_in_other_words(b"", b"", keeps_code=False))),
    Fault("pop3-a-space-for-words", "an indicator and a space", pop3=Pop3Points(outgoing=_only_space)),
    Fault("pop3-brackets-for-words", "what looks like a response code of its own",
          pop3=Pop3Points(around=lacks(tags=(b"RESP-CODES", b"AUTH-RESP-CODE")),
                          outgoing=_in_other_words(b"[OK] done", b"[X-NO] not done", keeps_code=False))),
    Fault("pop3-short-greeting", "+OK and the timestamp", pop3=Pop3Points(outgoing=_greets(b"+OK <>\r\n"))),
    Fault("pop3-timestamp-amid-words", "the timestamp stands anywhere in the greeting",
          pop3=Pop3Points(outgoing=_greets(b"+OK POP3 <> mail.example.test v1.0 ready\r\n"))),
    Fault("pop3-list-counts", "LIST says how much it lists", pop3=Pop3Points(around=changes(
        b"LIST", lambda response: _first_line(b" 2 messages (320 octets)")(response) if response.count(b"\n") > 1
        else response))),
    Fault("pop3-retr-says-nothing", "RETR begins with +OK alone",
          pop3=Pop3Points(around=changes(b"RETR", _first_line(b"")))),
    Fault("pop3-retr-in-words", "RETR begins with words", pop3=Pop3Points(around=changes(
        b"RETR", _first_line(b" message follows")))),
    Fault("pop3-stat-says-more", "STAT adds words, which RFC 1939 §5 discourages", pop3=Pop3Points(around=changes(
        b"STAT", lambda response: response.replace(b"\r\n", b" octets, and counting\r\n")))),
    Fault("pop3-list-says-more", "scan listings have words behind the size, which RFC 1939 §5 discourages",
          pop3=Pop3Points(around=changes(
              b"LIST", lambda response: re.sub(rb"(?m)^((?:\+OK )?\d+ \d+)\r$", rb"\1 octets seen\r", response)))),
)  # fmt: skip
