"""One place where errors of the OS and of trio become sentences of `TransportError`'s family."""

import errno
import os
import resource
import socket
from typing import Final

import trio

from loadgen.transport.errors import (
    ConnectRefused,
    LocalExhausted,
    NameNotFound,
    PeerClosed,
    TransportError,
    TransportTimeout,
    Unreachable,
)

_CONNECT: Final[dict[int | None, tuple[type[TransportError], str]]] = {
    errno.ECONNREFUSED: (ConnectRefused, "{peer} refused the connection"),
    errno.ECONNRESET:   (ConnectRefused, "{peer} refused the connection"),   # accepted and dropped at once
    errno.ENOENT:       (ConnectRefused, "There is no socket at {peer}"),
    errno.EACCES:       (ConnectRefused, "This host does not permit connecting to {peer}"),   # a file's mode
    errno.EPERM:        (ConnectRefused, "This host does not permit connecting to {peer}"),   # its firewall
    errno.ETIMEDOUT:    (TransportTimeout, "{peer} did not answer until the kernel gave up connecting"),
}
_UNREACHABLE: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EAFNOSUPPORT}
)
_MEMORY: Final = frozenset({errno.ENOBUFS, errno.ENOMEM})
_RESET: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN})


def connect_failure(error: OSError, peer: str) -> TransportError:
    """Say why a connection to `peer` could not be made."""
    code = error.errno
    if code in _CONNECT:
        kind, sentence = _CONNECT[code]
        return kind(sentence.format(peer=peer))
    if code in _UNREACHABLE:
        return Unreachable(f"{peer} cannot be reached from this host ({_words(error)})")
    return _local_failure(error, peer) or TransportError(f"Connecting to {peer} failed ({_words(error)})")


def late_connect(peer: str) -> TransportTimeout:
    """Say that `peer` did not accept a connection in time."""
    return TransportTimeout(f"{peer} did not accept the connection before the deadline")


def outlived() -> TransportTimeout:
    """Say that a session was not over in time, whatever it waited for."""
    return TransportTimeout("the session took longer than its limit")


def io_failure(error: OSError, peer: str) -> TransportError:
    """Say what ended an established connection; raise `trio.ClosedResourceError` if we closed it."""
    code = error.errno
    if code == errno.EBADF:
        raise trio.ClosedResourceError("this transport was already closed") from None
    if code in _RESET:
        return PeerClosed(f"{peer} reset the connection", reset=True)
    if code == errno.ETIMEDOUT:
        return PeerClosed(f"{peer} stopped acknowledging until the kernel gave up the connection", reset=True)
    if code in _UNREACHABLE:
        return Unreachable(f"{peer} can no longer be reached from this host ({_words(error)})")
    return _local_failure(error, peer) or TransportError(f"The connection to {peer} failed ({_words(error)})")


def source_failure(error: OSError, source: str) -> TransportError:
    """Say why `source` could not be the local address of a connection."""
    if error.errno == errno.EADDRNOTAVAIL:
        return LocalExhausted(f"The source address {source} is not an address of this host")
    if error.errno == errno.EADDRINUSE:
        return LocalExhausted(f"No ephemeral port is free at the source address {source}")
    return LocalExhausted(f"The source address {source} cannot be used ({_words(error)})")


def name_failure(error: OSError, host: str) -> TransportError:
    """Say why `host` has no address."""
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return NameNotFound(f"The resolver could not say now which address {host} has")
        if error.errno != socket.EAI_SYSTEM:
            return NameNotFound(f"The name {host} has no address")
    why = f"The name {host} could not be looked up ({_words(error)})"
    return _local_failure(error, host) or NameNotFound(why)


def _local_failure(error: OSError, peer: str) -> LocalExhausted | None:
    code = error.errno
    if code == errno.EMFILE:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return LocalExhausted(f"This process may open only {soft:,} files (run `ulimit -n` with a higher one)")
    if code == errno.ENFILE:
        return LocalExhausted("This host has no descriptor left for any process (raise sysctl fs.file-max)")
    if code == errno.ENOSPC:
        return LocalExhausted("This user may watch no more sockets (raise sysctl fs.epoll.max_user_watches)")
    if code in _MEMORY:
        return LocalExhausted("This host has no memory left for another socket")
    if code in {errno.EADDRNOTAVAIL, errno.EADDRINUSE}:
        return LocalExhausted(
            f"No ephemeral port is left for {peer} (name more target.source_addresses, "
            'or run `sysctl -w net.ipv4.ip_local_port_range="1024 65535"` first)'
        )
    return None


def _words(error: OSError) -> str:
    code = error.errno
    return os.strerror(code) if code is not None and code > 0 else type(error).__name__
