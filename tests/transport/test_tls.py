"""TLS: what is agreed, who is trusted, and what each failure is called."""

import contextlib
import datetime
import ssl
from pathlib import Path

import pytest
import trio
import trustme
from trio.testing import MockClock, memory_stream_pair

from loadgen.endpoint import Endpoint
from loadgen.transport.errors import PeerClosed, TlsFailed, TransportTimeout
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext, TlsPolicy, make_client_context
from reports.errors import UserError
from tests.transport.conftest import Certificates, Connect
from tests.transport.peers import peer

FAR = 1e6
NAME = "mx.example.test"


class Server:
    """trio's own TLS, at the other end of a stream in memory."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        ours, self.below = memory_stream_pair()
        self.transport = Transport.over(ours, peer="peer", host=NAME)
        self.tls = trio.SSLStream(self.below, context, server_side=True)

    async def agree(self, client: TlsContext, server_name: str | None = None) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.tls.do_handshake)
            await self.transport.start_tls(client, server_name, FAR)

    async def handshake_or_not(self) -> None:
        """Shake hands, or refuse with an alert (which trio's SSLStream would keep to itself)."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_side=True)
        with contextlib.suppress(trio.BrokenResourceError):
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    await self.below.send_all(outgoing.read())
                except ssl.SSLError:
                    break
                else:
                    break
                if octets := await self.below.receive_some():
                    incoming.write(octets)
                else:
                    incoming.write_eof()
            await self.below.send_all(outgoing.read())

    async def refusal(self, client: TlsContext, server_name: str | None = None) -> TlsFailed:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.handshake_or_not)
            with pytest.raises(TlsFailed) as caught:
                await self.transport.start_tls(client, server_name, FAR)
            assert self.transport.tls is None
            await self.transport.aclose()
        return caught.value


async def test_octets_pass_both_ways_inside_tls(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    await server.tls.send_all(b"250 " + b"x" * 100_000)
    received = b""
    while len(received) < 100_004:
        received += await server.transport.receive(FAR)
    assert received == b"250 " + b"x" * 100_000
    body = bytes(range(256)) * 2_000   # in two parts of 256 KiB
    await server.transport.send(body, FAR)
    sent = b""
    while len(sent) < len(body):
        sent += await server.tls.receive_some()
    assert sent == body
    assert (server.transport.octets_sent, server.transport.octets_received) == (len(body), 100_004)


async def test_the_facts_of_the_handshake_are_kept(certificates: Certificates) -> None:
    server = Server(certificates.serving(NAME, common_name="Björn\x1b[31m"))
    await server.agree(certificates.client)
    facts = server.transport.tls
    assert facts is not None
    assert (facts.version, facts.cipher, facts.verified) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", True)
    assert r"CN=Bj\xf6rn\x1b[31m" in facts.peer_subject
    assert facts.peer_subject.isascii()
    assert facts.peer_subject.isprintable()


async def test_a_certificate_nobody_looked_at_is_not_verified(certificates: Certificates) -> None:
    stranger = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    stranger.issue_cert("elsewhere.invalid").configure_cert(context)
    server = Server(context)
    await server.agree(make_client_context(TlsPolicy("starttls", verify=False)))
    assert server.transport.tls is not None
    assert not server.transport.tls.verified


async def test_an_authority_we_do_not_know_is_not_trusted(certificates: Certificates) -> None:
    refusal = await Server(certificates.server).refusal(make_client_context(TlsPolicy("starttls")))
    assert refusal.untrusted
    assert str(refusal) == (
        "peer showed a certificate that is not trusted (unable to get local issuer certificate)"
    )


async def test_another_name_is_told_from_another_authority(certificates: Certificates) -> None:
    refusal = await Server(certificates.server).refusal(certificates.client, "other.example.test")
    assert refusal.untrusted
    assert str(refusal).startswith("peer showed a certificate for another name (Hostname mismatch")


async def test_another_address_is_another_name(certificates: Certificates) -> None:
    refusal = await Server(certificates.server).refusal(certificates.client, "127.0.0.2")
    assert refusal.untrusted
    assert str(refusal).startswith("peer showed a certificate for another name (IP address mismatch")


async def test_an_expired_certificate_is_not_trusted(certificates: Certificates) -> None:
    expired = certificates.serving(NAME, not_after=datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC))
    refusal = await Server(expired).refusal(certificates.client)
    assert str(refusal) == "peer showed a certificate that is not trusted (certificate has expired)"


async def test_our_refusal_reaches_the_server_as_an_alert(certificates: Certificates) -> None:
    server = Server(certificates.server)

    async def hear_the_alert() -> None:
        with pytest.raises(trio.BrokenResourceError) as caught:
            await server.tls.do_handshake()
        assert "UNKNOWN_CA" in str(caught.value.__cause__)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear_the_alert)
        with pytest.raises(TlsFailed):
            await server.transport.start_tls(make_client_context(TlsPolicy("starttls")), None, FAR)


async def test_no_version_in_common_is_said(certificates: Certificates) -> None:
    client = make_client_context(TlsPolicy("starttls", str(certificates.ca_file)))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    modern = certificates.serving(NAME)
    modern.minimum_version = ssl.TLSVersion.TLSv1_3
    refusal = await Server(modern).refusal(client)
    assert str(refusal) == "peer and this host have no TLS version in common"
    assert not refusal.untrusted


async def test_no_cipher_in_common_is_a_refused_handshake(certificates: Certificates) -> None:
    client = make_client_context(TlsPolicy("starttls", str(certificates.ca_file)))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    narrow = certificates.serving(NAME)
    narrow.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    refusal = await Server(narrow).refusal(client)
    assert str(refusal) == (
        "peer refused the TLS handshake (no cipher in common, or it wants a client certificate)"
    )


async def test_a_wanted_client_certificate_breaks_tls_at_the_first_answer(certificates: Certificates) -> None:
    demanding = certificates.serving(NAME)
    demanding.verify_mode = ssl.CERT_REQUIRED
    server = Server(demanding)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.handshake_or_not)
        await server.transport.start_tls(certificates.client, None, FAR)   # TLS 1.3: our side is done first
        with pytest.raises(TlsFailed, match=r"^TLS with peer broke \(tlsv13 alert certificate required\)$"):
            await server.transport.receive(FAR)


async def test_a_clear_text_port_is_recognised(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.below.send_all(b"220 mx.example.test ESMTP\r\n")
    with pytest.raises(TlsFailed, match=r"^peer did not answer with TLS \(is this a clear-text port\?\)$"):
        await server.transport.start_tls(certificates.client, None, FAR)


async def test_clear_text_behind_the_220_never_reaches_the_session(certificates: Certificates) -> None:
    """RFC 3207 §4.2, CVE-2011-0411: what is injected before the handshake must not be read after it."""
    server = Server(certificates.server)
    await server.below.send_all(b"250 injected\r\n")
    assert "did not answer with TLS" in str(await server.refusal(certificates.client))


@pytest.mark.parametrize("cut", ["send_eof", "aclose"])
async def test_a_server_that_hangs_up_in_the_handshake_refused_it(certificates: Certificates, cut: str) -> None:
    server = Server(certificates.server)
    await getattr(server.below, cut)()
    with pytest.raises(TlsFailed, match=r"^peer (closed|reset) the connection during the TLS handshake$"):
        await server.transport.start_tls(certificates.client, None, FAR)


async def test_a_certificate_cannot_be_held_against_no_name(certificates: Certificates) -> None:
    ours, _theirs = memory_stream_pair()
    with pytest.raises(TlsFailed, match=r"^There is no name to hold peer's certificate against"):
        await Transport.over(ours).start_tls(certificates.client, None, FAR)


async def test_a_silent_handshake_is_a_timeout(certificates: Certificates, autojump_clock: MockClock) -> None:
    server = Server(certificates.server)
    with pytest.raises(TransportTimeout):
        await server.transport.start_tls(certificates.client, None, 60)
    assert trio.current_time() == 60


async def test_a_silent_server_inside_tls_is_a_timeout(
    certificates: Certificates, autojump_clock: MockClock
) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    with pytest.raises(TransportTimeout, match=r"^peer sent nothing before the deadline$"):
        await server.transport.receive(300)
    assert trio.current_time() == 300


async def test_a_close_notify_is_an_orderly_close(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    await server.tls.aclose()
    with pytest.raises(PeerClosed, match=r"^peer closed the connection$"):
        await server.transport.receive(FAR)


async def test_an_end_without_close_notify_is_said(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    await server.below.send_eof()
    with pytest.raises(PeerClosed, match=r"^peer closed the connection without a TLS close_notify$") as caught:
        await server.transport.receive(FAR)
    assert not caught.value.reset


async def test_closing_says_close_notify_and_waits_for_nobody(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    await server.transport.aclose()
    assert await server.tls.receive_some() == b""   # SSLStream raises if the close_notify is missing
    await server.transport.aclose()


async def test_closing_when_cancelled_gives_up_the_close_notify_and_closes(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    with trio.CancelScope() as scope:
        scope.cancel()
        await server.transport.aclose()
    with pytest.raises(trio.BrokenResourceError):   # the end, without a close_notify before it
        await server.tls.receive_some()


async def test_half_close_inside_tls_still_lets_the_answer_in(certificates: Certificates) -> None:
    server = Server(certificates.server)
    await server.agree(certificates.client)
    await server.transport.send(b"QUIT\r\n", FAR)
    await server.transport.send_eof()
    assert await server.tls.receive_some() == b"QUIT\r\n"
    assert await server.tls.receive_some() == b""
    await server.tls.send_all(b"221 bye\r\n")
    assert await server.transport.receive(FAR) == b"221 bye\r\n"


async def test_after_a_cut_send_tls_carries_nothing_more(
    connect: Connect, certificates: Certificates, autojump_clock: MockClock
) -> None:
    async def serve_and_stall(stream: trio.SocketStream) -> None:
        await trio.SSLStream(stream, certificates.server, server_side=True).do_handshake()
        await trio.sleep_forever()

    async with peer(serve_and_stall) as server, await connect(server, deadline=FAR) as transport:
        autojump_clock.autojump_threshold = float("inf")   # real octets are in flight during the handshake
        await transport.start_tls(certificates.client, None, FAR)
        autojump_clock.autojump_threshold = 0
        with pytest.raises(TransportTimeout, match="did not take what was sent"):
            await transport.send(bytes(16_000_000), trio.current_time() + 180)
        with pytest.raises(TlsFailed, match=r"was cut short, so TLS can carry nothing more$"):
            await transport.send(b"QUIT\r\n", FAR)


async def test_implicit_tls_is_part_of_connecting(connect: Connect, certificates: Certificates) -> None:
    async def tls_echo(stream: trio.SocketStream) -> None:
        tls = trio.SSLStream(stream, certificates.server, server_side=True)
        await tls.send_all(await tls.receive_some())

    async with peer(tls_echo) as server:
        smtps = Endpoint("smtp", server.host, server.port, None, implicit_tls=True)
        soon = trio.current_time() + 5
        async with await connect(smtps, deadline=soon, tls=certificates.client) as transport:
            assert transport.tls is not None
            await transport.send(b"NOOP\r\n", soon)
            assert await transport.receive(soon) == b"NOOP\r\n"


def test_a_missing_ca_file_is_the_operators_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^The CA file .*/no\.pem does not exist$"):
        make_client_context(TlsPolicy("starttls", str(tmp_path / "no.pem")))


def test_a_ca_file_without_certificates_is_the_operators_error(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(UserError, match=r"holds no PEM certificates that can be read$"):
        make_client_context(TlsPolicy("starttls", str(tmp_path / "ca.pem")))
