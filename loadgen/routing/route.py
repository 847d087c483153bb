"""Where the mail of a domain goes (RFC 5321 §5.1): its exchanges in the order in which they are tried."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from dns.rdatatype import RdataType
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from loadgen.endpoint import checked_domain
from loadgen.routing.lookup import Answer, Question, Resolver, Trouble
from reports.errors import PreconditionFailed, UserError

EXCHANGES_MAX: Final = 32   # of one domain; whoever lists more is listed for by preference
ADDRESSES_MAX: Final = 8    # of one exchange and family
ROOT: Final = "."


class RouteDeviation(StrEnum):
    """What a domain's records do that no RFC allows; mail systems follow them all the same."""

    ALIAS = "the exchange is an alias (RFC 2181 §10.3)"
    ADDRESS = "the exchange is an address, not a name (RFC 5321 §5.1)"
    ROOT_AMONG_OTHERS = "a null MX stands among others (RFC 7505 §3)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One host that takes a domain's mail."""

    name: str
    preference: int                               # the lower is tried first
    addresses: tuple[str, ...]                    # IPv4, then IPv6, each in the nameserver's order
    deviations: tuple[RouteDeviation, ...] = ()
    trouble: Trouble | None = None                # why there is no address, or not all of them


@dataclass(frozen=True, slots=True)
class MailRoute:
    """Where a domain's mail goes. Invariant: at least one exchange."""

    domain: str
    cnames: tuple[str, ...]              # the aliases followed from the domain, in order
    exchanges: tuple[Exchange, ...]      # by preference; equal ones in an order drawn by lot
    implicit: bool                       # True: no MX, the domain is its own exchange (RFC 5321 §5.1)
    left_out: int = 0                    # MX records past the limit

    def reachable(self) -> tuple[Exchange, ...]:
        """Return the exchanges that have an address, in order.

        If none has, raise PreconditionFailed where asking again may help, else UserError.
        """
        found = tuple(exchange for exchange in self.exchanges if exchange.addresses)
        if not found:
            troubles = [exchange.trouble for exchange in self.exchanges if exchange.trouble is not None]
            said = "; ".join(trouble.sentence for trouble in troubles)
            sentence = f"no exchange of {self.domain} has an address: {said}"
            raise Trouble(sentence, any(trouble.temporary for trouble in troubles)).error()
        return found


async def mail_route(domain: str, resolver: Resolver, chance: Random) -> MailRoute:
    """Ask where a domain's mail goes. `chance` orders exchanges of equal preference (RFC 5321 §5.1).

    Raises UserError where the domain takes no mail: it does not exist, has a null MX, or neither MX nor address.
    Raises PreconditionFailed where the nameservers cannot say. An exchange without an address is part of the route.
    """
    answer = await resolver.ask(domain, RdataType.MX)
    if isinstance(answer, Trouble):
        raise answer.error()
    canonical = answer.aliases[-1] if answer.aliases else domain
    if not answer.exists:
        leading = f", where {domain} leads," if answer.aliases else ""
        raise UserError(f"the domain {canonical}{leading} does not exist")
    listed = [(record.preference, _name(record)) for record in answer.records if isinstance(record, MX)]
    if not listed:
        return await _implicit(domain, answer.aliases, canonical, resolver)
    if [name for _, name in listed] == [ROOT]:
        raise UserError(f"{domain} takes no mail: its only MX is the null MX (RFC 7505)")
    ordered = _ordered(listed, chance)
    return MailRoute(
        domain,
        answer.aliases,
        await _exchanges(ordered[:EXCHANGES_MAX], resolver),
        implicit=False,
        left_out=max(0, len(ordered) - EXCHANGES_MAX),
    )


async def _implicit(domain: str, aliases: tuple[str, ...], canonical: str, resolver: Resolver) -> MailRoute:
    """Return the route to the domain itself: "an implicit MX RR with a preference of 0" (RFC 5321 §5.1)."""
    [exchange] = await _exchanges([(0, canonical)], resolver)
    if not exchange.addresses and exchange.trouble is not None:
        if exchange.trouble.temporary:
            raise PreconditionFailed(exchange.trouble.sentence)
        raise UserError(f"{domain} takes no mail: it has neither MX nor address records")
    return MailRoute(domain, aliases, (exchange,), implicit=True)


def _ordered(listed: Sequence[tuple[int, str]], chance: Random) -> list[tuple[int, str]]:
    """Sort by preference, equals by lot: the lot depends on `chance` alone, not on the nameserver's order."""
    lots = {entry: chance.random() for entry in sorted(listed)}
    return sorted(listed, key=lambda entry: (entry[0], lots[entry]))


async def _exchanges(listed: Sequence[tuple[int, str]], resolver: Resolver) -> tuple[Exchange, ...]:
    hosts = [name for _, name in listed if _is_host_name(name)]
    questions = [(host, kind) for host in hosts for kind in (RdataType.A, RdataType.AAAA)]
    answers = await resolver.ask_all(questions)
    return tuple(_exchange(name, preference, answers) for preference, name in listed)


def _exchange(name: str, preference: int, answers: Mapping[Question, Answer | Trouble]) -> Exchange:
    if name == ROOT:
        nowhere = Trouble("a null MX leads nowhere", temporary=False)
        return Exchange(name, preference, (), (RouteDeviation.ROOT_AMONG_OTHERS,), nowhere)
    if _is_address(name):
        return Exchange(name, preference, (name,), (RouteDeviation.ADDRESS,))
    if not _is_host_name(name):
        return Exchange(name, preference, (), (), Trouble(f"{name} is no host name", temporary=False))
    addresses: list[str] = []
    deviations: tuple[RouteDeviation, ...] = ()
    trouble: Trouble | None = None
    known = True
    for kind in (RdataType.A, RdataType.AAAA):
        answer = answers[name, kind]
        if isinstance(answer, Trouble):
            trouble = trouble or answer
            continue
        known = known and answer.exists
        if answer.aliases:
            deviations = (RouteDeviation.ALIAS,)
        addresses += [record.address for record in answer.records if isinstance(record, A | AAAA)][:ADDRESSES_MAX]
    if not addresses and trouble is None:
        trouble = Trouble(f"{name} has no address" if known else f"{name} does not exist", temporary=False)
    return Exchange(name, preference, tuple(addresses), deviations, trouble)


def _name(record: MX) -> str:
    return record.exchange.to_text(omit_final_dot=True).lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_host_name(name: str) -> bool:
    try:
        checked_domain(name)
    except ValueError:
        return False
    return True
