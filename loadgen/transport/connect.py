"""Open a connection: resolve, bind, connect, and TLS where the endpoint wants it before the greeting."""

import contextlib
import errno
import socket
from collections.abc import Sequence
from typing import Final

import trio

from loadgen.endpoint import Endpoint
from loadgen.transport.addresses import Address, numeric_address, resolve
from loadgen.transport.errors import LocalExhausted, TransportError
from loadgen.transport.failures import connect_failure, late_connect, source_failure
from loadgen.transport.readiness import TRIO_READINESS, Readiness, Watch
from loadgen.transport.socket_channel import SocketChannel
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext

# Linux's <netinet/in.h>, not in Python 3.11's socket module: choose the ephemeral port at connect(), when the
# destination is known, so that one source address serves 28,000 connections to each destination, not in all.
_IP_BIND_ADDRESS_NO_PORT: Final = 24
_NONBLOCKING: Final = getattr(socket, "SOCK_NONBLOCK", 0)   # macOS needs a call of its own for it
_KIND: Final = int(socket.SOCK_STREAM) | _NONBLOCKING
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

    As `connect_clear` does, but with `implicit_tls` the handshake is part of connecting; `tls` is then needed, and
    `server_name` defaults to the endpoint's host. Raises TlsFailed too.
    """
    if endpoint.implicit_tls and tls is None:
        raise ValueError(f"{endpoint} speaks TLS from the start, so a TLS context is needed")
    transport = await connect_clear(
        endpoint, deadline=deadline, source=source, addresses=addresses, readiness=readiness
    )
    if endpoint.implicit_tls and tls is not None:
        async with contextlib.AsyncExitStack() as undo:
            undo.callback(transport.abort)
            await transport.start_tls(tls, server_name, deadline)
            undo.pop_all()
    return transport


async def connect_clear(
    endpoint: Endpoint,
    *,
    deadline: float,
    source: str | None = None,
    addresses: Sequence[Address] | None = None,
    readiness: Readiness = TRIO_READINESS,
    receive_buffer_octets: int | None = None,
) -> Transport:
    """Return a transport connected to `endpoint` before `deadline` (trio's clock, seconds), as yet without TLS.

    The endpoint's addresses (or `addresses`, if the caller resolved them) are tried in order, each with an
    equal share of the time left; the last one's error is raised. `source` is the local address to connect
    from. `receive_buffer_octets` are asked of the system before connecting, so that no greater window is ever offered;
    it gives what it thinks right, Linux twice as much and never less than some 2 KiB. Raises ConnectRefused,
    Unreachable, NameNotFound, LocalExhausted, TransportTimeout. Whatever is raised, cancellation too, no descriptor
    stays open. May end without a checkpoint if the connection was made at once.
    """
    candidates = addresses if addresses is not None else await resolve(endpoint, deadline)
    if source is not None:
        candidates = _from_source(candidates, source)
    for left in range(len(candidates), 0, -1):
        address = candidates[-left]
        ends = deadline if left == 1 else _share(deadline, left)
        try:
            channel = await _connect_one(address, ends, source, readiness, receive_buffer_octets)
        except TransportError:
            await trio.lowlevel.checkpoint()   # a refusal may have come without one: whoever tries again would spin
            if left == 1:
                raise
        else:
            return Transport(channel, address.text, endpoint.host)
    raise AssertionError("there is always an address to try")


def _share(deadline: float, shares: int) -> float:
    """Return the end of one of so many equal shares of the time left."""
    now = trio.current_time()
    return now + (deadline - now) / shares


def _from_source(candidates: Sequence[Address], source: str) -> Sequence[Address]:
    """Leave only the addresses which a connection from `source` can have."""
    local = numeric_address(source, 0)
    if local is None:
        raise LocalExhausted(f"The source address {source} is not an IPv4 or IPv6 address")
    reachable = [address for address in candidates if address.family in {local.family, socket.AF_UNIX}]
    if not reachable:
        raise LocalExhausted(
            f"The source address {source} is of another family than {candidates[0].text}"
        )
    return reachable


async def _connect_one(
    address: Address, deadline: float, source: str | None, readiness: Readiness, receive_buffer_octets: int | None
) -> SocketChannel:
    try:
        sock = socket.socket(address.family, _KIND)
    except OSError as exc:
        raise connect_failure(exc, address.text) from exc
    channel = watch = None
    try:
        if not _NONBLOCKING:
            sock.setblocking(False)
        if address.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source is not None:
                _bind(sock, source)
        if receive_buffer_octets is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_octets)
        code = _begin(sock, address)
        if code == errno.EAGAIN and address.family == socket.AF_UNIX:
            code = await _begin_later(sock, address, deadline)
        watch = watched(sock, address, readiness)
        if code in _UNDER_WAY:
            code = await _complete(sock, address, deadline, watch)
        if code not in _CONNECTED:
            raise connect_failure(OSError(code, ""), address.text)
        channel = SocketChannel(sock, address.text, watch)
    finally:
        if channel is None:
            if watch is not None:
                watch.close()
            sock.close()
    return channel


def watched(sock: socket.socket, address: Address, readiness: Readiness) -> Watch:
    """Return the watch of a socket. Raises LocalExhausted."""
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


def _begin(sock: socket.socket, address: Address) -> int:
    """Begin to connect, and return the error number of that: is it done, under way, or has it failed."""
    code = sock.connect_ex(address.sockaddr)
    if code == errno.EINPROGRESS:
        # Over loopback the hand-shake is over before the call has returned, and asking again says so. Elsewhere
        # this costs half a microsecond; there it saves a wait of six.
        code = sock.connect_ex(address.sockaddr)
    return code


async def _begin_later(sock: socket.socket, address: Address, deadline: float) -> int:
    """Begin to connect once there is room in a unix socket's backlog, and return the error number of that."""
    code = errno.EAGAIN
    while code == errno.EAGAIN:
        if trio.current_time() + _UNIX_RETRY_S > deadline:
            raise late_connect(address.text)
        await trio.sleep(_UNIX_RETRY_S)
        code = sock.connect_ex(address.sockaddr)
    return code


async def _complete(sock: socket.socket, address: Address, deadline: float, watch: Watch) -> int:
    """Wait until a connection is made or has failed, and return the error number of that."""
    if not await watch.writable(deadline):
        raise late_connect(address.text)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
