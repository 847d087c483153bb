"""The listening sockets, over loopback: limits, shutdown, TLS, unix sockets, resets."""

import os
import resource
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from conformance.refserver.behaviour import Limits
from conformance.refserver.errors import ServerSetupError
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.sockets import Bind, allow_descriptors, listen_tcp, listen_unix, listening_on
from conformance.refserver.listener.tls import context_from_files, self_made_context, start_tls_with
from conformance.refserver.server import serve
from tests.refserver.bench import Bench, make_bench

TO_USER1 = b"RCPT TO:<user1@example.test>\r\n"


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca") / "ca.pem"


@pytest.fixture(scope="module")
def start_tls(ca_file: Path) -> StartTls:
    return start_tls_with(self_made_context(["localhost", "127.0.0.1"], ca_file))


@asynccontextmanager
async def serving(
    bench: Bench, binds: Sequence[Bind], start_tls: StartTls | None = None
) -> AsyncIterator[tuple[dict[str, int], trio.Event]]:
    """Yield {protocol: port}, and the event that stops the server."""
    stop = trio.Event()
    with listening_on(binds, "127.0.0.1") as listening:
        ports = {one.protocol: int(one.url.rpartition(":")[2]) for one in listening if "unix" not in one.url}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve(bench.service, listening, start_tls, stop=stop))
            yield ports, stop
            stop.set()


async def dialogue(stream: trio.abc.Stream, *lines: bytes, greeted: bool = False) -> list[bytes]:
    """Send lines one by one, after the greeting, and return the last line of each answer."""
    answers = []
    for line in lines if greeted else (b"", *lines):
        if line:
            await stream.send_all(line)
        octets = b""
        while not octets.endswith(b"\r\n") or octets.splitlines()[-1][3:4] == b"-":
            piece = await stream.receive_some()
            if not piece:
                break
            octets += piece
        answers.append(octets.splitlines()[-1] if octets else b"")
    return answers


async def test_a_message_comes_in_by_smtp_and_lmtp_and_out_by_pop3(bench: Bench) -> None:
    async with serving(bench, [Bind("smtp", 0), Bind("lmtp", 0), Bind("pop3", 0)]) as (ports, _):
        for protocol, hello in (("smtp", b"EHLO"), ("lmtp", b"LHLO")):
            stream = await trio.open_tcp_stream("127.0.0.1", ports[protocol])
            answers = await dialogue(
                stream, hello + b" c.example\r\n", b"MAIL FROM:<>\r\n", TO_USER1, b"DATA\r\n",
                b"A: b\r\n\r\n.\r\n", b"QUIT\r\n",
            )
            assert [answer[:3] for answer in answers] == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
            assert await stream.receive_some() == b""
            await stream.aclose()
        stream = await trio.open_tcp_stream("127.0.0.1", ports["pop3"])
        answers = await dialogue(stream, b"USER user1\r\n", b"PASS secret1\r\n", b"STAT\r\n", b"QUIT\r\n")
        assert answers[3].startswith(b"+OK 2 ")
        await stream.aclose()
    smtp, lmtp = bench.stored()
    assert b"Received: from c.example ([127.0.0.1])\r\n\tby mail.example.test with ESMTP id" in smtp
    assert b"with LMTP id" in lmtp


async def test_shutdown_says_421_to_idle_smtp_sessions_and_then_ends(bench: Bench) -> None:
    async with serving(bench, [Bind("smtp", 0), Bind("pop3", 0)]) as (ports, stop):
        smtp = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        pop3 = await trio.open_tcp_stream("127.0.0.1", ports["pop3"])
        await dialogue(smtp, b"EHLO c.example\r\n")
        await dialogue(pop3)
        stop.set()
        assert (await smtp.receive_some()).startswith(b"421 4.3.2")
        assert await smtp.receive_some() == b""
        assert await pop3.receive_some() == b""
        await smtp.aclose()
        await pop3.aclose()


async def test_past_the_connection_limit_one_is_told_so_and_the_others_go_on() -> None:
    bench = make_bench(limits=replace(Limits(), connections=2))
    async with serving(bench, [Bind("smtp", 0), Bind("pop3", 0)]) as (ports, _):
        first = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        second = await trio.open_tcp_stream("127.0.0.1", ports["pop3"])
        assert [(await dialogue(one))[0][:3] for one in (first, second)] == [b"220", b"+OK"]
        for protocol, words in (("smtp", b"421 4.3.2"), ("pop3", b"-ERR [SYS/TEMP]")):
            third = await trio.open_tcp_stream("127.0.0.1", ports[protocol])
            assert (await dialogue(third))[0].startswith(words)
            assert await third.receive_some() == b""
            await third.aclose()
        assert (await dialogue(first, b"QUIT\r\n", greeted=True))[0].startswith(b"221")
        assert await first.receive_some() == b""
        third = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        assert (await dialogue(third))[0].startswith(b"220")
        for stream in (first, second, third):
            await stream.aclose()


async def test_a_handshake_that_does_not_come_counts_as_a_connection(start_tls: StartTls) -> None:
    bench = make_bench(limits=replace(Limits(), connections=1))
    async with serving(bench, [Bind("smtps", 0), Bind("smtp", 0)], start_tls) as (ports, _):
        silent = await trio.open_tcp_stream("127.0.0.1", ports["smtps"])
        await trio.testing.wait_all_tasks_blocked(0.05)
        second = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        assert (await dialogue(second))[0].startswith(b"421")
        await silent.aclose()
        await second.aclose()


async def test_the_last_reply_arrives_though_the_client_sent_more_than_was_read(bench: Bench) -> None:
    """Closing with input unread would send RST, and the reply could be lost to it."""
    async with serving(bench, [Bind("smtp", 0)]) as (ports, _):
        stream = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        await stream.send_all(b"QUIT\r\n" + b"NOOP\r\n" * 100_000)
        said = b""
        while piece := await stream.receive_some():
            said += piece
        assert said.splitlines()[-1].startswith(b"221")
        await stream.aclose()


async def test_a_thousand_resets_leave_nothing_behind(bench: Bench) -> None:
    async with serving(bench, [Bind("smtp", 0)]) as (ports, _):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(1000):
            raw = socket.create_connection(("127.0.0.1", ports["smtp"]))
            raw.sendall(b"EHLO c.example\r\nMAIL FROM:<>\r\n")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()
        stream = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        assert (await dialogue(stream, b"NOOP\r\n"))[1].startswith(b"250")
        await stream.aclose()
        with trio.fail_after(5):
            while len(os.listdir("/proc/self/fd")) > before:      # noqa: ASYNC110 -- the kernel sets no event
                await trio.sleep(0.01)


async def test_lmtp_listens_on_a_unix_socket_and_takes_over_a_dead_one(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    async with serving(bench, [Bind("lmtp", path=path)]) as (_, stop):
        stream = await trio.open_unix_socket(path)
        answers = await dialogue(
            stream, b"LHLO c.example\r\n", b"MAIL FROM:<>\r\n", TO_USER1, b"DATA\r\n", b".\r\n"
        )
        assert answers[-1].startswith(b"250")
        with pytest.raises(ServerSetupError, match="another process uses it"):
            listen_unix(path)
        stop.set()
        await stream.aclose()
    assert not path.exists()
    assert b"Received: from c.example\r\n" in bench.stored()[0]


async def test_over_ipv6_the_trace_has_the_address_as_a_literal(bench: Bench) -> None:
    stop = trio.Event()
    with listening_on([Bind("smtp", 0)], "::1") as listening:
        assert listening[0].url.startswith("smtp://[::1]:")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve(bench.service, listening, None, stop=stop))
            stream = await trio.open_tcp_stream("::1", int(listening[0].url.rpartition(":")[2]))
            await dialogue(stream, b"EHLO [IPv6:::1]\r\n", b"MAIL FROM:<>\r\n", TO_USER1, b"DATA\r\n", b".\r\n")
            await stream.aclose()
            stop.set()
    assert b"Received: from [IPv6:::1] ([IPv6:::1])\r\n" in bench.stored()[0]


def test_a_port_in_use_or_a_foreign_address_has_its_sentence() -> None:
    with listen_tcp("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerSetupError, match=f"cannot listen on 127.0.0.1 port {port}: another process uses it"):
            listen_tcp("127.0.0.1", port)
    with pytest.raises(ServerSetupError, match="no address of this host"):
        listen_tcp("192.0.2.1", 0)


def test_a_certificate_that_is_none_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "cert").write_text("nonsense")
    with pytest.raises(ServerSetupError, match="cannot use certificate"):
        context_from_files(tmp_path / "cert", tmp_path / "key")
    with pytest.raises(ServerSetupError, match="cannot write the CA"):
        self_made_context(["localhost"], tmp_path / "none" / "ca.pem")


def client_context(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


async def test_starttls_and_implicit_tls_speak_the_same_protocol_inside(
    bench: Bench, start_tls: StartTls, ca_file: Path
) -> None:
    binds = [Bind(protocol, 0) for protocol in ("smtp", "smtps", "pop3", "pop3s")]
    async with serving(bench, binds, start_tls) as (ports, _):
        context = client_context(ca_file)
        for protocol, words in (("smtp", b"STARTTLS\r\n"), ("pop3", b"STLS\r\n")):
            stream = await trio.open_tcp_stream("127.0.0.1", ports[protocol])
            hello = [b"EHLO c.example\r\n"] if protocol == "smtp" else []
            assert (await dialogue(stream, *hello, words))[-1][:3] in {b"220", b"+OK"}
            secured = trio.SSLStream(stream, context, server_hostname="localhost")
            await secured.send_all(b"NOOP\r\n" if protocol == "smtp" else b"USER x\r\n")
            assert (await secured.receive_some())[:3] in {b"250", b"+OK"}
            await secured.send_all(b"QUIT\r\n")
            assert (await secured.receive_some())[:3] in {b"221", b"+OK"}
            assert await secured.receive_some() == b""      # close_notify: a clean end (RFC 8314 §3.4)
            await secured.aclose()
        for protocol in ("smtps", "pop3s"):
            stream = await trio.open_tcp_stream("127.0.0.1", ports[protocol])
            secured = trio.SSLStream(stream, context, server_hostname="localhost")
            assert (await secured.receive_some())[:3] in {b"220", b"+OK"}
            await trio.aclose_forcefully(secured)


async def test_plain_text_behind_starttls_is_never_answered_inside_tls(
    bench: Bench, start_tls: StartTls, ca_file: Path
) -> None:
    async with serving(bench, [Bind("smtp", 0)], start_tls) as (ports, _):
        stream = await trio.open_tcp_stream("127.0.0.1", ports["smtp"])
        await dialogue(stream, b"EHLO c.example\r\n")
        await stream.send_all(b"STARTTLS\r\nNOOP\r\nEHLO evil.example\r\nMAIL FROM:<>\r\n")
        assert (await stream.receive_some()).startswith(b"220 ")
        secured = trio.SSLStream(stream, client_context(ca_file), server_hostname="localhost")
        await secured.do_handshake()
        with trio.move_on_after(0.05) as quiet:
            raise AssertionError(await secured.receive_some())
        assert quiet.cancelled_caught
        await secured.send_all(b"MAIL FROM:<>\r\n")
        assert (await secured.receive_some()).startswith(b"503 ")
        await trio.aclose_forcefully(secured)


@pytest.mark.parametrize("protocol", ["smtp", "smtps"])
async def test_plain_text_in_place_of_a_handshake_is_not_obeyed(
    bench: Bench, start_tls: StartTls, protocol: str
) -> None:
    async with serving(bench, [Bind(protocol, 0)], start_tls) as (ports, _):
        stream = await trio.open_tcp_stream("127.0.0.1", ports[protocol])
        if protocol == "smtp":
            await dialogue(stream, b"EHLO c.example\r\n", b"STARTTLS\r\n")
        await stream.send_all(b"NOOP\r\nNOOP\r\nEHLO c.example\r\n")
        said = b""
        with suppress(trio.BrokenResourceError), trio.fail_after(5):
            while piece := await stream.receive_some():
                said += piece
        assert b"250" not in said
        await stream.aclose()


async def test_a_body_cut_off_without_close_notify_is_not_stored(
    bench: Bench, start_tls: StartTls, ca_file: Path
) -> None:
    async with serving(bench, [Bind("smtps", 0)], start_tls) as (ports, _):
        stream = await trio.open_tcp_stream("127.0.0.1", ports["smtps"])
        secured = trio.SSLStream(stream, client_context(ca_file), server_hostname="localhost")
        await dialogue(
            secured, b"EHLO c.example\r\n", b"MAIL FROM:<>\r\n", TO_USER1, b"DATA\r\n"
        )
        await secured.send_all(b"A: b\r\n\r\nhalf\r\n.")
        await trio.aclose_forcefully(secured)
    assert bench.stored() == []


async def test_tls_before_1_2_is_refused(bench: Bench, start_tls: StartTls, ca_file: Path) -> None:
    old = client_context(ca_file)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(bench, [Bind("smtps", 0)], start_tls) as (ports, _):
        stream = await trio.open_tcp_stream("127.0.0.1", ports["smtps"])
        with pytest.raises(trio.BrokenResourceError):
            await trio.SSLStream(stream, old, server_hostname="localhost").do_handshake()
        await stream.aclose()


@pytest.mark.parametrize(
    ("root", "connections", "allowed", "files"),
    [(False, 100, 100, 4096), (False, 9000, 4032, 4096), (True, 9000, 9000, 9064)],
)
def test_connections_are_promised_as_far_as_descriptors_go(
    monkeypatch: pytest.MonkeyPatch, root: bool, connections: int, allowed: int, files: int
) -> None:
    limits = (1024, 4096)

    def setrlimit(which: int, wanted: tuple[int, int]) -> None:
        nonlocal limits
        if wanted[1] > limits[1] and not root:
            raise ValueError("not allowed to raise maximum limit")
        limits = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda which: limits)
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    assert allow_descriptors(connections) == allowed
    assert limits == (files, files)
