"""A retrieval that goes as hoped, as the poller can lead it: every response +OK, by the grammar, one for one.

`retrieve` goes over it by the ordinary code where something is otherwise; the tests hold both against each other.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.plain import PlainSession
from loadgen.session.pop3_stages import Pop3Stages
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import LEG, Conversation, Round
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3 import parse_stat, timestamp_in
from loadgen.wire.pop3_commands import Apop, Dele, List, Pass, Pop3Quit, Retr, Stat, Uidl, User
from loadgen.wire.response import (
    Response,
    check_unique_ids,
    lawful_response,
    lines_of,
    numbers_in_scan_listing,
    sizes_in,
    unique_ids_in,
)
from loadgen.wire.sasl import apop_digest

LEG_OCTETS: Final = 1 << 18      # of messages, or one message: are kept, and gone over where one is otherwise
STAT: Final = Stat().to_bytes()
LIST: Final = List().to_bytes()
UIDL: Final = Uidl().to_bytes()
QUIT: Final = Pop3Quit().to_bytes()

Listed = tuple[Sequence[tuple[int, ...]], bytes]     # the message-numbers of each leg, and the lines of unique-ids


def is_plain(route: Route, plan: RetrievalPlan) -> bool:
    """Say whether a session may go this way: in clear text, with a login that is two commands at most, no groups."""
    return route.tls is None and plan.auth in {"user", "apop"} and plan.pipelining == "never"


class PlainRetrieval(PlainSession):
    """One session from the greeting to the answer to QUIT."""

    __slots__ = ("_plan",)

    def __init__(self, route: Route, plan: RetrievalPlan, trace: Trace) -> None:
        super().__init__(route, trace, log=trace)
        self._plan = plan

    def rounds(self) -> Iterator[Round]:
        """Give what to ask next, one round after another, each time all answers to the last were as hoped."""
        plan, trace, stages = self._plan, self._trace, self._route.pop3_stages
        assert stages is not None, "of POP3"
        listed = yield from logged_in_and_listed(self, stages, plan)
        if listed is None:
            return
        legs, lines = listed
        unique_ids = dict(unique_ids_in(lines))
        ahead: Round = ()                # of what is asked next, and nothing follows from its answer
        for leg in legs:
            if len(legs) > 1:
                if ahead:
                    yield ahead
                ahead = ()
                self.mark = trace.mark()
                yield LEG
            for number in leg:
                yield (*ahead, (stages.retr, retr(number)))
                _, _, at_ns = trace.timings[-1]
                content = lines_of(self.said)
                trace.found(
                    plan.account.address, number, unique_ids.get(number), content, at_ns, verified=self._route.verified
                )
                ahead = ((stages.dele, dele(number)),) if plan.delete else ()
        yield (*ahead, (stages.quit, QUIT))
        self.done = True


def logged_in_and_listed(
    conversation: Conversation, stages: Pop3Stages, plan: RetrievalPlan
) -> Generator[Round, None, Listed | None]:
    """Give what to ask down to what there is, and return that; None if it is no plain course from here on."""
    try:
        maildrop = yield from _logged_in(conversation, stages, plan)
        return (yield from _listed(conversation, stages, *maildrop)) if maildrop is not None else None
    except RemoteProtocolError:      # the last answer makes no sense
        return None


def _logged_in(
    conversation: Conversation, stages: Pop3Stages, plan: RetrievalPlan
) -> Generator[Round, None, tuple[int, int] | None]:
    """Give what to ask down to STAT, and return what that tells: how many messages, and octets."""
    account = plan.account
    if plan.auth == "user":
        name, password = User(account.login).to_bytes(), Pass(account.password).to_bytes()
        yield (stages.greeting, b""), (stages.user, name), (stages.auth, password), (stages.stat, STAT)
    else:
        yield ((stages.greeting, b""),)
        timestamp = timestamp_in(_response(conversation.said).text)
        if timestamp is None:
            return None
        apop = Apop(account.login, apop_digest(timestamp, account.password)).to_bytes()
        yield (stages.auth, apop), (stages.stat, STAT)
    return _stat_in(conversation.said)


def _listed(
    conversation: Conversation, stages: Pop3Stages, count: int, octets: int
) -> Generator[Round, None, Listed | None]:
    """Give what to ask about so many messages, and return what there is."""
    if not count:
        return (), b""
    yield ((stages.list, LIST),)
    lines = lines_of(conversation.said)
    numbers = numbers_in_scan_listing(lines)
    legs = (numbers,) if octets <= LEG_OCTETS else legs_of(sizes_in(lines))
    yield ((stages.uidl, UIDL),)
    lines = lines_of(conversation.said)
    check_unique_ids(lines)
    return legs, lines


def legs_of(sizes: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return in legs the numbers of messages, given each with its octets."""
    legs: list[list[int]] = []
    room = -1
    for number, octets in sizes:
        if octets > room:
            legs.append([])
            room = LEG_OCTETS
        legs[-1].append(number)
        room = max(0, room - octets)
    return list(map(tuple, legs))


def _response(said: bytes) -> Response:
    response = lawful_response(said)
    assert response is not None, "the last answer was as hoped"
    return response


@lru_cache(maxsize=128)      # maildrops are often alike, and empty ones always
def _stat_in(said: bytes) -> tuple[int, int]:
    return parse_stat(_response(said))


@lru_cache(maxsize=4096)     # the maildrops of a run have the same numbers over and over
def retr(number: int) -> bytes:
    """Return what asks for a message."""
    return Retr(number).to_bytes()


@lru_cache(maxsize=4096)
def dele(number: int) -> bytes:
    """Return what deletes a message."""
    return Dele(number).to_bytes()
