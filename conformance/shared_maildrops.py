"""Whether a load and the cases had maildrops in common: then what a case finds in one may be the load's doing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from conformance.finding import Finding
from conformance.judgement import CaseVerdict
from conformance.subject import Subject

WHY = "the load used the maildrop, too"


def shares_maildrops(scenario: Mapping[str, object], logins: Sequence[str]) -> bool:
    """Say whether one of these logins is, or may be, among a resolved scenario's accounts.

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
    found = [match for login in logins if (match := spelt.fullmatch(login)) is not None]
    return any(not match.groups() or 1 <= int(match[1]) <= count for match in found)


def unless_shared(findings: Sequence[Finding], scenario: Mapping[str, object], subject: Subject) -> list[Finding]:
    """Return the findings on a server of POP3; what accuses it only while the load went on is inconclusive if shared."""
    logins = [login for login, _ in subject.declared.accounts.pop3]
    if not subject.is_pop3 or not shares_maildrops(scenario, logins):
        return list(findings)
    return [
        replace(one, verdict=CaseVerdict.INCONCLUSIVE, got=f"{one.got} ({WHY})")
        if one.without_load not in {None, one.verdict} else one
        for one in findings
    ]   # fmt: skip
