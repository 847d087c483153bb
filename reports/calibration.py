"""What the tool itself can do, measured against a sink that does nothing: `calibration.json`.

The ceiling is of these messages, on this machine, over loopback: a run with other messages, TLS or a network has
another.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from reports.document import HostFacts
from reports.times import Count, Nanoseconds

SCHEMA: Final = "mailproof/calibration-v1"


class Level(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One measurement: so many sessions in flight, one message to each connection or many."""

    sessions: Annotated[
        Literal["fresh", "reused"], Meta(description="A connection for each message, or one for many messages.")
    ]
    in_flight: Annotated[Count, Meta(description="Sessions kept open by all workers together.")]
    seconds: Annotated[float, Meta(gt=0, description="Length of the steady phase it is measured over.")]
    messages_per_s: Annotated[float, Meta(gt=0, description="Messages accepted by the sink.")]
    client_cpu_share: Annotated[float, Meta(ge=0, description="Of the busiest worker; 1.0 is a core.")]
    client_cpu_ns_per_message: Annotated[Nanoseconds, Meta(description="Of all workers together.")]
    sink_cpu_share: Annotated[float, Meta(ge=0, description="Of the sink's one process.")]
    sink_cpu_ns_per_message: Nanoseconds
    loop_lag_ns_p99: Annotated[int, Meta(ge=0, description="How late the timers of the latest worker fired.")]

    @property
    def busier(self) -> Literal["client", "sink"]:
        """Say which of the two had less left: the other one could have done more."""
        return "client" if self.client_cpu_share >= self.sink_cpu_share else "sink"

    @property
    def ceiling_per_core(self) -> float:
        """Return how many messages a second one core of the client can do, by the processor time each took."""
        return 1e9 / self.client_cpu_ns_per_message if self.client_cpu_ns_per_message else 0.0


class Calibration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The result of `mailproof calibrate`."""

    schema: Annotated[
        Literal["mailproof/calibration-v1"], Meta(description="Name and version of this format.")
    ] = SCHEMA
    mailproof: Annotated[str, Meta(description="Version of mailproof.")]
    started: Annotated[str, Meta(description="RFC 3339, UTC.")]
    workers: Annotated[int, Meta(ge=1, description="Generator processes.")]
    message_octets: Count
    host: HostFacts
    levels: tuple[Level, ...]


def encode(calibration: Calibration) -> bytes:
    """Return the calibration as indented JSON, UTF-8, ending with a newline."""
    return msgspec.json.format(msgspec.json.encode(calibration), indent=2) + b"\n"
