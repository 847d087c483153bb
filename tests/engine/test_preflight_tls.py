"""STARTTLS and STLS in the look at the target: never a silent fall-back to clear text."""

import ssl

import pytest
import trio
import trustme

from conformance.refserver.listener.tls import start_tls_with
from loadgen.endpoint import Protocol
from loadgen.engine.preflight import look_at
from loadgen.transport.tls import TlsContext, TlsPolicy, make_client_context
from reports.errors import PreconditionFailed
from reports.exit_codes import ExitCode
from tests.engine.house import House, served_by
from tests.engine.looking import LOGIN, PROTOCOLS, USER, answering, complaint_about


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("mail.example.test").configure_cert(context)
    return context


@pytest.fixture
def client(authority: trustme.CA) -> TlsContext:
    context = make_client_context(TlsPolicy("starttls"))
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_trusted_certificate_is_in_the_facts(
    protocol: Protocol, server: ssl.SSLContext, client: TlsContext, nursery: trio.Nursery
) -> None:
    route = House(nursery, start_tls=start_tls_with(server)).route(protocol, client)
    (facts,) = await look_at({protocol: route}, {protocol: (LOGIN[protocol],)}, (USER,), stop=trio.Event())
    assert facts.tls is not None
    assert (facts.tls.version, facts.tls.verified) == ("TLSv1.3", True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_certificate_that_nobody_vouches_for_is_the_operators_to_decide_on(
    protocol: Protocol, server: ssl.SSLContext, nursery: trio.Nursery
) -> None:
    stranger = make_client_context(TlsPolicy("starttls"))
    complaint = await complaint_about(House(nursery, start_tls=start_tls_with(server)).route(protocol, stranger))
    assert complaint.exit_code is ExitCode.OPERATOR_ERROR
    assert "target.ca_file" in str(complaint)
    assert "target.verify = false" in str(complaint)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_no_tls_offered_is_inconclusive(
    protocol: Protocol, client: TlsContext, nursery: trio.Nursery
) -> None:
    complaint = await complaint_about(House(nursery).route(protocol, client))
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert ("pop3.tls was answered -ERR" if protocol == "pop3" else "STARTTLS is not offered") in str(complaint)


@pytest.mark.parametrize(
    ("protocol", "greeting", "answers"),
    [
        ("smtp", b"220 x\r\n", {b"EHLO": b"250-x\r\n250 STARTTLS\r\n", b"STARTTLS": b"454 no\r\n"}),
        ("pop3", b"+OK\r\n", {b"STLS": b"-ERR no\r\n"}),
    ],
)
async def test_tls_refused_is_inconclusive(
    protocol: Protocol, greeting: bytes, answers: dict[bytes, bytes], client: TlsContext,
    nursery: trio.Nursery,
) -> None:  # fmt: skip
    complaint = await complaint_about(served_by(answering(greeting, answers), nursery, protocol, client))
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert f"{protocol}.tls was answered" in str(complaint)


async def test_a_handshake_that_fails_is_inconclusive(client: TlsContext, nursery: trio.Nursery) -> None:
    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.send_all(b"220 x\r\n")
            await stream.receive_some()
            await stream.send_all(b"250-x\r\n250 STARTTLS\r\n")
            await stream.receive_some()
            await stream.send_all(b"220 go\r\n")
            await stream.receive_some()
            await stream.send_all(b"500 this is no TLS\r\n")

    complaint = await complaint_about(served_by(serve, nursery, "smtp", client))
    assert complaint.exit_code is ExitCode.INCONCLUSIVE
    assert isinstance(complaint, PreconditionFailed)
