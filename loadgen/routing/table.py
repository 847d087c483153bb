"""A route's facts as a table of plain text, and as data for JSON."""

from collections.abc import Iterator
from dataclasses import asdict

from loadgen.routing.facts import AddressFacts, ExchangeFacts, Published, RouteFacts

HEADINGS = ("preference", "exchange", "address", "PTR", "TLSA")


def table(facts: RouteFacts) -> str:
    """Return the exchanges in the order in which they are tried, a row for each address, and what else is published."""
    route = facts.route
    rows = [HEADINGS, *(row for exchange in facts.exchanges for row in _rows(exchange))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [" -> ".join([route.domain, *route.cnames]) + (": no MX, the domain itself" if route.implicit else "")]
    lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if route.left_out:
        lines.append(f"and {route.left_out} MX records more")
    lines += [f"{name}: {note}" for name, note in _notes(facts)]
    lines += [f"SPF: {_cell(facts.spf)}", f"MTA-STS: {_cell(facts.mta_sts)}"]
    return "".join(f"{line}\n" for line in lines)


def plain_data(facts: RouteFacts) -> dict[str, object]:
    """Return the facts as JSON has them."""
    route = facts.route
    return {
        "domain": route.domain,
        "cnames": list(route.cnames),
        "implicit": route.implicit,
        "left_out": route.left_out,
        "exchanges": [_exchange_data(exchange) for exchange in facts.exchanges],
        "spf": asdict(facts.spf),
        "mta_sts": asdict(facts.mta_sts),
    }


def _exchange_data(facts: ExchangeFacts) -> dict[str, object]:
    exchange = facts.exchange
    return {
        "name": exchange.name,
        "preference": exchange.preference,
        "addresses": [asdict(address) for address in facts.addresses],
        "deviations": [str(deviation) for deviation in exchange.deviations],
        "trouble": exchange.trouble.sentence if exchange.trouble is not None else None,
        "tlsa": asdict(facts.tlsa),
    }


def _rows(facts: ExchangeFacts) -> Iterator[tuple[str, ...]]:
    exchange = facts.exchange
    addresses: tuple[AddressFacts | None, ...] = facts.addresses or (None,)
    for i, each in enumerate(addresses):
        address, ptr = ("none", "") if each is None else (each.address, _cell(each.ptr))
        head = (str(exchange.preference), exchange.name) if i == 0 else ("", "")
        yield (*head, address, ptr, _cell(facts.tlsa) if i == 0 else "")


def _notes(facts: RouteFacts) -> Iterator[tuple[str, str]]:
    for each in facts.exchanges:
        for deviation in each.exchange.deviations:
            yield each.exchange.name, str(deviation)
        if each.exchange.trouble is not None:
            yield each.exchange.name, each.exchange.trouble.sentence


def _cell(published: Published) -> str:
    if published.trouble is not None:
        return f"unknown: {published.trouble}"
    return ", ".join(published.records) or "none"
