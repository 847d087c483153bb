"""Listening sockets: TCP ports and unix sockets, opened all or none."""

import errno
import os
import resource
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance.refserver.errors import ServerSetupError

_BACKLOG: Final = 65_535           # the kernel cuts it to net.core.somaxconn
_DESCRIPTORS_BESIDE: Final = 64    # listening sockets, pollers, standard streams, files of a Maildir


@dataclass(frozen=True, slots=True)
class Bind:
    """Where one protocol is to listen: a TCP port (0: any free one) or a unix socket."""

    protocol: str
    port: int | None = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that listens, what it is to speak, and the URL that leads to it."""

    socket: socket.socket
    protocol: str
    url: str


@contextmanager
def listening_on(binds: Sequence[Bind], host: str) -> Iterator[list[Listening]]:
    """Open all sockets, and close them at the end. Raises ServerSetupError when one cannot be opened."""
    with ExitStack() as stack:
        opened = []
        for bind in binds:
            if bind.path is not None:
                listener = stack.enter_context(listen_unix(bind.path))
                stack.callback(close_unix, bind.path)
                url = f"{bind.protocol}+unix://{bind.path.absolute()}"
            else:
                listener = stack.enter_context(listen_tcp(host, bind.port or 0))
                shown = f"[{host}]" if ":" in host else host
                url = f"{bind.protocol}://{shown}:{listener.getsockname()[1]}"
            opened.append(Listening(listener, bind.protocol, url))
        yield opened


def listen_tcp(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 chooses a free one. Raises ServerSetupError."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)     # accepted sockets inherit it
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as exc:
        raise ServerSetupError(f"cannot listen on {host} port {port}: {_reason(exc)}") from exc
    listening.setblocking(False)
    return listening


def listen_unix(path: Path) -> socket.socket:
    """Return a listening unix socket. A socket file that nobody listens on any more is replaced."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
            path.unlink()
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except OSError as exc:
        listening.close()
        raise ServerSetupError(f"cannot listen on {path}: {_reason(exc)}") from exc
    listening.setblocking(False)
    return listening


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _reason(exc: OSError) -> str:
    return {
        errno.EADDRINUSE: "another process uses it",
        errno.EACCES: "not permitted",
        errno.EADDRNOTAVAIL: "it is no address of this host",
    }.get(exc.errno or 0, exc.strerror or str(exc))


def allow_descriptors(connections: int) -> int:
    """Raise the limit of open descriptors for so many connections; return how many of them it allows now.

    To the hard limit anybody may; beyond it root may.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):      # macOS has "unlimited", and does not mean it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = connections + _DESCRIPTORS_BESIDE
    if resource.RLIM_INFINITY != hard < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if soft == resource.RLIM_INFINITY else min(connections, soft - _DESCRIPTORS_BESIDE)


def close_unix(path: Path) -> None:
    """Take a socket file away; it may be gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
