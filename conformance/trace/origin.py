"""The from clause: who handed the message over, by his own word and by what the server saw (RFC 5321 §4.4).

Every mail system writes it in its own way:
Postfix, sendmail, Gmail   from CLAIMED (SEEN [ADDRESS])
Exim                       from SEEN ([ADDRESS] helo=CLAIMED), from [ADDRESS] (helo=CLAIMED)
qmail                      from SEEN (HELO CLAIMED) (ident@ADDRESS)
Exchange                   from CLAIMED (ADDRESS)
"""

import re
from dataclasses import dataclass
from typing import Final

from conformance.trace.host import UNKNOWN, Address, address_of, name_of
from conformance.trace.received import NOTHING, Clause, Received

_HELO: Final = re.compile(rb"(?i)(?:^|[\s,])(?:helo|ehlo)[= ]\s*(\S+)")
_BRACKETS: Final = re.compile(rb"\[([^\[\]\s]{2,70})\]")
_BARE: Final = re.compile(rb"(?:^|[\s@])((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{2,60})(?=$|[\s,:])")
_NOT_OF_THE_CLIENT: Final = re.compile(rb"(?i)using |tls|no client |client |auth|verified|version=|account")
_QUAD: Final = re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who handed a message over."""

    claimed: str = ""                     # the name given in EHLO or HELO; "" if it is not recorded
    claimed_address: Address | None = None  # the address literal given there
    seen: str = ""                        # the name of the address, looked up by the server
    address: Address | None = None        # where the connection came from
    unreadable: str = ""                  # what stands where the address should, and is none
    forged: bool = False                  # the server noted "may be forged": the name seen does not lead back
    local: bool = False                   # by no network: a unix socket, a program of this machine

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that may be the host's, the one seen first."""
        return tuple(dict.fromkeys(name for name in (self.seen, self.claimed) if name not in UNKNOWN))

    def __str__(self) -> str:
        """Return it for people: the address that was seen, its name, and the name claimed."""
        known = self.seen if self.seen not in UNKNOWN else ""
        words = [word for word in (known, f"[{self.address}]" if self.address else self.unreadable) if word]
        if self.claimed and self.claimed != self.seen:
            words.append(f"(called itself {self.claimed})" if words else self.claimed)
        elif self.claimed_address is not None and self.claimed_address != self.address:
            words.append(f"(called itself [{self.claimed_address}])")
        return " ".join(words) or ("a program of its own" if self.local else "nobody named")


def origin_of(field: Received) -> Origin | None:
    """Return who handed the message over by this field; None where it does not say."""
    clause = field.clause(b"from")
    if clause is NOTHING:
        return Origin(local=True) if _is_local(field) else None
    named, helo = clause.value, _helo(clause)
    address, seen, unreadable = _connection(clause)
    literal = address_of(named) if named.startswith(b"[") or _QUAD.fullmatch(named) else None
    if helo is None:
        claimed, looked_up = named, seen
    else:
        claimed, looked_up = helo, seen or (b"" if literal else named)
        address, literal = address or literal, address_of(helo) if helo.startswith(b"[") else None
    return Origin(
        "" if literal and claimed is named else name_of(claimed),
        literal,
        name_of(looked_up),
        address if address is not None else (literal if helo is None and not clause.comments else None),
        unreadable,
        forged=any(b"may be forged" in comment.lower() for comment in clause.comments),
        local=_is_local(field) or any(b"unix" in comment.lower() for comment in clause.comments),
    )


def _is_local(field: Received) -> bool:
    """Say whether it was handed over on the machine.

    qmail says "(qmail 1 invoked by uid 2)", Postfix "from userid 3", sendmail "(from user@host)", Exim `with local`.
    """
    first = field.comments[0] if field.comments else b""
    program = bool(first) and not any(clause.words for clause in field.clauses)      # nothing but a comment
    userid = any(comment.startswith(b"from userid ") for comment in field.comments[1:]) or b", from userid " in first
    return program or userid or first.startswith(b"from ") or field.clause(b"with").value.lower() == b"local"


def _helo(clause: Clause) -> bytes | None:
    found = (_HELO.search(comment) for comment in clause.comments)
    return next((each[1].rstrip(b")") for each in found if each is not None), None)


def _connection(clause: Clause) -> tuple[Address | None, bytes, str]:
    """Return the address the connection came from, its name, and what stands there for it and is none."""
    for comment in clause.comments:
        if _NOT_OF_THE_CLIENT.match(comment):
            continue
        rest = _HELO.sub(b" ", comment)
        found = _BRACKETS.search(rest) or _BARE.search(rest)
        if found is None:
            continue
        before = rest[: found.start(1)].strip(b"[ ").rpartition(b"@")[2].split()
        name = before[-1] if (before and b"." in before[-1]) or before[-1:] == [b"unknown"] else b""
        address = address_of(found[1])
        if address is not None:
            return address, name, ""
        if _QUAD.fullmatch(found[1]):
            return None, name, f"[{found[1].decode('ascii')}]"
    return None, b"", ""


def by_addresses(field: Received) -> tuple[Address, ...]:
    """Return the addresses that the by clause gives to the host that wrote the field."""
    clause = field.clause(b"by")
    found = [address_of(clause.value)]
    for comment in clause.comments:
        sign = _BRACKETS.search(comment) or _BARE.search(comment)
        found.append(address_of(sign[1]) if sign else None)
    return tuple(dict.fromkeys(address for address in found if address is not None))
