"""What became of the server when it was crashed amid the load: the `crash` part of a load's result."""

from typing import Annotated

from msgspec import Meta, Struct

from reports.times import Count


class Outage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long one protocol was away after one crash, as the load saw it."""

    protocol: Annotated[str, Meta(description="smtp, lmtp or pop3.")]
    refused: Annotated[Count, Meta(description="Sessions whose connection was refused: nobody listened.")] = 0
    cut: Annotated[
        Count, Meta(description="Sessions whose connection ended, or fell silent, before the server was back.")
    ] = 0
    began_ns: Annotated[
        int, Meta(description="From the run's start: the first refusal; where nobody was refused, the first cut.")
    ]
    back_ns: Annotated[
        int | None,
        Meta(description="When the first session that began after the last refusal was accepted; null: none was."),
    ] = None

    @property
    def recovery_ns(self) -> int | None:
        """Return how long it was away; None: it was not seen to come back."""
        return None if self.back_ns is None else self.back_ns - self.began_ns


class CrashMoment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One crash: what was done, and what was seen of it."""

    at_ns: Annotated[int, Meta(description="When the command began, from the run's start.")]
    took_ns: Annotated[int, Meta(ge=0, description="How long the command took.")] = 0
    exit_code: Annotated[
        int | None,
        Meta(description="The command's exit status, below 0 a signal's; null: it never ended, or there was none."),
    ] = None
    output: Annotated[str, Meta(description="The end of what the command wrote, made printable.")] = ""
    trouble: Annotated[
        str | None, Meta(description="How the command failed, the end of a sentence; null: it did not.")
    ] = None
    outages: Annotated[tuple[Outage, ...], Meta(description="Empty: no session noticed anything.")] = ()


    @property
    def over_ns(self) -> int:
        """Return by when, from the run's start, all of the server was seen to be back; 2**62 if it was not."""
        backs = [1 << 62 if outage.back_ns is None else outage.back_ns for outage in self.outages]
        return max(self.at_ns + self.took_ns, *backs) if backs else self.at_ns + self.took_ns


class CrashResult(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every crash of one load, and what was expected."""

    command: Annotated[str | None, Meta(description="The operator's; null: the embedded server was killed by us.")]
    planned: Annotated[Count, Meta(description="How many there were to be.")]
    recover_within_ns: Annotated[int, Meta(ge=0, description="The longest outage that is no failure.")]
    load_ns: Annotated[int, Meta(ge=0, description="When the load ended, from the run's start.")]
    moments: tuple[CrashMoment, ...] = ()

    @property
    def refused(self) -> int:
        """Return how many sessions were refused while the server was away."""
        return sum(outage.refused for moment in self.moments for outage in moment.outages)

    @property
    def cut(self) -> int:
        """Return how many sessions were cut."""
        return sum(outage.cut for moment in self.moments for outage in moment.outages)

    @property
    def recovery_ns(self) -> int | None:
        """Return the longest outage; None: there was none, or one that was not seen to end."""
        each = [outage.recovery_ns for moment in self.moments for outage in moment.outages]
        known = [recovery for recovery in each if recovery is not None]
        return max(known) if known and len(known) == len(each) else None
