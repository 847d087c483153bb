"""ClientHello by hand, and what a server says to it: what no library of today would offer (RFC 5246, RFC 6101)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.answer import Answer
from conformance.connection import Connection
from conformance.judgement import Judgement, declined, satisfied, undetermined, violated
from loadgen.wire.printable import printable

SSL_3: Final = 0x0300
TLS_1_0: Final = 0x0301
TLS_1_1: Final = 0x0302
TLS_1_2: Final = 0x0303
NAMES: Final = {SSL_3: "SSL 3.0", TLS_1_0: "TLS 1.0", TLS_1_1: "TLS 1.1", TLS_1_2: "TLS 1.2"}
ALERT: Final = 21                        # content types (RFC 5246 §6.2.1)
HANDSHAKE: Final = 22
SERVER_HELLO: Final = 2                  # handshake messages (§7.4)
CERTIFICATE_REQUEST: Final = 13
SERVER_HELLO_DONE: Final = 14
FLIGHT_OCTETS_MAX: Final = 65_536
SHAKES_HANDS_WITHIN_S: Final = 300.0     # how long a server may mull over what is no handshake
# A record of TLS's handshake that holds no message of it (RFC 8446 §5.1).
NO_CLIENT_HELLO: Final = b"\x16\x03\x01\x00\x05junk!"

# Suites by what is wrong with them: IANA's registry. The usual ones are those that servers of any age have.
USUAL: Final = (0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0x009C, 0x009D)
USUAL_CBC: Final = (0xC009, 0xC013, 0xC00A, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x000A)
WEAK: Final = {
    "null": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "export": (0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019),
    "anonymous": (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC018, 0xC019),
    "rc4": (0x0004, 0x0005, 0xC007, 0xC011),
}
_GROUPS: Final = (0x001D, 0x0017, 0x0018)
_SIGNATURES: Final = (
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201,
)


@dataclass(frozen=True, slots=True)
class Flight:
    """What a server said to a ClientHello."""

    octets: bytes
    ended: Answer | None                 # how the connection ended, or that nothing more came; None: it goes on
    version: int = 0                     # of ServerHello; 0: there was none
    suite: int = 0
    messages: tuple[int, ...] = ()       # of the handshake, in clear text
    alert: int | None = None

    @property
    def accepts(self) -> bool:
        """Say whether the server went on with a handshake."""
        return self.version != 0

    @property
    def refuses(self) -> bool:
        """Say whether it ended it: by an alert, or the connection."""
        return not self.accepts and (self.alert is not None or (self.ended is not None and self.ended.closed))

    def __str__(self) -> str:
        """Say it for people."""
        if self.accepts:
            return f"ServerHello: {NAMES.get(self.version, hex(self.version))}, suite 0x{self.suite:04X}"
        if self.alert is not None:
            return f"alert {self.alert}"
        return str(self.ended) if self.ended is not None else printable(self.octets, 80)


def client_hello(version: int, suites: Sequence[int], *, name: bytes | None = None) -> bytes:
    """Return a record with a ClientHello that offers one version at most, and some suites."""
    body = version.to_bytes(2, "big") + bytes(range(32)) + b"\0" + _list(_words(suites), 2) + b"\x01\0"
    if version > SSL_3:
        extensions = _extension(0x000A, _list(_words(_GROUPS), 2)) + _extension(0x000B, b"\x01\0")
        extensions += _extension(0xFF01, b"\0") + _extension(0x0017, b"")
        if version >= TLS_1_2:
            extensions += _extension(0x000D, _list(_words(_SIGNATURES), 2))
        if name is not None:
            extensions += _extension(0, _list(b"\0" + _list(name, 2), 2))
        body += _list(extensions, 2)
    message = b"\x01" + _list(body, 3)
    return bytes([HANDSHAKE]) + min(version, TLS_1_0).to_bytes(2, "big") + _list(message, 2)


def _words(numbers: Sequence[int]) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def _list(octets: bytes, width: int) -> bytes:
    return len(octets).to_bytes(width, "big") + octets


def _extension(kind: int, octets: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _list(octets, 2)


def judge_refusal(flight: Flight, what: str) -> Judgement:
    """Judge what was said to a ClientHello that must be refused."""
    if flight.refuses:
        return satisfied(f"{flight} to {what}")
    return violated(f"{flight} to {what}", "refused") if flight.accepts else undetermined(f"{flight} to {what}")


async def judge_no_handshake(connection: Connection, octets: bytes, replies: tuple[bytes, ...]) -> Judgement:
    """Send what is no handshake where one should begin: an alert or a close is due, and no reply in clear text."""
    expected = "an alert or a close"
    await connection.send(octets)
    came = await connection.octets(SHAKES_HANDS_WITHIN_S)
    if isinstance(came, bytes):
        got = printable(came, 80)
        if came.startswith(replies):
            return violated(f"{got} in clear text", expected)
        return satisfied(f"an alert: {got}") if came[0] == ALERT else declined(got, expected)
    if came.silent:
        return violated(came, expected)
    return satisfied(came) if came.closed else undetermined(came)


async def flight_after(connection: Connection, hello: bytes, *, until: int = SERVER_HELLO) -> Flight:
    """Send a ClientHello where TLS begins, and return what is said to it up to a message of the handshake."""
    await connection.send(hello)
    octets = b""
    while len(octets) < FLIGHT_OCTETS_MAX:
        came = await connection.octets(connection.subject.reply_s)
        if isinstance(came, Answer):
            return _read(octets, came)
        octets += came
        flight = _read(octets, None)
        if until in flight.messages or flight.alert is not None or octets[0] not in {ALERT, HANDSHAKE}:
            return flight
    return _read(octets, None)


def _read(octets: bytes, ended: Answer | None) -> Flight:
    alert, handshake = None, b""
    for kind, content in _records(octets):
        if kind == ALERT and len(content) == 2:
            alert = content[1]
        elif kind == HANDSHAKE:
            handshake += content
    messages = list(_messages(handshake))
    hello = next((body for kind, body in messages if kind == SERVER_HELLO), b"")
    if len(hello) < 38:
        return Flight(octets, ended, messages=tuple(kind for kind, _ in messages), alert=alert)
    at = 35 + hello[34]
    return Flight(
        octets, ended, int.from_bytes(hello[:2], "big"), int.from_bytes(hello[at : at + 2], "big"),
        tuple(kind for kind, _ in messages), alert,
    )  # fmt: skip


def _records(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while len(octets) >= 5:
        end = 5 + int.from_bytes(octets[3:5], "big")
        if len(octets) < end:
            return
        yield octets[0], octets[5:end]
        octets = octets[end:]


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while len(octets) >= 4:
        end = 4 + int.from_bytes(octets[1:4], "big")
        if len(octets) < end:
            return
        yield octets[0], octets[4:end]
        octets = octets[end:]
