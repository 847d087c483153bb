"""Faults in EHLO and HELO (RFC 5321 §4.1.1.1)."""

import re
from collections.abc import Callable
from typing import Final

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.fault_kinds import answers, before_hello, holds, keeps_envelope
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import ehlo
from conformance.refserver.smtp_state import SmtpState

Outgoing = Callable[[SmtpState, bytes, bytes], bytes]


def _in_ehlo(pattern: bytes, by: bytes, verb: bytes = b"EHLO") -> Outgoing:
    """Return the function that changes what EHLO is answered."""
    found = re.compile(pattern)
    return lambda session, said, octets: found.sub(by, octets, count=1) if said == verb else octets


def _said_before(session: SmtpState, argument: bytes) -> bool:
    return not before_hello(session, argument)


def _drops_on_refusal(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Forget the transaction when EHLO is refused."""
    reply = go_on()
    if verb == b"EHLO" and reply is replies.BAD_HELLO_NAME:
        session.forget_transaction()
    return reply


def _needs_no_name(verb: bytes) -> Callable[[SmtpState, bytes, bytes, GoOn], Reply | None]:
    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return ehlo(session, b"nobody.example") if said == verb and not argument else go_on()

    return around


def _takes_any_name(pattern: bytes) -> Callable[[SmtpState, bytes, bytes, GoOn], Reply | None]:
    found = re.compile(pattern)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return ehlo(session, b"odd.example") if said == b"EHLO" and found.search(argument) else go_on()

    return around


def _puts_the_name_into_the_header(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"EHLO" and re.search(rb'["(]', argument):
        session.memory["name"] = argument
        return ehlo(session, b"odd.example")
    return go_on()


def _adds_a_field(session: SmtpState, content: bytes) -> bytes:
    return b"X-Injected: yes\r\n" + content if "name" in session.memory else content


def _hides(keyword: bytes) -> Outgoing:
    return _in_ehlo(rb"250-" + keyword + rb"[^\r]*\r\n", b"")


def _knows_the_client(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    """Refuse recipients to whoever calls himself something else."""
    if verb == b"RCPT" and session.client.helo.endswith(".other.example"):
        return replies.NO_RELAYING
    return go_on()


def _hello_first_in_clear(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"MAIL" and not session.client.extended:
        return replies.OUT_OF_ORDER
    return go_on()


def _etrn_works(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    return replies.DONE if verb == b"ETRN" else go_on()


def _starttls_in_secret(session: SmtpState, verb: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
    if verb == b"STARTTLS":
        session.after = After.START_TLS
        return replies.READY_FOR_TLS
    return go_on()


_LISTED: Final = {"starttls": b"STARTTLS", "expn": b"EXPN", "help": b"HELP", "chunking": b"BDAT", "auth": b"AUTH"}

FAULTS: Final = (
    Fault("ehlo-unknown", "EHLO is not known", around=answers(b"EHLO", 502)),
    Fault("ehlo-names-nobody", "EHLO's reply begins with a keyword", outgoing=_in_ehlo(
        rb"\A250-[^\r]*", b"250-PIPELINING",
    )),
    Fault("ehlo-odd-keyword", "a keyword has an odd character", outgoing=_in_ehlo(rb"250-DSN", b"250-@DSN")),
    Fault("ehlo-unregistered", "a keyword is listed that nobody has registered", outgoing=_in_ehlo(
        rb"250-DSN", b"250-TURBO\r\n250-X-TURBO\r\n250-DSN",
    )),
    Fault("ehlo-8bit-parameter", "a parameter is no ASCII", outgoing=_in_ehlo(rb"250-SIZE [0-9]+", b"250-SIZE \xb2")),
    Fault("ehlo-lists-twice", "SIZE is listed with two values", outgoing=_in_ehlo(
        rb"250-SIZE ", b"250-SIZE 1\r\n250-SIZE ",
    )),
    Fault("ehlo-hides-auth", "AUTH is not listed, and works", outgoing=_hides(b"AUTH")),
    Fault("ehlo-hides-starttls", "STARTTLS is not listed, and works", outgoing=_hides(b"STARTTLS"),
          around=_starttls_in_secret),
    Fault("ehlo-hides-chunking", "CHUNKING is not listed, and works", outgoing=_hides(b"CHUNKING"),
          around=lambda session, verb, argument, go_on: replies.DONE if verb == b"BDAT" else go_on()),
    Fault("ehlo-hides-etrn", "ETRN is not listed, and works", around=_etrn_works),
    Fault("ehlo-hides-expn", "EXPN is not listed, and expands", outgoing=_hides(b"EXPN"), around=answers(b"EXPN", 250)),
    *(Fault(f"lists-{name}-in-vain", f"{name} is listed, and not known", around=answers(verb, 500))
      for name, verb in _LISTED.items()),
    Fault("lists-vrfy-in-vain", "VRFY is listed, and not known", around=answers(b"VRFY", 502), outgoing=_in_ehlo(
        rb"250-DSN", b"250-VRFY\r\n250-DSN",
    )),
    Fault("lists-etrn-in-vain", "ETRN is listed, and not known", outgoing=_in_ehlo(
        rb"250-DSN", b"250-ETRN\r\n250-DSN",
    )),
    Fault("ehlo-only-once", "a second EHLO is out of order", around=answers(b"EHLO", 503, _said_before)),
    Fault("ehlo-keeps-envelope", "EHLO leaves a transaction alone", around=keeps_envelope(b"EHLO")),
    Fault("ehlo-drops-on-refusal", "a refused EHLO clears the transaction", around=_drops_on_refusal),
    Fault("ehlo-refused-with-554", "EHLO without a name is answered 554", around=answers(
        b"EHLO", 554, lambda session, argument: not argument,
    )),
    Fault("ehlo-no-v4", "an IPv4 literal is a syntax error", around=answers(b"EHLO", 501, holds(rb"\[192"))),
    Fault("ehlo-no-v6", "an IPv6 literal is a syntax error", around=answers(b"EHLO", 501, holds(rb"\[IPv6"))),
    Fault("ehlo-knows-us", "mail is refused under another's name", around=_knows_the_client),
    Fault("ehlo-underscore", "a domain may have an underscore", around=_takes_any_name(rb"_")),
    Fault("ehlo-controls", "a name may have control octets", around=_takes_any_name(rb"[\x00-\x1f\x7f]")),
    Fault("ehlo-injects", "the name adds a field to the header", around=_puts_the_name_into_the_header,
          content=_adds_a_field, incoming=lambda session, octets: octets.replace(b"\rX-Injected: yes", b'"')),
    Fault("ehlo-short-names", "a name of 255 octets is too long", around=answers(b"EHLO", 501, holds(rb"a{60}"))),
    Fault("helo-unknown", "HELO is not known", around=answers(b"HELO", 500)),
    Fault("helo-lists", "HELO lists extensions", outgoing=_in_ehlo(
        rb"\A250 ([^\r]*)\r\n", b"250-\\1\r\n250 SIZE 1000\r\n", b"HELO",
    )),
    Fault("helo-keeps-envelope", "HELO leaves a transaction alone", around=keeps_envelope(b"HELO")),
    Fault("helo-without-name", "HELO needs no name", around=_needs_no_name(b"HELO")),
    Fault("helo-not-for-mail", "MAIL is refused after HELO", around=_hello_first_in_clear),
)  # fmt: skip
