"""The connection of a session whose order the scenario decides: octets out, answers in, under any phase's name."""

from typing import Final

from loadgen.clock import clock_ns
from loadgen.session.answers import Answers, Pop3Answers, Said, SmtpAnswers
from loadgen.session.dialogue import Connection
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import BLOCK_OCTETS
from loadgen.session.trace import Trace

_AS_ANY_OTHER: Final = "noop"      # what a phase nobody knows may take


class StepsConnection(Connection):
    """Say anything, hear what comes. Names of phases are without their protocol here: `mail`, `xclient`."""

    def __init__(self, route: Route, trace: Trace, arrival: int) -> None:
        self._answers: Answers = Pop3Answers() if route.endpoint.protocol == "pop3" else SmtpAnswers()
        super().__init__(route, trace, arrival, self._answers)

    def limit_s(self, phase: str) -> float:
        """Return the longest wait in a phase, s."""
        try:
            return self._limits_s[phase]
        except KeyError:
            return self._limits_s[_AS_ANY_OTHER]

    async def say(self, phase: str, octets: bytes) -> int:
        """Send octets, and return when that began, ns. A server that is gone may have said why: `hear` tells."""
        self.trace.phase = self.name_of(phase)
        started_ns = clock_ns()
        for start in range(0, len(octets), BLOCK_OCTETS):
            await self._say(octets[start : start + BLOCK_OCTETS], self.route.deadline(self._of_a_block))
        return started_ns

    async def hear(self, phase: str, deadline: float, *, lines: bool = False) -> Said:
        """Return the next answer, and keep it in the trace: the one place where answers come from."""
        name = self.trace.phase = self.name_of(phase)
        while (said := self._answers.next(lines=lines)) is None:
            await self._listen(deadline)
        self.trace.replies.append((name, said.code, said.detail))
        for deviation in said.deviations:
            self.trace.deviations.append((name, deviation, said.text))
        return said

    async def start_tls(self, deadline: float) -> None:
        """Begin TLS behind the answer that granted it. Raises RemoteProtocolError if more came behind that."""
        self._answers.refuse_unasked()
        await self._handshake(deadline)

    def ended(self, phase: str, started_ns: int) -> None:
        """Note the time of a phase."""
        self._end(phase, started_ns)

    @property
    def _of_a_block(self) -> str:
        return _AS_ANY_OTHER if self.route.endpoint.protocol == "pop3" else "block"
