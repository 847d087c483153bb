"""What a POP3 server offers: RFC 1939 §7 makes much of it optional, RFC 2449 says how CAPA tells."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import UNKNOWN_COMMAND
from conformance.refserver.pop3_fault_kinds import Around
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State

_CODE: Final = re.compile(rb"\A(-ERR|\+OK) \[[^\]]+\] ?")
_TIMESTAMP: Final = re.compile(rb" *<[^>]+>")
_OLD: Final = (b"CAPA", b"UIDL", b"TOP", b"AUTH", b"STLS", b"APOP")      # that a server of RFC 1939 may lack

Outgoing = Callable[[Pop3State, bytes, bytes], bytes]


def lacks(*verbs: bytes, tags: tuple[bytes, ...] = ()) -> Around:
    """Know nothing of some commands, and list none of them."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if verb in verbs:
            return UNKNOWN_COMMAND
        response = go_on()
        return _without(response, *verbs, *tags) if verb == b"CAPA" else response

    return around


def _without(listed: bytes, *tags: bytes) -> bytes:
    return re.sub(rb"(?m)^(?:%b)(?= |\r)[^\n]*\n" % b"|".join(tags), b"", listed) if tags else listed


def _lists(how: Callable[[list[bytes]], list[bytes]]) -> Around:
    """Change the lines of CAPA."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        response = go_on()
        if verb != b"CAPA" or not response.startswith(b"+OK"):
            return response
        first, *tags, end, _ = response.split(b"\r\n")
        return b"\r\n".join([first, *how(tags), end, b""])

    return around


def lists_more(*tags: bytes) -> Around:
    """List these capabilities, in place of those of the same name."""

    def how(lines: list[bytes]) -> list[bytes]:
        names = {tag.partition(b" ")[0] for tag in tags}
        return [line for line in lines if line.partition(b" ")[0] not in names] + list(tags)

    return _lists(how)


def _no_timestamp(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    return _TIMESTAMP.sub(b"", octets) if verb == b"" else octets


def _no_codes(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    return _CODE.sub(rb"\1 ", octets)


CHOICES: Final = (
    Fault("pop3-no-capa", "CAPA is unknown: RFC 2449 is optional; and so is STLS, which RFC 2595 §4 wants listed",
          pop3=Pop3Points(around=lacks(b"CAPA", b"STLS"))),
    Fault("pop3-no-top", "TOP is unknown", pop3=Pop3Points(around=lacks(b"TOP"))),
    Fault("pop3-no-uidl", "UIDL is unknown", pop3=Pop3Points(around=lacks(b"UIDL"))),
    Fault("pop3-no-stls", "STLS is unknown", pop3=Pop3Points(around=lacks(b"STLS"))),
    Fault("pop3-no-auth", "AUTH is unknown", pop3=Pop3Points(around=lacks(b"AUTH", tags=(b"SASL",)))),
    Fault("pop3-no-apop", "no timestamp, and APOP is unknown",
          pop3=Pop3Points(around=lacks(b"APOP"), outgoing=_no_timestamp)),
    Fault("pop3-of-1939", "what RFC 1939 demands, and no more",
          pop3=Pop3Points(around=lacks(*_OLD), outgoing=lambda session, verb, octets:
                          _no_codes(session, verb, _no_timestamp(session, verb, octets)))),
    Fault("pop3-apop-alone", "one logs in by APOP alone",
          pop3=Pop3Points(around=lacks(b"USER", b"PASS", b"AUTH", tags=(b"SASL",)))),
    Fault("pop3-sasl-alone", "one logs in by AUTH alone",
          pop3=Pop3Points(around=lacks(b"USER", b"PASS", b"APOP"), outgoing=_no_timestamp)),
    Fault("pop3-no-resp-codes", "-ERR comes without codes",
          pop3=Pop3Points(around=lacks(tags=(b"RESP-CODES", b"AUTH-RESP-CODE")), outgoing=_no_codes)),
    Fault("pop3-tags-reversed", "CAPA lists from the last", pop3=Pop3Points(around=_lists(lambda tags: tags[::-1]))),
    Fault("pop3-tags-lower-case", "RFC 2449 §3: tags in any case",
          pop3=Pop3Points(around=_lists(lambda tags: [tag.lower() for tag in tags]))),
    Fault("pop3-more-tags", "tags that no RFC knows, and two that one does",
          pop3=Pop3Points(around=lists_more(b"X-MAILPROOF 1 two=3 ?!", b"IMPLEMENTATION Some-Server", b"XYZZY"))),
    Fault("pop3-expires-at-once", "EXPIRE 0: a site may delete what was retrieved",
          pop3=Pop3Points(around=lists_more(b"EXPIRE 0"))),
    Fault("pop3-expires-in-a-week", "EXPIRE 7, and others may have other days",
          pop3=Pop3Points(around=lists_more(b"EXPIRE 7 USER"))),
)  # fmt: skip
