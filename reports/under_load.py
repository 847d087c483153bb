"""A conformance run under load, as its result tells of the load: the `under_load` section."""

from typing import Annotated

from msgspec import Meta, Struct

from reports.load_result import SessionCounts
from reports.times import Count
from reports.verdict import Verdicts


class Pace(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long one server took to answer plain commands, s."""

    url: str
    before_s: Annotated[float, Meta(description="Median before the load.")] = 0.0
    median_s: Annotated[float, Meta(description="Median of all that were asked under the load.")] = 0.0
    slowest_s: Annotated[float, Meta(description="The longest of those.")] = 0.0
    asked: Annotated[Count, Meta(description="How many commands that was.")] = 0
    turned_away: Annotated[
        Count, Meta(description="Measuring sessions that the server refused, or that broke: under pressure it may.")
    ] = 0


class LoadReason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why one of the load's verdicts is what it is."""

    verdict: str
    sentence: str


class UnderLoad(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The load run that went on while the cases were put. Its own document lies beside this one."""

    scenario: str
    run_id: str
    result: Annotated[str, Meta(description="Its result document, from where this one lies.")]
    report: Annotated[str, Meta(description="Its report, likewise.")]
    verdicts: Annotated[Verdicts, Meta(description="The load's own, of its own result.")]
    reasons: tuple[LoadReason, ...] = ()
    exit_code: Annotated[int, Meta(description="The load's own.")]
    ended_by_us: Annotated[bool, Meta(description="The cases were done before its schedule was over.")] = False
    steady_s: Annotated[float, Meta(ge=0, description="How long cases were put while the load was steady.")] = 0.0
    sessions: SessionCounts = SessionCounts()
    sessions_per_s: Annotated[float | None, Meta(description="Ended, in its steady phase; null: it had none.")] = None
    messages_accepted_per_s: float | None = None
    paces: tuple[Pace, ...] = ()
    outside: Annotated[
        tuple[str, ...], Meta(description="The cases that fell outside the load: it was over before they were.")
    ] = ()
