"""What the faults in line ends and the end of mail data break."""

from conformance.case import CASES as ALL
from conformance.cases.smuggle.end_of_data import BUFFERS
from conformance.cases.smuggle.forms import FORMS, GROUPS, REACHABLE
from conformance.refserver.faults.smuggling import ENDS, WRAPS

CASES = ("smuggle.in.", "smuggle.cmd.")


def _found_at(name: str) -> set[str]:
    """Return the cases in which a server that takes one form for the end shows it."""
    group = next((group for group, names in GROUPS.items() if name in names), None)
    own = [f"smuggle.in.{group}#{name}"] if group else [id_ for id_ in ALL if id_.startswith(f"smuggle.in.{name}#")]
    in_header = [f"smuggle.in.header-section#{name}"] if name in REACHABLE else []
    return {*own, *in_header, f"smuggle.in.stored-count#{name}"}


def _broken_by(end: bytes) -> set[str]:
    """Return the cases that send some form in which this end stands: the longer ones hold the shorter."""
    found: set[str] = set()
    for name, form in FORMS.items():
        if end in b"x" + form.octets + b"m":
            found |= _found_at(name)
    return found


# The line feed that stands behind such an end is left for the next command, which is then none.
_HIDDEN = {
    "ends-at-lf-dot-cr": {"smuggle.in.stored-count#lf-dot-crlf", *_found_at("nul-in-crlf")},    # refused for its NULs
    "ends-at-cr-dot-cr": {"smuggle.in.stored-count#cr-dot-crlf", "smuggle.in.stored-count#lfcr-dot-crlf"},
    "ends-at-crlf-dot-cr": {
        "smuggle.in.crcrlf-dot-crcrlf#second", "smuggle.in.crlf-dot-cr#second", "smuggle.in.crlf-dot-crcrlf#second",
    },
}  # fmt: skip

# A dot and white space are looked at by another area's cases as well.
_ELSEWHERE = {
    "ends-at-dot-space": {"smtp.dot.dot-space#space"},
    "ends-at-dot-tab": {"smtp.dot.dot-space#tab"},
}


def _breaks(name: str, end: bytes) -> set[str]:
    fault = f"ends-at-{name}"
    return _broken_by(end) - _HIDDEN.get(fault, set()) | _ELSEWHERE.get(fault, set())


BREAKS = {
    **{f"ends-at-{name}": _breaks(name, end) for name, end in ENDS.items()},
    **{f"wraps-at-{n}": {f"smuggle.in.long-line-wrap#{m}" for m in WRAPS if m % n == 0} for n in WRAPS},
    "loses-its-place": {f"smuggle.in.stuffed-boundary#{octets}" for octets in BUFFERS},
    "normalises-then-looks-for-dots": {"smuggle.in.normalise-stuffing"},
    "refuses-stuffed-lines": {"smuggle.in.control"},
    "lf-ends-commands": {
        "smuggle.cmd.bare-lf#noop", "smuggle.cmd.bare-lf#ehlo", "smtp.cmd.bare-lf", "smtp.cmd.embedded-lf",
    },
    "cr-ends-commands": {"smuggle.cmd.bare-cr", "smuggle.cmd.crcrlf", "smtp.cmd.bare-cr", "smtp.cmd.embedded-cr"},
    "nul-ends-addresses": {"smuggle.cmd.nul-truncation"},
}
