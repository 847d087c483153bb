"""What a domain publishes about its mail, as an auditor wants to see it: facts, and no judgement."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dns.reversename
from dns.rdata import Rdata
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TXT import TXT

from loadgen.endpoint import SMTP_PORT
from loadgen.routing.lookup import Answer, Question, Resolver, Trouble
from loadgen.routing.route import Exchange, MailRoute

SPF_VERSION = b"v=spf1"        # RFC 7208 §4.5: the whole record, or followed by a space
MTA_STS_VERSION = b"v=STSv1"   # RFC 8461 §3.1: followed by a semicolon


@dataclass(frozen=True, slots=True)
class Published:
    """The records of one kind, as text; none: not published, unless `trouble` says that nobody could tell."""

    records: tuple[str, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """One address of an exchange."""

    address: str
    ptr: Published        # the names it leads back to (RFC 1035 §3.5)


@dataclass(frozen=True, slots=True)
class ExchangeFacts:
    """One exchange, with what stands around it."""

    exchange: Exchange
    addresses: tuple[AddressFacts, ...]
    tlsa: Published       # at _25._tcp.<exchange> (RFC 7672 §2.2)


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A domain's route, with what the domain publishes about its mail."""

    route: MailRoute
    exchanges: tuple[ExchangeFacts, ...]
    spf: Published        # RFC 7208
    mta_sts: Published    # at _mta-sts.<domain> (RFC 8461)


async def look_up_facts(route: MailRoute, resolver: Resolver) -> RouteFacts:
    """Ask for everything around a route; what could not be learnt says so in its place."""
    answers = await resolver.ask_all(_questions(route))
    return RouteFacts(
        route,
        tuple(
            ExchangeFacts(
                exchange,
                tuple(
                    AddressFacts(address, _published(answers, (_reverse(address), RdataType.PTR)))
                    for address in exchange.addresses
                ),
                _published(answers, (_tlsa(exchange), RdataType.TLSA)),
            )
            for exchange in route.exchanges
        ),
        spf=_texts(answers, (route.domain, RdataType.TXT), SPF_VERSION, b" "),
        mta_sts=_texts(answers, (_mta_sts(route.domain), RdataType.TXT), MTA_STS_VERSION, b";"),
    )


def _questions(route: MailRoute) -> Iterator[Question]:
    yield route.domain, RdataType.TXT
    yield _mta_sts(route.domain), RdataType.TXT
    for exchange in route.exchanges:
        yield _tlsa(exchange), RdataType.TLSA
        for address in exchange.addresses:
            yield _reverse(address), RdataType.PTR


def _published(answers: Mapping[Question, Answer | Trouble], question: Question) -> Published:
    answer = answers[question]
    if isinstance(answer, Trouble):
        return Published(trouble=answer.sentence)
    return Published(tuple(_line(record) for record in answer.records))


def _texts(
    answers: Mapping[Question, Answer | Trouble], question: Question, version: bytes, after: bytes
) -> Published:
    """Return the TXT records that begin with this version word; a domain has many others."""
    answer = answers[question]
    if isinstance(answer, Trouble):
        return Published(trouble=answer.sentence)
    texts = [record for record in answer.records if isinstance(record, TXT)]
    return Published(tuple(_line(text) for text in texts if _begins(b"".join(text.strings), version, after)))


def _begins(text: bytes, version: bytes, after: bytes) -> bool:
    rest = text[len(version) :]
    return text[: len(version)].lower() == version.lower() and (not rest or rest.startswith(after))


def _line(record: Rdata) -> str:
    """Return a record's data as a zone file has it: dnspython escapes there what does not print."""
    return record.to_text().removesuffix(".")


def _tlsa(exchange: Exchange) -> str:
    return f"_{SMTP_PORT}._tcp.{exchange.name.removeprefix('.')}"


def _mta_sts(domain: str) -> str:
    return f"_mta-sts.{domain}"


def _reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text()
