"""What became of mail that was put off and tried again: the `retries` of a load result.

First attempts and final outcomes are told apart throughout. A delivery is one message for one recipient.
"""

from typing import Annotated

from msgspec import Meta, Struct, structs

from reports.times import Count, Hdr, Quantiles


class FinalCounts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What became of each in the end; exactly one of these.

    Invariant: total == the sum of the others (ValueError).
    """

    total: Annotated[Count, Meta(description="Those of every session started; dropped arrivals have none.")] = 0
    accepted_first: Annotated[Count, Meta(description="Accepted at the first attempt.")] = 0
    accepted_later: Annotated[Count, Meta(description="Put off at first, and accepted in the end.")] = 0
    bounced: Annotated[Count, Meta(description="Refused for good (5yz), at whichever attempt.")] = 0
    given_up: Annotated[
        Count, Meta(description="Put off until there were no attempts left, or no time (retry.attempts, give_up).")
    ] = 0
    unfinished: Annotated[
        Count, Meta(description="Waiting, or under way, when the run ended: its fate is not known.")
    ] = 0

    def __post_init__(self) -> None:
        total, *classes = structs.astuple(self)
        if total != sum(classes) or min(classes) < 0:
            raise ValueError(f"what was tried again does not balance: {structs.asdict(self)}")


class FirstCounts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the first attempts at the deliveries came to."""

    accepted: Count = 0
    deferred: Annotated[
        Count, Meta(description="Answered 4yz, or not at all: the session was turned away, or broke.")
    ] = 0
    bounced: Annotated[Count, Meta(description="Refused for good (5yz).")] = 0
    interrupted: Annotated[Count, Meta(description="The run ended first.")] = 0


class RetryResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of session that tries again. Its first attempts also stand in `kinds`, as those of every session do."""

    deliveries: Annotated[FinalCounts, Meta(description="By delivery: one message for one recipient.")] = FinalCounts()
    sessions: Annotated[
        FinalCounts,
        Meta(
            description="By arrival, whose worst delivery decides: unfinished, given up, bounced, accepted later, "
            "accepted first."
        ),
    ] = FinalCounts()
    first: Annotated[FirstCounts, Meta(description="Deliveries by what their first attempt came to.")] = FirstCounts()
    attempts: Annotated[
        tuple[Count, ...],
        Meta(description="Deliveries by how many attempts it took to accept, bounce or give them up: first the ones."),
    ] = ()
    tried_again: Annotated[Count, Meta(description="Sessions after the arrivals' first.")] = 0
    delay_ns: Annotated[
        Quantiles,
        Meta(
            description="From the arrival's intended instant to the acceptance of each delivery, at whichever "
            "attempt; arrivals of the steady phase only."
        ),
    ] = Quantiles()
    delay_hdr: Hdr = ""
