"""The grammar of a POP3 response (RFC 1939 §3, RFC 2449 §3)."""

import re
from typing import Final

from conformance.monitors.auth import is_server_data
from conformance.monitors.exchange import NO_COMMAND, Asked
from conformance.monitors.monitor import Monitor
from conformance.monitors.pop3_exchange import MULTI_LINE, Pop3Exchange, Pop3State
from loadgen.wire.deviation import Deviation
from loadgen.wire.printable import printable

SECRET_OCTETS_MIN: Final = 4
# The end of a list as somebody writes it who takes LF, or CR, for a line ending. The true one was read as such.
_FALSE_END: Final = re.compile(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)\Z")


def any_response(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether there is a response."""
    return exchange.response is not None


def anything(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether anything came at all."""
    return exchange.response is not None or bool(exchange.rest)


def no_greeting(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether there is a response that is no greeting: its rule has no space (RFC 2449 §3)."""
    return exchange.response is not None and exchange.asked is not Asked.GREETING


def no_challenge(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether there is a response that is no challenge: those may be longer (RFC 5034 §4)."""
    return exchange.response is not None and not exchange.response.continues


def _has(exchange: Pop3Exchange, *deviations: Deviation) -> Deviation | None:
    found = exchange.response.deviations if exchange.response is not None else ()
    return next((deviation for deviation in deviations if deviation in found), None)


def _seen(exchange: Pop3Exchange, what: str) -> str:
    text = exchange.response.text if exchange.response is not None else b""
    to = exchange.verb or exchange.asked.value
    return f'{what}, to {to}: "{printable(text, 120)}"'


def odd_status(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: +OK or -ERR, in upper case; "+ " amid AUTH."""
    if exchange.response is None:
        return None if exchange.rest.startswith((b"+OK", b"-ERR")) else f'"{printable(exchange.rest, 120)}"'
    if _has(exchange, Deviation.STATUS_CASE):
        return _seen(exchange, "a status indicator not in upper case")
    if exchange.response.continues and exchange.asked in {Asked.COMMAND, Asked.GREETING} and exchange.verb != "AUTH":
        return _seen(exchange, "neither +OK nor -ERR")
    return None


def odd_separator(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 2449 §3: a space or the end of the line follows the indicator."""
    return _seen(exchange, "no space after the indicator") if _has(exchange, Deviation.BAD_SEPARATOR) else None


def not_ended_by_crlf(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: lines end with CRLF."""
    found = _has(exchange, Deviation.BARE_LF, Deviation.BARE_CR)
    return _seen(exchange, found.value) if found is not None else None


def line_too_long(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3, RFC 2449 §4: a status line has at most 512 octets."""
    return _seen(exchange, "a line of more than 512 octets") if _has(exchange, Deviation.OVER_LONG) else None


def outside_utf8(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether there is a response in a session that has not asked for UTF-8 or a language."""
    return exchange.response is not None and not state.utf8 and exchange.verb not in {"UTF8", "LANG"}


def not_ascii(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: printable ASCII."""
    found = _has(exchange, Deviation.NON_ASCII, Deviation.CONTROL, Deviation.NUL)
    return _seen(exchange, found.value) if found is not None else None


def someone_waited(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether somebody waited for more than the response."""
    return exchange.response is not None and exchange.extra is not None


def more_than_one(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: one command, one response. What follows a -ERR to a list is another requirement's."""
    if exchange.wants_lines and not exchange.ok:
        return None
    return f'more came: "{printable(exchange.extra, 120)}"' if exchange.extra else None


def refused_a_list(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a command with a list for an answer was refused, and somebody waited for more."""
    return someone_waited(exchange, state) and exchange.wants_lines and not exchange.ok


def lines_after_err(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: nothing follows a -ERR."""
    return f'"{printable(exchange.extra, 120)}" after -ERR to {exchange.verb}' if exchange.extra else None


def has_lines(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether a list came, or ought to have come."""
    return exchange.wants_lines and (exchange.ok or exchange.rest.startswith(b"+OK"))


def badly_ended(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 1939 §3: a list ends with CRLF.CRLF."""
    if exchange.response is not None or not _FALSE_END.search(exchange.rest):
        return None
    return f'a list that ends with "{printable(exchange.rest[-8:])}"'


def gives_a_password(exchange: Pop3Exchange, state: Pop3State) -> bool:
    """Say whether a password was sent that is no part of what may be repeated."""
    return exchange.response is not None and bool(passwords_sent(exchange, state))


def passwords_sent(exchange: Pop3Exchange, state: Pop3State) -> tuple[bytes, ...]:
    """Return the passwords sent so far that are no part of what may be repeated."""
    given = (*state.passwords, exchange.argument) if exchange.verb == "PASS" else state.passwords
    if not given:
        return ()
    repeatable = (*state.names, exchange.argument) if exchange.verb == "USER" else state.names
    return tuple([
        password for password in given
        if len(password) >= SECRET_OCTETS_MIN and not any(password in name for name in repeatable)
    ])


def echoes(exchange: Pop3Exchange, state: Pop3State) -> str | None:
    """A password never comes back. It is not shown."""
    text = exchange.response.text if exchange.response is not None else b""
    leaked = any(password in text for password in passwords_sent(exchange, state))
    return f"the password comes back in the response to {exchange.verb or exchange.asked.value}" if leaked else None


def logged_in_by_auth(exchange: Pop3Exchange, _state: Pop3State) -> bool:
    """Say whether AUTH succeeded."""
    return exchange.ok and (exchange.asked is Asked.RESPONSE or (exchange.verb == "AUTH" and bool(exchange.argument)))


def carries_server_data(exchange: Pop3Exchange, _state: Pop3State) -> str | None:
    """RFC 5034 §4: data that come with success come in a challenge before it."""
    assert exchange.response is not None
    return _seen(exchange, "server data") if is_server_data(exchange.response.text) else None


MONITORS: Final = (
    Monitor("pop3.reply.status", anything, odd_status),
    Monitor("pop3.reply.sep", no_greeting, odd_separator),
    Monitor("pop3.reply.crlf", any_response, not_ended_by_crlf),
    Monitor("pop3.reply.512", no_challenge, line_too_long),
    Monitor("pop3.reply.ascii", outside_utf8, not_ascii),
    Monitor("pop3.reply.one-per-command", someone_waited, more_than_one),
    Monitor("pop3.reply.err-not-multi", refused_a_list, lines_after_err, to=MULTI_LINE),
    Monitor("pop3.reply.multi-end", has_lines, badly_ended, to=MULTI_LINE),
    Monitor("pop3.pass.no-echo", gives_a_password, echoes),
    Monitor("pop3.sasl.ok-no-data", logged_in_by_auth, carries_server_data, to=frozenset({"AUTH", NO_COMMAND})),
)
