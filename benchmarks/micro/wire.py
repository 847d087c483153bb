"""What it costs to make values of what a server says."""

import io
import poplib
import smtplib
from collections.abc import Callable

from benchmarks.micro.timing import best_ns_each
from loadgen.wire.pop3 import Pop3Client, parse_uidl
from loadgen.wire.pop3_commands import Pass, Uidl, User
from loadgen.wire.reply import ReplyReader

SHORT = "ns/short reply"
EHLO = "ns/EHLO reply"
UIDL = "ns/UIDL of 10,000"
COUNT = 5_000
SHORT_REPLY = b"250 2.1.0 Ok\r\n"
EHLO_REPLY = (
    b"250-smtp-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250-XCLIENT NAME HELO\r\n"
    b"250-XFORWARD NAME ADDR PROTO HELO\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 \r\n"
)
MESSAGES = 10_000
LISTING = b"+OK\r\n" + b"".join(b"%d %032x\r\n" % (n, n) for n in range(1, MESSAGES + 1)) + b".\r\n"
SEGMENT_OCTETS = 65536        # what one read may bring


def ours() -> dict[str, float]:
    """Our readers."""

    def read(reply: bytes) -> None:
        reader = ReplyReader()
        for _ in range(COUNT):
            reader.feed(reply)
            assert reader.next_reply() is not None

    def uidl() -> None:
        client = Pop3Client()
        client.receive(b"+OK\r\n")
        assert client.next_answer() is not None
        for command in (User("user1"), Pass("secret1")):
            client.send(command)
            client.receive(b"+OK\r\n")
            assert client.next_answer() is not None
        client.send(Uidl())
        answer = None
        for start in range(0, len(LISTING), SEGMENT_OCTETS):
            client.receive(LISTING[start : start + SEGMENT_OCTETS])
            answer = client.next_answer()
        assert answer is not None
        assert len(dict(parse_uidl(answer.response))) == MESSAGES

    return {
        SHORT: best_ns_each(lambda: read(SHORT_REPLY), COUNT),
        EHLO: best_ns_each(lambda: read(EHLO_REPLY), COUNT),
        UIDL: best_ns_each(uidl, 1),
    }


class Scripted(poplib.POP3):
    """poplib over octets that are there already."""

    def __init__(self, octets: bytes) -> None:
        self.file = io.BytesIO(octets)
        self._debugging = 0

    def _putcmd(self, line: str) -> None:
        """Send nothing."""


def standard_library() -> dict[str, float]:
    """smtplib's and poplib's."""

    def read(reply: bytes) -> None:
        session = smtplib.SMTP()
        session.file = io.BufferedReader(io.BytesIO(reply * COUNT))
        for _ in range(COUNT):
            assert session.getreply()[0] == 250

    def uidl() -> None:
        _, lines, _ = Scripted(LISTING).uidl()
        assert len(dict(line.split() for line in lines)) == MESSAGES

    return {
        SHORT: best_ns_each(lambda: read(SHORT_REPLY), COUNT),
        EHLO: best_ns_each(lambda: read(EHLO_REPLY), COUNT),
        UIDL: best_ns_each(uidl, 1),
    }


SIDES: dict[str, Callable[[], dict[str, float]]] = {
    "mailproof": ours,
    "smtplib and poplib": standard_library,
}
