"""Where a server listens: the URL an operator writes, as a value. No sockets, no resolving."""

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal
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


@dataclass(frozen=True, slots=True)
class MailDomain:
    """A domain whose MX records name the server: which one is known only once they have been asked for."""

    name: str
    port: int

    protocol: ClassVar[Protocol] = "smtp"
    implicit_tls: ClassVar[bool] = False

    def __str__(self) -> str:
        """Return the form which parses back to this domain, its port spelled out."""
        return f"{MX_SCHEME}:{self.name}:{self.port}"

    def through(self, exchange: str) -> Endpoint:
        """Return where to connect to if the domain's mail goes to this exchange."""
        return Endpoint("smtp", exchange, self.port, None, implicit_tls=False)


@dataclass(frozen=True, slots=True)
class Nameserver:
    """Whom to ask for DNS records."""

    address: str
    port: int


MX_SCHEME: Final = "mx"
SMTP_PORT: Final = 25   # RFC 5321 §4.5.4.2
DNS_PORT: Final = 53    # RFC 1035 §4.2

# scheme -> protocol, default port (None: a unix socket), TLS before the greeting
_SCHEMES: Final[dict[str, tuple[Protocol, int | None, bool]]] = {
    "smtp":      ("smtp", SMTP_PORT, False),
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


def parse_mail_domain(text: str) -> MailDomain:
    """Return the domain that `mx:domain[:port]` names; raise ValueError with one sentence for the operator."""
    scheme, _, rest = text.partition(":")
    name, colon, port = rest.partition(":")
    if scheme.lower() != MX_SCHEME or not name or any(mark in rest for mark in "/@?#[]"):
        raise ValueError("expected mx:DOMAIN or mx:DOMAIN:PORT, such as mx:example.test")
    return MailDomain(checked_domain(name), _checked_port(port if colon else None, SMTP_PORT))


def checked_domain(name: str) -> str:
    """Return a domain in lower case without its final dot; raise ValueError if it is none, or an address."""
    domain = _checked_host(name).removesuffix(".")
    if _is_address(domain):
        raise ValueError(f"{name!r} is an address, and MX records belong to domains")
    return domain


def parse_nameserver(text: str) -> Nameserver:
    """Return the nameserver that `address[:port]` names; raise ValueError with one sentence for the operator."""
    bare_v6 = _is_address(text, version=6)
    host, port = (text, None) if bare_v6 else _split_authority(text)
    if not _is_address(host):
        raise ValueError(f"a nameserver is given by its address, such as 127.0.0.1:5353, got {text!r}")
    return Nameserver(host.lower(), _checked_port(port, DNS_PORT))


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
        raise ValueError("no host is named")
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
