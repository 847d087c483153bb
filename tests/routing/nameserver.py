"""A nameserver of our own on loopback, UDP and TCP on one port, whose handler may answer with anything."""

import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import trio

from loadgen.endpoint import Nameserver

Reply = dns.message.Message | bytes | None     # None: silence
Handler = Callable[[dns.message.Message, bool], Reply]   # (query, came over TCP)

# "owner TYPE" -> data of its records. A value that is an rcode's name is answered with that rcode.
Zone = Mapping[str, Sequence[str] | str]


@asynccontextmanager
async def nameserver(handler: Handler) -> AsyncIterator[Nameserver]:
    """Serve until the block ends; give where."""
    async with trio.open_nursery() as nursery:
        [tcp] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = tcp.socket.getsockname()[1]
        with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as udp:
            await udp.bind(("127.0.0.1", port))
            nursery.start_soon(_serve_udp, udp, handler)
            nursery.start_soon(trio.serve_listeners, partial(_serve_tcp, handler), [tcp])
            yield Nameserver("127.0.0.1", port)
            nursery.cancel_scope.cancel()


@contextmanager
def nameserver_beside(handler: Handler) -> Iterator[Nameserver]:
    """Serve from another thread: the command has a trio of its own."""
    where: list[Nameserver] = []
    ready = threading.Event()
    tokens: list[tuple[trio.lowlevel.TrioToken, trio.Event]] = []

    async def serve() -> None:
        async with nameserver(handler) as ours:
            stop = trio.Event()
            where.append(ours)
            tokens.append((trio.lowlevel.current_trio_token(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert ready.wait(5)
    try:
        yield where[0]
    finally:
        [(token, stop)] = tokens
        token.run_sync_soon(stop.set)
        thread.join(5)


async def _serve_udp(udp: trio.socket.SocketType, handler: Handler) -> None:
    while True:
        octets, sender = await udp.recvfrom(65535)
        if (reply := _octets(handler(dns.message.from_wire(octets), False))) is not None:
            await udp.sendto(reply, sender)


async def _serve_tcp(handler: Handler, stream: trio.SocketStream) -> None:
    async with stream:
        received = b""
        while len(received) < 2 or len(received) < 2 + struct.unpack("!H", received[:2])[0]:
            octets = await stream.receive_some(4096)
            if not octets:
                return
            received += octets
        if (reply := _octets(handler(dns.message.from_wire(received[2:]), True))) is not None:
            await stream.send_all(struct.pack("!H", len(reply)) + reply)


def _octets(reply: Reply) -> bytes | None:
    return reply.to_wire(max_size=65535) if isinstance(reply, dns.message.Message) else reply


def zone(records: Zone, *, recursive: bool = True) -> Handler:
    """Return a handler that knows these records: it follows aliases if it is recursive, else gives the first only."""

    def handle(query: dns.message.Message, _tcp: bool) -> dns.message.Message:
        reply = dns.message.make_response(query)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        for _ in range(40):
            data = records.get(f"{name} {kind}")
            if isinstance(data, str):
                reply.set_rcode(dns.rcode.from_text(data))
                return reply
            if data is not None:
                add(reply, name, kind, *data)
                return reply
            alias = records.get(f"{name} CNAME")
            if not alias:
                break
            add(reply, name, "CNAME", *alias)
            name = alias[0].removesuffix(".")
            if not recursive:
                return reply
        known = {owner for owner, _, _ in (key.partition(" ") for key in records)}
        if not any(owner == name or owner.endswith(f".{name}") for owner in known):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply

    return handle


def add(reply: dns.message.Message, owner: str, kind: str, *data: str) -> None:
    """Add an answer's records."""
    name = dns.name.from_text(owner)
    if not any(rrset.match(name, dns.rdataclass.IN, dns.rdatatype.from_text(kind), dns.rdatatype.NONE)
               for rrset in reply.answer):
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *data))
