"""What a stage is: which run measures a level of a scenario, and what must hold in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loadgen.scenario.arrivals import Replay
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import IdleHold, OpenLoad, Scenario
from loadgen.scenario.resolve import plain
from reports.capacity_result import Level
from reports.errors import UserError
from reports.gate import Gate
from reports.gate_spelt import gates_spelt, text_of
from reports.metric import metric_named
from reports.named_metric import ANYTHING_NAMED
from reports.phases import PROTOCOLS
from reports.toml import to_toml

WARM_UP_S: Final = 10.0             # where the scenario says nothing
OVERHEAD_S: Final = 5.0             # to start a run, look at the target, and write its report
STAGES: Final = "stages"
_STAGE: Final = ", a stage"
_NAME_MAX: Final = 90               # of a hundred that a name may have
_OPENED_PER_S: Final = 200.0        # sessions to be held
_NOOP_EVERY: Final = "30s"          # well within what servers wait for (RFC 5321 §4.5.3.2.7: five minutes)


@dataclass(frozen=True, slots=True)
class Stages:
    """How the levels of one scenario are measured."""

    scenario: Scenario
    source: str                       # the scenario as it was named
    arguments: tuple[str, ...]        # of `mailproof run`, for every stage
    directory: Path
    hold: bool = False                # sessions are only held, all of them at once

    @property
    def of(self) -> Level:
        """Return what a level counts."""
        if self.hold:
            return "sessions"
        return "rate" if isinstance(self.scenario.load, OpenLoad) else "users"

    @property
    def warm_up_s(self) -> float:
        """Return the warm-up that is guessed: the scenario's, or ten seconds."""
        return self.scenario.load.warm_up.s or WARM_UP_S

    def directory_of(self, number: int) -> Path:
        """Return where a stage's result goes."""
        return self.directory / STAGES / f"{number:02}"

    def command(self, number: int, level: float, seconds: float) -> list[str]:
        """Return the arguments of `mailproof run` that measure a level."""
        if self.hold:
            settings = self._holding(round(level), seconds)
        elif isinstance(self.scenario.load, OpenLoad):
            settings = self._at_rate(self.scenario.load, level, seconds)
        else:
            settings = self._with_users(round(level), seconds)
        # Under a name of its own: the scenario's runs over time are not to be mixed with these.
        settings.append(f"scenario.name={json.dumps(self.scenario.about.name[:_NAME_MAX] + _STAGE)}")
        return [
            self.source, *self.arguments, *(f"--set={each}" for each in settings),
            f"--seed={self.scenario.about.seed + number - 1}", f"--out={self.directory_of(number)}", "--until-eof",
        ]   # fmt: skip

    def longest_s(self, seconds: float, level: float) -> float:
        """Return how long a stage with such a steady phase may take at most, everything included."""
        if self.hold:
            return 2 * _opening_s(level) + seconds + self.scenario.load.drain.s + OVERHEAD_S
        settle_s = self.scenario.ledger.settle.s if self.scenario.ledger.verify else 0.0
        return self.warm_up_s + seconds + self.scenario.load.drain.s + settle_s + OVERHEAD_S

    def _at_rate(self, load: OpenLoad, rate: float, seconds: float) -> list[str]:
        """Set one flat shape at this rate, its arrivals spaced as the scenario's are at their height."""
        rated = [shape for shape in load.arrivals if not isinstance(shape, Replay)]
        highest = max(rated, key=lambda shape: max(shape.rates), default=None)
        shape = "poisson" if highest is None or highest.process == "poisson" else "constant"
        arrivals = {"shape": shape, "rate": rate, "for": _duration(self.warm_up_s + seconds)}
        return [_setting("load.arrivals", [arrivals]), f"load.warm_up={_duration(self.warm_up_s)}"]

    def _with_users(self, users: int, seconds: float) -> list[str]:
        load = plain(self.scenario.load)
        assert isinstance(load, dict), "a table"
        load.pop("sessions", None)
        changed = {
            "virtual_users": users, "for": _duration(self.warm_up_s + seconds), "warm_up": _duration(self.warm_up_s),
        }   # fmt: skip
        return [_setting("load", load | changed)]

    def _holding(self, sessions: int, seconds: float) -> list[str]:
        """Set so many sessions, opened one by one and then held together for the stage's length."""
        opening_s = _opening_s(sessions)
        load = {
            "model": "closed", "virtual_users": sessions, "sessions": sessions, "ramp": _duration(opening_s),
            "drain": _duration(seconds + opening_s + self.scenario.load.drain.s),
        }   # fmt: skip
        session = held_session(self.scenario) | {"hold": _duration(seconds + opening_s), "weight": 1}
        return [
            _setting("load", load), _setting("session", [session]), "gate=[]",
            f"limits.session={_duration(2 * (seconds + opening_s) + 60)}",
        ]   # fmt: skip


def gates_of(scenario: Scenario, slo: Sequence[str]) -> tuple[Gate, ...]:
    """Return the gates that every level has to hold to: the scenario's, and those of the command line. UserError.

    One of the scenario's that asks for an amount of work is left out: low levels offer too little to meet it.
    """
    sessions = [session for session in scenario.sessions if session.weight and not isinstance(session, IdleHold)]
    spoken = [protocol for protocol in PROTOCOLS if protocol in map(protocol_of, sessions)]
    asked = (gate for text in slo for gate in gates_spelt(text, protocols=spoken))
    gates = (*(gate for gate in scenario.gates if not _asks_for_work(gate)), *asked)
    return tuple({text_of(gate): gate for gate in gates}.values())


def held_session(scenario: Scenario) -> dict[str, object]:
    """Return the session that is held: the scenario's idle-hold, or one over its SMTP server, else POP3. UserError."""
    for session in scenario.sessions:
        if isinstance(session, IdleHold):
            found = plain(session)
            assert isinstance(found, dict), "a table"
            return found
    if scenario.target.smtp is not None:
        return {"kind": "idle-hold", "protocol": "smtp", "noop_every": _NOOP_EVERY}
    if scenario.target.pop3 is not None:
        return {"kind": "idle-hold", "protocol": "pop3"}
    raise UserError("--hold needs an SMTP or a POP3 server in the scenario's target")


def _asks_for_work(gate: Gate) -> bool:
    metric = metric_named(gate.metric, ANYTHING_NAMED)
    wants_more = gate.above is not None or gate.at_least is not None
    return wants_more and metric is not None and metric.unit in ("per_s", "count") and metric.question != "correct"


def _opening_s(sessions: float) -> float:
    return max(1.0, sessions / _OPENED_PER_S)


def _duration(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _setting(path: str, value: Mapping[str, object] | Sequence[object]) -> str:
    """Return `path=value`, the value as TOML writes it on one line."""
    text = to_toml({"table": {"value": value}}).partition("value = ")[2]
    return f"{path}={' '.join(text.split())}"
