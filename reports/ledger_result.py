"""What became of the mail: the `ledger` section of the result document, counted per (message, recipient)."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from reports.times import Count, Hdr, Quantiles

# Every pair that mail data was sent for is in exactly one of these.
CLASSES: Final = (
    "delivered_once", "duplicate", "duplicate_lawful", "lost", "corrupt", "pending", "ambiguous", "rejected",
)   # fmt: skip
# What is never as it should be, and is told by name.
IRREGULAR: Final = ("lost", "duplicate", "corrupt", "misdelivered")
# All that is counted, in the order in which it is shown.
COUNTS: Final = (
    "sent", "accepted", "delivered_once", "lost", "duplicate", "duplicate_lawful", "corrupt", "misdelivered",
    "ambiguous", "ambiguous_arrived", "pending", "rejected", "reordered",
)   # fmt: skip


class EndToEnd(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long accepted mail took until it could be retrieved: from the reply to the final dot to its being seen.

    A maildrop shows a message no earlier than somebody looks, so each time lies between two bounds: the look that found
    it, and the look at the same maildrop before that, which did not. What was found by the first look of all, or only
    after the load, when nobody had looked while it came, is not timed.
    """

    count: Annotated[Count, Meta(description="Deliveries that were timed.")] = 0
    untimed: Annotated[
        Count, Meta(description="Deliveries found that nobody had looked for in time: nothing is known of theirs.")
    ] = 0
    latency_ns: Annotated[
        Quantiles, Meta(description="At the most: from acceptance to the look that found it.")
    ] = Quantiles()
    least_ns: Annotated[
        Quantiles, Meta(description="At the least: from acceptance to the last look that did not find it, or nothing.")
    ] = Quantiles()
    poll_ns: Annotated[
        Quantiles,
        Meta(description="The error bound: what lies between both. All zero: each arrival was seen as it happened."),
    ] = Quantiles()
    latency_hdr: Hdr = ""
    least_hdr: Hdr = ""


class Irregularity(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One delivery that was not as it should be."""

    kind: Literal["lost", "duplicate", "corrupt", "misdelivered"]
    message_id: Annotated[str, Meta(description="Our own id, as in its header field X-Mailproof-Id.")]
    recipient: Annotated[str, Meta(description="Whom it was for; of a misdelivered one, whoever has it.")]
    sentence: Annotated[str, Meta(description="What is known of it, whole and plain.")]


class LedgerResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What became of the mail, counted per (message, recipient).

    Invariant: in a result that counts what was sent, each is in one of CLASSES (ValueError).
    """

    not_made: Annotated[
        str | None,
        Meta(description="Why there is no ledger though one was wanted: nothing is counted then. Null: it was made."),
    ] = None
    sent: Annotated[
        Count, Meta(description="Mail data was sent for it, at one attempt or several. 0 in results of the first days.")
    ] = 0
    accepted: Annotated[Count, Meta(description="The server took responsibility: 2yz to the final dot.")] = 0
    delivered_once: Annotated[
        Count, Meta(description="Accepted, and found in the right maildrop exactly once, unchanged.")
    ] = 0
    duplicate: Annotated[Count, Meta(description="Found more often than it was sent and not refused.")] = 0
    duplicate_lawful: Annotated[
        Count,
        Meta(
            description="Found more than once after an attempt that was never answered and another that was sent: "
            "nobody's fault (RFC 1047); or once more for each crash of the server that was meant."
        ),
    ] = 0
    lost: Annotated[Count, Meta(description="Accepted, and not found when the settling time was over.")] = 0
    corrupt: Annotated[Count, Meta(description="Found, and its content was changed.")] = 0
    misdelivered: Annotated[
        Count,
        Meta(description="Found in a maildrop it was not addressed to. Beside the classes: it is nobody's delivery."),
    ] = 0
    ambiguous: Annotated[
        Count, Meta(description="The reply to the final dot never came, at no attempt: it may or may not be taken.")
    ] = 0
    ambiguous_arrived: Annotated[
        Count, Meta(description="Of the ambiguous those found once, unchanged: taken, whatever became of the reply.")
    ] = 0
    pending: Annotated[
        Count, Meta(description="Accepted, and not looked for to the end: its maildrop was not read.")
    ] = 0
    rejected: Annotated[
        Count, Meta(description="The server said no to the mail data, at every attempt (4yz or 5yz).")
    ] = 0
    reordered: Annotated[
        Count,
        Meta(
            description="Delivered behind one that the same session sent the same recipient later. Lawful, and beside "
            "the classes."
        ),
    ] = 0
    end_to_end: Annotated[
        EndToEnd | None, Meta(description="Null: nobody looked while the mail came, so nothing is known.")
    ] = None
    backlog: Annotated[
        tuple[int, ...],
        Meta(description="Deliveries accepted and not seen yet at the end of each second of the run, from its start."),
    ] = ()
    drain_s: Annotated[
        float | None,
        Meta(description="From the last acceptance to the last delivery seen; null: none was, or some never were."),
    ] = None
    irregularities: Annotated[
        tuple[Irregularity, ...],
        Meta(description="The first few of each class; all of them stand in ledger.jsonl beside this file."),
    ] = ()

    def __post_init__(self) -> None:
        accounted_for = sum(getattr(self, name) for name in CLASSES)
        if self.sent and self.sent != accounted_for:
            raise ValueError(f"the ledger does not balance: {self.sent} sent, {accounted_for} are accounted for")
