"""Connecting: where to, from where, and what each failure is called."""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
import trio

from loadgen.endpoint import Endpoint
from loadgen.transport import connect as connecting
from loadgen.transport.addresses import Address, resolve
from loadgen.transport.errors import (
    ConnectRefused,
    LocalExhausted,
    NameNotFound,
    TransportTimeout,
    Unreachable,
)
from tests.transport.conftest import Connect
from tests.transport.peers import endpoint, peer

FAR = 1e6   # a deadline no test reaches


def unix(path: Path) -> Endpoint:
    return Endpoint("lmtp", None, None, str(path), implicit_tls=False)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_both_families_of_addresses_connect(connect: Connect, host: str) -> None:
    async with peer(host=host) as server, await connect(server, deadline=trio.current_time() + 5) as transport:
        await transport.send(b"NOOP\r\n", trio.current_time() + 5)
        assert await transport.receive(trio.current_time() + 5) == b"NOOP\r\n"
        shown = f"[{host}]" if ":" in host else host
        assert transport.peer == f"{shown}:{server.port}"
        assert transport.local.startswith(f"{shown}:")


async def test_a_system_whose_sockets_are_not_made_non_blocking_does_no_worse(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    monkeypatch.setattr(connecting, "_NONBLOCKING", 0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with await connect(endpoint(listener.getsockname()[1]), deadline=5) as transport:
            with pytest.raises(TransportTimeout):
                await transport.receive(10)
    assert trio.current_time() == 10


async def test_a_refusal_lets_others_have_their_turn(connect: Connect, free_port: int) -> None:
    """A closed load meets a server that is down: each session fails at once, and the next one begins."""
    refused = 0

    async def meet_nobody() -> None:
        nonlocal refused
        while True:
            with pytest.raises(ConnectRefused):
                await connect(endpoint(free_port), deadline=trio.current_time() + 5)
            refused += 1

    with trio.move_on_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(meet_nobody)
            while refused < 3:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert 3 <= refused < 10


async def test_a_name_is_resolved(connect: Connect) -> None:
    async with peer() as server:
        named = endpoint(server.port, "localhost")
        async with await connect(named, deadline=trio.current_time() + 5) as transport:
            assert transport.peer == f"127.0.0.1:{server.port}"


async def test_a_unix_socket_connects(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        async with await connect(unix(path), deadline=trio.current_time() + 5) as transport:
            accepted, _ = listener.accept()
            with accepted:
                await transport.send(b"LHLO client.example.test\r\n", trio.current_time() + 5)
                assert accepted.recv(100) == b"LHLO client.example.test\r\n"
            assert transport.peer == str(path)


async def test_the_source_address_is_the_one_asked_for(connect: Connect) -> None:
    soon = trio.current_time() + 5
    async with peer() as server, await connect(server, deadline=soon, source="127.0.0.9") as transport:
        assert transport.local.startswith("127.0.0.9:")


async def test_the_second_address_is_tried_when_the_first_refuses(connect: Connect, free_port: int) -> None:
    async with peer() as server:
        addresses = [*await resolve(endpoint(free_port), FAR), *await resolve(server, FAR)]
        async with await connect(server, deadline=trio.current_time() + 5, addresses=addresses) as transport:
            assert transport.peer == f"127.0.0.1:{server.port}"


async def test_a_silent_first_address_leaves_time_for_the_second(
    connect: Connect, silent: Endpoint, free_port: int, autojump_clock: trio.testing.MockClock
) -> None:
    addresses = [*await resolve(silent, FAR), *await resolve(endpoint(free_port), FAR)]
    with pytest.raises(ConnectRefused):
        await connect(silent, deadline=30, addresses=addresses)
    assert trio.current_time() == 15


async def test_a_closed_port_refuses(connect: Connect, free_port: int) -> None:
    with pytest.raises(ConnectRefused, match=rf"^127.0.0.1:{free_port} refused the connection$"):
        await connect(endpoint(free_port), deadline=trio.current_time() + 5)


async def test_a_missing_unix_socket_refuses(connect: Connect, tmp_path: Path) -> None:
    with pytest.raises(ConnectRefused, match=r"^There is no socket at /.*/nobody$"):
        await connect(unix(tmp_path / "nobody"), deadline=trio.current_time() + 5)


async def test_a_unix_socket_nobody_listens_on_refuses(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with pytest.raises(ConnectRefused, match=r"/stale refused the connection$"):
        await connect(unix(path), deadline=trio.current_time() + 5)


async def test_a_multicast_address_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"^224\.0\.0\.1:25 cannot be reached from this host \(Network is unreach"):
        await connect(endpoint(25, "224.0.0.1"), deadline=trio.current_time() + 5)


async def test_silence_is_a_timeout_at_the_deadline(
    connect: Connect, silent: Endpoint, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(TransportTimeout, match="did not accept the connection before the deadline"):
        await connect(silent, deadline=30)
    assert trio.current_time() == 30


async def test_a_full_unix_backlog_is_a_timeout(
    connect: Connect, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "busy"
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        with pytest.raises(TransportTimeout, match="did not accept the connection before the deadline"):
            await connect(unix(path), deadline=0.1)


async def test_a_unix_backlog_that_drains_in_time_connects(
    connect: Connect, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "busy"

    async def accept_later(listener: socket.socket) -> None:
        await trio.sleep(1)
        listener.accept()[0].close()

    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(path))
        listener.listen(0)
        first.connect(str(path))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept_later, listener)
            await (await connect(unix(path), deadline=30)).aclose()


class Resolver(trio.abc.HostnameResolver):
    """Fails as told, or never answers."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def getaddrinfo(self, *_: object, **__: object) -> NoReturn:
        if self.error is None:
            await trio.sleep_forever()
        else:
            raise self.error

    async def getnameinfo(self, *_: object) -> NoReturn:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "The name mx.example.test has no address"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
         "The resolver could not say now which address mx.example.test has"),
        (socket.gaierror(socket.EAI_SYSTEM, "System error"),
         "The name mx.example.test could not be looked up (gaierror)"),
        (UnicodeError("label empty or too long"), "The name mx.example.test has no address"),
    ],
)
async def test_a_name_that_does_not_resolve_is_named(connect: Connect, error: Exception, sentence: str) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(error))
    with pytest.raises(NameNotFound) as caught:
        await connect(endpoint(25, "mx.example.test"), deadline=trio.current_time() + 5)
    assert str(caught.value) == sentence


async def test_a_silent_resolver_is_a_timeout(connect: Connect, autojump_clock: trio.testing.MockClock) -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(None))
    with pytest.raises(TransportTimeout, match="The resolver did not say before the deadline"):
        await connect(endpoint(25, "mx.example.test"), deadline=30)
    assert trio.current_time() == 30


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("192.0.2.1", "The source address 192.0.2.1 is not an address of this host"),
        ("::1", "The source address ::1 is of another family than 127.0.0.1:25"),
        ("localhost", "The source address localhost is not an IPv4 or IPv6 address"),
    ],
)
async def test_a_source_address_that_cannot_serve_is_named(connect: Connect, source: str, sentence: str) -> None:
    with pytest.raises(LocalExhausted) as caught:
        await connect(endpoint(25), deadline=trio.current_time() + 5, source=source)
    assert str(caught.value) == sentence


@contextmanager
def no_descriptor_left() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(0)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        yield first_free
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_too_many_descriptors_says_which_limit(connect: Connect) -> None:
    with no_descriptor_left() as limit, pytest.raises(LocalExhausted) as caught:
        await connect(endpoint(25), deadline=trio.current_time() + 5)
    assert str(caught.value) == f"This process may open only {limit} files (run `ulimit -n` with a higher one)"


async def test_implicit_tls_without_a_context_is_our_bug(connect: Connect) -> None:
    with pytest.raises(ValueError, match="a TLS context is needed"):
        await connect(endpoint(465, implicit_tls=True), deadline=trio.current_time() + 5)


async def test_numeric_hosts_and_paths_need_no_resolver() -> None:
    trio.socket.set_custom_hostname_resolver(Resolver(AssertionError("asked")))
    assert await resolve(endpoint(25, "::1"), FAR) == (Address(socket.AF_INET6, ("::1", 25, 0, 0), "[::1]:25"),)
    assert await resolve(unix(Path("/run/lmtp")), FAR) == (Address(socket.AF_UNIX, "/run/lmtp", "/run/lmtp"),)


async def test_a_small_receive_buffer_holds_up_a_server_that_writes(autojump_clock: trio.testing.MockClock) -> None:
    async def taken(receive_buffer_octets: int | None) -> int:
        """Say how much a server can send to a client that reads nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = int(listener.getsockname()[1])
            async with await connecting.connect_clear(
                endpoint(port), deadline=5, receive_buffer_octets=receive_buffer_octets
            ):
                server, _ = listener.accept()
                with server:
                    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                    server.setblocking(False)
                    sent = 0
                    with suppress(BlockingIOError):
                        while True:
                            sent += server.send(b"x" * 1024)
        return sent

    assert 0 < 2 * await taken(2048) < await taken(None)
