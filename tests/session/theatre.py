"""A server that plays a transcript over memory streams, and a session of ours on the other side of it.

A transcript is a file of golden/. Its head says what our side is to do and what must come of it; its lines are
`C:` what our side must send, octet for octet, `S:` what the server sends, and `*:` what it does otherwise (`close`,
`tls`, `wait 5`, `deaf`: take whatever comes). After the last line the server is silent, and our side must leave
without another word.
"""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import pytest
import trio
import trio.testing

from loadgen.endpoint import Endpoint, Protocol
from loadgen.message.compose import Composer
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import AnyAuth
from loadgen.schedule.other_plans import ResetPlan, SlowSendPlan
from loadgen.schedule.plans import DeliveryPlan, HoldPlan, MessagePlan, Plan, RetrievalPlan
from loadgen.session.outcome import Outcome
from loadgen.session.perform import perform
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.limits import PhaseLimits
from loadgen.transport.stream import Transport
from loadgen.transport.tls import TlsContext
from tests.session.other_kinds import OTHER_KINDS, other_plan_of

GOLDEN: Final = Path(__file__).parent / "golden"
SERVER_NAME: Final = "mail.example.test"
ACCOUNT: Final = Account("user1@example.test", "user1", "secret1")
COMPOSER: Final = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
# No two alike: how long a session waited says which limit it waited for.
LIMITS: Final = PhaseLimits(
    connect=1, greeting=2, tls=4, ehlo=8, auth=16, mail=32, rcpt=64, data=128, block=256, body=512, rset=1024,
    noop=2048, quit=4096, pop3=8192,
)  # fmt: skip

Turn = tuple[str, bytes]


@dataclass(frozen=True)
class Tls:
    """Both ends' contexts."""

    server: ssl.SSLContext
    client: TlsContext


@dataclass(frozen=True)
class Transcript:
    """A whole play: the head's words by key, and the turns."""

    name: str
    head: dict[str, str]
    turns: tuple[Turn, ...]

    def words(self, key: str) -> list[str]:
        return self.head.get(key, "").split()

    def server_turns(self) -> list[int]:
        """The positions of the server's turns."""
        return [position for position, (kind, _) in enumerate(self.turns) if kind != "C"]

    def until(self, position: int, *then: Turn) -> Self:
        """The same up to a turn, and then something else."""
        return replace(self, turns=(*self.turns[:position], *then))

    @property
    def protocol(self) -> Protocol:
        kind = self.head["session"]
        if "protocol" in self.head:
            return self.head["protocol"]  # type: ignore[return-value]
        return "lmtp" if kind == "lmtp-deliver" else "pop3" if kind in {"pop3-retrieve", "slow-reader"} else "smtp"

    def plan(self) -> Plan:
        head = self.head
        auth: AnyAuth = head.get("auth", "none")  # type: ignore[assignment]
        kind = head["session"]
        if kind in OTHER_KINDS:
            return other_plan_of(head, ACCOUNT)
        if kind == "idle-hold":
            noop_s = head.get("noop-every")
            return HoldPlan(
                kind, 0, kind, "pop3" if self.protocol == "pop3" else "smtp", ACCOUNT, auth,  # type: ignore[arg-type]
                hold_ns=int(head["hold"]) * 10**9, noop_every_ns=int(noop_s) * 10**9 if noop_s else None,
            )  # fmt: skip
        if kind == "pop3-retrieve":
            login: AnyAuth = head.get("auth", "user")  # type: ignore[assignment]
            return RetrievalPlan(kind, 0, kind, ACCOUNT, login, "delete" in head, head.get("pipelining", "never"))  # type: ignore[arg-type]
        recipients = tuple(self.words("recipients") or ["user1@example.test"])
        size = int(head.get("size", "0"))
        messages = [MessagePlan(index, recipients, size) for index in range(int(head.get("messages", "1")))]
        return DeliveryPlan(
            kind=kind, arrival=0, session_name=kind, dialect=self.protocol.upper(),  # type: ignore[arg-type]
            account=ACCOUNT, auth=auth, pipelining=head.get("pipelining", "never"),  # type: ignore[arg-type]
            reverse_path=head.get("reverse-path", "load@example.test"),
            messages=tuple(messages),
            chunk_octets=int(head["chunk"]) if "chunk" in head else None,
        )  # fmt: skip

    def filled(self) -> list[Turn]:
        """The turns with the mail data in their places: `{message 0}` is message 0, `{size 0}` its size."""
        plan = self.plan()
        if isinstance(plan, DeliveryPlan):
            reverse_path, messages = plan.reverse_path, plan.messages
        elif isinstance(plan, SlowSendPlan | ResetPlan):
            reverse_path, messages = plan.reverse_path, (MessagePlan(0, (plan.recipient,), plan.size_octets),)
        else:
            return list(self.turns)
        filled = []
        for kind, octets in self.turns:
            for wanted in messages if kind == "C" else ():
                message = COMPOSER.compose(
                    0, wanted.index, reverse_path=reverse_path, recipients=wanted.recipients,
                    size_octets=wanted.size_octets,
                )  # fmt: skip
                octets = octets.replace(b"{message %d}\r\n" % wanted.index, message.mail_data)  # noqa: PLW2901
                octets = octets.replace(b"{size %d}" % wanted.index, b"%d" % message.content_octets)  # noqa: PLW2901
                half = message.mail_data[: (len(message.mail_data) - 3) // 2]
                for place, chunk in enumerate(chunks_of(message.mail_data, int(self.head.get("chunk", "1000")))):
                    octets = octets.replace(b"{chunk %d of %d}\r\n" % (place, wanted.index), chunk)  # noqa: PLW2901
                octets = octets.replace(b"{half of message %d}\r\n" % wanted.index, half)  # noqa: PLW2901
            filled.append((kind, octets))
        return filled


def chunks_of(mail_data: bytes, chunk_octets: int) -> list[bytes]:
    """The BDAT commands that carry it (RFC 3030 §2)."""
    content = mail_data.removesuffix(b".\r\n").replace(b"\r\n.", b"\r\n")
    pieces = [content[start : start + chunk_octets] for start in range(0, len(content), chunk_octets)]
    lasts = [b"" for _ in pieces[:-1]] + [b" LAST"]
    return [b"BDAT %d%s\r\n%s" % (len(piece), last, piece) for piece, last in zip(pieces, lasts, strict=True)]


def read_transcript(path: Path) -> Transcript:
    head, _, body = path.read_text(encoding="utf-8").partition("---\n")
    entries = (line.partition(":") for line in head.splitlines() if line and not line.startswith("#"))
    return Transcript(path.stem, {key: value.strip() for key, _, value in entries}, turns_of(body))


def turns_of(text: str) -> tuple[Turn, ...]:
    """What is said in one turn is said in one write."""
    turns: list[Turn] = []
    for line in text.splitlines():
        kind, colon, content = line.partition(":")
        assert kind in {"C", "S", "*"}, line
        assert colon, line
        octets = content.removeprefix(" ").encode()
        if kind == "*":
            turns.append((kind, octets))
        elif turns and turns[-1][0] == kind:
            turns[-1] = (kind, turns[-1][1] + octets + b"\r\n")
        else:
            turns.append((kind, octets + b"\r\n"))
    return tuple(turns)


class ClientLeftError(AssertionError):
    """Our side closed before the play was over."""


async def play(stream: trio.abc.Stream, turns: Sequence[Turn], tls: Tls | None = None) -> None:
    """Be the server of a transcript."""
    for kind, octets in turns:
        if kind == "C":
            await _expect(stream, octets)
        elif kind == "S":
            await stream.send_all(octets)
        elif octets == b"close":
            await stream.aclose()
            return
        elif octets == b"tls":
            assert tls is not None
            stream = trio.SSLStream(stream, tls.server, server_side=True)
            await stream.do_handshake()
        elif octets == b"deaf":
            while await stream.receive_some():
                pass
            await stream.aclose()
            return
        else:
            word, _, seconds = octets.partition(b" ")
            assert word == b"wait", octets
            await trio.sleep(float(seconds))
    assert await stream.receive_some() == b"", "our side had more to say"
    await stream.aclose()


async def _expect(stream: trio.abc.Stream, wanted: bytes) -> None:
    got = b""
    while len(got) < len(wanted):
        octets = await stream.receive_some(len(wanted) - len(got))
        if not octets:
            raise ClientLeftError(f"left after {got!r} of {wanted!r}")
        got += octets
        assert wanted.startswith(got), f"sent {got!r}, not {wanted!r}"


class OurEnd(trio.abc.Stream):
    """A memory stream that notes what it gave out, and gives it out an octet at a time if asked."""

    def __init__(self, stream: trio.abc.Stream, *, trickle: bool = False) -> None:
        self._stream = stream
        self._at_most = 1 if trickle else None
        self.received = b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        octets = bytes(await self._stream.receive_some(self._at_most or max_bytes))
        self.received += octets
        return octets

    def close(self) -> None:
        assert isinstance(self._stream, trio.StapledStream)
        self._stream.send_stream.close()
        self._stream.receive_stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


@dataclass
class Played:
    """What came of a play."""

    trace: Trace
    outcome: Outcome | None = None      # None: cancelled
    elapsed_s: float = 0.0
    received: bytes = b""               # what our side has read

    @property
    def phases(self) -> list[str]:
        return [name.partition(".")[2] for name, _, _ in self.trace.timings]

    @property
    def accepted(self) -> list[str]:
        return [recipient for word in self.trace.settled.values() for recipient in word.recipients]

    @property
    def ambiguous(self) -> list[str]:
        found: list[str] = []
        for index, offered in enumerate(self.trace.begun):
            word = self.trace.settled.get(index)
            found += offered.recipients if word is None else word.unanswered
        return found


Watch = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


async def _just(run: Callable[[], Awaitable[None]]) -> None:
    await run()


async def stage(
    transcript: Transcript,
    *,
    tls: Tls | None = None,
    trickle: bool = False,
    watch: Watch | None = None,
    noting: bool = True,
    pair: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]] = trio.testing.memory_stream_pair,
) -> Played:
    """Let a session of ours meet a transcript; check that its stream is closed afterwards.

    With `watch` (which runs the session it is given) our side may leave at any time. Without `noting` nobody
    wants to know whom to try again.
    """
    ours, theirs = pair()
    end = OurEnd(ours, trickle=trickle)
    dialled = False

    async def dial(route: Route, arrival: int, deadline: float) -> Transport:
        nonlocal dialled
        await trio.lowlevel.checkpoint()
        dialled = True
        return Transport.over(end, peer="the server", host=SERVER_NAME)

    upgrades = "starttls" in transcript.head
    implicit = "implicit-tls" in transcript.head
    route = Route(
        Endpoint(transcript.protocol, SERVER_NAME, 2525, None, implicit_tls=implicit), LIMITS, dial=dial,
        tls=tls.client if tls and (upgrades or implicit) else None,
    )  # fmt: skip
    played = Played(Trace(fates={} if noting else None))
    plan = transcript.plan()

    async def session() -> None:
        played.outcome = await perform(plan, {transcript.protocol: route}, COMPOSER, played.trace, 0)

    async def server() -> None:
        if watch is None:
            await play(theirs, transcript.filled(), tls)
            return
        with suppress(ClientLeftError, trio.BrokenResourceError):
            await play(theirs, transcript.filled(), tls)

    started_s = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server)
        await (watch or _just)(session)
        played.elapsed_s = trio.current_time() - started_s
        if not dialled:
            await ours.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await ours.send_all(b"?")
    played.received = end.received
    return played
