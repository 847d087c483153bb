"""What a test needs to know about a standing mail system: where it listens, whose mail it keeps."""

import os
from dataclasses import dataclass
from pathlib import Path

DOMAIN = "example.test"  # RFC 2606 §2: reserved, so nothing sent here can ever leave


class Unusable(Exception):
    """This machine cannot run a server. The message is the reason a test is skipped for."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """user1 … userN, with the passwords the shipped scenarios use."""

    count: int = 100

    def address(self, n: int) -> str:
        return f"user{n}@{DOMAIN}"

    def password(self, n: int) -> str:
        return f"secret{n}"

    def numbers(self) -> range:
        return range(1, self.count + 1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server certificate for 127.0.0.1 and localhost, and the authority that signed it; all PEM files."""

    chain: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class MailSystem:
    """One standing mail system. A URL is None where the system does not speak that protocol."""

    name: str
    ca_file: Path
    accounts: Accounts
    maildrops: Path | None = None  # user1's mail is in the Maildir maildrops/user1
    smtp: str | None = None
    smtps: str | None = None
    lmtp: str | None = None
    pop3: str | None = None
    pop3s: str | None = None


def interop_root() -> Path:
    """Return where `make interop-servers` unpacked the mail software that is not installed."""
    named = os.environ.get("MAILPROOF_INTEROP_ROOT")
    return Path(named) if named else Path(__file__).resolve().parents[2] / ".interop"


def require_root(server: str) -> None:
    """Raise Unusable unless we may become the several users a mail server runs as."""
    if os.geteuid() != 0:
        raise Unusable(f"{server} changes to users of its own, so this test needs root")
