"""One measurement of a calibration: the scenario that is run, and the arithmetic of what came of it."""

from pathlib import Path
from typing import Final, Literal

from loadgen.calibrate.sink import Used
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from reports.calibration import Level
from reports.document import Document
from reports.errors import PreconditionFailed
from reports.signs import processes_of

Sessions = Literal["fresh", "reused"]

MESSAGES: Final[dict[Sessions, int]] = {"fresh": 1, "reused": 100}      # to a connection
WARM_UP_S: Final = 0.5
DRAIN_S: Final = 0.5              # what is open then is cut short; its messages count


def scenario_for(url: str, sessions: Sessions, in_flight: int, seconds: float, message_octets: int) -> Scenario:
    """Return the closed load of so many sessions that are always open."""
    return scenario_from(
        {
            "scenario": {"name": f"calibrate-{sessions}-{in_flight}", "seed": 1},
            "target": {"smtp": url},
            "load": {
                "model": "closed", "virtual_users": in_flight, "for": f"{round((WARM_UP_S + seconds) * 1000)}ms",
                "warm_up": f"{round(WARM_UP_S * 1000)}ms", "drain": f"{round(DRAIN_S * 1000)}ms",
            },
            "session": [{"kind": "smtp-deliver", "messages": MESSAGES[sessions], "size": message_octets}],
        },
        name="calibrate", directory=Path(), environ={},
    )   # fmt: skip


def level_of(sessions: Sessions, in_flight: int, document: Document, before: Used, after: Used) -> Level:
    """Return what one run against the sink measured, with what the sink had used before it and after.

    A processor's share is of the steady phase, as the rate is; so processor time over rate is the time of one
    message. The sink's is counted over the whole run, and over all of its messages.
    PreconditionFailed if no message was accepted.
    """
    load = document.load
    assert load is not None, "a run has a load"
    rate = load.throughput.messages_accepted_per_s if load.throughput is not None else 0.0
    served = after.messages - before.messages
    if not rate or not served:
        cause = f": {load.failures[0].cause}" if load.failures else ""
        raise PreconditionFailed(f"with {in_flight:,} {sessions} sessions in flight no message was accepted{cause}")
    processes = [each.health for each in processes_of(load)]
    sink_s_per_message = (after.cpu_s - before.cpu_s) / served
    return Level(
        sessions=sessions,
        in_flight=in_flight,
        seconds=load.steady_s,
        messages_per_s=rate,
        client_cpu_share=max(health.cpu_share for health in processes),
        client_cpu_ns_per_message=round(sum(health.cpu_share for health in processes) / rate * 1e9),
        sink_cpu_share=sink_s_per_message * rate,
        sink_cpu_ns_per_message=round(sink_s_per_message * 1e9),
        loop_lag_ns_p99=max(health.loop_lag_ns.p99 for health in processes),
    )
