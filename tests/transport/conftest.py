"""Both kinds of readiness, certificates, and a listener that never answers."""

import datetime
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
import trio
import trustme

from loadgen.endpoint import Endpoint
from loadgen.transport import connect as connecting
from loadgen.transport.addresses import Address
from loadgen.transport.epoll import serve_epoll
from loadgen.transport.readiness import TRIO_READINESS, Readiness
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext, TlsPolicy, make_client_context
from tests.transport.peers import endpoint


class Connect(Protocol):
    """`connect`, but for the readiness: the test is run with each kind."""

    async def __call__(
        self,
        endpoint: Endpoint,
        *,
        deadline: float,
        source: str | None = None,
        tls: TlsContext | None = None,
        addresses: Sequence[Address] | None = None,
    ) -> Transport: ...


@pytest.fixture(params=["trio", "epoll"])
async def readiness(request: pytest.FixtureRequest, nursery: trio.Nursery) -> Readiness:
    if request.param == "trio":
        return TRIO_READINESS
    served: Readiness = await nursery.start(serve_epoll)
    return served


@pytest.fixture
def connect(readiness: Readiness) -> Connect:
    return partial(connecting.connect, readiness=readiness)


@dataclass(frozen=True)
class Certificates:
    """A certificate authority of one test run, and contexts for both ends."""

    server: ssl.SSLContext          # for localhost, 127.0.0.1 and mx.example.test
    client: TlsContext              # trusts the authority above
    ca_file: Path
    authority: trustme.CA

    def serving(
        self, name: str, *, common_name: str | None = None, not_after: datetime.datetime | None = None
    ) -> ssl.SSLContext:
        """Return a server's context with a certificate of its own."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(name, common_name=common_name, not_after=not_after).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF   # CPython before 3.11.4 sets it; the tests look for that end
    authority.issue_cert("localhost", "127.0.0.1", "mx.example.test").configure_cert(server)
    return Certificates(server, make_client_context(TlsPolicy("starttls", str(ca_file))), ca_file, authority)


@pytest.fixture
def silent() -> Iterator[Endpoint]:
    """A listener whose backlog is full, so that connecting to it gets no answer."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield endpoint(listener.getsockname()[1])
        for sock in waiting:
            sock.close()
