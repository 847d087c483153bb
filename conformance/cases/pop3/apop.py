"""APOP: a digest over the greeting's timestamp and the shared secret (RFC 1939 §7)."""

import re
from collections.abc import Callable
from hashlib import md5
from typing import Final

import trio

from conformance.case import case
from conformance.cases.pop3.ways_in import by, judge_login, judge_no_login
from conformance.judgement import (
    Did,
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    satisfied,
    undetermined,
    violated,
)
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

NONSENSE: Final = b"MAILPROOF"
GREETINGS: Final = 1_000
AT_ONCE: Final = 8
LONG_ENOUGH_S: Final = 10.0       # with a server that is slow to greet
# msg-id = "<" addr-spec ">" (RFC 822 §6.1), without the white space and comments that nobody writes there
_MSG_ID: Final = re.compile(rb"<[^\s<>@]+@[^\s<>@]+>")
# What can only be meant for one: in angle brackets, or as good as, with an @ or as digits and dots.
_MEANT: Final = re.compile(rb"<[^<>]*(?:@|\d\.\d)[^<>]*(?:>|\Z)|\d+\.\d+@[\w.-]+>")


def digest(octets: bytes) -> bytes:
    """Return MD5 in lower-case hexadecimal, as APOP wants it."""
    return md5(octets, usedforsecurity=False).hexdigest().encode()


async def _timestamp(peer: Pop3Peer) -> bytes:
    """Come to where one may log in; return the timestamp, NotApplicable without one."""
    await peer.prelude()
    if not peer.timestamp:
        raise NotApplicable("no timestamp in the greeting: APOP is not offered")
    return peer.timestamp


@case("pop3.apop.banner-form")
async def a_timestamp_is_a_msg_id(peer: Pop3Peer) -> Judgement:
    """The timestamp in the greeting has the form of a message-id."""
    greeting = await peer.greet()
    if _MSG_ID.search(greeting.text):
        return satisfied(printable(greeting.text))
    if _MEANT.search(greeting.text):
        return violated(printable(greeting.text), "<left@right>")
    raise NotApplicable("no timestamp in the greeting: APOP is not offered")


@case("pop3.apop.banner-unique")
async def no_timestamp_comes_twice(peer: Pop3Peer) -> Judgement:
    """No two greetings have the same timestamp."""
    await peer.greet()
    if not peer.timestamp:
        raise NotApplicable("no timestamp in the greeting: APOP is not offered")
    seen = [peer.timestamp]
    left = GREETINGS - 1

    async def collect() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            session = peer.another()
            try:
                await session.greet()
            except Undetermined:
                return                       # too many at once, it may be; the others go on
            seen.append(session.timestamp)
            await session.hang_up()

    with trio.move_on_after(LONG_ENOUGH_S):
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(collect)
    twice = len(seen) - len(set(seen))
    got = f"{len(seen)} greetings, {twice} of them seen before"
    if twice:
        return violated(got, "all different")
    return satisfied(got) if len(seen) > 1 else undetermined(got)


@case("pop3.apop.ok")
async def apop_lets_in(peer: Pop3Peer) -> Judgement:
    """APOP lets in with the right digest; its secret may be another than the password (RFC 1939 §13)."""
    await peer.login()
    await _timestamp(peer)
    unknown = await peer.ask(NONSENSE)
    judgement = await judge_login(peer, by("APOP"), "APOP")
    if judgement.did is not Did.VIOLATED or (unknown.err and unknown.text and f"{unknown} to APOP" == judgement.got):
        return judgement
    return declined(judgement.got, judgement.expected)


Wrong = Callable[[bytes, bytes], bytes]          # timestamp, secret -> what is sent for the digest
WRONG: Final[dict[str, Wrong]] = {
    "wrong-secret": lambda timestamp, secret: digest(timestamp + b"not-" + secret),
    "no-secret": lambda timestamp, secret: digest(timestamp),
    "no-timestamp": lambda timestamp, secret: digest(secret),
    "other-order": lambda timestamp, secret: digest(secret + timestamp),
    "zeros": lambda timestamp, secret: b"0" * 32,
    "last-digit": lambda timestamp, secret: _with_another_end(digest(timestamp + secret)),
    "short": lambda timestamp, secret: digest(timestamp + secret)[:-1],
    "one-digit": lambda timestamp, secret: digest(timestamp + secret)[:1],
    "long": lambda timestamp, secret: digest(timestamp + secret) + b"0",
    "in-clear": lambda timestamp, secret: secret,
}


def _with_another_end(right: bytes) -> bytes:
    return right[:-1] + (b"1" if right.endswith(b"0") else b"0")


@case("pop3.apop.bad", variants=WRONG)
async def a_wrong_digest_is_refused(peer: Pop3Peer, wrong: Wrong) -> Judgement:
    """A digest that is not the right one lets nobody in."""
    login, password = await peer.login()
    timestamp = await _timestamp(peer)
    answer = await peer.ask(b"APOP %b %b" % (login.encode(), wrong(timestamp, password.encode())))
    return judge_no_login(answer, "APOP with a wrong digest")


@case("pop3.apop.bad", variants={"no-digest": b"APOP {}", "no-name": b"APOP"})
async def apop_needs_both_arguments(peer: Pop3Peer, command: bytes) -> Judgement:
    """APOP without a digest lets nobody in."""
    login, _ = await peer.login()
    await _timestamp(peer)
    return judge_no_login(await peer.ask(command.replace(b"{}", login.encode())), "APOP without a digest")


@case("pop3.apop.bad", variants={"other-session": None})
async def a_digest_is_good_for_one_session(peer: Pop3Peer, nothing: None) -> Judgement:
    """A digest over the timestamp of another session lets nobody in."""
    login, password = await peer.login()
    timestamp = await _timestamp(peer)
    later = peer.another()
    if await _timestamp(later) == timestamp:
        raise Undetermined("both sessions have the same timestamp")
    answer = await later.ask(b"APOP %b %b" % (login.encode(), digest(timestamp + password.encode())))
    return judge_no_login(answer, "APOP with the digest of another session")


@case("pop3.apop.not-offered", variants={"secret": False, "empty-timestamp": True})
async def apop_needs_a_timestamp(peer: Pop3Peer, bracketed: bool) -> Judgement:
    """APOP lets nobody in where the greeting offers no timestamp."""
    login, password = await peer.login()
    await peer.prelude()
    if peer.timestamp:
        raise NotApplicable("APOP is offered")
    sent = digest((b"<>" if bracketed else b"") + password.encode())
    return judge_no_login(await peer.ask(b"APOP %b %b" % (login.encode(), sent)), "APOP without a timestamp")
