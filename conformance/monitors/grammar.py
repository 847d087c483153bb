"""The grammar of a reply, held against the octets themselves (RFC 5321 §4.2)."""

import re
from typing import Final

from conformance.monitors.exchange import Exchange, SmtpState
from conformance.monitors.monitor import Monitor
from loadgen.wire.printable import printable

LINE_OCTETS_MAX: Final = 512        # RFC 5321 §4.5.3.1.5
_CODE: Final = re.compile(rb"[0-9]{3}(?![0-9])")
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")      # CR and LF are line endings' business
_EIGHT_BIT: Final = re.compile(rb"[\x80-\xff]")


def any_reply(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether there is a reply."""
    return exchange.reply is not None


def anything(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether anything came at all."""
    return exchange.reply is not None or bool(exchange.rest)


def some_code(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether some line has three digits to look at."""
    return any(map(_CODE.match, exchange.lines))


def several_lines(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether more than one line came, or one that promises more."""
    return len(exchange.lines) > 1 or exchange.rest[3:4] == b"-"


def allows_utf8(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether UTF-8 may be in the reply: the transaction or the command asked for it (RFC 6531 §3.7.4)."""
    return state.utf8 or b"SMTPUTF8" in exchange.command.upper().split()


def _shown(line: bytes) -> str:
    return f'"{printable(line, 120)}"'


def not_ended_by_crlf(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §2.3.8: lines end with CRLF, and CR and LF stand nowhere else."""
    for line in exchange.lines:
        if not line.endswith(b"\r\n"):
            return f"a line ended by LF alone: {_shown(line)}"
        if _BARE_CR.search(line):
            return f"a CR inside a line: {_shown(line)}"
    if exchange.rest and not exchange.rest.endswith(b"\n"):
        return f"closed in the middle of a line: {_shown(exchange.rest)}"
    return None


def without_three_digits(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.3.2: a code is three digits."""
    return next((f"no three-digit code: {_shown(line)}" for line in exchange.lines if not _CODE.match(line)), None)


def first_digit_out_of_range(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2: the first digit is 2, 3, 4 or 5."""
    bad = (line for line in exchange.lines if _CODE.match(line) and line[:1] not in b"2345")
    return next((f"code {_shown(line[:3])}" for line in bad), None)


def second_digit_out_of_range(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2: the second digit is 0 to 5."""
    bad = (line for line in exchange.lines if _CODE.match(line) and line[1:2] not in b"012345")
    return next((f"code {_shown(line[:3])}" for line in bad), None)


def odd_separator(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2: a hyphen, a space, or the end of the line follows the code."""
    bad = (line for line in exchange.lines if _CODE.match(line) and line[3:4] not in b"- \r\n")
    return next((f"{_shown(line[3:4])} after the code: {_shown(line)}" for line in bad), None)


def code_changes(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2.1: the code is the same on every line of a reply."""
    codes = dict.fromkeys(line[:3] for line in exchange.lines if _CODE.match(line))
    return f"codes {' and '.join(map(printable, codes))} in one reply" if len(codes) > 1 else None


def no_last_line(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2.1: the last line of a reply, and only the last, drops the hyphen."""
    *_, last = [b"", *exchange.rest.split(b"\n")[:-1]]
    return f"no last line: {_shown(exchange.rest)}" if _CODE.match(last) and last[3:4] == b"-" else None


def bare_code(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2: a space follows the code, even if no text does."""
    bad = (line for line in exchange.lines if _CODE.match(line) and not line[3:].strip(b"\r\n"))
    return next((f"a bare code: {_shown(line)}" for line in bad), None)


def line_too_long(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets."""
    longest = max(map(len, exchange.lines))
    return f"a line of {longest} octets" if longest > LINE_OCTETS_MAX else None


def no_challenge(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether there is a reply that is no challenge: those may be longer (RFC 4954 §4)."""
    return exchange.reply is not None and exchange.code != 334


def not_text(exchange: Exchange, state: SmtpState) -> str | None:
    """RFC 5321 §4.2: text is HT, SP and printable ASCII; UTF-8 where RFC 6531 allows it."""
    for line in exchange.lines:
        if _CONTROL.search(line):
            return f"a control octet: {_shown(line)}"
        if _EIGHT_BIT.search(line) and not allows_utf8(exchange, state):
            return f"an octet above 127: {_shown(line)}"
    return None


MONITORS: Final = (
    Monitor("smtp.reply.crlf", anything, not_ended_by_crlf),
    Monitor("smtp.reply.three-digits", any_reply, without_three_digits),
    Monitor("smtp.reply.first-digit", some_code, first_digit_out_of_range),
    Monitor("smtp.reply.second-digit", some_code, second_digit_out_of_range),
    Monitor("smtp.reply.separator", some_code, odd_separator),
    Monitor("smtp.reply.multiline-same-code", several_lines, code_changes),
    Monitor("smtp.reply.multiline-last-space", several_lines, no_last_line),
    Monitor("smtp.reply.text-present", some_code, bare_code),
    Monitor("smtp.reply.line-512", no_challenge, line_too_long),
    Monitor("smtp.reply.ascii", any_reply, not_text),
)
