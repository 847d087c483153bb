"""The generator's own condition, as the result document keeps it: what decides whether a run can be believed.

What the system does not tell is null, "not known": never zero.
"""

from typing import Annotated

from msgspec import Meta, Struct

from reports.times import Count, Hdr, Nanoseconds, Quantiles


class Pause(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A time in which the generator's event loop did not come round once."""

    at_ns: Annotated[int, Meta(ge=0, description="When it began, after the run's start.")]
    length_ns: Annotated[
        int, Meta(ge=0, description="From one heartbeat to the next: at most a beat too long, never too short.")
    ]
    busy_ns: Annotated[
        int, Meta(ge=0, description="Processor time the process had meanwhile. Little: it was kept from running.")
    ] = 0
    collector_ns: Annotated[int, Meta(ge=0, description="Of it, in the garbage collector.")] = 0


class InFlight(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Little's law in the steady phase: the mean number of sessions in flight, found in two ways."""

    looks: Annotated[Count, Meta(description="How often it was looked, at random instants.")]
    seen: Annotated[float, Meta(ge=0, description="N: how many were in flight, on the average of the looks.")]
    seen_variance: Annotated[float, Meta(ge=0, description="Of that average: what chance does with so many looks.")]
    recorded: Annotated[
        float,
        Meta(ge=0, description="X·R: the time that the recorded sessions spent in the steady phase, over its length."),
    ]


class Health(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The condition of one generator process. Lags and processor time are of the steady phase, the rest of the run."""

    schedule_lag_ns: Annotated[Quantiles, Meta(description="Started - intended, of every session started.")] = (
        Quantiles()
    )
    schedule_lag_hdr: Hdr = ""
    loop_lag_ns: Annotated[Quantiles, Meta(description="How late a timer of the event loop fired.")] = Quantiles()
    longest_pause_ns: Annotated[
        int, Meta(ge=0, description="The longest time between two heartbeats of the run, drain included.")
    ] = 0
    pauses: Annotated[
        tuple[Pause, ...], Meta(description="Those longer than is allowed (load.pause_max_ns), the longest ten.")
    ] = ()
    pauses_count: Annotated[Count, Meta(description="How many there were.")] = 0
    cpu_share: Annotated[
        float,
        Meta(
            ge=0,
            description="Processor time of the busiest generator process over elapsed time; 1.0 is a core.",
        ),
    ] = 0.0
    gc_pause_ns_max: Annotated[int, Meta(ge=0, description="The longest pause of the garbage collector.")] = 0
    gc_pause_ns_sum: Nanoseconds = 0
    gc_collections: Count = 0
    open_files_max: Annotated[
        Count | None, Meta(description="The most files and sockets open, of a look each second. Null: not known.")
    ] = None
    open_files_limit: Annotated[Count | None, Meta(description="How many the process may have open.")] = None
    in_flight: Annotated[InFlight | None, Meta(description="Null: there was no steady phase, or nobody looked.")] = None
    lane: Annotated[
        str, Meta(description="What led the plain course of deliveries: native, or python and why. Empty: not known.")
    ] = ""
    rss_octets_max: Annotated[int, Meta(ge=0, description="Peak resident memory of the generator.")] = 0
