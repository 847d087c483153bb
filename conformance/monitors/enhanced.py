"""Enhanced status codes, once EHLO has offered them (RFC 2034 §4, RFC 3463 §2)."""

import re
from typing import Final

from conformance.monitors.exchange import HELLO, Asked, Exchange, SmtpState, keywords
from conformance.monitors.monitor import Monitor
from conformance.monitors.statuses import REGISTERED
from loadgen.wire.printable import printable

OFFERED: Final = "ENHANCEDSTATUSCODES"
# Whatever looks meant as one, so that a misspelt code is misspelt and not missing; no IPv4 address looks so.
_MEANT: Final = re.compile(rb" *\W?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})(?![0-9]|\.[0-9])")
# class "." subject "." detail, no leading zeros   (RFC 3463 §2); always followed by a space   (RFC 2034 §3)
_WELL_FORMED: Final = re.compile(rb" *[0-9]\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})(?= |$)")


def must_have_one(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether the reply must have a code: offered, 2yz 4yz 5yz, no greeting, no answer to EHLO (RFC 2034 §4).

    A reply of which nobody knows what it answers may answer EHLO. The 220 before a TLS handshake is left out:
    RFC 4954's own example has none.
    """
    if not state.offers(OFFERED) or exchange.reply_class not in {2, 4, 5}:
        return False
    if exchange.says_hello or exchange.asked in {Asked.GREETING, Asked.UNKNOWN}:
        return False
    return not (exchange.verb == "STARTTLS" and exchange.code == 220)


def several_must_have_one(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether a reply of several lines must have a code."""
    return must_have_one(exchange, state) and len(exchange.texts) > 1


def has_one(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether a reply that must have a code has something meant as one."""
    return must_have_one(exchange, state) and any(map(_MEANT.match, exchange.texts))


def is_intermediate(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether the reply is 3yz where codes are offered."""
    return state.offers(OFFERED) and exchange.reply_class == 3


def offers_them(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether this very reply offers codes."""
    return exchange.verb in {"EHLO", "LHLO"} and exchange.code == 250 and OFFERED in keywords(exchange)


def _seen(exchange: Exchange, text: bytes) -> str:
    return f'"{exchange.code} {printable(text, 120)}"'


def missing(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 2034 §4: the text of every such reply begins with a code."""
    return None if _MEANT.match(exchange.texts[0]) else f"no enhanced status code: {_seen(exchange, exchange.texts[0])}"


def not_on_every_line(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 2034 §4: of a reply of several lines each begins with the same code."""
    found = [_MEANT.match(text) for text in exchange.texts]
    if found[0] is None:
        return None                  # then it is missing, and that is another requirement
    for text, match in zip(exchange.texts, found, strict=True):
        if match is None:
            return f"no enhanced status code on the line {_seen(exchange, text)}"
        if match.groups() != found[0].groups():
            return f"another enhanced status code on the line {_seen(exchange, text)}"
    return None


def class_differs(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 2034 §4: the class agrees with the reply code."""
    for text in exchange.texts:
        match = _MEANT.match(text)
        if match is not None and match[1] != b"%d" % exchange.reply_class:
            return _seen(exchange, text)
    return None


def misspelt(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 3463 §2: three numbers and two dots, no leading zeros, and a space behind."""
    bad = (text for text in exchange.texts if _MEANT.match(text) and not _WELL_FORMED.match(text))
    return next((_seen(exchange, text) for text in bad), None)


def class_out_of_range(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 3463 §2: the class is 2, 4 or 5."""
    for text in exchange.texts:
        match = _MEANT.match(text)
        if match is not None and match[1] not in {b"2", b"4", b"5"}:
            return _seen(exchange, text)
    return None


def not_registered(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5248 §2: codes are registered."""
    for text in exchange.texts:
        match = _WELL_FORMED.match(text)
        if match is not None and (int(match[1]), int(match[2])) not in REGISTERED:
            return _seen(exchange, text)
    return None


def present(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 2034 §4: a 3yz is not among the replies that have one, and its class could not agree."""
    return next((_seen(exchange, text) for text in exchange.texts if _MEANT.match(text)), None)


def present_at_the_start(exchange: Exchange, state: SmtpState) -> str | None:
    """RFC 2034 §4: neither the greeting nor the answer to EHLO has one."""
    greeted = state.greeting.texts if state.greeting is not None and state.greeting.code == 220 else ()
    bad = (text for text in (*greeted, *exchange.texts) if _MEANT.match(text))
    return next((f'"{printable(text, 120)}"' for text in bad), None)


MONITORS: Final = (
    Monitor("smtp.esc.present", must_have_one, missing),
    Monitor("smtp.esc.every-line", several_must_have_one, not_on_every_line),
    Monitor("smtp.esc.class-match", has_one, class_differs),
    Monitor("smtp.esc.syntax", has_one, misspelt),
    Monitor("smtp.esc.class-values", has_one, class_out_of_range),
    Monitor("smtp.esc.registered", has_one, not_registered),
    Monitor("smtp.esc.not-on-3yz", is_intermediate, present),
    Monitor("smtp.esc.not-on-greeting", offers_them, present_at_the_start, to=HELLO),
)
