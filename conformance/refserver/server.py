"""The reference server as one trio service: which machines listen where, and how it ends."""

import secrets
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio

from conformance.refserver import pop3_commands, replies
from conformance.refserver.behaviour import Behaviour, Limits
from conformance.refserver.bounce import tell
from conformance.refserver.directory import Directory
from conformance.refserver.fault import instead_of_tls
from conformance.refserver.listener.accept import Conversations, Greeter, accept_forever
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.sockets import Listening
from conformance.refserver.maildrop import MaildropStore
from conformance.refserver.pop3 import Pop3Session
from conformance.refserver.relay import Relay
from conformance.refserver.session import Service, Session
from conformance.refserver.smtp import SmtpSession
from conformance.refserver.smtp_state import LMTP, SMTP

_SHUTDOWN_S: Final = 3.0      # for last words; then connections are cut


class TokenSource:
    """Letters and digits that nobody can guess and that never come twice."""

    __slots__ = ("_count", "_secret")

    def __init__(self) -> None:
        self._secret = secrets.token_hex(8)
        self._count = 0

    def __call__(self) -> str:
        """Return the next."""
        self._count += 1
        return f"{secrets.token_hex(4)}{self._secret[:4]}{self._count:x}"


def make_service(
    directory: Directory,
    maildrops: MaildropStore,
    behaviour: Behaviour,
    limits: Limits,
    *,
    tls: bool,
    relay: Relay | None = None,
) -> Service:
    """Return a Service with the real clock and real randomness."""
    return Service(
        behaviour=behaviour,
        limits=limits,
        directory=directory,
        maildrops=maildrops,
        wall_clock=time.time,
        clock=trio.current_time,
        token=TokenSource(),
        tls_available=tls,
        relay=relay,
    )


def _greeter(protocol: str, service: Service, start_tls: StartTls | None) -> Greeter:
    busy_smtp = replies.TOO_BUSY.octets

    def smtp(peer: str | None, cipher: str | None) -> Session:
        return SmtpSession(service, SMTP, peer, cipher)

    def lmtp(peer: str | None, cipher: str | None) -> Session:
        return SmtpSession(service, LMTP, peer, cipher)

    def pop3(peer: str | None, cipher: str | None) -> Session:
        return Pop3Session(service, cipher)

    match protocol:
        case "smtp" | "smtps":
            return Greeter(
                smtp, busy_smtp, start_tls, implicit_tls=protocol == "smtps",
                instead_of_tls=instead_of_tls(service.behaviour.faults),
            )  # fmt: skip
        case "lmtp":
            return Greeter(lmtp, busy_smtp, start_tls)
        case _:
            return Greeter(pop3, pop3_commands.TOO_BUSY, start_tls, implicit_tls=protocol == "pop3s")


async def serve(
    service: Service, listening: Sequence[Listening], start_tls: StartTls | None, *, stop: trio.Event
) -> None:
    """Serve until `stop` is set, then say good-bye to every session and end."""
    conversations = Conversations(service.limits.connections)
    async with trio.open_nursery() as sessions:
        async with trio.open_nursery() as accepting:
            if service.relay is not None:
                accepting.start_soon(service.relay.run, partial(tell, service))
            for one in listening:
                greeter = _greeter(one.protocol, service, start_tls)
                accepting.start_soon(accept_forever, one.socket, greeter, conversations, sessions)
            await stop.wait()
            accepting.cancel_scope.cancel()
        conversations.stop()
        sessions.cancel_scope.deadline = trio.current_time() + _SHUTDOWN_S
