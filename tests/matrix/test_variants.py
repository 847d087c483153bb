"""The other proof: whatever a server lawfully does otherwise, no case holds it against it.

`make test` puts to each lawful server a share of the cases, to the next server the next share; `make matrix` puts all
of them to each.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest
from msgspec import structs
from trio.testing import MockClock

from conformance.case import CASES
from conformance.declared import Declared
from conformance.judgement import CaseVerdict
from conformance.refserver.behaviour import CRAM_MD5, LOGIN, PLAIN, RARE, Behaviour, Extension, Limits, VrfyPolicy
from conformance.refserver.choices import CHOICES
from loadgen.endpoint import Protocol
from tests.matrix.laboratory import DECLARED, LIMITS, judge
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


def chosen(*names: str, without: frozenset[Extension] = frozenset(), **others: object) -> Behaviour:
    """Return the behaviour of a server that made some choices."""
    return replace(
        Behaviour(), faults=tuple(CHOICES[name] for name in names), extensions=ALL - without, **others  # type: ignore[arg-type]
    )


def declaring(**sections: dict[str, object]) -> Declared:
    """Return what is declared, some of it otherwise."""
    changed = {name: structs.replace(getattr(DECLARED, name), **values) for name, values in sections.items()}
    return structs.replace(DECLARED, **changed)


def _where_optional(extension: Extension) -> tuple[Protocol, ...]:
    """Return which servers may do without an extension: LMTP's must have two (RFC 2033 §5)."""
    needed = {Extension.PIPELINING, Extension.ENHANCED_STATUS_CODES}
    return ("smtp",) if extension in needed else ("smtp", "lmtp")


SESSION_TLS: Final = declaring(session={"tls": "starttls"})
SESSION_LOGIN: Final = declaring(session={"login": True})
DEFERS: Final = declaring(claims={"defers_recipient_checks": True})
ENHANCED: Final = frozenset({Extension.ENHANCED_STATUS_CODES})
CHUNKING: Final = frozenset({Extension.CHUNKING})
EIGHT_BIT: Final = Extension.EIGHT_BIT_MIME
HELP: Final = frozenset({Extension.HELP})

LAWFUL: Final[Mapping[str, Lawful]] = {
    "usual": Lawful(),
    **{name: Lawful(chosen(name)) for name in CHOICES},
    **{
        f"no {one.value}": Lawful(chosen(without=frozenset({one})), protocols=_where_optional(one))
        for one in Extension if one in ALL - {EIGHT_BIT}
    },
    "no 8BITMIME": Lawful(chosen(without=frozenset({EIGHT_BIT, Extension.SMTPUTF8}))),       # RFC 6531 §3.1 needs it
    "no extensions": Lawful(
        chosen(without=ALL), Limits(message_octets=100_000, smtp_line_octets=512), protocols=("smtp",)
    ),
    "no words, no status codes": Lawful(chosen("no-words", without=ENHANCED), protocols=("smtp",)),
    "a space for words": Lawful(chosen("no-words-but-a-space", without=ENHANCED), protocols=("smtp",)),
    "empty lines": Lawful(chosen("empty-line-first", without=ENHANCED), protocols=("smtp",)),
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
    "needs-tls, declared": Lawful(chosen("needs-tls"), declared=SESSION_TLS),
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
    "slow": Lawful(wire=Wire(reply_s=0.2, greeting_s=3.0)),
    "very slow": Lawful(wire=Wire(reply_s=4.0, greeting_s=20.0)),
    "tarpitting": Lawful(wire=Wire(error_s=5.0)),
    "in pieces": Lawful(wire=Wire(in_pieces=True)),
    "ends with a reset": Lawful(wire=Wire(resets=True)),
    "one session at a time": Lawful(wire=Wire(sessions=1)),
    "five sessions at a time": Lawful(wire=Wire(sessions=5)),
    "delivers late": Lawful(wire=Wire(delivery_s=3.0)),
}  # fmt: skip
SHARES: Final = 1 if os.environ.get("MAILPROOF_MATRIX") == "whole" else 48
SETTINGS: Final = [(name, protocol) for name, lawful in LAWFUL.items() for protocol in lawful.protocols]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "protocol"), SETTINGS)
async def test_a_lawful_server_is_accused_of_nothing(
    name: str, protocol: Protocol, tls: Tls, autojump_clock: MockClock
) -> None:
    lawful = LAWFUL[name]
    share = SETTINGS.index((name, protocol)) % SHARES
    findings = await judge(
        tls, list(CASES.values())[share::SHARES], lawful.behaviour, protocol=protocol, limits=lawful.limits,
        declared=lawful.declared, wire=lawful.wire, slow=False,
    )  # fmt: skip
    accused = {id_: f"{one.verdict.value}: {one.got}" for id_, one in findings.items() if one.verdict in ACCUSING}
    assert {id_: what for id_, what in accused.items() if id_ not in lawful.weak} == {}
    assert SHARES > 1 or any(one.verdict is CaseVerdict.PASS for one in findings.values())
