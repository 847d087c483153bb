"""A calibration as a table of 80 columns."""

import io
from collections.abc import Iterable, Iterator
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import units
from reports.calibration import Calibration, Level
from reports.text import PLAIN_WIDTH

_NUMBERS: Final = (
    "in\nflight", "messages\nper s", "client\nper message", "one core\nwould do", "timers\np99", "client\ncpu",
    "sink\ncpu",
)   # fmt: skip
BUSY: Final = 0.8        # below, neither side was what limited the other


def calibration_summary(calibration: Calibration) -> RenderableType:
    """Return the table, and what it says, for rich to print."""
    processes = f"{calibration.workers} worker{'' if calibration.workers == 1 else 's'}"
    head = Text.assemble(
        ("calibration", "bold"),
        f"  {processes}, messages of {units.octets(calibration.message_octets)}, {calibration.host.cpus} processors, "
        "loopback",
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("sessions")
    for heading in _NUMBERS:
        table.add_column(heading, justify="right", no_wrap=True)
    for level in calibration.levels:
        table.add_row(*_row(level))
    return Group(Padding(head, (0, 0, 1, 0)), Padding(table, (0, 0, 1, 0)), Text("\n".join(_reading(calibration))))


def plain_calibration(calibration: Calibration) -> str:
    """Return the same as plain text, no line longer than 80 columns, ending with a newline."""
    stream = io.StringIO()
    console = Console(file=stream, width=PLAIN_WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(calibration_summary(calibration))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _row(level: Level) -> list[str]:
    return [
        level.sessions,
        units.count(level.in_flight),
        units.count(level.messages_per_s),
        units.duration(level.client_cpu_ns_per_message),
        f"{units.count(level.ceiling_per_core)}/s",
        units.duration(level.loop_lag_ns_p99),
        *(f"{share * 100:.0f} %" for share in (level.client_cpu_share, level.sink_cpu_share)),
    ]


def _reading(calibration: Calibration) -> Iterator[str]:
    """Say of each level what its rate is worth; the processor time of a message stands in any case."""
    crowded = [level for level in calibration.levels if level.in_flight > calibration.workers]
    idle = [level for level in crowded if max(level.client_cpu_share, level.sink_cpu_share) < BUSY]
    sinks = [level for level in crowded if level.busier == "sink" and level not in idle]
    clients = [level for level in crowded if level.busier == "client" and level not in idle]
    if clients:
        yield f"At {_named(clients)} the client was the busier: its rate there is its ceiling."
    if sinks:
        yield f"At {_named(sinks)} the sink was the busier: the client could have done more."
    if idle:
        where = "At no level had either" if idle == crowded else f"At {_named(idle)} neither had"
        yield (
            f"{where} a processor for itself, so these rates are no ceilings: other work held the machine; calibrate "
            "when it is quiet, or with fewer workers."
        )
    if len(crowded) < len(calibration.levels):
        yield "Where each worker has one session, it waits for every reply: its rate is a matter of latency."


def _named(levels: Iterable[Level]) -> str:
    return ", ".join(f"{level.sessions} {units.count(level.in_flight)}" for level in levels)
