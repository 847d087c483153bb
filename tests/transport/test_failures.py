"""The sentences of failures which loopback cannot provoke, or not without root."""

import errno
import pickle
import socket

import pytest
import trio

from loadgen.transport.errors import (
    ConnectRefused,
    LocalExhausted,
    NameNotFound,
    PeerClosed,
    TlsFailed,
    TransportError,
    TransportTimeout,
    Unreachable,
)
from loadgen.transport.failures import connect_failure, io_failure, name_failure, source_failure

PEER = "192.0.2.1:25"


def os_error(code: int) -> OSError:
    return OSError(code, "what the OS says")


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (errno.EHOSTUNREACH, Unreachable, "192.0.2.1:25 cannot be reached from this host (No route to host)"),
        (errno.ENETUNREACH, Unreachable, "192.0.2.1:25 cannot be reached from this host (Network is unreachable)"),
        (errno.EAFNOSUPPORT, Unreachable,
         "192.0.2.1:25 cannot be reached from this host (Address family not supported by protocol)"),
        (errno.ETIMEDOUT, TransportTimeout, "192.0.2.1:25 did not answer until the kernel gave up connecting"),
        (errno.ECONNRESET, ConnectRefused, "192.0.2.1:25 refused the connection"),
        (errno.EACCES, ConnectRefused, "This host does not permit connecting to 192.0.2.1:25"),
        (errno.EPERM, ConnectRefused, "This host does not permit connecting to 192.0.2.1:25"),
        (errno.EADDRNOTAVAIL, LocalExhausted,
         "No ephemeral port is left for 192.0.2.1:25 (name more target.source_addresses, or run"
         ' `sysctl -w net.ipv4.ip_local_port_range="1024 65535"` first)'),
        (errno.ENFILE, LocalExhausted,
         "This host has no descriptor left for any process (raise sysctl fs.file-max)"),
        (errno.ENOSPC, LocalExhausted,
         "This user may watch no more sockets (raise sysctl fs.epoll.max_user_watches)"),
        (errno.ENOBUFS, LocalExhausted, "This host has no memory left for another socket"),
        (errno.EPROTO, TransportError, "Connecting to 192.0.2.1:25 failed (Protocol error)"),
    ],
)
def test_a_failure_to_connect_has_its_kind_and_sentence(
    code: int, kind: type[TransportError], sentence: str
) -> None:
    failure = connect_failure(os_error(code), PEER)
    assert (type(failure), str(failure)) == (kind, sentence)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (errno.EPIPE, PeerClosed, "192.0.2.1:25 reset the connection"),
        (errno.ETIMEDOUT, PeerClosed,
         "192.0.2.1:25 stopped acknowledging until the kernel gave up the connection"),
        (errno.EHOSTUNREACH, Unreachable,
         "192.0.2.1:25 can no longer be reached from this host (No route to host)"),
        (errno.ENOMEM, LocalExhausted, "This host has no memory left for another socket"),
        (errno.EPROTO, TransportError, "The connection to 192.0.2.1:25 failed (Protocol error)"),
    ],
)
def test_a_failure_of_a_connection_has_its_kind_and_sentence(
    code: int, kind: type[TransportError], sentence: str
) -> None:
    failure = io_failure(os_error(code), PEER)
    assert (type(failure), str(failure)) == (kind, sentence)


def test_a_socket_we_closed_is_not_the_networks_failure() -> None:
    with pytest.raises(trio.ClosedResourceError):
        io_failure(os_error(errno.EBADF), PEER)


def test_source_ports_that_are_used_up_are_named() -> None:
    failure = source_failure(os_error(errno.EADDRINUSE), "192.0.2.9")
    assert (type(failure), str(failure)) == (
        LocalExhausted, "No ephemeral port is free at the source address 192.0.2.9"
    )


def test_a_resolver_without_descriptors_is_not_a_missing_name() -> None:
    assert isinstance(name_failure(os_error(errno.EMFILE), "mx.example.test"), LocalExhausted)


def test_a_name_without_an_address_is_missing() -> None:
    assert isinstance(name_failure(socket.gaierror(socket.EAI_NODATA, ""), "mx.example.test"), NameNotFound)


@pytest.mark.parametrize("error", [PeerClosed("gone", reset=True), TlsFailed("no", untrusted=True)])
def test_an_error_crosses_a_process_boundary_whole(error: TransportError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
