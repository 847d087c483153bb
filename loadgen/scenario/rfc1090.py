"""SMTP as over X.25 (RFC 1090), as far as TCP can have it: what the profile fills into a scenario.

Nobody has X.25 any more, but its timers, its packets and its resets can be had over any connection.
"""

from typing import Final

PROFILE: Final = "rfc1090"
SEGMENT_OCTETS: Final = 2_048        # §4: packets may be up to so long
_REPLY: Final = "10m"                # §10: how long a reply may take
LIMITS: Final = {
    "connect": "100s",               # §10.1: until the call is accepted
    "greeting": "120s",              # §10.1: and then until Service Ready
    **dict.fromkeys(("tls", "ehlo", "auth", "mail", "rcpt", "data", "block", "body", "rset", "noop"), _REPLY),
    "quit": "20s",                   # §10: how long the end may take
    "session": "1h",                 # none named; long enough for any of these to be reached
}
_DELIVERIES: Final = ("smtp-deliver", "lmtp-deliver")


def fill_in_profile(data: dict[str, object]) -> None:
    """Fill in what the profile means, where a scenario's plain data names it and leaves something out.

    After a reset the caller clears, and calls again (§6): so deliveries that go without an answer are tried again.
    """
    target = data.get("target")
    if not isinstance(target, dict) or target.get("profile") != PROFILE:
        return
    target.setdefault("segment_octets", SEGMENT_OCTETS)
    limits = data.setdefault("limits", {})
    if isinstance(limits, dict):
        for name, limit in LIMITS.items():
            limits.setdefault(name, limit)
    sessions = data.get("session")
    for session in sessions if isinstance(sessions, list) else ():
        if isinstance(session, dict) and session.get("kind") in _DELIVERIES:
            session.setdefault("retry", {"give_up": LIMITS["session"]})
