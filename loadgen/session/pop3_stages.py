"""The phases of POP3 as a session goes through them that has all its wishes, and the responses hoped for in each."""

from typing import Final

from loadgen.session.phases import KNOWN_REPLIES_MAX, LimitsByPhase, PhaseNames
from loadgen.transport.conversation import Counted, Stage
from loadgen.wire.response import END_OF_LINES, has_lawful_lines, lawful_response

LINE_OCTETS_MAX: Final = 512        # of a status line (RFC 2449 §4)
LINES_OCTETS_MAX: Final = 1 << 20   # of a response that is waited for here: in Python each read puts it together anew


class HopedForOk(dict[bytes, Counted]):
    """The responses of one line in one phase that were as hoped, by their octets: a server says the same again."""

    def __init__(self, phase: str) -> None:
        super().__init__()
        self._phase = phase

    def goes_on(self, octets: bytes) -> bool:
        """Say whether these octets may be the beginning of a line."""
        return 0 < len(octets) <= LINE_OCTETS_MAX and b"\n" not in octets

    def judge(self, octets: bytes) -> Counted | None:
        """Return what these octets count as if they are one lawful +OK and nothing else."""
        response = lawful_response(octets)
        if response is None:
            return None
        counted = (self._phase, *response.counted_as)
        if len(self) < KNOWN_REPLIES_MAX:
            self[octets] = counted
        return counted


class HopedForLines(HopedForOk):
    """The responses with lines behind the +OK in one phase. Each is another one: only their status lines are known."""

    def goes_on(self, octets: bytes) -> bool:
        """Say whether these octets may be the beginning of one: its last line has not come."""
        if octets.endswith(END_OF_LINES):      # or not the first such line: `judge` looks
            return False
        line_end = octets.find(b"\n") + 1
        if not line_end:
            return super().goes_on(octets)
        return (
            len(octets) <= LINES_OCTETS_MAX
            and octets.find(END_OF_LINES, line_end - 2) < 0
            and self._status(octets[:line_end]) is not None
        )

    def judge(self, octets: bytes) -> Counted | None:
        """Return what these octets count as if they are one lawful +OK with its lines and nothing else."""
        line_end = octets.find(b"\n") + 1
        return self._status(octets[:line_end]) if line_end and has_lawful_lines(octets, line_end) else None

    def _status(self, line: bytes) -> Counted | None:
        return self.get(line) or super().judge(line)


class Pop3Stages:
    """The phases of a retrieval."""

    __slots__ = ("auth", "dele", "greeting", "list", "quit", "retr", "stat", "uidl", "user")

    def __init__(self, names: PhaseNames, limits_s: LimitsByPhase) -> None:
        def one_line(phase: str) -> Stage:
            return Stage(names[phase], limits_s[phase], HopedForOk(names[phase]))

        def lines(phase: str) -> Stage:
            return Stage(names[phase], limits_s[phase], HopedForLines(names[phase]), LINES_OCTETS_MAX)

        self.greeting = one_line("greeting")
        self.auth = one_line("auth")
        self.user = self.auth._replace(in_part=True)      # of a login of two commands
        self.stat = one_line("stat")
        self.list = lines("list")
        self.uidl = lines("uidl")
        self.retr = lines("retr")
        self.dele = one_line("dele")
        self.quit = one_line("quit")
