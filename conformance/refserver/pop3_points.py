"""Where a session of POP3 can depart from the RFCs: the points of a fault, or of a lawful choice, that are POP3's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.refserver.pop3_state import Pop3State

GoOn = Callable[[], bytes]             # the command's lawful way: its response, up to its first line


@dataclass(frozen=True, slots=True)
class Pop3Points:
    """The points. Each is None where the server stays lawful."""

    # What becomes of a command line: (session, verb in upper case, argument, its lawful way) -> the response. Verbs
    # that nobody knows come here too; lines with a bare CR or LF, or too long, do not. b"": nothing is said.
    around: "Callable[[Pop3State, bytes, bytes, GoOn], bytes] | None" = None
    # What becomes of a response on its way out: (session, verb it answers, octets) -> octets. The greeting answers b"",
    # a line of an AUTH exchange b"+", a line that is no command b"?". The lines of RETR and TOP are `lines`.
    outgoing: "Callable[[Pop3State, bytes, bytes], bytes] | None" = None
    # What becomes of octets on their way in, as they came off the wire: (session, octets) -> octets.
    incoming: "Callable[[Pop3State, bytes], bytes] | None" = None
    # What becomes of what RETR or TOP gives, before it is stuffed: (session, octets) -> octets.
    content: "Callable[[Pop3State, bytes], bytes] | None" = None
    # … and once it is stuffed, the line that ends it included: (session, octets) -> octets.
    lines: "Callable[[Pop3State, bytes], bytes] | None" = None
    # How long a response is held back, in seconds: (session, verb it answers, octets) -> seconds.
    pause_s: "Callable[[Pop3State, bytes, bytes], float] | None" = None
    # How long a silent client is waited for: (session, the lawful time) -> seconds from now.
    patience_s: "Callable[[Pop3State, float], float] | None" = None
    # What is done when the connection is gone, before the lock is given back.
    gone: "Callable[[Pop3State], None] | None" = None
    last_words: bytes = b""                # what is said at the autologout


LAWFUL = Pop3Points()
