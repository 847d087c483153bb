"""Ask the DNS about the hosts of a chain: addresses of names, names of addresses."""

import ipaddress
from collections.abc import Iterable

import dns.reversename
from dns.rdatatype import RdataType

from conformance.trace.dns_facts import DnsFacts, addresses_to_ask, names_to_ask
from conformance.trace.hop import Hop
from loadgen.routing.lookup import Answer, Resolver, Trouble


async def look_up(chain: Iterable[Hop], resolver: Resolver) -> DnsFacts:
    """Return what the nameservers say of a chain; a name they cannot tell about is left out, and the reason kept."""
    hops = tuple(chain)
    names, addresses = names_to_ask(hops), addresses_to_ask(hops)
    reverse = {address: dns.reversename.from_address(str(address)).to_text() for address in addresses}
    questions = [(name, kind) for name in names for kind in (RdataType.A, RdataType.AAAA)]
    answers = await resolver.ask_all([*questions, *((name, RdataType.PTR) for name in reverse.values())])
    troubles = tuple(dict.fromkeys(each.sentence for each in answers.values() if isinstance(each, Trouble)))
    found = {}
    for name in names:
        both = [answers[name, kind] for kind in (RdataType.A, RdataType.AAAA)]
        if not any(isinstance(each, Trouble) for each in both):
            texts = [record.to_text() for each in both if isinstance(each, Answer) for record in each.records]
            found[name] = tuple(ipaddress.ip_address(text) for text in texts)
    pointers = {address: _names(answers[name, RdataType.PTR]) for address, name in reverse.items()}
    return DnsFacts(found, pointers, troubles)


def _names(answer: Answer | Trouble) -> tuple[str, ...]:
    if isinstance(answer, Trouble):
        return ()
    return tuple(record.to_text().rstrip(".").lower() for record in answer.records)
