"""Faults in APOP and its timestamp (RFC 1939 §7)."""

import hashlib
import re
from collections.abc import Callable
from typing import Final

from conformance.refserver.fault import Fault
from conformance.refserver.pop3_commands import BAD_CREDENTIALS, OK, UNKNOWN_COMMAND
from conformance.refserver.pop3_fault_kinds import Around, answers, before_login
from conformance.refserver.pop3_points import GoOn, Pop3Points
from conformance.refserver.pop3_state import Pop3State, State

_TIMESTAMP: Final = re.compile(rb"<([^>]+)>")


def _stamped(as_: bytes) -> Pop3Points:
    r"""Write the timestamp otherwise: \1 is what stood in its brackets."""
    return Pop3Points(outgoing=lambda session, verb, octets: _TIMESTAMP.sub(as_, octets) if verb == b"" else octets)


def _stamps(stamp: Callable[[Pop3State, int], bytes]) -> Pop3Points:
    """Give another timestamp: (session, how many sessions there have been) -> timestamp."""

    def outgoing(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
        if verb != b"":
            return octets
        memory = session.service.memory
        memory["sessions"] = memory.get("sessions", 0) + 1
        session.timestamp = stamp(session, memory["sessions"])
        return _TIMESTAMP.sub(session.timestamp, octets)

    return Pop3Points(outgoing=outgoing)


def _takes(right: Callable[[Pop3State, bytes, bytes], bool]) -> Around:
    """Let in by APOP with other digests as well: (session, secret, what was said for a digest)."""

    def around(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if verb != b"APOP" or session.state is not State.AUTHORIZATION:
            return go_on()
        name, _, said = argument.partition(b" ")
        account = session.service.directory.account(name.decode("utf-8", "replace"))
        if account is not None and right(session, account.password.encode(), said):
            return OK if session.log_in(account) else BAD_CREDENTIALS
        return go_on()

    return around


def _md5(octets: bytes) -> bytes:
    return hashlib.md5(octets, usedforsecurity=False).hexdigest().encode()


def _begins_right(session: Pop3State, secret: bytes, said: bytes) -> bool:
    """Compare as far as the client wrote."""
    return bool(said) and _md5(session.timestamp + secret).startswith(said)


def _remembers_stamps(session: Pop3State, secret: bytes, said: bytes) -> bool:
    """Take digests over any timestamp there ever was."""
    stamps = session.service.memory.setdefault("stamps", [])
    return any(_md5(stamp + secret) == said for stamp in stamps)


def _notes_stamp(session: Pop3State, verb: bytes, octets: bytes) -> bytes:
    if verb == b"":
        session.service.memory.setdefault("stamps", []).append(session.timestamp)
    return octets


def _wants_upper_case(session: Pop3State, verb: bytes, argument: bytes, go_on: GoOn) -> bytes:
    name, _, digest = argument.partition(b" ")
    return BAD_CREDENTIALS if verb == b"APOP" and name and digest != digest.upper() else go_on()


def _fault(name: str, does: str, around: Around) -> Fault:
    return Fault(name, does, pop3=Pop3Points(around=around))


FAULTS: Final = (
    Fault("apop-stamp-unclosed", "The timestamp's bracket is never closed.", pop3=_stamped(rb"<\1")),
    Fault("apop-stamp-unopened", "The timestamp has no opening bracket.", pop3=_stamped(rb"\1>")),
    Fault("apop-stamp-without-at", "The timestamp has no host.", pop3=_stamped(b"<1896.697170952>")),
    Fault("apop-stamp-spaced", "There is a space in the timestamp.", pop3=_stamped(b"<1896.697170952 @dbc.test>")),
    Fault("apop-stamp-constant", "The timestamp is ever the same.",
          pop3=_stamps(lambda session, count: b"<1896.697170952@dbc.test>")),
    Fault("apop-stamp-by-the-second", "Timestamps of one second are the same.",
          pop3=_stamps(lambda session, count: b"<1896.%d@dbc.test>" % session.service.wall_clock())),
    Fault("apop-stamp-wraps", "Timestamps come back after 700 sessions.",
          pop3=_stamps(lambda session, count: b"<1896.%d@dbc.test>" % (count % 700))),
    _fault("apop-refused", "APOP is refused, whatever the digest.", answers(b"APOP", BAD_CREDENTIALS, before_login)),
    _fault("apop-unknown", "APOP is unknown, though there is a timestamp.",
           answers(b"APOP", UNKNOWN_COMMAND, before_login)),
    _fault("apop-upper-case", "APOP wants its digest in upper case.", _wants_upper_case),
    _fault("apop-any-digest", "APOP takes any digest.", _takes(lambda session, secret, said: len(said) == 32)),
    _fault("apop-begins-right", "APOP compares as far as the client wrote.", _takes(_begins_right)),
    _fault("apop-more-than-right", "APOP compares 32 digits, and ignores more.",
           _takes(lambda session, secret, said: said[:32] == _md5(session.timestamp + secret))),
    _fault("apop-all-but-one", "APOP compares 31 digits.",
           _takes(lambda session, secret, said: said[:31] == _md5(session.timestamp + secret)[:31])),
    _fault("apop-without-secret", "APOP takes a digest over the timestamp alone.",
           _takes(lambda session, secret, said: said == _md5(session.timestamp))),
    _fault("apop-without-stamp", "APOP takes a digest over the secret alone.",
           _takes(lambda session, secret, said: said == _md5(secret))),
    _fault("apop-either-order", "APOP takes the secret in front as well.",
           _takes(lambda session, secret, said: said == _md5(secret + session.timestamp))),
    _fault("apop-in-clear", "APOP takes the secret itself.", _takes(lambda session, secret, said: said == secret)),
    _fault("apop-needs-no-digest", "APOP without a digest lets in.", _takes(lambda session, secret, said: not said)),
    _fault("apop-alone-taken", "APOP alone is answered +OK.",
           answers(b"APOP", OK, lambda session, argument: not argument and session.state is State.AUTHORIZATION)),
    Fault("apop-replayed", "APOP takes the digest of another session.",
          pop3=Pop3Points(around=_takes(_remembers_stamps), outgoing=_notes_stamp)),
    _fault("apop-unoffered", "APOP without a timestamp takes a digest over the secret.",
           _takes(lambda session, secret, said: not session.timestamp and said == _md5(secret))),
    _fault("apop-empty-stamp", "APOP without a timestamp takes a digest over empty brackets.",
           _takes(lambda session, secret, said: not session.timestamp and said == _md5(b"<>" + secret))),
)  # fmt: skip
