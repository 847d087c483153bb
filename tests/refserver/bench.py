"""A server's machines on fixed clocks and counted tokens."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.directory import Directory, accounts_by_pattern
from conformance.refserver.maildrop import MemoryStore
from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.session import Service
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import LMTP, SMTP


@dataclass
class Bench:
    """One server's machines, and a way to look into its maildrops."""

    service: Service

    def smtp(self, *, hello: bool = True, cipher: str | None = None) -> SmtpSession:
        session = SmtpSession(self.service, SMTP, "[192.0.2.7]", cipher)
        if hello:
            assert session.receive(b"EHLO client.example\r\n").startswith(b"250-")
        return session

    def lmtp(self) -> SmtpSession:
        session = SmtpSession(self.service, LMTP, None)
        assert session.receive(b"LHLO client.example\r\n").startswith(b"250-")
        return session

    def pop3(self, user: int | None = None, *, cipher: str | None = None) -> Pop3Session:
        session = Pop3Session(self.service, cipher)
        if user is not None:
            assert session.receive(b"USER user%d\r\nPASS secret%d\r\n" % (user, user)) == b"+OK\r\n+OK\r\n"
        return session

    def deliver(self, content: bytes, *users: int) -> None:
        session = self.smtp()
        for user in users:
            session.receive(b"RSET\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<user%d@example.test>\r\n" % user)
            assert session.receive(b"BDAT %d LAST\r\n" % len(content) + content).startswith(b"250")

    def stored(self, user: int = 1) -> list[bytes]:
        drop = self.service.maildrops.maildrop(f"user{user}@example.test")
        return [drop.read(listed.unique_id) or b"unreadable" for listed in drop.listing()]

    def contents(self, user: int = 1) -> list[bytes]:
        """What was stored, without the trace fields on top."""
        return [octets.partition(b" +0000\r\n")[2] for octets in self.stored(user)]


def make_bench(behaviour: Behaviour | None = None, limits: Limits | None = None, **service: Any) -> Bench:
    """Make a bench with five accounts; keywords go to Service."""
    limits = limits or Limits()
    accounts = accounts_by_pattern("user{n}@example.test", 5, "secret{n}")
    count = itertools.count(1)
    settings: dict[str, Any] = {
        "directory": Directory(["example.test", "other.test"], accounts),
        "maildrops": MemoryStore("g", maildrop_octets_max=limits.maildrop_octets, octets_max=limits.memory_octets),
        "wall_clock": lambda: 784_111_777.0,
        "token": lambda: f"t{next(count)}",
        "tls_available": True,
    }
    return Bench(Service(behaviour=behaviour or Behaviour(), limits=limits, **(settings | service)))


MakeBench = Callable[..., Bench]
