"""The phases every session is timed by: the names in documents, gates, histograms and time limits."""

import re
from collections.abc import Iterable
from typing import Final

# In the order of the dialogue (RFC 5321 §3.1-§3.3, §3.8); `session` is the whole of it.
_MAIL_PARTS: Final = (
    "connect",
    "greeting",
    "tls",
    "ehlo",
    "auth",
    "mail",
    "rcpt",
    "data",
    "body",
    "rset",
    "noop",
    "vrfy",
    "quit",
    "session",
)
# RFC 1939 §4-§6, RFC 2449 (CAPA), RFC 2595 (STLS, timed as tls).
_POP3_PARTS: Final = (
    "connect",
    "greeting",
    "tls",
    "capa",
    "auth",
    "stat",
    "list",
    "uidl",
    "retr",
    "dele",
    "noop",
    "quit",
    "session",
)

PROTOCOLS: Final = ("smtp", "lmtp", "pop3")

PHASES: Final[tuple[str, ...]] = (
    *(f"smtp.{part}" for part in _MAIL_PARTS),
    *(f"lmtp.{part}" for part in _MAIL_PARTS),
    *(f"pop3.{part}" for part in _POP3_PARTS),
)

_POSITION: Final[dict[str, int]] = {phase: position for position, phase in enumerate(PHASES)}

# What a scenario may call a step of its own sessions. Not what is timed from an instant of the schedule.
STEP_NAME_PATTERN: Final = "[a-z0-9][a-z0-9-]{0,39}"
NO_STEP: Final = frozenset({"connect", "session"})
_STEP: Final = re.compile(rf"(?:{'|'.join(PROTOCOLS)})\.({STEP_NAME_PATTERN})")


def is_step(phase: str) -> bool:
    """Say whether a phase could be a step of a scenario's own."""
    found = _STEP.fullmatch(phase)
    return found is not None and found[1] not in NO_STEP


def order_of(phase: str) -> tuple[float, str]:
    """Return what sorts phases as a dialogue goes: a step nobody else has comes before its protocol's `session`.

    What this version does not know at all comes last.
    """
    if phase in _POSITION or not is_step(phase):
        return _POSITION.get(phase, len(PHASES)), phase
    return _POSITION[f"{phase.partition('.')[0]}.session"] - 0.5, phase


def in_order(phases: Iterable[str]) -> list[str]:
    """Sort phase names as a dialogue goes."""
    return sorted(phases, key=order_of)
