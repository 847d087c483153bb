"""A retrieval that goes as hoped, as the poller can lead it: every response +OK, by the grammar, one for one.

The client's machine is the ordinary one; what is spared is a task's turn, and four layers of coroutines, for each
response. `retrieve` goes over it by the ordinary code where something is otherwise.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from loadgen.clock import NS_PER_S, clock_of_this_run
from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.plain import PlainSession
from loadgen.session.route import Route
from loadgen.session.trace import Trace
from loadgen.transport.conversation import Steps
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.pop3 import Pop3Client, Response, parse_scan_listing, parse_stat, parse_uidl
from loadgen.wire.pop3_commands import Apop, Dele, List, Pass, Pop3Command, Pop3Quit, Retr, Stat, Uidl, User
from loadgen.wire.sasl import apop_digest

MAILDROP_OCTETS_MAX: Final = 1 << 18     # all that was heard is kept to the end: it may be gone over again

Question = tuple[str, Sequence[Pop3Command | None]]     # a phase, and what is said in it (None: nothing)


def is_plain(route: Route, plan: RetrievalPlan) -> bool:
    """Say whether a session may go this way: in clear text, with a login that is two commands at most, no groups."""
    return route.tls is None and plan.auth in {"user", "apop"} and plan.pipelining == "never"


class PlainRetrieval(PlainSession):
    """One session from the greeting to the answer to QUIT."""

    __slots__ = ("_client", "_now_ns", "_plan", "_response")

    def __init__(self, route: Route, plan: RetrievalPlan, trace: Trace) -> None:
        super().__init__(route, trace)
        self._plan = plan
        self._client = Pop3Client()
        self._response: Response | None = None     # the last one
        self._now_ns = 0                           # when it had come

    def steps(self) -> Steps:
        """Say and hear, until something is not as hoped."""
        client, trace, clock = self._client, self._trace, clock_of_this_run()
        names, limits_s = self._route.phase_names, self._route.phase_limits_s
        questions = self._questions()
        while (question := self._next(questions)) is not None:
            phase, commands = question
            trace.phase = name = names[phase]
            started_s = now_s = clock()
            deadline = started_s + limits_s[phase]
            for command in commands:
                try:
                    octets, now_s = yield b"" if command is None else client.send(command), deadline
                    response = client.hear(octets)
                    while response is None and octets:
                        octets, now_s = yield b"", deadline
                        response = client.hear(octets)
                except RemoteProtocolError:
                    return
                if response is None or not response.ok or response.deviations:
                    return
                trace.replies.append((name, *response.counted_as))
            self._response, self._now_ns = response, int(now_s * NS_PER_S)
            trace.timings.append((name, int(started_s * NS_PER_S), self._now_ns))

    def _next(self, questions: Iterator[Question]) -> Question | None:
        """Return what to ask next; None: nothing, or the last answer makes no sense."""
        try:
            return next(questions, None)
        except RemoteProtocolError:
            return None

    def _questions(self) -> Iterator[Question]:
        """Give what to ask next, each time all is as hoped. Raises RemoteProtocolError."""
        plan, client = self._plan, self._client
        yield "greeting", (None,)
        if plan.auth == "user":
            yield "auth", (User(plan.account.login), Pass(plan.account.password))
        elif client.timestamp is None:
            return
        else:
            yield "auth", (Apop(plan.account.login, apop_digest(client.timestamp, plan.account.password)),)
        yield "stat", (Stat(),)
        count, octets = parse_stat(self._said())
        if octets > MAILDROP_OCTETS_MAX:
            return
        if count:
            yield "list", (List(),)
            numbers = [number for number, _ in parse_scan_listing(self._said())]
            yield "uidl", (Uidl(),)
            unique_ids = dict(parse_uidl(self._said()))
            for number in numbers:
                yield "retr", (Retr(number),)
                self._keep(number, unique_ids.get(number))
                if plan.delete:
                    yield "dele", (Dele(number),)
        yield "quit", (Pop3Quit(),)
        self.done = True

    def _said(self) -> Response:
        assert self._response is not None, "something was asked"
        return self._response

    def _keep(self, number: int, unique_id: bytes | None) -> None:
        """Note the message that was retrieved last."""
        body = self._said().body
        assert body is not None, "RETR is multi-line"
        self._trace.found(
            self._plan.account.address, number, unique_id, body, self._now_ns, verified=self._route.verified
        )
