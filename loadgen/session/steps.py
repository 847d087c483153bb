"""`steps`: a session as the scenario wrote it down. Nothing is known here of an order, save for the ledger's sake."""

import re
from collections import deque
from dataclasses import dataclass
from typing import Final

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.message.compose import Composer
from loadgen.scenario.steps import CLOSED, GREETING, Step, has_lines, name_of, words_of
from loadgen.scenario.template import CAPTURE, ends_a_line, filled, filled_octets
from loadgen.schedule.steps_plan import Move, StepsPlan, values_of
from loadgen.session.answers import Said
from loadgen.session.course import follow
from loadgen.session.outcome import ACCEPTED, Outcome, OutcomeKind
from loadgen.session.refused import Refused
from loadgen.session.route import Route
from loadgen.session.steps_connection import StepsConnection
from loadgen.session.trace import Offered, Trace

NO_MATCH: Final = "the answer is not what the step's match looks for"
SMUGGLED: Final = "what {} captures holds a CR, LF or NUL: in a command it would be another command"

_RCPT: Final = re.compile(rb"RCPT TO: *<([^>\r\n]*)>[^\r\n]*\r\n", re.IGNORECASE)
_BEGINS: Final = re.compile(rb"(?:MAIL|RSET|EHLO|HELO|LHLO)\b[^\r\n]*\r\n", re.IGNORECASE)
_READS: Final = re.compile(rb"(RETR|UIDL)(?: +([0-9]{1,18}))? *\r\n", re.IGNORECASE)
_LISTED: Final = re.compile(rb"^([0-9]{1,18}) ([!-~]{1,70})\r?$", re.MULTILINE)      # RFC 1939 §7


@dataclass(slots=True)
class Asked:
    """What answers are owed to."""

    name: str
    started_ns: int
    command: bytes = b""
    lines: bool = False             # behind the +OK
    octets: bool = False            # as the scenario wrote them: any number of answers may come
    begun: bool = False             # a message that stands in the trace as begun


async def take_steps(route: Route, plan: StepsPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended: accepted if every answer was as expected.

    The first that is not ends it, in the phase of its step, without QUIT: nobody knows what the server would take it
    for. 4yz, 5yz and -ERR are refusals; anything else that was not expected is a failure.
    """
    connection = StepsConnection(route, trace, arrival)

    async def script() -> Outcome:
        walk = _Walk(connection, plan, composer)
        for move in plan.moves:
            outcome = await walk.do(move)
            if outcome is not None:
                return outcome
        return ACCEPTED

    return await follow(connection, script)


class _Walk:
    """One session's way through its steps."""

    def __init__(self, connection: StepsConnection, plan: StepsPlan, composer: Composer) -> None:
        self._connection = connection
        self._trace = connection.trace
        self._plan = plan
        self._composer = composer
        self._values = values_of(plan, connection.route.hello_name)
        self._asked = deque([Asked(GREETING, clock_ns())])     # oldest first
        self._accepted: list[str] = []                         # of the open mail transaction
        self._messages = 0
        self._listing: bytes | None = None                     # the last UIDL's, until somebody wants to know it
        self._unique_ids: dict[int, bytes] = {}

    async def do(self, move: Move) -> Outcome | None:
        """Take one step; return how the session ended if it does so here."""
        step = move.step
        if step.disconnect is not None:
            if step.disconnect == "reset":
                self._connection.transport.abort()
            return ACCEPTED
        if step.think is not None:
            await trio.sleep(move.think_ns / NS_PER_S)
        elif step.starttls:
            return await self._start_tls(step)
        elif step.send_message:
            await self._send_message(step)
        elif step.send is not None or step.send_octets is not None:
            await self._send(step, move.i)
        return None if step.expect is None else await self._expect(step)

    async def _send(self, step: Step, i: int) -> None:
        turn = max(0, i - 1) % len(self._plan.recipients)
        values = self._values | {"recipient": self._plan.recipients[turn], "i": str(i)}
        raw = step.send_octets is not None
        if step.send is not None:
            octets = filled(step.send, values) + b"\r\n"
        else:
            octets = filled_octets(step.send_octets or "", values)
        name = _named(step)
        started_ns = await self._connection.say(name, octets)
        self._ask(Asked(name, started_ns, b"" if raw else octets, has_lines(step), raw))

    async def _send_message(self, step: Step) -> None:
        """Send a message to whom the server has accepted so far. It is begun before its first octet."""
        plan, index = self._plan, self._messages
        size_octets, body = plan.messages[index]
        message = self._composer.compose(
            plan.arrival, index,
            reverse_path=plan.reverse_path, recipients=plan.recipients, size_octets=size_octets, body=body,
        )
        self._messages += 1
        self._trace.messages_offered += 1
        if self._accepted:
            self._trace.begun.append(Offered(message.stamp, tuple(self._accepted), plan.reverse_path))
        else:
            self._trace.messages_refused += 1                  # nobody is to have it, whatever is answered
        name = _named(step)
        asked = Asked(name, clock_ns(), begun=bool(self._accepted))
        self._ask(asked)
        await self._connection.say(name, message.mail_data)

    def _ask(self, asked: Asked) -> None:
        self._asked = deque([each for each in self._asked if not each.octets])
        self._asked.append(asked)

    async def _expect(self, step: Step) -> Outcome | None:
        """Read the answers to the oldest that is owed any: one, or in LMTP one per recipient of a message."""
        asked = self._asked[0]
        if not asked.octets:
            self._asked.popleft()
        name, connection = step.name or asked.name, self._connection
        lines = asked.lines if step.multi_line is None else step.multi_line
        connection.may_be_cut_off = CLOSED in words_of(step.expect)
        recipients = [(each,) for each in self._accepted] if self._by_recipient(asked) else [tuple(self._accepted)]
        outcome: Outcome | None = None
        for each in recipients:
            said = await connection.hear(name, self._deadline(step, name), lines=lines)
            self._note(asked, said, each)
            outcome = outcome or self._judged(step, name, said)
        connection.ended(name, asked.started_ns)
        connection.may_be_cut_off = False
        if asked.begun:
            self._note_message()
        return outcome

    def _by_recipient(self, asked: Asked) -> bool:
        return asked.begun and self._plan.protocol == "lmtp"      # RFC 2033 §4.2

    def _deadline(self, step: Step, name: str) -> float:
        return trio.current_time() + (self._connection.limit_s(name) if step.timeout is None else step.timeout.s)

    def _judged(self, step: Step, name: str, said: Said) -> Outcome | None:
        """Return how the session ends by an answer that is not as expected; None if it is. Keeps what it captures."""
        phase, words = self._connection.name_of(name), words_of(step.expect)
        if not any(_meets(said.code, word) for word in words):
            if said.negative:
                detail = f" [{said.detail}]" if said.code == "-ERR" and said.detail is not None else ""
                return Refused(phase, said.code + detail, said.code.encode() + b" " + said.text).outcome
            cause = f"the server answered {said.code} where {' or '.join(words)} was expected"
            return Outcome(OutcomeKind.FAILED, phase, cause, evidence=said.text)
        if step.match is None:
            return None
        found = re.search(step.match, said.text.decode("utf-8", "surrogateescape"))
        if found is None:
            return Outcome(OutcomeKind.FAILED, phase, NO_MATCH, evidence=said.text)
        for capture, text in found.groupdict(default="").items():
            if ends_a_line(text):
                return Outcome(OutcomeKind.FAILED, phase, SMUGGLED.format(capture), evidence=said.text)
            self._values[CAPTURE + capture] = text
        return None

    def _note(self, asked: Asked, said: Said, recipients: tuple[str, ...]) -> None:
        """Keep what an answer means for the ledger."""
        command = asked.command
        if asked.begun:
            self._trace.dot_sent(asked.started_ns)
            code = int(said.code) if said.code.isdigit() else 0
            self._trace.settle(recipients, accepted=said.positive, at_ns=clock_ns(), code=code)
        if not said.positive:
            return
        if (rcpt := _RCPT.fullmatch(command)) is not None:
            self._accepted.append(rcpt[1].decode("utf-8", "backslashreplace"))
        elif _BEGINS.fullmatch(command) is not None:
            self._accepted.clear()
        elif (reads := _READS.fullmatch(command)) is not None and said.body is not None:
            self._note_reading(reads[1].upper(), int(reads[2] or 0), said.body)

    def _note_message(self) -> None:
        """Close the books of a message that was answered: the transaction is over (RFC 5321 §4.1.1.4)."""
        if not self._trace.settled[len(self._trace.begun) - 1].recipients:
            self._trace.messages_refused += 1
        self._accepted.clear()

    def _note_reading(self, verb: bytes, number: int, body: bytes) -> None:
        if verb == b"UIDL":       # to read ten thousand lines takes longer than to hear them
            self._listing = body
            return
        if self._listing is not None:
            self._unique_ids = {int(listed[1]): listed[2] for listed in _LISTED.finditer(self._listing)}
            self._listing = None
        unique_id = self._unique_ids.get(number)
        self._trace.found(
            self._plan.account.address, number, unique_id, body, clock_ns(), verified=self._connection.route.verified
        )

    async def _start_tls(self, step: Step) -> Outcome | None:
        name, connection = _named(step), self._connection
        deadline = self._deadline(step, name)
        pop3 = self._plan.protocol == "pop3"
        started_ns = await connection.say(name, b"STLS\r\n" if pop3 else b"STARTTLS\r\n")
        said = await connection.hear(name, deadline)
        if not said.positive:
            return self._judged(Step(expect="+OK" if pop3 else "220"), name, said)
        await connection.start_tls(deadline)
        connection.ended(name, started_ns)
        self._accepted.clear()
        return None


def _named(step: Step) -> str:
    name = name_of(step)
    assert name is not None, "the check asks for a name where none can be made up"
    return name


def _meets(code: str, word: str) -> bool:
    return code == word or (word[1:] == "yz" and code[0] == word[0])
