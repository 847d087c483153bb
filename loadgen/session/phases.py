"""What each phase is called in documents, and how long it may take: worked out once for a route.

A session of one message asks sixteen times.
"""

from typing import Final

from loadgen.transport.conversation import Counted, Stage
from loadgen.transport.limits import PhaseLimits
from loadgen.wire.reply import USUAL_OCTETS, ReplyClass, lawful_reply

# Phases that wait as long as another: the transport's limits name what RFC 5321 §4.5.3.2 does, and some more.
KNOWN_REPLIES_MAX: Final = 256      # of one phase
LIMITED_AS: Final = {"vrfy": "noop"}


class PhaseNames(dict[str, str]):
    """A phase's name in documents and gates: `smtp.mail` for `mail`."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self._protocol = protocol

    def __missing__(self, phase: str) -> str:
        name = self[phase] = f"{self._protocol}.{phase}"
        return name


class LimitsByPhase(dict[str, float]):
    """How long a phase may take, s. KeyError for one that nobody knows."""

    def __init__(self, protocol: str, limits: PhaseLimits) -> None:
        super().__init__()
        self._protocol = protocol
        self._limits = limits

    def __missing__(self, phase: str) -> float:
        limit_s = self[phase] = self._limits.for_phase(f"{self._protocol}.{LIMITED_AS.get(phase, phase)}")
        return limit_s



class HopedFor(dict[bytes, Counted]):
    """The replies of one phase that were as hoped, by their octets: a server says the same over and over."""

    def __init__(self, phase: str, hoped: ReplyClass) -> None:
        super().__init__()
        self._phase = phase
        self._hoped = hoped

    def goes_on(self, octets: bytes) -> bool:
        """Say whether these octets may be the beginning of one reply: its last line has not come, or not ended."""
        if not octets:
            return False
        last_line = octets[octets.rfind(b"\n", 0, -1) + 1 :]
        return len(octets) < USUAL_OCTETS and (not octets.endswith(b"\n") or last_line[3:4] == b"-")

    def judge(self, octets: bytes) -> Counted | None:
        """Return what these octets count as if they are one lawful reply of the class that is hoped for."""
        reply = lawful_reply(octets) if len(octets) <= USUAL_OCTETS else None
        if reply is None or reply.reply_class is not self._hoped:
            return None
        counted = (self._phase, *reply.counted_as)
        if len(self) < KNOWN_REPLIES_MAX:        # "queued as 4F5E6D" is another one each time
            self[octets] = counted
        return counted


class Stages:
    """The phases of SMTP as a session goes through them that has all its wishes."""

    __slots__ = ("body", "data", "ehlo", "greeting", "mail", "quit", "rcpt")

    def __init__(self, names: PhaseNames, limits_s: LimitsByPhase) -> None:
        def stage(phase: str, limit_s: float, hoped: ReplyClass = ReplyClass.POSITIVE_COMPLETION) -> Stage:
            return Stage(names[phase], limit_s, HopedFor(names[phase], hoped))

        self.greeting = stage("greeting", limits_s["greeting"])
        self.ehlo = stage("ehlo", limits_s["ehlo"])
        self.mail = stage("mail", limits_s["mail"])
        self.rcpt = stage("rcpt", limits_s["rcpt"])
        self.data = stage("data", limits_s["data"], ReplyClass.POSITIVE_INTERMEDIATE)
        self.body = stage("body", min(limits_s["block"], limits_s["body"]))      # to be sent, and to be answered
        self.quit = stage("quit", limits_s["quit"])
