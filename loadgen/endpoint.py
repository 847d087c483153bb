"""Where a server listens: the URL an operator writes, as a value. No sockets, no resolving."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote

Protocol = Literal["smtp", "lmtp", "pop3"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place to connect to: a host and port, or a unix socket's path; never both."""

    protocol: Protocol
    host: str | None
    port: int | None
    path: str | None
    implicit_tls: bool

    def __str__(self) -> str:
        """Return the URL which parses back to this endpoint, its port spelled out."""
        if self.path is not None:
            return f"{self.protocol}+unix://{quote(self.path)}"
        host = f"[{self.host}]" if ":" in (self.host or "") else self.host
        return f"{self.protocol}{'s' if self.implicit_tls else ''}://{host}:{self.port}"


# scheme -> protocol, default port (None: a unix socket), TLS before the greeting
_SCHEMES: Final[dict[str, tuple[Protocol, int | None, bool]]] = {
    "smtp":      ("smtp", 25, False),    # RFC 5321 §4.5.4.2
    "smtps":     ("smtp", 465, True),    # RFC 8314 §3.3
    "lmtp":      ("lmtp", 24, False),    # RFC 2033 §5 forbids 25; 24 is "any private mail system"
    "pop3":      ("pop3", 110, False),   # RFC 1939 §3
    "pop3s":     ("pop3", 995, True),    # RFC 8314 §3.1
    "smtp+unix": ("smtp", None, False),
    "lmtp+unix": ("lmtp", None, False),
}
SCHEMES: Final = tuple(_SCHEMES)

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def parse_endpoint(url: str) -> Endpoint:
    """Return the endpoint a URL names; raise ValueError with one sentence for the operator.

    `smtp://host[:port]`, `smtps`, `lmtp`, `pop3`, `pop3s`, and `lmtp+unix:///path` or `smtp+unix:///path`.
    An IPv6 address stands in brackets. Nothing is resolved.
    """
    scheme, colon, rest = url.partition(":")
    known = _SCHEMES.get(scheme.lower())
    if not colon or known is None or (known[1] is not None and not rest.startswith("//")):
        schemes = ", ".join(SCHEMES)
        raise ValueError(f"expected a URL such as smtp://127.0.0.1:2525 with one of the schemes {schemes}")
    protocol, default_port, implicit_tls = known
    if default_port is None:
        return Endpoint(protocol, None, None, _socket_path(scheme, rest), implicit_tls)
    authority = rest[2:].removesuffix("/")
    if "@" in authority:
        raise ValueError("user names and passwords have no place in a URL; put them under [accounts]")
    if any(mark in authority for mark in "/?#"):
        raise ValueError(f"expected only a host and a port after {scheme}://")
    host, port = _split_authority(authority)
    return Endpoint(protocol, _checked_host(host), _checked_port(port, default_port), None, implicit_tls)


def _socket_path(scheme: str, rest: str) -> str:
    path = unquote(rest[2:] if rest.startswith("//") else rest)
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise ValueError(f"expected the absolute path of a unix socket, such as {scheme}:///run/dovecot/lmtp")
    # sun_path holds 108 octets with its NUL on Linux (104 on macOS): refuse now what the kernel would later.
    if len(path.encode()) > 107:
        raise ValueError("the path of a unix socket can have at most 107 octets")
    return path


def _split_authority(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, tail = authority[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise ValueError("expected an IPv6 address as [address] or [address]:port")
        if not _is_address(host, version=6):
            raise ValueError(f"expected an IPv6 address between the brackets, got {host!r}")
        return host, tail[1:] if tail else None
    if authority.count(":") > 1:
        raise ValueError(f"an IPv6 address stands in brackets, such as [{authority}]")
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _checked_host(host: str) -> str:
    if not host:
        raise ValueError("the URL names no host")
    if _is_address(host):
        return host.lower()
    labels = host.lower().removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{host!r} is neither a host name nor an address")
    # Resolvers read "127.1" and "134744072" as IPv4 addresses: they would slip past every check by address.
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise ValueError(f"{host!r} is not an IPv4 address: four decimal numbers with dots between them")
    return host.lower()


def _checked_port(port: str | None, default: int) -> int:
    if port is None:
        return default
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise ValueError(f"expected a port from 1 to 65535, got {port!r}")
    return int(port)


def _is_address(host: str, version: int | None = None) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return version is None or address.version == version
