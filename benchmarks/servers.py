"""The servers of a comparison, on a core of their own: started for one turn, ended after it."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import trustme

from benchmarks.place import SCRATCH, mailproof, postfix_program
from benchmarks.turn import SERVER_CORE, CannotRunError, TurnFailedError, pinned
from tests.interop.child import DidNotStand, child, free_ports, home
from tests.interop.dovecot import running_dovecot
from tests.interop.mail_system import Accounts, Certificate, Unusable

BACKLOG, LONG_BACKLOG = 512, 4096
LONG_FROM_SESSIONS = 1_000
COUNTERS_OCTETS = 80          # one line of smtp-sink's counters is shorter


@dataclass(frozen=True, slots=True)
class Sink:
    """A standing smtp-sink."""

    port: int
    counters: Path

    def messages(self) -> int:
        """Return how many messages it has taken by its own count; -1 if it never said."""
        with self.counters.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - COUNTERS_OCTETS))
            _, found, said = stream.read().rpartition(b"mesg=")
        digits = said.split(b"\r")[0].strip()
        return int(digits) if found and digits.isdigit() else -1


@contextlib.contextmanager
def smtp_sink(*, sessions: int) -> Iterator[Sink]:
    """Run Postfix's smtp-sink. It takes in no more than 256 sessions at once unless told, so it is told."""
    program, environment = postfix_program("smtp-sink")
    [port] = free_ports(1)
    backlog = str(LONG_BACKLOG if sessions >= LONG_FROM_SESSIONS else BACKLOG)
    become = ["-u", "nobody"] if os.geteuid() == 0 else []
    command: list[str | Path] = [program, *become, "-c", "-m", str(sessions + 100), f"127.0.0.1:{port}", backlog]
    counters = scratch("sink.counters")
    with named_failures(), child(pinned(command, SERVER_CORE), log=counters, environment=environment) as server:
        server.wait_until_it_answers(port)
        yield Sink(port, counters)


@contextlib.contextmanager
def holder(*, processes: int, tls: bool) -> Iterator[tuple[int, Path]]:
    """Run a server that holds any number of sessions; return its port and the authority of its certificate."""
    [port] = free_ports(1)
    with own_certificate() as certificate:
        secured = ["--tls", str(certificate.chain), str(certificate.key)] if tls else []
        command = [*mailproof()[:1], "-m", "benchmarks.holder", str(port), str(processes), *secured]
        with named_failures(), child(pinned(command, SERVER_CORE), log=scratch("holder.log")) as server:
            if not tls:
                server.wait_until_it_answers(port)
            yield port, certificate.authority


@contextlib.contextmanager
def reference_server(protocol: Literal["smtp", "pop3"], options: Sequence[str]) -> Iterator[int]:
    """Run `mailproof serve`; return its port."""
    [port] = free_ports(1)
    command = [*mailproof(), "serve", f"--{protocol}", str(port), *options]
    with named_failures(), child(pinned(command, SERVER_CORE), log=scratch("serve.log")) as server:
        server.wait_until_it_answers(port)
        yield port


@contextlib.contextmanager
def null_sink() -> Iterator[int]:
    """Run `mailproof sink`, which takes in all who come; return its port."""
    [port] = free_ports(1)
    command = [*mailproof(), "sink", "--port", str(port)]
    with named_failures(), child(pinned(command, SERVER_CORE), log=scratch("null-sink.log")) as server:
        server.wait_until_it_answers(port)
        yield port


@contextlib.contextmanager
def dovecot(accounts: int) -> Iterator[tuple[int, Path]]:
    """Run Dovecot; return its POP3 port and the directory of its Maildirs."""
    with (
        named_failures(), own_certificate() as certificate, started_on(SERVER_CORE),
        running_dovecot(certificate, Accounts(accounts)) as server,
    ):  # fmt: skip
        assert server.system.pop3 is not None
        assert server.system.maildrops is not None
        yield int(server.system.pop3.rpartition(":")[2]), server.system.maildrops


@contextlib.contextmanager
def named_failures() -> Iterator[None]:
    """Turn a server that cannot be had into the reason for the table."""
    try:
        yield
    except Unusable as reason:
        raise CannotRunError(str(reason)) from None
    except DidNotStand as reason:
        raise TurnFailedError(f"the server did not stand: {str(reason).splitlines()[0]}") from None


@contextlib.contextmanager
def started_on(core: int) -> Iterator[None]:
    """Have the processes that are started inside run on one core, where there are two."""
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        yield
        return
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


@contextlib.contextmanager
def own_certificate() -> Iterator[Certificate]:
    """Yield a certificate for loopback and its authority, made for now."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    with home("bench-tls") as place:
        certificate = Certificate(place / "chain.pem", place / "key.pem", place / "authority.pem")
        for blob in issued.cert_chain_pems:
            blob.write_to_path(certificate.chain, append=True)
        issued.private_key_pem.write_to_path(certificate.key)
        authority.cert_pem.write_to_path(certificate.authority)
        certificate.key.chmod(0o644)      # it lives for one turn on loopback, and each server's own user reads it
        yield certificate


def scratch(name: str) -> Path:
    """Return a path for something of one turn; what was there is gone."""
    path = SCRATCH / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
