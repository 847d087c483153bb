"""`mailproof serve`: the reference server as a process."""

import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import trio
import typer

from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.collector import seldom_collect
from conformance.refserver.directory import Directory, accounts_by_pattern
from conformance.refserver.errors import ServerSetupError
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.dial import dial
from conformance.refserver.listener.sockets import Bind, Listening, allow_descriptors, listening_on
from conformance.refserver.listener.tls import context_from_files, self_made_context, start_tls_with
from conformance.refserver.maildir import MaildirStore
from conformance.refserver.maildrop import MaildropStore, MemoryStore
from conformance.refserver.relay import Relay
from conformance.refserver.server import TokenSource, make_service, serve
from conformance.refserver.session import Service
from conformance.refserver.variants import behaving
from reports.errors import UserError

DEFAULT_LIMITS: Final = Limits()
_UNIX_PREFIX: Final = "unix:"
ACCOUNTS: Final = 20_000      # as many as any shipped scenario names; they cost 11 MB, and 80 ms to make
_ROUTE: Final = re.compile(r"([A-Za-z0-9.-]+)=([^=]+:[0-9]{1,5})")


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("serve", short_help="Run the reference server: SMTP, LMTP and POP3.")(serve_command)


def serve_command(  # noqa: PLR0913, PLR0917 -- each argument is an option of the command
    smtp: Annotated[int | None, typer.Option(help="Port for SMTP; 0 chooses a free one.", min=0, max=65535)] = None,
    lmtp: Annotated[str | None, typer.Option(help="Port for LMTP, or unix:PATH.")] = None,
    pop3: Annotated[int | None, typer.Option(help="Port for POP3.", min=0, max=65535)] = None,
    smtps: Annotated[int | None, typer.Option(help="Port for SMTP in TLS.", min=0, max=65535)] = None,
    pop3s: Annotated[int | None, typer.Option(help="Port for POP3 in TLS.", min=0, max=65535)] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    domain: Annotated[
        list[str] | None, typer.Option(help="A domain to take mail for; repeatable. Default: the accounts' own.")
    ] = None,
    accounts: Annotated[str, typer.Option(help="Pattern of the accounts' addresses.")] = "user{n}@example.test",
    account_count: Annotated[
        int | None,
        typer.Option(help="How many accounts; {n} runs from 1. Default: 20000, or one if there is no {n}.", min=1),
    ] = None,
    password: Annotated[str, typer.Option(help="Pattern of their passwords.")] = "secret{n}",  # noqa: S107
    accept_any: Annotated[bool, typer.Option("--accept-any", help="Take mail for unlisted addresses too.")] = False,
    maildir: Annotated[Path | None, typer.Option(help="Keep maildrops as Maildirs under this directory.")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Offer TLS with a certificate made for this run.")] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM) to use instead.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Where to write the CA of a certificate made now.")] = None,
    max_connections: Annotated[int, typer.Option(min=1, help="Connections at once.")] = DEFAULT_LIMITS.connections,
    max_size: Annotated[
        int, typer.Option(help="Largest message, in octets.", min=65536)
    ] = DEFAULT_LIMITS.message_octets,
    idle_timeout: Annotated[
        float | None, typer.Option(help="Seconds of silence allowed. Default: SMTP 300, POP3 600.", min=0.01)
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option(help="A lawful choice: greylisting=5m; repeatable. An unknown name lists all.")
    ] = None,
    route: Annotated[
        list[str] | None,
        typer.Option(metavar="DOMAIN=HOST:PORT", help="Send a domain's mail on, for who is logged in; repeatable."),
    ] = None,
    until_eof: Annotated[bool, typer.Option("--until-eof", help="End when standard input closes.")] = False,
) -> None:
    """Run the reference server: SMTP, LMTP and POP3 over one set of maildrops.

    Prints one JSON line when it is ready; SIGTERM or SIGINT ends it.
    """
    connections = allow_descriptors(max_connections)
    if connections < max_connections:
        typer.echo(
            f"mailproof: serving at most {connections:,} connections at once, not {max_connections:,}: RLIMIT_NOFILE "
            f"allows no more files; run `ulimit -n {max_connections + 100}` first",
            err=True,
        )
    limits = replace(DEFAULT_LIMITS, connections=connections, message_octets=max_size)
    if idle_timeout is not None:
        limits = replace(limits, smtp_idle_s=idle_timeout, pop3_idle_s=idle_timeout)
    try:
        binds = _binds(smtp=smtp, lmtp=lmtp, pop3=pop3, smtps=smtps, pop3s=pop3s)
        count = account_count or (ACCOUNTS if "{n}" in accounts else 1)
        listed = accounts_by_pattern(accounts, count, password)
        domains = domain or [listed[0].address.rpartition("@")[2]]
        directory = Directory(domains, listed, accept_any=accept_any)
        behaviour = behaving(Behaviour(host_name=f"mail.{domains[0]}"), variant or ())
        with ExitStack() as stack:
            wants_tls = tls or smtps is not None or pop3s is not None or ca_file is not None
            start_tls, ca = _tls(stack, wants_tls, tls_cert, tls_key, ca_file, [behaviour.host_name, host])
            store = _store(maildir, limits, behaviour.host_name)
            relay = _relay(route or [], behaviour)
            service = make_service(directory, store, behaviour, limits, tls=start_tls is not None, relay=relay)
            listening = stack.enter_context(listening_on(binds, host))
            seldom_collect()
            trio.run(_run, service, listening, start_tls, ca, until_eof)
    except ServerSetupError as exc:
        raise UserError(str(exc)) from exc


def _binds(*, lmtp: str | None, **ports: int | None) -> list[Bind]:
    binds = [Bind(protocol, port) for protocol, port in ports.items() if port is not None]
    if lmtp is not None:
        if lmtp.startswith(_UNIX_PREFIX):
            binds.append(Bind("lmtp", path=Path(lmtp.removeprefix(_UNIX_PREFIX))))
        elif lmtp.isdigit() and int(lmtp) <= 65535:
            binds.append(Bind("lmtp", int(lmtp)))
        else:
            raise ServerSetupError(f"--lmtp {lmtp!r} is neither a port nor unix:PATH")
    if not binds:
        raise ServerSetupError("nothing to serve: give at least one of --smtp, --lmtp, --pop3, --smtps, --pop3s")
    return binds


def _relay(routes: list[str], behaviour: Behaviour) -> Relay | None:
    """Return what sends on the mail of the domains routed; None: nothing is."""
    hops = {}
    for route in routes:
        found = _ROUTE.fullmatch(route)
        if found is None:
            raise ServerSetupError(f"--route {route!r} is not DOMAIN=HOST:PORT")
        hops[found[1]] = found[2]
    return Relay(hops, behaviour.host_name, dial, behaviour.faults) if hops else None


def _store(maildir: Path | None, limits: Limits, host_name: str) -> MaildropStore:
    if maildir is not None:
        return MaildirStore(maildir, host_name, maildrop_octets_max=limits.maildrop_octets)
    return MemoryStore(
        TokenSource()(), maildrop_octets_max=limits.maildrop_octets, octets_max=limits.memory_octets
    )


def _tls(
    stack: ExitStack,
    wanted: bool,
    certificate: Path | None,
    key: Path | None,
    ca_file: Path | None,
    names: list[str],
) -> tuple[StartTls | None, Path | None]:
    """Return how TLS is started and where the CA lies that clients must trust; (None, None) without TLS."""
    if (certificate is None) != (key is None):
        raise ServerSetupError("--tls-cert and --tls-key belong together")
    if certificate is not None and key is not None:
        return start_tls_with(context_from_files(certificate, key)), certificate
    if not wanted:
        return None, None
    if ca_file is None:
        ca_file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailproof-ca-"))) / "ca.pem"
    return start_tls_with(self_made_context([*names, "localhost", "127.0.0.1", "::1"], ca_file)), ca_file


async def _run(
    service: Service, listening: list[Listening], start_tls: StartTls | None, ca: Path | None, until_eof: bool
) -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as watching:
            watching.start_soon(_wait_for_signal, signals, stop)
            if until_eof:
                watching.start_soon(_wait_for_eof, stop)
            urls = {one.protocol: one.url for one in listening}
            ready = {"ready": True, "pid": os.getpid(), **urls, **({"ca_file": str(ca)} if ca else {})}
            typer.echo(json.dumps(ready))      # the sockets listen: who connects now waits, and is not refused
            await serve(service, listening, start_tls, stop=stop)
            watching.cancel_scope.cancel()


async def _wait_for_signal(signals: AsyncIterator[int], stop: trio.Event) -> None:
    async for _ in signals:
        stop.set()


async def _wait_for_eof(stop: trio.Event) -> None:
    # A thread, not the event loop: standard input may be a file, which epoll does not take.
    while await trio.to_thread.run_sync(_read_standard_input, abandon_on_cancel=True):
        pass
    stop.set()


def _read_standard_input() -> bytes:
    try:
        return os.read(0, 4096)
    except OSError:      # it was never open
        return b""
