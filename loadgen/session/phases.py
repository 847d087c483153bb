"""What each phase is called in documents, and how long it may take: worked out once for a route.

A session of one message asks sixteen times.
"""

from typing import Final

from loadgen.transport.limits import PhaseLimits

# Phases that wait as long as another: the transport's limits name what RFC 5321 §4.5.3.2 does, and some more.
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
