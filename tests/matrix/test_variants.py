"""The other proof: whatever a server lawfully does otherwise, no case holds it against it.

`make test` puts to each lawful server a share of the cases, to the next server the next share; `make matrix` puts all
of them to each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest
from msgspec import structs
from trio.testing import MockClock

from conformance.case import CASES
from conformance.declared import Declared
from conformance.judgement import CaseVerdict
from conformance.over_lmtp import is_put_to, with_twins
from conformance.refserver.behaviour import (
    CRAM_MD5,
    LOGIN,
    PLAIN,
    RARE,
    SCRAM_SHA_256,
    Behaviour,
    Capability,
    Extension,
    Limits,
    VrfyPolicy,
)
from conformance.refserver.choices import CHOICES
from conformance.refserver.fault import Fault
from conformance.refserver.pop3_points import LAWFUL as LAWFUL_POINTS
from loadgen.endpoint import Protocol
from tests.matrix.laboratory import DECLARED, LIMITS, judge
from tests.matrix.piece import ASKED_FOR, CAP_S, piece_of
from tests.matrix.wire import USUAL, Wire
from tests.session.theatre import Tls

ACCUSING: Final = {CaseVerdict.FAIL, CaseVerdict.DIVERGENCE, CaseVerdict.WEAK, CaseVerdict.ERROR}
ALL: Final = frozenset(Extension) - RARE
USUALLY: Final = Behaviour()


@dataclass(frozen=True)
class Lawful:
    """One way for a server to be lawful, and what its operator would declare."""

    behaviour: Behaviour = USUALLY
    limits: Limits = LIMITS
    declared: Declared = DECLARED
    wire: Wire = USUAL
    weak: tuple[str, ...] = ()           # what hardening may say of it; no RFC forbids that
    protocols: tuple[Protocol, ...] = ("smtp", "lmtp")
    implicit_tls: bool = False


def chosen(*names: str, without: frozenset[Extension] = frozenset(), **others: object) -> Behaviour:
    """Return the behaviour of a server that made some choices."""
    return replace(
        Behaviour(), faults=tuple(CHOICES[name] for name in names), extensions=ALL - without, **others  # type: ignore[arg-type]
    )


def for_pop3(
    behaviour: Behaviour = USUALLY, *, limits: Limits = LIMITS, declared: Declared = DECLARED, wire: Wire = USUAL,
    implicit_tls: bool = False,
) -> Lawful:  # fmt: skip
    """Return a way for a POP3 server to be lawful."""
    return Lawful(behaviour, limits, declared, wire, protocols=("pop3",), implicit_tls=implicit_tls)


def declaring(**sections: dict[str, object]) -> Declared:
    """Return what is declared, some of it otherwise."""
    changed = {name: structs.replace(getattr(DECLARED, name), **values) for name, values in sections.items()}
    return structs.replace(DECLARED, **changed)


def _where_optional(extension: Extension) -> tuple[Protocol, ...]:
    """Return which servers may do without an extension: LMTP's must have two (RFC 2033 §5)."""
    needed = {Extension.PIPELINING, Extension.ENHANCED_STATUS_CODES}
    return ("smtp",) if extension in needed else ("smtp", "lmtp")


def _whose(choice: Fault) -> tuple[Protocol, ...]:
    """Return for which servers a choice is made."""
    return ("smtp", "lmtp") if choice.pop3 is LAWFUL_POINTS else ("pop3",)


HTTP_HEARD: Final = ("hard.http-cross-protocol#get", "hard.http-cross-protocol#post")
SESSION_TLS: Final = declaring(session={"tls": "starttls"})
SESSION_LOGIN: Final = declaring(session={"login": True})
DEFERS: Final = declaring(claims={"defers_recipient_checks": True})
ENHANCED: Final = frozenset({Extension.ENHANCED_STATUS_CODES})
CHUNKING: Final = frozenset({Extension.CHUNKING})
EIGHT_BIT: Final = Extension.EIGHT_BIT_MIME
ALL_PROTOCOLS: Final[tuple[Protocol, ...]] = ("smtp", "lmtp", "pop3")
HELP: Final = frozenset({Extension.HELP})

LAWFUL: Final[Mapping[str, Lawful]] = {
    "usual": Lawful(protocols=ALL_PROTOCOLS),
    **{name: Lawful(chosen(name), protocols=_whose(choice)) for name, choice in CHOICES.items()},
    **{
        f"no {one.value}": Lawful(chosen(without=frozenset({one})), protocols=_where_optional(one))
        for one in Extension if one in ALL - {EIGHT_BIT}
    },
    # RFC 6531 §3.1 needs it, and BODY= is its parameter.
    "no 8BITMIME": Lawful(chosen(without=frozenset({EIGHT_BIT, Extension.SMTPUTF8, Extension.BINARYMIME}))),
    "no extensions": Lawful(
        chosen(without=ALL), Limits(message_octets=100_000, smtp_line_octets=512), protocols=("smtp",)
    ),
    "no words, no status codes": Lawful(chosen("no-words", without=ENHANCED), protocols=("smtp",)),
    "a space for words": Lawful(chosen("no-words-but-a-space", without=ENHANCED), protocols=("smtp",)),
    "empty lines": Lawful(chosen("empty-line-first", without=ENHANCED), protocols=("smtp",)),
    "pop3-names-first": replace(
        for_pop3(chosen("pop3-names-first")), weak=("pop3.user.enum#user", "pop3.user.enum#pass")
    ),
    "vrfy-502": Lawful(chosen("vrfy-502"), declared=declaring(claims={"vrfy_disabled": False})),
    "VRFY tells": Lawful(
        Behaviour(vrfy=VrfyPolicy.TELL), declared=declaring(claims={"vrfy_disabled": False}),
        weak=("smtp.vrfy.enumeration", "smtp.vrfy.enumeration#lmtp"),
    ),
    "more extensions": Lawful(Behaviour(extensions=ALL | RARE)),
    "HELP 502": Lawful(chosen(without=HELP)),
    "refuses-at-data": Lawful(chosen("refuses-at-data", without=CHUNKING), protocols=("smtp",)),
    "refuses-at-data, declared": Lawful(
        chosen("refuses-at-data", without=CHUNKING), declared=DEFERS, protocols=("smtp",)
    ),
    "refuses-at-the-end": Lawful(chosen("refuses-at-the-end"), protocols=("smtp",)),
    "refuses-at-the-end, declared": Lawful(chosen("refuses-at-the-end"), declared=DEFERS, protocols=("smtp",)),
    "needs-tls": Lawful(chosen("needs-tls"), weak=HTTP_HEARD),       # 530 to GET, and no close: RFC 3207 §4
    "needs-tls, declared": Lawful(chosen("needs-tls"), declared=SESSION_TLS, weak=HTTP_HEARD),
    "needs-login, declared": Lawful(chosen("needs-login"), declared=SESSION_LOGIN),
    "needs-login, early talk": Lawful(chosen("needs-login", "synchronizes"), declared=SESSION_LOGIN),
    "only PLAIN": Lawful(Behaviour(smtp_mechanisms=(PLAIN,))),
    "only LOGIN": Lawful(Behaviour(smtp_mechanisms=(LOGIN,))),
    "only CRAM-MD5": Lawful(Behaviour(smtp_mechanisms=(CRAM_MD5,))),
    "passwords in TLS only": Lawful(Behaviour(clear_text_passwords=False)),
    "AUTH in TLS only": Lawful(Behaviour(clear_text_passwords=False, smtp_mechanisms=(PLAIN, LOGIN))),
    "greylisting": Lawful(Behaviour(greylisting_s=300.0)),
    "every message put off": Lawful(Behaviour(tempfail=1.0)),
    "half of the messages put off": Lawful(Behaviour(tempfail=0.5)),
    "small limits": Lawful(limits=replace(LIMITS, message_octets=65_536, recipients=100, errors=5, failed_logins=1)),
    "slow": Lawful(wire=Wire(reply_s=0.2, greeting_s=3.0), protocols=ALL_PROTOCOLS),
    "very slow": Lawful(wire=Wire(reply_s=4.0, greeting_s=20.0), protocols=ALL_PROTOCOLS),
    "slower than anybody": Lawful(wire=Wire(reply_s=20.0), protocols=ALL_PROTOCOLS),
    "tarpitting": Lawful(wire=Wire(error_s=5.0), protocols=ALL_PROTOCOLS),
    "tarpitting for long": Lawful(wire=Wire(error_s=20.0), protocols=ALL_PROTOCOLS),
    "in pieces": Lawful(wire=Wire(in_pieces=True), protocols=ALL_PROTOCOLS),
    "ends with a reset": Lawful(wire=Wire(resets=True), protocols=ALL_PROTOCOLS),
    "one session at a time": Lawful(wire=Wire(sessions=1)),
    "five sessions at a time": Lawful(wire=Wire(sessions=5), protocols=ALL_PROTOCOLS),
    "delivers late": Lawful(wire=Wire(delivery_s=3.0)),
    "TLS from the start": for_pop3(implicit_tls=True),
    "POP3 passwords in TLS only": for_pop3(Behaviour(clear_text_passwords=False), declared=SESSION_TLS),
    "POP3 passwords in TLS only, and nobody says so": for_pop3(Behaviour(clear_text_passwords=False)),
    "small limits of POP3": for_pop3(limits=replace(LIMITS, errors=5, failed_logins=1)),
    "UTF8 and LANG": for_pop3(Behaviour(capabilities=frozenset(Capability))),
    "UTF8 and LANG, mail rewritten": for_pop3(Behaviour(capabilities=frozenset(Capability), surrogates=True)),
    "POP3 with LOGIN first": for_pop3(Behaviour(pop3_mechanisms=(LOGIN, PLAIN))),
    "POP3 with SCRAM alone": for_pop3(Behaviour(pop3_mechanisms=(SCRAM_SHA_256,))),
    "only USER": for_pop3(chosen("pop3-no-auth", "pop3-no-apop")),
    "no POP3 account declared": for_pop3(declared=declaring(accounts={"pop3": ()})),
    "one POP3 account declared": for_pop3(declared=declaring(accounts={"pop3": (("user1", "secret1"),)})),
    "no mail may be deleted": for_pop3(declared=declaring(allow={"leave_mail": True, "destroy_mail": False})),
    "nothing allowed": for_pop3(declared=declaring(allow={"leave_mail": False, "destroy_mail": False})),
    "in pieces, in other words": for_pop3(chosen("pop3-other-words"), wire=Wire(in_pieces=True)),
    "APOP alone, no second try": for_pop3(chosen("pop3-apop-alone", "pop3-leaves-after-1")),
    "no UIDL, no second try": for_pop3(chosen("pop3-no-uidl", "pop3-no-top", "pop3-no-capa", "pop3-leaves-after-1")),
    "keeps the lock, and does not say so": for_pop3(chosen("pop3-keeps-the-lock", "pop3-no-resp-codes")),
    "of 1939, few words": for_pop3(chosen("pop3-of-1939", "pop3-few-words", "pop3-leaves-after-3")),
}  # fmt: skip
SHARES: Final = 1 if ASKED_FOR else 48
SETTINGS: Final = [(name, protocol) for name, lawful in LAWFUL.items() for protocol in lawful.protocols]


@pytest.mark.timeout(CAP_S)
@pytest.mark.parametrize(("name", "protocol"), piece_of(SETTINGS))
async def test_a_lawful_server_is_accused_of_nothing(
    name: str, protocol: Protocol, tls: Tls, autojump_clock: MockClock
) -> None:
    lawful = LAWFUL[name]
    share = SETTINGS.index((name, protocol)) % SHARES
    put = [case for case in with_twins(CASES.values()) if is_put_to(case, protocol)]
    findings = await judge(
        tls, put[share::SHARES], lawful.behaviour, protocol=protocol, limits=lawful.limits,
        declared=lawful.declared, wire=lawful.wire, implicit_tls=lawful.implicit_tls, slow=False,
    )  # fmt: skip
    accused = {id_: f"{one.verdict.value}: {one.got}" for id_, one in findings.items() if one.verdict in ACCUSING}
    assert {id_: what for id_, what in accused.items() if id_ not in lawful.weak} == {}
    assert SHARES > 1 or protocol == "pop3" or any(one.verdict is CaseVerdict.PASS for one in findings.values())
