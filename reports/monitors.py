"""What a load's replies came to when they were held against the RFCs: the `load.monitors` section."""

from typing import Annotated

from msgspec import Meta, Struct

from reports.times import Count


class Departure(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One requirement that replies were seen to break, or not to follow."""

    id: Annotated[str, Meta(description="The requirement.")]
    protocol: str
    level: Annotated[str, Meta(description="Its RFC 2119 level; MUST* in prose, HARD: hardening.")]
    verdict: Annotated[str, Meta(description='As of a case: "fail", "divergence", "weak" or "latitude".')]
    title: str = ""
    sources: Annotated[tuple[str, ...], Meta(description='Where it stands, "RFC 5321 §4.2".')] = ()
    expected: str = ""
    got: Annotated[str, Meta(description="What was seen, the first few different ones.")] = ""
    broken: Annotated[Count, Meta(description="How often that was, among the replies judged.")] = 0
    looked: Annotated[Count, Meta(description="How often there was occasion to look.")] = 0
    transcript: Annotated[
        tuple[str, ...], Meta(description="The end of one such session, made printable, without passwords.")
    ] = ()


class MonitorsResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The passive requirements over a load run. Which connections were judged is a sample, drawn by what time allowed.

    Of those in which all went as hoped one is taken whenever the last is done; the others come first.
    """

    connections: Annotated[Count, Meta(description="Connections of the run's sessions.")] = 0
    judged: Annotated[Count, Meta(description="Connections all of whose replies were judged.")] = 0
    odd: Annotated[
        Count, Meta(description="Connections in which not all went as hoped, where the plain course was taken.")
    ] = 0
    odd_judged: Count = 0
    replies: Annotated[Count, Meta(description="Replies judged.")] = 0
    requirements: Annotated[Count, Meta(description="Requirements that there was occasion to look for.")] = 0
    departures: tuple[Departure, ...] = ()
