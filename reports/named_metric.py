"""Metrics of what a scenario names itself: its sessions, its steps, and the replies to a phase."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reports.document import Document, SessionCounts
from reports.measure import Metric, Read, Unit, errors_share, load_of, number, time_of
from reports.phases import PHASES, PROTOCOLS, is_step
from reports.reply_metric import reply_metric

REPLY_METRIC: Final = "replies.<phase>.<code>"
# what stands for many metrics -> what they are
FAMILIES: Final = {
    REPLY_METRIC: "replies; for the phase also a protocol, or nothing; the code as 250, 4yz, 4.7.1, +OK, -ERR, closed",
    "replies.<phase>.<code>.share": "the same of all replies there",
    "failures.<phase>": "sessions that ended in the phase before their time: refused, failed or timed out",
    "failures.<phase>.share": "the same of the arrivals",
    "session.<name>.response": "whole sessions of one name; .service too",
    "session.<name>.<outcome>": "arrived, accepted, refused, failed, timed_out, dropped, interrupted",
    "session.<name>.<outcome>.share": "the same of its arrivals; errors.share too",
}

SESSION_KINDS: Final = ("arrived", "accepted", "refused", "failed", "timed_out", "dropped", "interrupted")


@dataclass(frozen=True, slots=True)
class Named:
    """The names a scenario has given. None: they are not known, and any that could be one is taken for one."""

    sessions: frozenset[str] | None = frozenset()
    steps: frozenset[str] | None = frozenset()    # phases, as `smtp.xclient`

    def has_phase(self, phase: str) -> bool:
        """Say whether sessions can be timed by a phase of this name."""
        return phase in PHASES or (is_step(phase) if self.steps is None else phase in self.steps)

    def has_session(self, name: str) -> bool:
        """Say whether the scenario has a session of this name."""
        return bool(name) if self.sessions is None else name in self.sessions


NOTHING_NAMED: Final = Named()
ANYTHING_NAMED: Final = Named(None, None)


def named_metric(name: str, named: Named) -> Metric | None:
    """Return the metric of this name if it is about something the scenario names."""
    readers = (_of_a_step, _of_replies, _of_failures, _of_a_session)
    return next((metric for read in readers if (metric := read(name, named)) is not None), None)


def names_of_metrics(named: Named) -> Iterator[str]:
    """Yield every such metric's name, for a hint at what was meant; replies without their code."""
    for phase in sorted(named.steps or ()):
        yield from (f"{phase}.response", f"{phase}.service")
    for phase in (*PHASES, *sorted(named.steps or ())):
        yield from (f"replies.{phase}.<code>", f"failures.{phase}")
    for session in sorted(named.sessions or ()):
        yield from (f"session.{session}.{what}" for what in _SESSION_UNITS)


def phase_metric(phase: str, what: str) -> Metric:
    """Return the metric of a phase's response or service time."""
    def read(document: Document, percentile: float | None) -> float | None:
        result = document.load.phases.get(phase) if document.load is not None else None
        return time_of(result, percentile, response=what == "response")

    absent = f"no {phase} was completed in the steady phase"
    return Metric(f"{phase}.{what}", "ns", read, absent, takes_percentile=True, steady=True)


def _of_a_step(name: str, named: Named) -> Metric | None:
    phase, _, what = name.rpartition(".")
    if what in ("response", "service") and phase not in PHASES and named.has_phase(phase):
        return phase_metric(phase, what)
    return None


def _of_replies(name: str, named: Named) -> Metric | None:
    found = reply_metric(name)
    if found is None:
        return None
    where, metric = found
    return metric if where == "" or where in PROTOCOLS or named.has_phase(where) else None


def _of_failures(name: str, named: Named) -> Metric | None:
    """Read `failures.<phase>`: sessions that ended in it before their time, refused ones too."""
    family, _, rest = name.partition(".")
    phase = rest.removesuffix(".share")
    if family != "failures" or not named.has_phase(phase):
        return None
    shared = phase != rest

    def read(document: Document, _: float | None) -> float | None:
        load = load_of(document)
        if load is None:
            return None
        ended = sum(each.count for each in load.failures if each.phase == phase)
        if not ended and phase not in load.phases and phase not in load.warm_up_phases:
            return None
        return ended / load.sessions.arrived if shared else ended

    return Metric(name, "share" if shared else "count", read, f"no session came to {phase}")


def _of_a_session(name: str, named: Named) -> Metric | None:
    family, _, rest = name.partition(".")
    if family != "session":
        return None
    for what, unit in _SESSION_UNITS.items():
        session = rest.removesuffix(f".{what}")
        if session != rest and named.has_session(session):
            timed = unit == "ns"
            absent = f'no session "{session}" {"was timed in the steady phase" if timed else "arrived"}'
            return Metric(
                name, unit, _session_reader(session, what), absent, takes_percentile=timed, steady=timed
            )
    return None


# what of a session -> its unit. Longer ones first: a session's own name may end in a dot and a word.
_SESSION_UNITS: Final[dict[str, Unit]] = {
    **{f"{kind}.share": "share" for kind in SESSION_KINDS[1:]}, "errors.share": "share",
    **dict.fromkeys(SESSION_KINDS, "count"), "response": "ns", "service": "ns",
}


def _session_reader(session: str, what: str) -> Read:
    def read(document: Document, percentile: float | None) -> float | None:
        load = load_of(document)
        if load is None:
            return None
        if what in ("response", "service"):
            return time_of(load.session_times.get(session), percentile, response=what == "response")
        counts = load.kinds.get(session)
        return _counted(counts, what) if counts is not None and counts.arrived else None

    return read


def _counted(counts: SessionCounts, what: str) -> float:
    if what == "errors.share":
        return errors_share(counts)
    kind, _, share = what.partition(".")
    return number(counts, kind) / (counts.arrived if share else 1)
