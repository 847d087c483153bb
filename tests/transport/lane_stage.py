"""A native lane that talks to a socket of the test's, without anything around it."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loadgen.session.trace import Trace
from loadgen.transport.addresses import numeric_address
from loadgen.transport.conversation import Conversation, Counted, Round, Stage
from loadgen.transport.native import Lanes, NativeLane
from loadgen.transport.native_connection import socket_address

FAR_S = 60.0


class Anything:
    """Whatever is answered is as hoped."""

    def get(self, octets: bytes, /) -> Counted | None:
        return None

    def goes_on(self, octets: bytes) -> bool:
        return False

    def judge(self, octets: bytes) -> Counted | None:
        return "phase", "250", None


class Talk(Conversation):
    """So many questions, each a round."""

    def __init__(self, questions: int, limit_s: float = FAR_S) -> None:
        super().__init__(Trace())
        self._questions = questions
        self._limit_s = limit_s

    def rounds(self) -> Iterator[Round]:
        for _ in range(self._questions):
            yield ((Stage("phase", self._limit_s, Anything()), b"?"),)
        self.done = True


@contextmanager
def talking(
    questions: int, *, limit_s: float = FAR_S, earlier: Callable[[float], None] = lambda _: None
) -> Iterator[tuple[Lanes, NativeLane, socket.socket]]:
    """Yield the native lanes of an epoll, one of them that has asked its first question, and its peer."""
    with select.epoll() as epoll:
        lanes = Lanes(epoll.fileno(), 0.0, earlier)
        with talk(lanes, questions, limit_s=limit_s) as (lane, peer):
            yield lanes, lane, peer


@contextmanager
def talk(lanes: Lanes, questions: int, *, limit_s: float = FAR_S) -> Iterator[tuple[NativeLane, socket.socket]]:
    """Yield a lane that has asked its first question, with so long for each answer, and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        to = numeric_address(*listener.getsockname())
        assert to is not None
        lane = lanes.lane(Talk(questions, limit_s))
        lane.begin(to.family, socket_address(to), None, "connect", limit_s)
        peer, _ = listener.accept()
        with peer:
            yield lane, peer
            lane.dismiss()
            lane.close()
