"""Whether a load and the cases had maildrops in common: then what a case finds in one may be the load's doing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from conformance.declared import places
from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.subject import Subject

WHY: Final = "the load used the maildrop, too"
OF_MAILDROPS: Final = ("pop3.", "x.")        # requirements that are asked in a maildrop's sessions
ACCUSING: Final = frozenset({CaseVerdict.FAIL, CaseVerdict.DIVERGENCE, CaseVerdict.WEAK})


def shares_maildrops(scenario: Mapping[str, object], names: Sequence[str]) -> bool:
    """Say whether one of these logins or addresses is, or may be, among a resolved scenario's accounts.

    >>> shares_maildrops({"accounts": {"pattern": "user{n}@example.test", "count": 5}}, ["user6", "other"])
    False
    """
    accounts = scenario.get("accounts")
    if not isinstance(accounts, dict):
        return True
    pattern, count = accounts.get("pattern"), accounts.get("count")
    if accounts.get("file") is not None or not isinstance(pattern, str) or not isinstance(count, int):
        return True                          # a list of them, which is not at hand
    local, _, domain = re.escape(pattern).replace(re.escape("{n}"), "([0-9]+)").partition("@")
    spelt = re.compile(f"{local}(?:@{domain})?", re.IGNORECASE)
    found = [match for name in names if (match := spelt.fullmatch(name)) is not None]
    return any(not match.groups() or 1 <= int(match[1]) <= count for match in found)


def unless_shared(findings: Sequence[Finding], scenario: Mapping[str, object], subject: Subject) -> list[Finding]:
    """Return the findings; where the load wrote to the cases' own maildrops, what was found in them accuses nobody."""
    names = [name for place in places(subject.declared) for name in (place.login, place.address or "")]
    if not shares_maildrops(scenario, names):
        return list(findings)
    return [
        replace(one, verdict=CaseVerdict.INCONCLUSIVE, got=f"{one.got} ({WHY})")
        if one.verdict in ACCUSING and one.requirement.startswith(OF_MAILDROPS) else one
        for one in findings
    ]   # fmt: skip
