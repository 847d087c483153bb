"""One line of a chain: a Received field with all that was read out of it."""

from dataclasses import dataclass
from functools import cached_property

from conformance.trace.header import RECEIVED, header_of
from conformance.trace.host import Address, name_of
from conformance.trace.moment import Moment, moment_of
from conformance.trace.origin import Origin, by_addresses, origin_of
from conformance.trace.received import Received, received

LINES_MAX = 200            # of one message; a server refuses what has been through half as many (RFC 5321 §6.3)


@dataclass(frozen=True)
class Hop:
    """One hop, as a line tells of it. Line 1 is the top-most, the newest."""

    line: int
    field: Received

    @cached_property
    def origin(self) -> Origin | None:
        """Return who handed the message over; None: it does not say."""
        return origin_of(self.field)

    @cached_property
    def by(self) -> str:
        """Return the name of the host that wrote the line; "" if it does not say."""
        return name_of(self.field.by)

    @cached_property
    def by_addresses(self) -> tuple[Address, ...]:
        """Return the addresses of that host, where they are given."""
        return by_addresses(self.field)

    @cached_property
    def protocol(self) -> str:
        """Return by what protocol it came, in capitals; "" if it does not say."""
        word = name_of(self.field.clause(b"with").value)
        return "Microsoft SMTP" if word == "microsoft" else word.upper()

    @cached_property
    def moment(self) -> Moment | None:
        """Return when; None: no date can be read."""
        return moment_of(self.field.date)

    @property
    def is_local(self) -> bool:
        """Say whether the message came from the machine itself."""
        origin = self.origin
        loopback = origin is not None and origin.address is not None and origin.address.is_loopback
        return loopback or (origin is not None and origin.local)


def chain_of(message: bytes) -> tuple[Hop, ...]:
    """Return the Received lines of a message, newest first, as many as are looked at."""
    values = [field.value for field in header_of(message) if field.name == RECEIVED]
    return tuple(Hop(line, received(value)) for line, value in enumerate(values[:LINES_MAX], start=1))
