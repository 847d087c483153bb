"""A retrieval that goes as hoped, as the poller can lead it: every response +OK, by the grammar, one for one.

`retrieve` goes over it by the ordinary code where something is otherwise; the tests hold both against each other.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.plain import PlainSession
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Round
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3 import parse_scan_listing, parse_stat, parse_uidl, timestamp_in
from loadgen.wire.pop3_commands import Apop, Dele, List, Pass, Pop3Quit, Retr, Stat, Uidl, User
from loadgen.wire.response import Response, lawful_response, lines_of
from loadgen.wire.sasl import apop_digest

MAILDROP_OCTETS_MAX: Final = 1 << 18     # all that was heard is kept to the end: it may be gone over again
STAT: Final = Stat().to_bytes()
LIST: Final = List().to_bytes()
UIDL: Final = Uidl().to_bytes()
QUIT: Final = Pop3Quit().to_bytes()


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
        try:
            yield from self._rounds()
        except RemoteProtocolError:      # the last answer makes no sense
            return

    def _rounds(self) -> Iterator[Round]:
        """Give what to ask next. Raises RemoteProtocolError."""
        plan, trace, stages = self._plan, self._trace, self._route.pop3_stages
        assert stages is not None, "of POP3"
        account, verified = plan.account, self._route.verified
        if plan.auth == "user":
            name, password = User(account.login).to_bytes(), Pass(account.password).to_bytes()
            yield (stages.greeting, b""), (stages.user, name), (stages.auth, password), (stages.stat, STAT)
        else:
            yield ((stages.greeting, b""),)
            timestamp = timestamp_in(self._response().text)
            if timestamp is None:
                return
            apop = Apop(account.login, apop_digest(timestamp, account.password)).to_bytes()
            yield (stages.auth, apop), (stages.stat, STAT)
        count, octets = parse_stat(self._response())
        if octets > MAILDROP_OCTETS_MAX:
            return
        ahead: Round = ()                # of what is asked next, and nothing follows from its answer
        if count:
            yield ((stages.list, LIST),)
            numbers = [number for number, _ in parse_scan_listing(self._response(multi_line=True))]
            yield ((stages.uidl, UIDL),)
            unique_ids = dict(parse_uidl(self._response(multi_line=True)))
            for number in numbers:
                yield (*ahead, (stages.retr, _retr(number)))
                _, _, at_ns = trace.timings[-1]
                content = lines_of(self.said)
                trace.found(account.address, number, unique_ids.get(number), content, at_ns, verified=verified)
                ahead = ((stages.dele, _dele(number)),) if plan.delete else ()
        yield (*ahead, (stages.quit, QUIT))
        self.done = True

    def _response(self, *, multi_line: bool = False) -> Response:
        response = lawful_response(self.said, multi_line=multi_line)
        assert response is not None, "the last answer was as hoped"
        return response


@lru_cache(maxsize=4096)     # the maildrops of a run have the same numbers over and over
def _retr(number: int) -> bytes:
    return Retr(number).to_bytes()


@lru_cache(maxsize=4096)
def _dele(number: int) -> bytes:
    return Dele(number).to_bytes()
