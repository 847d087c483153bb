"""A POP3 server whose maildrops were filled for a turn."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.maildir import fill
from benchmarks.servers import dovecot, reference_server, scratch

AT_ONCE = 50
Server = Literal["reference", "dovecot"]
SERVERS: tuple[Server, ...] = ("reference", "dovecot")


@dataclass(frozen=True, slots=True)
class Work:
    """What lies in the maildrops."""

    accounts: int
    messages: int              # in each
    octets: int                # of each, header apart
    at_once: int = AT_ONCE     # sessions

    @property
    def in_all(self) -> int:
        """Return how many messages there are."""
        return self.accounts * self.messages


@dataclass(frozen=True, slots=True)
class Filled:
    """A server whose maildrops have been filled."""

    port: int
    maildrops: Path

    def left(self) -> int:
        """Return how many messages lie there now."""
        return sum(1 for folder in ("new", "cur") for _ in self.maildrops.glob(f"*/{folder}/*"))


@contextlib.contextmanager
def filled(server: Server, work: Work) -> Iterator[Filled]:
    """Run a server over maildrops filled afresh."""
    numbers = range(1, work.accounts + 1)
    if server == "dovecot":
        with dovecot(work.accounts) as (port, maildrops):
            fill(maildrops, [f"user{n}" for n in numbers], work.messages, work.octets, owner="mail")
            yield Filled(port, maildrops)
    else:
        maildrops = scratch("maildrops")
        fill(maildrops, [f"user{n}@example.test" for n in numbers], work.messages, work.octets)
        with reference_server("pop3", ["--maildir", str(maildrops), "--account-count", str(work.accounts)]) as port:
            yield Filled(port, maildrops)
