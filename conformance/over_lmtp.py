"""Which cases are put to whom: SMTP's hold for LMTP too, but for those its profile leaves out (RFC 2033 §4)."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Final

from conformance.case import Case
from conformance.catalogue.profile import profile
from loadgen.endpoint import Protocol

# Rows about LMTP that an SMTP server is asked.
_OF_SMTP_SERVERS: Final = frozenset({"lmtp.smtp.refuses-lhlo", "lmtp.port.not-25"})


def with_twins(cases: Iterable[Case]) -> list[Case]:
    """Return the cases, and behind them those that are put to LMTP servers as well, under ids of their own."""
    found = list(cases)
    concerned = _concerned()
    return [*found, *(replace(case, over_lmtp=True) for case in found if _has_twin(case, concerned))]


@cache
def _concerned() -> frozenset[str]:
    return profile("lmtp").ids()


def is_put_to(case: Case, protocol: Protocol) -> bool:
    """Say whether a case is for servers of a protocol."""
    return _protocol_of(case) == protocol


def _has_twin(case: Case, concerned: frozenset[str]) -> bool:
    return not case.over_lmtp and _protocol_of(case) == "smtp" and case.requirement in concerned


def _protocol_of(case: Case) -> Protocol:
    family = case.requirement.partition(".")[0]
    if case.over_lmtp or (family == "lmtp" and case.requirement not in _OF_SMTP_SERVERS):
        return "lmtp"
    return "pop3" if family == "pop3" else "smtp"
