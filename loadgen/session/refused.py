"""Why a session leaves its script before its end. None ever leaves `loadgen.session` but to the preflight."""

from typing import Final

from loadgen.session.outcome import Outcome, OutcomeKind
from loadgen.wire.errors import RemoteProtocolError

_LOGINS: Final = (".auth", ".user", ".pass", ".apop")       # the last three as a session of steps names them


class Refused(Exception):
    """The server answered 4yz, 5yz or -ERR where the session cannot go on. `said` is what it said, as received."""

    def __init__(self, phase: str, answer: str, said: bytes = b"") -> None:
        super().__init__(f"{phase} was answered {answer}")
        # Some servers repeat what they do not understand, and that may be half a login.
        self.said = b"" if phase.endswith(_LOGINS) else said.rstrip(b"\r\n")
        self.outcome = Outcome(OutcomeKind.REFUSED, phase, f"the server answered {answer}", evidence=self.said)
        self.for_good = not answer.startswith("4")      # 4yz may pass (RFC 5321 §4.2.1)


class NotOffered(RemoteProtocolError):
    """The server does not offer what the session needs: lawful, and so the session still says goodbye."""

    def __init__(self, what: str, *, section: str) -> None:
        super().__init__(f"{what} is not offered", octets=b"", section=section)


class CutOff(Exception):
    """The server closed where it may: on a session that tries its patience."""
