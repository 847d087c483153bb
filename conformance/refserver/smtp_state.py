"""What an SMTP or LMTP session remembers between two commands."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from conformance.refserver import sasl
from conformance.refserver.behaviour import Extension
from conformance.refserver.directory import Account
from conformance.refserver.mail_data import ChunkReader, DataReader
from conformance.refserver.session import After, Service
from conformance.refserver.transaction import Client, Transaction


class State(Enum):
    """How far the session, and in it the mail transaction, has come."""

    START = auto()      # nobody has said hello
    READY = auto()      # no transaction
    MAIL = auto()       # a reverse-path, no recipient yet
    RCPT = auto()       # at least one recipient
    CHUNKS = auto()     # at least one BDAT chunk (RFC 3030 §2)


class Reading(Enum):
    """What the octets that come next are."""

    COMMAND = auto()
    MAIL_DATA = auto()
    CHUNK = auto()
    SASL_RESPONSE = auto()


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between SMTP and LMTP."""

    name: str
    hello_verbs: frozenset[bytes]
    reply_per_recipient: bool     # RFC 2033 §4.2


SMTP: Final = Dialect("SMTP", frozenset({b"EHLO", b"HELO"}), reply_per_recipient=False)
LMTP: Final = Dialect("LMTP", frozenset({b"LHLO"}), reply_per_recipient=True)
HELLO_VERBS: Final = SMTP.hello_verbs | LMTP.hello_verbs


class SmtpState:
    """The mutable record of one session. Commands change it; the machine reads by it."""

    __slots__ = (
        "account", "after", "chunk_is_last", "chunks", "cipher", "client", "data", "dialect", "exchange",
        "failed_logins", "mails", "memory", "noops", "offered", "peer", "reading", "service", "state", "transaction",
    )

    def __init__(self, service: Service, dialect: Dialect, peer: str | None, cipher: str | None) -> None:
        self.service = service
        self.dialect = dialect
        self.peer = peer                  # the client's address literal; None over a unix socket
        self.failed_logins = self.mails = self.noops = 0
        self.memory: dict[str, object] = {}     # what faults remember; a lawful server never looks
        self.begin(cipher)

    def begin(self, cipher: str | None) -> None:
        """Be as after the greeting: nothing said before counts (RFC 3207 §4.2)."""
        self.cipher = cipher              # set inside TLS
        self.state = State.START
        self.reading = Reading.COMMAND
        self.after = After.GO_ON
        self.client = Client("", self.peer, extended=False)
        self.offered: frozenset[Extension] = frozenset()     # what the last hello listed
        self.account: Account | None = None
        self.exchange: sasl.Exchange | None = None
        self.transaction: Transaction | None = None          # Invariant: set in MAIL, RCPT and CHUNKS, only there
        self.data: DataReader | None = None                  # Invariant: set while reading MAIL_DATA
        self.chunks: ChunkReader | None = None               # Invariant: set in CHUNKS and while reading CHUNK
        self.chunk_is_last = False

    def forget_transaction(self) -> None:
        """Clear all buffers; the session itself stays (RFC 5321 §4.1.1.5)."""
        self.transaction = self.data = self.chunks = None
        if self.state is not State.START:
            self.state = State.READY

    def available(self) -> frozenset[Extension]:
        """Return what a hello would list now."""
        offered = self.service.behaviour.extensions
        if self.cipher is not None or not self.service.tls_available:
            offered -= {Extension.STARTTLS}
        if self.cipher is None:
            offered -= {Extension.REQUIRETLS}        # RFC 8689 §2
        if Extension.CHUNKING not in offered:
            offered -= {Extension.BINARYMIME}      # RFC 3030 §3: it needs BDAT
        return offered if self.mechanisms() else offered - {Extension.AUTH}

    def must_log_in(self) -> bool:
        """Say whether mail is not taken before a login (RFC 6409 §4.3)."""
        return self.service.behaviour.login_required and self.account is None and self.dialect is SMTP

    def mechanisms(self) -> tuple[str, ...]:
        """Return the SASL mechanisms that may be used now (RFC 4954 §4)."""
        known = self.known_mechanisms()
        if self.service.behaviour.clear_text_passwords or self.cipher is not None:
            return known
        return tuple(name for name in known if name not in sasl.SENDS_PASSWORDS)

    def known_mechanisms(self) -> tuple[str, ...]:
        """Return the SASL mechanisms that there are; a faulty server may have more."""
        behaviour = self.service.behaviour
        return tuple(dict.fromkeys((*behaviour.smtp_mechanisms, *(
            name for fault in behaviour.faults for name in fault.exchanges))))
