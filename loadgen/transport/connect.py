"""Open a connection: resolve, bind, connect, and TLS where the endpoint wants it before the greeting."""

import contextlib
import errno
import socket
from collections.abc import Sequence
from typing import Final

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.addresses import Address, numeric_address, resolve
from loadgen.transport.errors import LocalExhausted, TransportError, TransportTimeout
from loadgen.transport.failures import connect_failure, source_failure
from loadgen.transport.readiness import TRIO_READINESS, Readiness, Watch
from loadgen.transport.socket_channel import SocketChannel
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext

# Linux's <netinet/in.h>, not in Python 3.11's socket module: choose the ephemeral port at connect(), when the
# destination is known, so that one source address serves 28,000 connections to each destination, not in all.
_IP_BIND_ADDRESS_NO_PORT: Final = 24
_NONBLOCKING: Final = getattr(socket, "SOCK_NONBLOCK", 0)   # macOS needs a call of its own for it
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EALREADY})
_CONNECTED: Final = frozenset({0, errno.EISCONN})   # the second: BSD's answer to being asked again
_UNIX_RETRY_S: Final = 0.005   # a unix socket's full backlog is EAGAIN at once; no poller tells when it ends


async def connect(
    endpoint: Endpoint,
    *,
    deadline: float,
    source: str | None = None,
    tls: TlsContext | None = None,
    server_name: str | None = None,
    addresses: Sequence[Address] | None = None,
    readiness: Readiness = TRIO_READINESS,
) -> Transport:
    """Return a transport connected to `endpoint` before `deadline` (trio's clock, seconds).

    The endpoint's addresses (or `addresses`, if the caller resolved them) are tried in order, each with an
    equal share of the time left; the last one's error is raised. `source` is the local address to connect
    from. With `implicit_tls` the handshake is part of connecting; `tls` is then needed, and `server_name`
    defaults to the endpoint's host. Raises ConnectRefused, Unreachable, NameNotFound, LocalExhausted,
    TransportTimeout, TlsFailed. Whatever is raised, cancellation too, no descriptor stays open. May end without
    a checkpoint if the connection was made at once.
    """
    if endpoint.implicit_tls and tls is None:
        raise ValueError(f"{endpoint} speaks TLS from the start, so a TLS context is needed")
    candidates = addresses if addresses is not None else await resolve(endpoint, deadline)
    channel, address = await _connect_any(_from_source(candidates, source), deadline, source, readiness)
    transport = Transport(channel, address.text, endpoint.host)
    if endpoint.implicit_tls and tls is not None:
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(transport.abort)
            await transport.start_tls(tls, server_name, deadline)
            undo.pop_all()
    return transport


def _from_source(candidates: Sequence[Address], source: str | None) -> Sequence[Address]:
    """Leave only the addresses which a connection from `source` can have."""
    if source is None:
        return candidates
    local = numeric_address(source, 0)
    if local is None:
        raise LocalExhausted(f"The source address {source} is not an IPv4 or IPv6 address")
    reachable = [address for address in candidates if address.family in {local.family, socket.AF_UNIX}]
    if not reachable:
        raise LocalExhausted(
            f"The source address {source} is of another family than {candidates[0].text}"
        )
    return reachable


async def _connect_any(
    candidates: Sequence[Address], deadline: float, source: str | None, readiness: Readiness
) -> tuple[SocketChannel, Address]:
    for tried, address in enumerate(candidates):
        left = len(candidates) - tried
        now = trio.current_time()
        try:
            return await _connect_one(address, now + (deadline - now) / left, source, readiness), address
        except TransportError:
            await trio.lowlevel.checkpoint()   # a refusal may have come without one: whoever tries again would spin
            if left == 1:
                raise
    raise AssertionError("there is always an address to try")


async def _connect_one(
    address: Address, deadline: float, source: str | None, readiness: Readiness
) -> SocketChannel:
    try:
        sock = socket.socket(address.family, socket.SOCK_STREAM | _NONBLOCKING)
    except OSError as exc:
        raise connect_failure(exc, address.text) from exc
    channel = None
    try:
        if not _NONBLOCKING:
            sock.setblocking(False)
        if address.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source is not None:
                _bind(sock, source)
        pending = await _begin(sock, address, deadline)
        watch = _watch(sock, address, readiness)
        try:
            if pending:
                await _complete(sock, address, deadline, watch)
            channel = SocketChannel(sock, address.text, watch)
        finally:
            if channel is None:
                watch.close()
    finally:
        if channel is None:
            sock.close()
    return channel


def _watch(sock: socket.socket, address: Address, readiness: Readiness) -> Watch:
    try:
        return readiness.watch(sock)
    except OSError as exc:
        raise connect_failure(exc, address.text) from exc


def _bind(sock: socket.socket, source: str) -> None:
    with contextlib.suppress(OSError):   # an option of Linux ≥ 4.2; without it there are only fewer ports
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    try:
        sock.bind((source, 0))
    except OSError as exc:
        raise source_failure(exc, source) from exc


async def _begin(sock: socket.socket, address: Address, deadline: float) -> bool:
    """Begin to connect, and say whether that is still under way."""
    code = sock.connect_ex(address.sockaddr)
    while code == errno.EAGAIN and address.family == socket.AF_UNIX:
        if trio.current_time() + _UNIX_RETRY_S > deadline:
            raise TransportTimeout(f"{address.text} did not accept the connection before the deadline")
        await trio.sleep(_UNIX_RETRY_S)
        code = sock.connect_ex(address.sockaddr)
    if code == errno.EINPROGRESS:
        # Over loopback the hand-shake is over before the call has returned, and asking again says so. Elsewhere
        # this costs half a microsecond; there it saves a wait of six.
        code = sock.connect_ex(address.sockaddr)
    if code in _UNDER_WAY:
        return True
    if code not in _CONNECTED:
        raise connect_failure(OSError(code, ""), address.text)
    return False


async def _complete(sock: socket.socket, address: Address, deadline: float, watch: Watch) -> None:
    if not await watch.writable(deadline):
        raise TransportTimeout(f"{address.text} did not accept the connection before the deadline")
    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise connect_failure(OSError(code, ""), address.text)
