"""A connection that a native lane makes, talks on and closes; or gives back, where something is not as hoped."""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadgen.transport.addresses import Address, numeric_address
from loadgen.transport.connect import watched
from loadgen.transport.conversation import Beginning, Conversation
from loadgen.transport.errors import TransportError
from loadgen.transport.failures import connect_failure, io_failure, late_connect, outlived, source_failure
from loadgen.transport.readiness import Readiness
from loadgen.transport.socket_channel import SocketChannel
from loadgen.transport.stream import Transport

if TYPE_CHECKING:
    from loadgen.transport.native import NativeLane


@dataclass(frozen=True, slots=True)
class NativeWay:
    """How native lanes connect to one address: what the system calls take, worked out once."""

    to: Address
    sources: tuple[str, ...]               # in words, taken in turn; empty: the system's choice
    beginnings: tuple[Beginning, ...]      # for each of them; one where there are none

    def source(self, arrival: int) -> str | None:
        """Return the source address of an arrival in words; None: it is the system's choice."""
        return self.sources[arrival % len(self.sources)] if self.sources else None

    def beginning(self, arrival: int) -> Beginning:
        """Return what a lane begins with to connect."""
        return self.beginnings[arrival % len(self.beginnings)]


def native_way(
    addresses: Sequence[Address], sources: Sequence[str], phase: str, limit_s: float
) -> NativeWay | None:
    """Return how native lanes connect: to one IPv4 or IPv6 address, from sources of its family; None: they cannot.

    To connect is called `phase`, and has `limit_s`.
    """
    if len(addresses) != 1 or addresses[0].family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    [to] = addresses
    here = [numeric_address(source, 0) for source in sources]
    ours = [socket_address(one) for one in here if one is not None and one.family == to.family]
    if len(ours) != len(here):
        return None
    there = socket_address(to)
    beginnings = [(to.family, there, one, phase, limit_s) for one in ours]
    return NativeWay(to, tuple(sources), tuple(beginnings) or ((to.family, there, None, phase, limit_s),))


async def conversed(
    lane: "NativeLane", way: NativeWay, conversation: Conversation, readiness: Readiness, host: str | None
) -> Transport | None:
    """Wait until a lane that has begun has connected and led its conversation to the end; of a series all of them.

    Returns None if it came to its end as hoped, and is closed, else the transport on which it is to be gone over.
    Raises as `connect_clear` does, and TransportTimeout where a session outlived the lane's limit. Cancelled, the
    connection is closed.
    """
    try:
        await lane.ended()
        if conversation.done:
            return None
        if lane.outlived:
            raise outlived()
        if lane.connect_error:
            raise _failure_to_connect(lane, way.to, way.source(conversation.arrival))
        if lane.failure:
            conversation.failure = io_failure(OSError(lane.failure, ""), way.to.text)
        return _given_back(lane.take(), way.to, conversation, readiness, host)
    finally:
        lane.close()


def socket_address(address: Address) -> bytes:
    """Return the `struct sockaddr` of an IPv4 or IPv6 address, as Linux has it."""
    match address.sockaddr:
        case (str(host), int(port)):
            there = socket.inet_pton(socket.AF_INET, host)
            return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, there)
        case (str(host), int(port), int(flow), int(scope)):
            there = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
            ports = struct.pack("!HI16s", port, flow, there)
            return struct.pack("=H", socket.AF_INET6) + ports + struct.pack("=I", scope)
        case _:
            raise ValueError(f"{address.text} is no IPv4 or IPv6 address")


def _given_back(
    descriptor: int, address: Address, conversation: Conversation, readiness: Readiness, host: str | None
) -> Transport:
    sock = socket.socket(fileno=descriptor)
    try:
        channel = SocketChannel(sock, address.text, watched(sock, address, readiness))
    except TransportError:
        sock.close()
        raise
    transport = Transport(channel, address.text, host)
    transport.octets_sent, transport.octets_received = conversation.octets_sent, conversation.octets_received
    return transport


def _failure_to_connect(lane: "NativeLane", address: Address, source: str | None) -> TransportError:
    if lane.connect_error < 0:
        return late_connect(address.text)
    error = OSError(lane.connect_error, "")
    return connect_failure(error, address.text) if lane.bound or source is None else source_failure(error, source)
