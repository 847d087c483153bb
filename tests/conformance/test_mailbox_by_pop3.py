"""Reading back by POP3: one message that cannot be read does not hide the others, and is named."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from conformance.mailbox import Mailbox, MailboxTrouble, Pop3Reader
from loadgen.endpoint import Endpoint
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsPolicy, make_client_context

POP3 = Endpoint("pop3", "127.0.0.1", 110, None, implicit_tls=False)
MESSAGES = (b"A: token\r\n\r\n1\r\n", b"A: token\r\n\r\n.\r\nlast of 2\r\n", b"A: token\r\n\r\n3\r\n")
Retr = Callable[[int, bytes], bytes]


def lawful(number: int, message: bytes) -> bytes:
    return b"+OK\r\n" + message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def unstuffed(number: int, message: bytes) -> bytes:
    return b"+OK\r\n" + message + b".\r\n"


def endless_second(number: int, message: bytes) -> bytes:
    return lawful(number, message)[: -3 if number == 2 else None]


def refused_second(number: int, message: bytes) -> bytes:
    return b"-ERR not just now\r\n" if number == 2 else lawful(number, message)


class Server:
    """Gives three messages, its RETR as it was told to, its unique-ids as they are."""

    def __init__(self, nursery: trio.Nursery, retr: Retr, unique_ids: tuple[bytes, ...] = (b"a", b"b", b"c")) -> None:
        self.nursery = nursery
        self.retr = retr
        self.unique_ids = unique_ids
        self.asked: list[int] = []

    async def dial(self, endpoint: Endpoint, deadline: float) -> Transport:
        ours, theirs = memory_stream_pair()
        self.nursery.start_soon(self._serve, theirs)
        return Transport.over(ours, peer="the server", host="127.0.0.1")

    async def _serve(self, stream: trio.abc.Stream) -> None:
        await stream.send_all(b"+OK\r\n")
        async for octets in stream:
            for line in octets.split(b"\r\n")[:-1]:
                await stream.send_all(self._answer(*line.split()))

    def _answer(self, verb: bytes, *arguments: bytes) -> bytes:
        if verb == b"UIDL":
            lines = (b"%d %b\r\n" % (number, one) for number, one in enumerate(self.unique_ids, 1))
            return b"+OK\r\n" + b"".join(lines) + b".\r\n"
        if verb == b"RETR":
            self.asked.append(int(arguments[0]))
            return self.retr(self.asked[-1], MESSAGES[self.asked[-1] - 1])
        return b"+OK\r\n"


def mailbox_of(server: Server) -> Mailbox:
    return Mailbox(Pop3Reader(POP3, "user", "secret", server.dial, make_client_context(TlsPolicy(verify=False)), 30.0))


async def test_a_message_that_ends_early_is_what_came_of_it_and_the_others_are_whole(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        mailbox = mailbox_of(Server(nursery, unstuffed))
        assert await mailbox.find("token", 3, 0) == (MESSAGES[0], b"A: token\r\n\r\n", MESSAGES[2])
        nursery.cancel_scope.cancel()


async def test_a_message_that_never_ends_is_given_up_and_named(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        server = Server(nursery, endless_second)
        mailbox = mailbox_of(server)
        assert await mailbox.find("token", 2, 0) == (MESSAGES[0], MESSAGES[2])
        with pytest.raises(MailboxTrouble, match="a message cannot be read"):
            await mailbox.find("token", 3, 5)
        assert server.asked.count(2) == 1
        nursery.cancel_scope.cancel()


async def test_a_message_that_is_refused_is_asked_for_again(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        server = Server(nursery, refused_second)
        mailbox = mailbox_of(server)
        with pytest.raises(MailboxTrouble, match="RETR was refused"):
            await mailbox.find("token", 3, 0)
        server.retr = lawful
        assert await mailbox.find("token", 3, 0) == (MESSAGES[0], MESSAGES[2], MESSAGES[1])
        nursery.cancel_scope.cancel()


async def test_copies_that_share_a_unique_id_are_told_apart(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        mailbox = mailbox_of(Server(nursery, lawful, (b"same", b"same", b"same")))
        assert await mailbox.find("token", 3, 0) == MESSAGES
        nursery.cancel_scope.cancel()
