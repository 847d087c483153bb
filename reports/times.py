"""Times and counts as the result document writes them."""

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0)]
Nanoseconds = Annotated[int, Meta(ge=0)]
Hdr = Annotated[str, Meta(description="HdrHistogram V2, compressed, base64, in ns; empty: no sample.")]


class Quantiles(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A distribution of times in brief, ns. All zero when nothing was recorded: see the count beside it."""

    min: Nanoseconds = 0
    p50: Nanoseconds = 0
    p90: Nanoseconds = 0
    p95: Nanoseconds = 0
    p99: Nanoseconds = 0
    p999: Annotated[int, Meta(ge=0, description="The 99.9th percentile.")] = 0
    max: Annotated[int, Meta(ge=0, description="Exact, not rounded to a histogram bucket.")] = 0
    mean: Annotated[float, Meta(ge=0)] = 0.0
