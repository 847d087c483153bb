"""SIZE: what is offered, and what MAIL declares (RFC 1870)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.peer import SmtpPeer

SMALL: Final = 1000
BILLION: Final = 1_000_000_000
FLOOR_OCTETS: Final = 65_536                      # RFC 5321 §4.5.3.1.7
TOO_BIG_NOW: Final = "452"                        # for want of space, not because of the limit
_SIZE_VALUE: Final = re.compile(r"[0-9]{1,20}")   # size-value ::= 1*20DIGIT (RFC 1870 §4)


def mail_with(peer: SmtpPeer, *parameters: bytes) -> bytes:
    """Return MAIL with these parameters."""
    return b" ".join([b"MAIL FROM:<" + peer.sender + b">", *parameters])


async def open_with_size(peer: SmtpPeer) -> int:
    """Come to where MAIL may be said, and return the limit that is offered; 0: none is named."""
    await peer.open()
    peer.require("SIZE")
    return peer.extensions.size or 0


async def declare_small(peer: SmtpPeer) -> None:
    """See, for a control, that a declared size is taken at all."""
    await peer.control(mail_with(peer, b"SIZE=%d" % SMALL))
    await peer.control(b"RSET")


async def declare(peer: SmtpPeer, size: int) -> Answer:
    """Declare a size; return the answer that tells whether it is taken: to MAIL, or to RCPT if MAIL was taken."""
    answer = await peer.ask(mail_with(peer, b"SIZE=%d" % size))
    return await peer.ask(b"RCPT TO:<" + peer.recipient + b">") if answer.yes else answer


async def open_where_size_counts(peer: SmtpPeer) -> int:
    """Come to where a size one above the limit was refused at once, and return the limit."""
    limit = await open_with_size(peer)
    if not limit:
        raise NotApplicable("no limit is offered")
    await declare_small(peer)
    refused = await declare(peer, limit + 1)
    if not (refused.no or refused.matches(TOO_BIG_NOW)):
        raise Undetermined(f"{refused} to SIZE={limit + 1}, one above the limit: what is declared is not looked at")
    await peer.control(b"RSET")
    return limit


@case("smtp.size.ehlo-param")
async def the_limit_is_one_number(peer: SmtpPeer) -> Judgement:
    """EHLO offers SIZE alone, or with one decimal number of at most 20 digits."""
    await peer.open()
    peer.require("SIZE")
    given = peer.extensions.keywords["SIZE"]
    lawful = not given or (len(given) == 1 and _SIZE_VALUE.fullmatch(given[0]))
    return (satisfied if lawful else violated)(f"SIZE {' '.join(given)}".rstrip(), "SIZE, or SIZE and one number")


@case("smtp.size.advertised-64k")
async def the_limit_is_at_least_64_kib(peer: SmtpPeer) -> Judgement:
    """A server takes messages of 64 KiB at least."""
    set_low = peer.subject.declared.claims.message_octets_max
    if set_low is not None and set_low < FLOOR_OCTETS:
        raise NotApplicable(f"a low limit was declared, set for this: {set_low}")
    limit = await open_with_size(peer)
    expected = f"at least {FLOOR_OCTETS}, or no limit"
    return (satisfied if not limit or limit >= FLOOR_OCTETS else violated)(f"SIZE {limit}", expected)


@case("smtp.size.zero-means-none")
async def no_limit_is_no_limit_of_nothing(peer: SmtpPeer) -> Judgement:
    """SIZE with 0 or without a number names no limit: sizes are not refused as above it."""
    limit = await open_with_size(peer)
    if limit:
        raise NotApplicable(f"a limit is offered: {limit}")
    much = await declare(peer, BILLION)
    if not much.matches("552"):
        return much.expect("2yz", "5yz", to=f"SIZE={BILLION}")
    await peer.control(b"RSET")
    little = await declare(peer, SMALL)
    got = f"{much} to SIZE={BILLION}, {little} to SIZE={SMALL}"
    if little.matches("552"):
        return violated(got, "no limit")
    return declined(got, "no limit") if little.yes else undetermined(got, "no limit")


@case("smtp.size.declared-ok", variants={"plain": b"SIZE=1000", "with-others": b"SIZE=1000 BODY=8BITMIME"})
async def a_small_size_is_taken(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """MAIL may declare the message's size."""
    await open_with_size(peer)
    if b"8BITMIME" in parameters:
        peer.require("8BITMIME")
    await peer.mail()
    await peer.control(b"RSET")
    return (await peer.ask(mail_with(peer, parameters))).expect("2yz", to=f"MAIL {parameters.decode()}")


@case("smtp.size.declared-equal")
async def the_limit_itself_is_taken(peer: SmtpPeer) -> Judgement:
    """A declared size equal to the limit is not above it."""
    limit = await open_with_size(peer)
    if not limit:
        raise NotApplicable("no limit is offered")
    await declare_small(peer)
    return (await declare(peer, limit)).expect("2yz", TOO_BIG_NOW, to=f"SIZE={limit}, the limit")


@case("smtp.size.declared-over")
async def above_the_limit_is_refused_at_once(peer: SmtpPeer) -> Judgement:
    """A declared size above the limit is refused before the message is sent."""
    limit = await open_with_size(peer)
    if not limit:
        raise NotApplicable("no limit is offered")
    await declare_small(peer)
    answer = await declare(peer, limit + 1)
    return answer.expect("5yz", TOO_BIG_NOW, lawful=("2yz",), to=f"SIZE={limit + 1}, one above the limit")


@case("smtp.size.declared-over-code")
async def above_the_limit_is_552(peer: SmtpPeer) -> Judgement:
    """The refusal of a size above the limit has the code 552, or 452 for want of space."""
    limit = await open_with_size(peer)
    if not limit:
        raise NotApplicable("no limit is offered")
    await declare_small(peer)
    answer = await declare(peer, limit + 1)
    if answer.yes:
        raise NotApplicable(f"{answer}: refused later, if at all")
    return answer.expect("552", TOO_BIG_NOW, to=f"SIZE={limit + 1}, one above the limit")


@case("smtp.size.zero-declared")
async def nothing_may_be_declared(peer: SmtpPeer) -> Judgement:
    """SIZE=0 is a size like others."""
    await open_with_size(peer)
    await declare_small(peer)
    return (await declare(peer, 0)).expect("2yz", to="SIZE=0")


@case("smtp.size.twenty-digits")
async def twenty_digits_are_much(peer: SmtpPeer) -> Judgement:
    """The largest number that may be written is above the limit, and no small one."""
    await open_where_size_counts(peer)
    return refused_as_much(await declare(peer, 10**20 - 1), "SIZE=99999999999999999999")


OVERFLOWS: Final = {
    "2-31": 2**31 + 1, "2-32": 2**32 + 1, "2-32-limit": 2**32 + SMALL, "2-63": 2**63 + 1, "2-64": 2**64 + 1,
}  # fmt: skip


@case("smtp.size.overflow", variants=OVERFLOWS)
async def sizes_do_not_wrap_around(peer: SmtpPeer, size: int) -> Judgement:
    """A size that no register holds is still above the limit."""
    limit = await open_where_size_counts(peer)
    if size <= limit:
        raise NotApplicable(f"{size} is within the limit of {limit}")
    return refused_as_much(await declare(peer, size), f"SIZE={size}")


def refused_as_much(answer: Answer, asked: str) -> Judgement:
    """Judge the answer to a size far above the limit."""
    if answer.closed:
        return violated(f"{answer} after {asked}", "552")
    return answer.expect("5yz", TOO_BIG_NOW, to=asked)


@case("smtp.size.twenty-one-digits")
async def twenty_one_digits_are_no_number(peer: SmtpPeer) -> Judgement:
    """A size has at most 20 digits."""
    await open_with_size(peer)
    await declare_small(peer)
    return refused_as_much(await declare(peer, 10**20), "SIZE with 21 digits")


MALFORMED: Final = {
    "empty": b"SIZE=",
    "no-value": b"SIZE",
    "letters": b"SIZE=abc",
    "negative": b"SIZE=-1",
    "plus": b"SIZE=+1",
    "unit": b"SIZE=1k",
    "hex": b"SIZE=0x10",
    "fraction": b"SIZE=1.5",
    "underscore": b"SIZE=1_000",
    "digits-then-letters": b"SIZE=1000abc",
}


@case("smtp.size.non-digit", variants=MALFORMED)
async def a_size_is_digits(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A size is written in decimal digits alone."""
    await open_with_size(peer)
    await declare_small(peer)
    return (await peer.ask(mail_with(peer, parameter))).expect("5yz", to=f"MAIL with {parameter.decode()}")


@case("smtp.size.duplicate", variants={"alike": b"SIZE=1000 SIZE=1000", "unlike": b"SIZE=1 SIZE=1000"})
async def a_size_is_said_once(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """MAIL declares one size: a server that takes two does not say which of them counts."""
    await open_with_size(peer)
    await declare_small(peer)
    return (await peer.ask(mail_with(peer, parameters))).expect("5yz", to=f"MAIL with {parameters.decode()}")


@case("smtp.size.case", variants={"lower": b"size=1000", "mixed": b"SiZe=1000"})
async def the_keyword_has_no_case(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """The keyword of a parameter may be written in any case."""
    await open_with_size(peer)
    await declare_small(peer)
    return (await peer.ask(mail_with(peer, parameter))).expect("2yz", to=f"MAIL with {parameter.decode()}")


@case("smtp.size.command-length")
async def the_longest_mail_command_is_taken(peer: SmtpPeer) -> Judgement:
    """A long reverse-path and a size of 20 digits are one command still: SIZE adds 26 octets to what MAIL may have."""
    await open_with_size(peer)
    domain = peer.sender.rpartition(b"@")[2]
    if not domain:
        raise NotApplicable("needs a reverse-path with a domain (addresses.sender)")
    long = b"MAIL FROM:<" + (peer.token.encode() + b"-" + b"x" * 64)[:64] + b"@" + domain + b">"
    await peer.control(long)
    await peer.control(b"RSET")
    return (await peer.ask(long + b" SIZE=%020d" % SMALL)).expect("2yz", to="a long MAIL with a size of 20 digits")


@case("smtp.size.per-recipient")
async def what_a_full_maildrop_does_to_a_size(peer: SmtpPeer) -> Judgement:
    """Whether a size for which a recipient has no room is refused at RCPT is recorded."""
    full = peer.subject.declared.addresses.over_quota
    if not full:
        raise NotApplicable("needs an address whose maildrop is full (addresses.over_quota)")
    await open_with_size(peer)
    await peer.mail(b"SIZE=%d" % SMALL)
    return observed(f"{await peer.ask(b'RCPT TO:<' + full[0].encode() + b'>')} to RCPT with a full maildrop")
