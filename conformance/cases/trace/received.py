"""Received: every server writes one on top, and says in it from where and when (RFC 5321 §4.4)."""

import re
import time
from typing import Final

from conformance.case import case
from conformance.cases.trace.fields import Stamp, header_of, may_look, name_of, ours, stamped, store
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, undetermined, violated, weakened
from conformance.peer import SmtpPeer
from conformance.trace.header import RECEIVED
from conformance.trace.moment import moment_of

OLDER: Final = (
    b"Received: from older.example (older.example [192.0.2.44])\r\n\tby old.example (Old)\r\n"
    b"        with ESMTP   id 7; Thu, 01 Jan 2026 00:00:01 +0000\r\n"
    b"received: from oldest.example by older.example; Thu, 1 Jan 2026 00:00:00 +0000\r\n"
)
ODD: Final = (
    b"Received: nothing of the kind\r\nX-Before: 1\r\n"
    b"Received: from b.example by c.example; yesterday\r\n \tat noon\r\n"
    b"RECEIVED:from a.example by b.example;Thu, 01 Jan 26 00:00:00 GMT\r\n"
)
SKEW_S: Final = 60.0
FALSE_NAME: Final = b"bank.example"
FALSE_LITERAL: Final = b"[192.0.2.99]"
_ADDRESS: Final = re.compile(rb"(?:\d{1,3}\.){3}\d{1,3}|(?i:IPv6:)?[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
_DATE: Final = re.compile(
    rb"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d+) "
    rb"\d{2}:\d{2}(?::\d{2})? ([+-]\d{4}|[A-Z]{1,4}|\"?[A-Za-z]+\"?)",
    re.IGNORECASE,
)
_HOST: Final = re.compile(rb"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|\[[0-9A-Za-z:.]+\]|[0-9A-Fa-f:.]+")


async def _usual(peer: SmtpPeer) -> Stamp:
    may_look(peer)
    await peer.begin_transaction()
    return await stamped(peer)


def _with_received(peer: SmtpPeer, fields: bytes) -> bytes:
    """Return a message on top of which trace fields stand already."""
    return fields + peer.message()


@case("trace.received.added", variants={"first": b"", "more": OLDER})
async def a_field_is_added(peer: SmtpPeer, fields: bytes) -> Judgement:
    """A server that takes a message puts a Received field on it."""
    may_look(peer)
    await peer.begin_transaction()
    message = _with_received(peer, fields)
    header = await store(peer, message)
    before, after = len(header_of(message).named(RECEIVED)), len(header.named(RECEIVED))
    got = f"{after} Received fields where there were {before}"
    return (satisfied if after > before else violated)(got, "at least one more")


@case("trace.received.prepended")
async def it_stands_on_top(peer: SmtpPeer) -> Judgement:
    """A new Received field stands above the older ones."""
    may_look(peer)
    await peer.begin_transaction()
    message = _with_received(peer, OLDER)
    header = await store(peer, message)
    sent = ours(message)
    new_above = [field for field in header.new(sent) if name_of(field) == RECEIVED]
    new = [field for field in header.named(RECEIVED) if field not in sent]
    if not new:
        return undetermined("no Received field is new: trace.received.added looks into that")
    got = f"{len(new_above)} of {len(new)} new fields above the older ones"
    return (satisfied if len(new_above) == len(new) else violated)(got, "all of them above")


@case("trace.received.old-kept", variants={"lawful": OLDER, "odd": ODD})
async def older_ones_are_kept(peer: SmtpPeer, fields: bytes) -> Judgement:
    """Received fields that a message came with stay, octet for octet and in their order, whatever they look like."""
    await peer.begin_transaction()
    message = _with_received(peer, fields)
    header = await store(peer, message)
    were = header_of(message).named(RECEIVED)
    kept = [field for field in header.named(RECEIVED) if field in were]
    got = f"{len(kept)} of {len(were)} unchanged"
    if kept != were and sorted(kept) == sorted(were):
        got += ", in another order"
    return (satisfied if kept == were else violated)(got, "unchanged, in their order")


@case("trace.received.syntax")
async def it_has_its_clauses(peer: SmtpPeer) -> Judgement:
    """A Received field says from, by, and behind a semicolon the date."""
    stamp = await _usual(peer)
    lacking = [word for word, given in (("from", stamp.origin), ("by", stamp.by), ("; date", stamp.date)) if not given]
    expected = "from, by, and ; date"
    if lacking:
        return violated(f"without {' and '.join(lacking)}: {stamp}", expected)
    return satisfied(stamp, expected) if _DATE.search(stamp.date) else violated(f"no date: {stamp}", expected)


@case("trace.received.by")
async def it_names_the_server(peer: SmtpPeer) -> Judgement:
    """A Received field names the host that took the message."""
    stamp = await _usual(peer)
    return (satisfied if _HOST.fullmatch(stamp.by) else violated)(stamp, "by, and a host")


@case("trace.received.from-ehlo")
async def it_names_the_client_as_it_did(peer: SmtpPeer) -> Judgement:
    """A Received field has the name that the client gave itself."""
    stamp = await _usual(peer)
    named = peer.hello_name.lower() in stamp.origin.lower()
    return (satisfied if named else violated)(stamp, f"from {peer.hello_name.decode()}")


@case("trace.received.from-ip")
async def it_has_the_clients_address(peer: SmtpPeer) -> Judgement:
    """A Received field has the address from which the client came."""
    _has_an_address(peer)
    stamp = await _usual(peer)
    claimed = peer.hello_name if _ADDRESS.search(peer.hello_name) else b""
    address = _address_beside(stamp, claimed)
    return (satisfied if address or _is_said_twice(stamp, claimed) else violated)(stamp, "the client's address")


def _has_an_address(peer: SmtpPeer) -> None:
    if peer.subject.endpoint.host is None:
        raise NotApplicable("who comes by a unix socket has no address")


def _address_beside(stamp: Stamp, claimed: bytes) -> bytes:
    """Return an address in the from clause that is not the one claimed; b"" if there is none."""
    claim = claimed.strip(b"[]").lower()
    found = (address for address in _ADDRESS.findall(stamp.origin) if address.lower() != claim)
    return next(found, b"")


def _is_said_twice(stamp: Stamp, claimed: bytes) -> bool:
    """Say whether what was claimed stands there as the true address too."""
    return bool(claimed) and stamp.origin.count(claimed.strip(b"[]")) > 1


@case("trace.received.false-helo", variants={"name": FALSE_NAME, "literal": FALSE_LITERAL})
async def a_false_name_hides_nothing(peer: SmtpPeer, name: bytes) -> Judgement:
    """A client that gives itself a name or address not its own is recorded with its true address beside."""
    may_look(peer)
    _has_an_address(peer)
    await peer.open()
    await peer.control((b"LHLO " if peer.subject.is_lmtp else b"EHLO ") + name)
    await peer.begin_transaction()
    stamp = await stamped(peer)
    expected = f"{name.decode()} as claimed, and the true address beside it"
    if not _address_beside(stamp, name):
        return weakened(f"no true address: {stamp}", expected)
    return (satisfied if name.lower() in stamp.origin.lower() else violated)(stamp, expected)


@case("trace.received.date")
async def it_says_when(peer: SmtpPeer) -> Judgement:
    """A Received field has the date, its year with four digits."""
    stamp = await _usual(peer)
    found = _DATE.search(stamp.date)
    if found is None or len(found[1]) < 4:
        return violated(stamp, "a date with a year of four digits")
    moment = moment_of(found[0])
    if moment is None or moment.wrong:
        return violated(f"{moment.wrong if moment else 'no date'}: {stamp}", "a date, and its day of the week")
    skew_s = moment.epoch_s - time.time()
    skew = "" if abs(skew_s) <= SKEW_S else f"; {skew_s:+.0f} s from our clock"
    return satisfied(f"{found[0].decode()}{skew}")


@case("trace.received.offset")
async def its_zone_is_a_number(peer: SmtpPeer) -> Judgement:
    """The date's zone is an offset in hours and minutes."""
    stamp = await _usual(peer)
    found = _DATE.search(stamp.date)
    if found is None:
        raise Undetermined("there is no date: trace.received.date looks into that")
    return (satisfied if found[2][:1] in b"+-" else violated)(stamp, "an offset: +hhmm")


@case("trace.received.with", variants={"ehlo": b"ESMTP", "helo": b"SMTP"})
async def it_names_the_protocol(peer: SmtpPeer, protocol: bytes) -> Judgement:
    """A Received field says with which protocol the message came: ESMTP after EHLO, SMTP after HELO."""
    may_look(peer)
    if protocol == b"SMTP":
        if peer.subject.is_lmtp:
            raise NotApplicable("HELO is none of LMTP's commands")
        if peer.subject.declared.session.tls == "starttls" or peer.subject.declared.session.login:
            raise NotApplicable("who says HELO can have neither TLS nor a login")
        await peer.greet()
        await peer.control(b"HELO " + peer.hello_name)
    await peer.begin_transaction()
    stamp = await stamped(peer)
    if protocol == b"SMTP":
        return _with(stamp, protocol)
    return _with(stamp, _registered(peer, b"E", login=peer.subject.declared.session.login))


def _registered(peer: SmtpPeer, prefix: bytes, *, login: bool) -> bytes:
    """Return the registered word for how mail came in a session as it is (RFC 3848, RFC 6531 §4.3)."""
    base = b"LMTP" if peer.subject.is_lmtp else b"SMTP"
    prefix = b"" if peer.subject.is_lmtp and prefix == b"E" else prefix
    return prefix + base + (b"S" if peer.in_tls else b"") + (b"A" if login else b"")


def _with(stamp: Stamp, word: bytes) -> Judgement:
    return (satisfied if stamp.clause(b"with").upper() == word else violated)(stamp, f"with {word.decode()}")


@case("trace.received.with-tls-auth", variants={"tls": (True, False), "login": (False, True), "both": (True, True)})
async def it_tells_tls_and_login(peer: SmtpPeer, wanted: tuple[bool, bool]) -> Judgement:
    """A Received field says whether the message came in TLS and from somebody who had logged in."""
    may_look(peer)
    await peer.hello()
    tls, login = wanted
    if tls and not peer.in_tls:
        await peer.start_tls()
    if not tls and peer.in_tls:
        raise NotApplicable("the whole session is in TLS")
    if login:
        if not peer.extensions.auth:
            raise NotApplicable("no login is offered here")
        await peer.log_in()
    await peer.begin_transaction()
    return _with(await stamped(peer), _registered(peer, b"E", login=login))


@case("trace.received.with-utf8")
async def it_tells_smtputf8(peer: SmtpPeer) -> Judgement:
    """A Received field says whether the message came with SMTPUTF8."""
    may_look(peer)
    await peer.open()
    peer.require("SMTPUTF8")
    await peer.mail(b"SMTPUTF8")
    await peer.rcpt()
    return _with(await stamped(peer), _registered(peer, b"UTF8", login=peer.subject.declared.session.login))


@case("trace.received.tls-clause")
async def it_tells_how_it_was_secured(peer: SmtpPeer) -> Judgement:
    """What was submitted in TLS has TLS's version or cipher suite in its Received field."""
    may_look(peer)
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()
    if not peer.extensions.auth:
        raise NotApplicable("no login is offered here")
    await peer.log_in()
    await peer.begin_transaction()
    stamp = await stamped(peer)
    told = re.search(rb"(?i)TLS|cipher|AES|CHACHA", stamp.octets.replace(peer.token.encode(), b""))
    return (satisfied if told else violated)(stamp, "version or cipher suite")
