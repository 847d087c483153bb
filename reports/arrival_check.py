"""Whether the arrivals of an open load were delivered as they were configured, as the result document keeps it."""

from typing import Annotated

from msgspec import Meta, Struct

from reports.times import Count


class Within(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A measured number, and what it is within in all but one sound run of a hundred."""

    value: float
    low: float
    high: float


class ArrivalCheckResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The arrivals that got their turn, second by second, held against what the configured rates are worth."""

    configured: Annotated[float, Meta(ge=0, description="What the configured rates are worth.")]
    delivered: Annotated[Count, Meta(description="Arrivals that started, or were dropped for want of room.")]
    windows: Annotated[Count, Meta(description="Stretches of time they were counted in.")]
    ratio: Annotated[Within, Meta(description="Delivered over configured.")]
    dispersion: Annotated[
        Within | None,
        Meta(
            description="The index of dispersion of counts: 1 for independent arrivals, near 0 for even ones, above 1 "
            "for bursts. Null: too few windows to tell."
        ),
    ]
    holds: Annotated[bool, Meta(description="Both are within their bounds.")]
    drawn_holds: Annotated[
        bool,
        Meta(
            description="The seed's own instants pass the same check. If not, the draw is the unlikely one, and the "
            "generator is not to blame."
        ),
    ] = True
    sentence: Annotated[str, Meta(description="All of it in one sentence.")]
