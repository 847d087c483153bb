"""The machine that generated the load, while it did: what its system tells, whoever caused it.

Null is "not known": the system does not tell, or not here. It is never zero.
"""

from typing import Annotated

from msgspec import Meta, Struct

from reports.times import Count


class Processors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The machine's processors in the steady phase, as means: 1.5 of 2 were busy."""

    cpus: Count
    busy: Annotated[float, Meta(ge=0, description="Busy with anything: the generator, a local server, others.")]
    steal: Annotated[float, Meta(ge=0, description="Wanted, and given to another machine by the hypervisor.")]


class TcpCounters(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What TCP counted while the load was driven, over all connections of this machine (or container)."""

    listen_overflows: Annotated[Count | None, Meta(description="Connections refused by a full accept queue.")] = None
    listen_drops: Annotated[Count | None, Meta(description="SYNs and connections a listener dropped.")] = None
    request_queue_full_drops: Annotated[Count | None, Meta(description="SYNs dropped by a full SYN queue.")] = None
    segments_sent: Count | None = None
    segments_retransmitted: Count | None = None
    timeouts: Annotated[Count | None, Meta(description="Retransmission timers that ran out.")] = None
    resets_sent: Count | None = None
    connections_reset: Annotated[
        Count | None, Meta(description="Established connections that ended by a reset, of either end.")
    ] = None
    connects_failed: Annotated[Count | None, Meta(description="Connections that failed before they stood.")] = None


class Ports(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ephemeral ports. A port is free for one destination though another has it, so the busiest pair counts."""

    low: Count
    high: Annotated[Count, Meta(description="The range that the system gives ports from, both ends included.")]
    used_max: Annotated[
        Count, Meta(description="The most in use, or in TIME-WAIT, between one source address and one destination.")
    ]
    source: str = ""
    destination: str = ""

    @property
    def available(self) -> int:
        """Return how many ports there are between one source address and one destination."""
        return self.high - self.low + 1


class Machine(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the system tells of the machine."""

    processors: Processors | None = None
    tcp: TcpCounters = TcpCounters()
    ports: Ports | None = None
