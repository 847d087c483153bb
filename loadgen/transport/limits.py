"""How long each phase may take before we give up waiting."""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLimits:
    """The longest wait for each phase, in seconds. Defaults are RFC 5321 §4.5.3.2's where it names one.

    Those are minimum values for a well-behaved client; a load test usually sets tighter ones.
    """

    connect: float = 30.0     # RFC 5321 names none; a kernel tries for two minutes, too long here
    greeting: float = 300.0   # §4.5.3.2.1 "Initial 220 Message: 5 Minutes"
    tls: float = 60.0         # none named; a handshake is two round trips and no disk
    ehlo: float = 300.0       # none named: as for the other short commands
    auth: float = 300.0       # none named: as for the other short commands; one limit for each challenge
    mail: float = 300.0       # §4.5.3.2.2 "MAIL Command: 5 Minutes"
    rcpt: float = 300.0       # §4.5.3.2.3 "RCPT Command: 5 Minutes"
    data: float = 120.0       # §4.5.3.2.4 "DATA Initiation: 2 Minutes"
    block: float = 180.0      # §4.5.3.2.5 "Data Block: 3 Minutes": each send() of mail data
    body: float = 600.0       # §4.5.3.2.6 "DATA Termination: 10 Minutes"
    rset: float = 300.0       # none named: as for the other short commands
    noop: float = 300.0       # none named: as for the other short commands
    quit: float = 60.0        # none named; the mail is delivered by then, so patience buys nothing
    pop3: float = 600.0       # each POP3 response: RFC 1939 §3 lets a server's own timer be no shorter

    def for_phase(self, phase: str) -> float:
        """Return the limit in seconds of a phase, `mail` or `smtp.mail`; raise KeyError for one nobody knows.

        POP3's own phases (`pop3.stat`, `pop3.retr`, …) share the `pop3` limit; its connect, greeting, tls and
        quit have their own, like everybody's.
        """
        return float(getattr(self, self.name_of(phase)))

    @staticmethod
    def name_of(phase: str) -> str:
        """Return the name of the limit of a phase; raise KeyError for a phase nobody knows."""
        return _FIELD_OF[phase]


_FIELDS: Final = tuple(field.name for field in fields(PhaseLimits))
_SMTP_PHASES: Final = tuple(name for name in _FIELDS if name != "pop3")
_SHARED_BY_POP3: Final = ("connect", "greeting", "tls", "quit")
_POP3_PHASES: Final = ("capa", "auth", "stat", "list", "uidl", "retr", "top", "dele", "rset", "noop")

_FIELD_OF: Final = {
    **{name: name for name in _FIELDS},
    **{f"{dialect}.{name}": name for dialect in ("smtp", "lmtp") for name in _SMTP_PHASES},
    **{f"pop3.{name}": name for name in _SHARED_BY_POP3},
    **{f"pop3.{name}": "pop3" for name in _POP3_PHASES},
}
