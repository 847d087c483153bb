"""What stands in POP3's lists and messages, and in its response codes (RFC 1939 §5, §7, RFC 2449)."""

import re
from typing import Final

from conformance.monitors.exchange import Asked
from conformance.monitors.monitor import Monitor
from conformance.monitors.pop3_exchange import Pop3Exchange, Pop3State
from loadgen.wire.printable import printable

_CAPA: Final = frozenset({"CAPA"})
_LINE_OCTETS_MAX: Final = 512            # RFC 2449 §3: a capability, its CRLF included
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_UNIQUE_ID: Final = re.compile(rb"[!-~]{1,70}")      # RFC 1939 §7
# capability = capa-tag *(SP param) CRLF; capa-tag = 1*cchar, printable without "."   (RFC 2449 §3)
_CAPABILITY: Final = re.compile(rb"[!-\x2d/-~]+(?: [!-~]+)*")
# resp-code = "[" resp-level *("/" resp-level) "]"; resp-level = printable without "/" and "]"   (RFC 2449 §3)
_RESPONSE_CODE: Final = re.compile(rb"\[[!-.0-\\^-~]+(?:/[!-.0-\\^-~]+)*\]")
# The registry of RFC 2449 §9 as of 2025-01.
REGISTERED_TAGS: Final = frozenset({
    "TOP", "USER", "SASL", "RESP-CODES", "LOGIN-DELAY", "PIPELINING", "EXPIRE", "UIDL", "IMPLEMENTATION",   # RFC 2449
    "AUTH-RESP-CODE",        # RFC 3206
    "STLS",                  # RFC 2595
    "UTF8", "LANG",          # RFC 6856
})


def has_message(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether a message, or its top, came."""
    return exchange.verb in {"RETR", "TOP"} and exchange.response is not None and exchange.response.body is not None


def lines_without_crlf(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3, §11: every line of a message ends with CRLF."""
    assert exchange.response is not None
    body = exchange.response.body or b""
    if body.count(b"\n") == body.count(b"\r\n"):      # a tenth of what the search takes
        return None
    found = _BARE_LF.search(body)
    assert found is not None
    return f"a bare LF at octet {found.start()} of what {exchange.verb} gave"


def is_sound_message(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a message, or its top, came with all its lines ended by CRLF."""
    return has_message(exchange, state) and lines_without_crlf(exchange, state) is None


def lists_unique_ids(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether unique-ids came."""
    return exchange.verb == "UIDL" and exchange.ok and bool(_listing(exchange))


def _listing(exchange: Pop3Exchange) -> tuple[bytes, ...]:
    if exchange.wants_lines:
        return exchange.body_lines
    return (exchange.response.text,) if exchange.response is not None else ()


def odd_unique_id(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §7: a unique-id has 1 to 70 octets from 0x21 to 0x7E."""
    for line in _listing(exchange):
        unique_id = line.partition(b" ")[2].partition(b" ")[0]     # what may follow is another requirement's
        if not _UNIQUE_ID.fullmatch(unique_id):
            return f'"{printable(line, 120)}"'
    return None


def lists_capabilities(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether capabilities came."""
    return exchange.verb == "CAPA" and exchange.ok and bool(exchange.body_lines)


def capability_too_long(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 2449 §3: a capability's line has at most 512 octets."""
    longest = max(map(len, exchange.body_lines)) + 2
    return f"a line of {longest} octets" if longest > _LINE_OCTETS_MAX else None


def odd_capability(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 2449 §3: printable words, each behind a single space."""
    bad = (line for line in exchange.body_lines if not _CAPABILITY.fullmatch(line))
    return next((f'"{printable(line, 120)}"' for line in bad), None)


def unregistered_capability(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 2449 §9: capabilities are registered; an X in front says that one is not."""
    tags = dict.fromkeys(printable(line.partition(b" ")[0]) for line in exchange.body_lines)
    unknown = [tag for tag in tags if tag.upper() not in REGISTERED_TAGS and not tag.upper().startswith("X")]
    return f"{', '.join(unknown)}" if unknown else None


def begins_with_a_bracket(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether a response's text begins like a response code."""
    return exchange.response is not None and exchange.response.text.startswith(b"[")


def lists_codes(state: Pop3State) -> bool | None:
    """Say whether the newest list of capabilities has that of response codes; None: there is no list."""
    return None if state.tags is None else "RESP-CODES" in state.tags


def offers_codes(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a text begins like a response code where the capability is listed."""
    return begins_with_a_bracket(exchange, state) and lists_codes(state) is True


def offers_no_codes(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a text begins like a response code where a list of capabilities lacks them."""
    return begins_with_a_bracket(exchange, state) and lists_codes(state) is False


def grants_with_a_code(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a +OK begins with a response code where the capability is listed; the greeting comes too early."""
    return offers_codes(exchange, state) and exchange.ok and exchange.asked is not Asked.GREETING


def odd_response_code(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 2449 §3: levels in brackets, parted by slashes."""
    assert exchange.response is not None
    text = exchange.response.text
    return None if _RESPONSE_CODE.match(text) else f'"{printable(text, 120)}"'


def observed(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """Tell what is allowed, and worth a row."""
    assert exchange.response is not None
    return f'"{"+OK" if exchange.ok else "-ERR"} {printable(exchange.response.text, 120)}"'


MONITORS: Final = (
    Monitor("pop3.retr.crlf-lines", has_message, lines_without_crlf, to=frozenset({"RETR", "TOP"})),
    Monitor("pop3.uidl.chars", lists_unique_ids, odd_unique_id, to=frozenset({"UIDL"})),
    Monitor("pop3.capa.line-512", lists_capabilities, capability_too_long, to=_CAPA),
    Monitor("pop3.capa.tags-printable", lists_capabilities, odd_capability, to=_CAPA),
    Monitor("pop3.capa.unknown-x", lists_capabilities, unregistered_capability, to=_CAPA),
    Monitor("pop3.resp-codes.form", offers_codes, odd_response_code),
    Monitor("pop3.resp-codes.only-when", offers_no_codes, observed),
    Monitor("pop3.resp-codes.on-ok", grants_with_a_code, observed),
)
