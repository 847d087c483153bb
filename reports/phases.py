"""The phases every session is timed by: the names in documents, gates, histograms and time limits."""

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

PHASE_ORDER: Final[dict[str, int]] = {phase: position for position, phase in enumerate(PHASES)}


def in_order(phases: Iterable[str]) -> list[str]:
    """Sort phase names as a dialogue goes; names this version does not know come last, by name."""
    return sorted(phases, key=lambda phase: (PHASE_ORDER.get(phase, len(PHASES)), phase))
