"""An audit for a person: a line for each hop, then what can be believed and why; and as data for JSON."""

from collections.abc import Iterator

from conformance.trace.audit import Audit, Belief, Outcome
from conformance.trace.grammar import departures
from conformance.trace.hop import Hop
from conformance.trace.remark import Weight
from loadgen.wire.printable import printable


def in_words(audit: Audit) -> Iterator[str]:
    """Yield the lines of a report on one message."""
    for hop in audit.chain:
        yield f"{hop.line:>3}  {_said(hop)}"
        yield f"     {audit.belief(hop)}: {_why(audit, hop)}"
        for remark in audit.on(hop):
            mark = "" if remark.weight is Weight.DOUBT else "! "
            yield f"     {mark}{remark.weight}: {remark.sentence}"
    yield conclusion(audit)


def _said(hop: Hop) -> str:
    origin = f"from {hop.origin}" if hop.origin is not None else "from nobody named"
    protocol = f", {hop.protocol}" if hop.protocol else ""
    return f"{hop.by or 'an unnamed host'} says: {origin}{protocol}, {hop.moment or 'no date'}"


def _why(audit: Audit, hop: Hop) -> str:
    belief = audit.belief(hop)
    if belief is Belief.OWN:
        return "a server of yours wrote it"
    if belief is Belief.NEWEST:
        return "whoever gave you the message wrote it"
    if hop.line == 1:
        return "its host is none that --trust names"
    if audit.trust.wrote(hop):
        return "it names a server of yours, but the line above has the message from elsewhere"
    if hop.line <= audit.entry.line:
        return "of the same machine as line 1, by its word"
    return f"the word of {audit.entry.origin or 'whoever'}, or of whom it had the message from"


def conclusion(audit: Audit) -> str:
    """Return which lines can be believed, and why, and what is wrong with the chain."""
    return " ".join(filter(None, (_what_is_certain(audit), _what_breaks(audit), _what_it_comes_to(audit))))


def _what_is_certain(audit: Audit) -> str:
    if not audit.chain:
        return "There is no Received line: nothing says where the message came from."
    entry, total = audit.entry, len(audit.chain)
    came_from = entry.origin or "nobody named"
    below = f" {_lines(entry.line + 1, total)} can be no better than that host's word." if entry.line < total else ""
    if audit.believed:
        why = f"because your own servers wrote {'it' if audit.believed == 1 else 'them'}"
        return f"{_lines(1, audit.believed)} can be believed, {why}: the message came from {came_from}.{below}"
    if audit.trust:
        wrote = audit.chain[0].by or "the host of line 1"
        return f"No line can be believed: {wrote}, which wrote the newest, is none that --trust names."
    return (
        "No line can be proved: name your own servers with --trust HOST. The newest is as good as whoever gave you the "
        f"message; if {entry.by or 'its host'} is yours, it came from {came_from}.{below}"
    )


def _what_breaks(audit: Audit) -> str:
    first = next((remark.line for remark in audit.remarks if remark.weight is Weight.BREAK), None)
    if first is None:
        return ""
    below = _lines(first, len(audit.chain)).lower()
    return f"The chain breaks above line {first}: {below} may have been added by hand."


def _what_it_comes_to(audit: Audit) -> str:
    lines = sorted({remark.line for remark in audit.remarks if remark.weight is Weight.CONTRADICTION})
    if audit.outcome is Outcome.CONTRADICTS:
        return f"It contradicts itself in line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}."
    return "Nothing in it contradicts itself." if audit.chain else ""


def _lines(first: int, last: int) -> str:
    return f"Line {first}" if first == last else f"Lines {first} to {last}"


def plain_data(audit: Audit) -> dict[str, object]:
    """Return an audit as JSON has it."""
    return {
        "outcome": str(audit.outcome),
        "conclusion": conclusion(audit),
        "believed": audit.believed,
        "lines": [_line_data(audit, hop) for hop in audit.chain],
    }


def _line_data(audit: Audit, hop: Hop) -> dict[str, object]:
    origin = hop.origin
    return {
        "line": hop.line,
        "by": hop.by or None,
        "from": None if origin is None else {
            "address": str(origin.address) if origin.address is not None else None,
            "name": origin.seen or None,
            "claimed": origin.claimed or (f"[{origin.claimed_address}]" if origin.claimed_address else None),
        },
        "with": hop.protocol or None,
        "id": printable(hop.field.clause(b"id").value) or None,
        "for": printable(hop.field.clause(b"for").value) or None,
        "date": str(hop.moment) if hop.moment is not None else None,
        "belief": str(audit.belief(hop)),
        "remarks": [
            {"weight": str(each.weight), "kind": each.kind, "sentence": each.sentence} for each in audit.on(hop)
        ],
        "departures": list(departures(hop.field)),
        "octets": printable(b" ".join(hop.field.octets.split()), 2_000),
    }  # fmt: skip
