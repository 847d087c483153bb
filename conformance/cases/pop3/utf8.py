"""UTF-8 in POP3: user names, and mail whose header is in UTF-8 (RFC 6856 §2)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from conformance.case import case
from conformance.cases.pop3.offers import required
from conformance.cases.pop3.refusals import judge_refusal
from conformance.cases.pop3.sasl_exchange import log_in_once
from conformance.cases.pop3.stls import needs_stls
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    diverged,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.maildrops import Maildrop
from conformance.pop3_answer import NEEDS_UTF8, Pop3Answer
from conformance.pop3_peer import Pop3Peer
from conformance.samples import Sample

_FIELD: Final = "X-Mailproof-Words: Grüße von Δοκιμή, 試験\r\n".encode()
INTERNATIONAL: Final = Sample("international", "Grüße.\r\n".encode(), header=_FIELD, eight_bit=True, utf8=True)
# What RFC 3629 §3 and §4 leave out.
NO_UTF8: Final[Mapping[str, bytes]] = MappingProxyType({
    "stray": b"mail\xffproof", "cut": b"mailproof\xc3", "overlong": b"mail\xc0\xafproof",
    "surrogate": b"mail\xed\xa0\x80proof",
})
_GIVES: Final = {"retr": b"RETR %d", "top": b"TOP %d 0"}


async def _say_utf8(peer: Pop3Peer) -> None:
    """Come to where one may log in, with UTF8 said. NotApplicable if it is refused (RFC 6856 §2.1 permits it)."""
    await peer.prelude()
    answer = await peer.ask(b"UTF8")
    if answer.err and not answer.not_now:
        raise NotApplicable(f"{answer} to UTF8")
    Pop3Peer.must(answer, to=b"UTF8")


@case("pop3.utf8.capa", variants={"before-login": False, "after-login": True})
async def utf8_has_one_argument_at_most(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """The tag UTF8 stands alone, or with USER."""
    if logged_in:
        await peer.log_in()
    else:
        await peer.prelude()
    words = " ".join(await required(peer, "UTF8"))
    return (satisfied if words.upper() in {"", "USER"} else violated)(f"UTF8 {words}".strip(), "UTF8, or UTF8 USER")


@case("pop3.utf8.ok")
async def what_utf8_is_answered(peer: Pop3Peer) -> Judgement:
    """What UTF8 is answered is recorded."""
    await peer.prelude()
    return observed(await peer.ask(b"UTF8"))


@case("pop3.utf8.no-params", variants={"word": b"UTF8 mailproof", "user": b"UTF8 USER"})
async def utf8_takes_no_argument(peer: Pop3Peer, command: bytes) -> Judgement:
    """UTF8 with an argument is refused."""
    await _say_utf8(peer.another())
    return await judge_refusal(peer, command)


@case("pop3.utf8.only-authorization")
async def utf8_comes_before_the_login(peer: Pop3Peer) -> Judgement:
    """UTF8 is refused once somebody has logged in."""
    await peer.log_in()
    await peer.control(b"NOOP")
    return (await peer.ask(b"UTF8")).expect("-ERR", to="UTF8 after the login")


async def _international(peer: Pop3Peer) -> Maildrop:
    """Return a declared maildrop whose login is beyond ASCII; no other case has it."""
    every = peer.subject.maildrops.every
    if all(one.place.login.isascii() for one in every):
        raise NotApplicable("needs an account whose name is beyond ASCII (accounts.pop3)")
    return next(one for one in await peer.maildrops(len(every)) if not one.place.login.isascii())


@case("pop3.utf8.user", variants={"after-utf8": True, "without-utf8": False})
async def names_may_be_in_utf8(peer: Pop3Peer, said: bool) -> Judgement:
    """Where UTF8 has the argument USER, a user name in UTF-8 lets in, whether UTF8 was said or not."""
    place = (await _international(peer)).place
    await peer.prelude()
    if "USER" not in (word.upper() for word in await required(peer, "UTF8")):
        raise NotApplicable("UTF8 without USER: names are in ASCII here")
    if said:
        Pop3Peer.must(await peer.ask(b"UTF8"), to=b"UTF8")
    name = await peer.ask(b"USER " + place.login.encode())
    if not name.ok:
        return name.expect("+OK", to="USER with a name in UTF-8")
    return (await peer.ask(b"PASS " + place.password.encode())).expect("+OK", to="PASS of a name in UTF-8")


def _judge_odd_octets(answer: Pop3Answer, to: str) -> Judgement:
    return violated(f"{answer} to {to}", "-ERR") if answer.closed else answer.expect("-ERR", to=to)


@case("pop3.utf8.user-invalid", variants={f"user-{name}": octets for name, octets in NO_UTF8.items()})
async def a_name_is_utf8_or_none(peer: Pop3Peer, name: bytes) -> Judgement:
    """A user name that is no UTF-8 is refused, at USER or at PASS."""
    await _say_utf8(peer)
    to = f"USER {name!r}".replace("b'", "'")
    answer = await peer.ask(b"USER " + name)
    if not answer.ok:
        return _judge_odd_octets(answer, to)
    after = await peer.ask(b"PASS mailproof")
    if after.err and not after.not_now:
        return declined(f"{answer} to {to}, {after} to PASS", f"-ERR to {to}")
    return _judge_odd_octets(after, f"PASS after {to}")


@case("pop3.utf8.user-invalid", variants={f"pass-{name}": octets for name, octets in NO_UTF8.items()})
async def a_password_is_utf8_or_none(peer: Pop3Peer, octets: bytes) -> Judgement:
    """The right password with octets in it that are no UTF-8 lets nobody in."""
    await log_in_once(peer)
    login, password = await peer.login()
    await _say_utf8(peer)
    Pop3Peer.must(await peer.ask(b"USER " + login.encode()), to=b"USER")
    noise = octets.replace(b"mail", b"").replace(b"proof", b"")
    return _judge_odd_octets(await peer.ask(b"PASS " + password.encode() + noise), "the right password, spoilt")


# Mail.


async def _header_without_utf8(peer: Pop3Peer, command: bytes) -> Pop3Answer:
    """Ask for the message in UTF-8 in a session without UTF8."""
    await peer.open(INTERNATIONAL)
    return await peer.ask(command % peer.number_of(INTERNATIONAL))


def _header(answer: Pop3Answer) -> bytes:
    return answer.body.partition(b"\r\n\r\n")[0]


@case("pop3.utf8.no-raw-without", variants=_GIVES)
async def utf8_is_for_who_asked(peer: Pop3Peer, command: bytes) -> Judgement:
    """Without UTF8 a header in UTF-8 is not given as it is: the message is refused, or rewritten."""
    answer = await _header_without_utf8(peer, command)
    to = f"{command.decode().partition(' ')[0]} of a message in UTF-8"
    if answer.err:
        not_for_that = answer.not_now and answer.code != NEEDS_UTF8
        return undetermined(answer) if not_for_that else satisfied(f"{answer} to {to}")
    if not answer.ok:
        return answer.expect("+OK", "-ERR", to=to)
    if _header(answer).isascii():
        return satisfied(f"{answer} to {to}, in ASCII")
    got = f"{answer} to {to}, in UTF-8"
    if "UTF8" not in peer.subject.found.keywords:        # RFC 6856 binds those who implement it
        return declined(f"{got}; UTF8 is not offered", "-ERR, or a header in ASCII")
    return diverged(got, "-ERR, or a header in ASCII")


@case("pop3.utf8.err-code")
async def what_needs_utf8_is_called_so(peer: Pop3Peer) -> Judgement:
    """A message that is refused for want of UTF8 is refused with [UTF8]."""
    answer = await _header_without_utf8(peer, b"RETR %d")
    if answer.ok:
        raise NotApplicable("mail in UTF-8 is not refused")
    if answer.code == NEEDS_UTF8:
        return satisfied(answer)
    return undetermined(answer) if not answer.err or answer.not_now else violated(answer, "-ERR [UTF8]")


@case("pop3.utf8.native", variants=_GIVES)
async def utf8_is_given_as_it_is(peer: Pop3Peer, command: bytes) -> Judgement:
    """After UTF8 a header in UTF-8 is given as it was sent."""
    await peer.prepare(INTERNATIONAL)
    await _say_utf8(peer)
    await peer.log_in()
    answer = await peer.ask(command % peer.number_of(INTERNATIONAL))
    if answer.code == NEEDS_UTF8:
        return violated(f"{answer}, after UTF8", "as it was sent")
    if not answer.ok:
        return answer.expect("+OK", to="a message in UTF-8, after UTF8")
    whole = _FIELD in answer.body and (b"TOP" in command or INTERNATIONAL.body in answer.body)
    return satisfied(answer) if whole else violated(f"{answer}, and not as it was sent", "as it was sent")


@case("pop3.utf8.list-size")
async def a_surrogate_has_its_own_size(peer: Pop3Peer) -> Judgement:
    """LIST gives the size of a message in UTF-8 as RETR gives it in the same session."""
    answer = await _header_without_utf8(peer, b"RETR %d")
    if not answer.ok:
        raise NotApplicable(f"{answer} to RETR: there is no surrogate")
    if not _header(answer).isascii():
        raise NotApplicable("mail in UTF-8 is given as it is")
    listed = (await peer.sizes()).get(peer.number_of(INTERNATIONAL))
    if listed is None:
        raise Undetermined("LIST does not list the message")
    got = f"{listed} octets by LIST, {len(answer.body)} by RETR"
    return satisfied(got) if listed == len(answer.body) else violated(got, "the same")


@case("pop3.utf8.stls-after")
async def tls_after_utf8(peer: Pop3Peer) -> Judgement:
    """What STLS is answered after UTF8 is recorded."""
    needs_stls(peer)
    await peer.greet()
    first = await peer.ask(b"UTF8")
    return observed(f"{first} to UTF8, {await peer.ask(b'STLS')} to STLS")
