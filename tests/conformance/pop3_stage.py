"""A POP3 server that says what a test wants, in memory, as a subject."""

from collections.abc import Callable, Mapping

import trio
from trio.testing import memory_stream_pair

from conformance.declared import Declared, Place, Timers
from conformance.maildrops import Maildrop, Maildrops
from conformance.subject import Subject
from loadgen.endpoint import Endpoint
from loadgen.transport.stream import Transport

Answers = Mapping[bytes, bytes | list[bytes | None] | None]
Answer = Callable[[bytes], bytes | None]      # to a command line; b"": says nothing; None: closes
GREETING = b"+OK ready <1896.697170952@dbc.test>\r\n"
DECLARED = Declared(timers=Timers(reply=30.0, quiet=0.3, delivery=5.0))


class Script:
    """Answers by command line; what stands nowhere is refused. Each list of answers is used up to its last."""

    def __init__(self, answers: Answers) -> None:
        self.said: list[bytes] = []
        self._answers = answers

    def __call__(self, line: bytes) -> bytes | None:
        self.said.append(line)
        answer = self._answers.get(line, b"+OK bye\r\n" if line == b"QUIT" else b"-ERR what?\r\n")
        if not isinstance(answer, list):
            return answer
        return answer.pop(0) if len(answer) > 1 else answer[0]


def staged(nursery: trio.Nursery, answer: Answer, *, greeting: bytes = GREETING, maildrops: int = 1) -> Subject:
    """Return a subject; every connection to it is served by the same answers, until the nursery is cancelled."""

    async def serve(stream: trio.abc.Stream) -> None:
        came = b""
        await stream.send_all(greeting)
        async for octets in stream:
            came += bytes(octets)
            while b"\r\n" in came:
                line, _, came = came.partition(b"\r\n")
                said = answer(line)
                if said is None:
                    await stream.aclose()
                    return
                await stream.send_all(said)

    async def dial(endpoint: Endpoint, deadline: float) -> Transport:
        await trio.lowlevel.checkpoint()
        ours, theirs = memory_stream_pair()
        nursery.start_soon(serve, theirs)
        return Transport.over(ours)

    places = [Place(f"user{n}", f"secret{n}", f"user{n}@example.test") for n in range(1, maildrops + 1)]
    return Subject(
        endpoint=Endpoint("pop3", "mail.example.test", 110, None, implicit_tls=False), declared=DECLARED,
        run_token="c0ffee", maildrops=Maildrops([Maildrop(place) for place in places]), dial=dial,
    )  # fmt: skip
