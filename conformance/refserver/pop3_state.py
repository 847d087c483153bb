"""What a POP3 session remembers between two commands, and the view of a maildrop it keeps."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum, auto
from typing import Any, Final

from conformance.refserver import sasl
from conformance.refserver.directory import Account
from conformance.refserver.maildrop import Listed, Maildrop
from conformance.refserver.session import After, Service

PIECE_OCTETS: Final = 64 * 1024     # a message leaves in pieces, so that a slow reader does not hold a copy


class State(Enum):
    """RFC 1939 §3."""

    AUTHORIZATION = auto()
    TRANSACTION = auto()


class View:
    """A maildrop as one session sees it: numbered at login, unmoved by what is delivered meanwhile.

    Nothing is removed before `update`, which only QUIT calls (RFC 1939 §6).
    """

    __slots__ = ("_marked", "_messages", "_shown", "maildrop")

    def __init__(self, maildrop: Maildrop, shown: Callable[[bytes], bytes] | None = None) -> None:
        """Number the messages of a maildrop whose lock this session holds. `shown`: what it sees of each."""
        self.maildrop = maildrop
        self._shown = shown
        self._messages = maildrop.listing()
        if shown is not None:
            self._messages = tuple([replace(one, octets=len(self.read(one) or b"")) for one in self._messages])
        self._marked: set[int] = set()

    def anew(self, *, newest_first: bool = False) -> "View":
        """Return the maildrop as a session would see it now, for faults: nothing may be marked."""
        view = View(self.maildrop)
        known = set(self._messages)
        came = tuple(message for message in view._messages if message not in known)
        view._messages = (*came, *self._messages) if newest_first else (*self._messages, *came)
        return view

    def present(self) -> list[tuple[int, Listed]]:
        """Return number and message for all that are not marked as deleted."""
        return [(n, m) for n, m in enumerate(self._messages, 1) if n not in self._marked]

    def turn_round(self) -> None:
        """Number the messages from the other end. Nothing may have been said of them yet."""
        self._messages = self._messages[::-1]

    def every(self) -> tuple[Listed, ...]:
        """Return all messages, marked or not, in the order of their numbers."""
        return self._messages

    def get(self, argument: bytes) -> tuple[int, Listed] | None:
        """Return the message that an argument names, or None when it is no number of a present message."""
        if not argument.isdigit() or len(argument) > 10:
            return None
        number = int(argument)
        if not 1 <= number <= len(self._messages) or number in self._marked:
            return None
        return number, self._messages[number - 1]

    def read(self, message: Listed) -> bytes | None:
        """Return a message's octets, or None when it cannot be read."""
        octets = self.maildrop.read(message.unique_id)
        return octets if self._shown is None or octets is None else self._shown(octets)

    def mark(self, number: int) -> None:
        """Mark a message as deleted."""
        self._marked.add(number)

    def unmark_all(self) -> None:
        """Take all marks off (RSET)."""
        self._marked.clear()

    def update(self) -> bool:
        """Remove what is marked and nothing else; False when some of it could not be removed."""
        removed = self.maildrop.remove([self._messages[n - 1].unique_id for n in sorted(self._marked)])
        self._marked.clear()
        return removed

    def close(self) -> None:
        """Give the maildrop's lock back."""
        self.maildrop.unlock()


class Pop3State:
    """The mutable record of one session."""

    __slots__ = (
        "after", "body", "cipher", "exchange", "failed_logins", "memory", "service", "state", "timestamp", "user",
        "utf8", "view",
    )

    def __init__(self, service: Service, cipher: str | None) -> None:
        self.service = service
        self.timestamp = service.timestamp() if service.behaviour.apop else b""
        self.failed_logins = 0
        self.memory: dict[str, Any] = {}                # what faults know of this session; nobody else looks
        self.view: View | None = None                   # Invariant: set in TRANSACTION, and only there
        self.begin(cipher)

    def begin(self, cipher: str | None) -> None:
        """Be as after the greeting (RFC 2595 §4)."""
        self.cipher = cipher                            # set inside TLS
        self.state = State.AUTHORIZATION
        self.after = After.GO_ON
        self.utf8 = False                               # UTF8 was said (RFC 6856 §2.1)
        self.user: bytes | None = None                  # said by USER, and good for the very next command only
        self.exchange: sasl.Exchange | None = None
        self.body: Iterator[bytes] | None = None        # what is still to be sent of a multi-line response

    def may_send_passwords(self) -> bool:
        """Whether this server takes a password over the connection as it is."""
        return self.service.behaviour.clear_text_passwords or self.cipher is not None

    def mechanisms(self) -> tuple[str, ...]:
        """Return the SASL mechanisms that may be used now."""
        names = self.service.behaviour.pop3_mechanisms
        if self.may_send_passwords():
            return names
        return tuple(name for name in names if name not in sasl.SENDS_PASSWORDS)

    def log_in(self, account: Account, shown: Callable[[bytes], bytes] | None = None) -> bool:
        """Enter TRANSACTION with the maildrop locked; False when another session holds the lock.

        `shown` is what becomes of each message before the session sees it.
        """
        maildrop = self.service.maildrops.maildrop(account.address)
        if not maildrop.lock():
            return False
        self.view = View(maildrop, shown)
        self.state = State.TRANSACTION
        return True

    def let_go(self) -> None:
        """Release the lock without an update."""
        self.body = None
        if self.view is not None:
            self.view.close()
            self.view = None


def stuffed(octets: bytes) -> Iterator[bytes]:
    """Yield a message in pieces, each line that begins with a dot given another (RFC 1939 §3)."""
    start = 0
    while start < len(octets):
        end = start + PIECE_OCTETS
        if octets[end - 1:end] == b"\r":      # a piece never ends inside a CRLF
            end += 1
        piece = octets[start:end]
        opens_line = start == 0 or octets[start - 2:start] == b"\r\n"
        dot = b"." if opens_line and piece.startswith(b".") else b""
        yield dot + piece.replace(b"\r\n.", b"\r\n..")
        start = end


def top_of(octets: bytes, lines: int) -> bytes:
    """Return the header section, the empty line and the first `lines` lines of the body (RFC 1939 §7)."""
    blank = 0 if octets.startswith(b"\r\n") else octets.find(b"\r\n\r\n") + 2
    if blank == 1:                            # no empty line: all of it is header
        return octets
    at = blank + 2
    if lines >= octets.count(b"\r\n", at):
        return octets
    for _ in range(lines):
        at = octets.find(b"\r\n", at) + 2
    return octets[:at]
