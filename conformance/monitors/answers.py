"""Which code answers what, and what some codes promise (RFC 5321 §3.4, §3.8, §4.3.2)."""

import re
from collections.abc import Mapping
from typing import Final

from conformance.monitors import codes
from conformance.monitors.exchange import HELLO, Asked, Exchange, SmtpState
from conformance.monitors.grammar import any_reply
from conformance.monitors.monitor import Monitor
from loadgen.wire.printable import printable

_MAILBOX: Final = re.compile(rb"<[^<>]*[^<>\s][^<>]*>")
_HOST_WORD: Final = re.compile(rb"[^ \t\r\n]*")


def in_the_table(exchange: Exchange, state: SmtpState) -> bool:
    """Say whether the table has a row for what was asked."""
    return exchange.reply is not None and table_for(exchange, state) is not None


def table_for(exchange: Exchange, state: SmtpState) -> Mapping[int, str] | None:
    """Return the codes that RFC 5321 §4.3.2 and the extensions have for what was asked, each with its source."""
    match exchange.asked:
        case Asked.GREETING:
            return codes.GREETING
        case Asked.MAIL_DATA:
            return codes.LMTP_MAIL_DATA if state.lmtp else codes.MAIL_DATA
        case Asked.RESPONSE:
            return codes.COMMANDS["AUTH"]
        case Asked.COMMAND:
            return codes.COMMANDS.get(exchange.verb)
        case Asked.UNKNOWN:
            return None


def unknown_code(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.2: only the codes of the RFC, and of extensions."""
    return None if exchange.code in codes.KNOWN else f"code {exchange.code:03}"


def code_not_for_this(exchange: Exchange, state: SmtpState) -> str | None:
    """RFC 5321 §4.3.2: the codes listed for the command."""
    table = table_for(exchange, state)
    if table is None or exchange.code in table or exchange.code in codes.ANYWHERE:
        return None
    return f"{exchange.code:03} to {exchange.verb or exchange.asked.value}"


def refused_mail(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether MAIL was answered with anything but success."""
    return exchange.verb == "MAIL" and exchange.reply is not None and exchange.reply_class != 2


def refused_with_an_odd_class(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §3.3: a MAIL that is not accepted gets a 4yz or a 5yz."""
    return None if exchange.reply_class in {4, 5} else f"{exchange.code:03} to MAIL"


def tells_of_another_address(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether RCPT was answered with 251 or 551."""
    return exchange.verb == "RCPT" and exchange.code in {251, 551}


def without_the_address(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §3.4: 251 and 551 give the address in brackets."""
    text = b" ".join(exchange.texts)
    return None if _MAILBOX.search(text) else f'no address in "{exchange.code} {printable(text, 120)}"'


def keywords_listed(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether EHLO was answered with keywords."""
    return exchange.verb in {"EHLO", "LHLO"} and exchange.code == 250 and len(exchange.texts) > 1


def keyword_listed_twice(exchange: Exchange, _state: SmtpState) -> str | None:
    """RFC 5321 §4.1.1.1: a keyword is listed once, with all its parameters."""
    words = [text.partition(b" ")[0].upper() for text in exchange.texts[1:]]
    twice = dict.fromkeys(word for word in words if words.count(word) > 1)
    return f"{' and '.join(map(printable, twice))} listed more than once" if twice else None


def names_itself_to_utf8_clients(exchange: Exchange, _state: SmtpState) -> bool:
    """Say whether an EHLO reply offers SMTPUTF8."""
    listed = {text.partition(b" ")[0].upper() for text in exchange.texts[1:]}
    return keywords_listed(exchange, _state) and b"SMTPUTF8" in listed


def named_by_a_u_label(exchange: Exchange, state: SmtpState) -> str | None:
    """RFC 6531 §3.7.1: the names in greeting and EHLO reply are LDH labels or A-labels."""
    greeted = state.greeting.texts[:1] if state.greeting is not None else ()
    for text in (*greeted, exchange.texts[0]):
        found = _HOST_WORD.match(text)
        if found is not None and not found[0].isascii():
            return f'it calls itself "{printable(found[0])}"'
    return None


MONITORS: Final = (
    Monitor("smtp.reply.known-codes", any_reply, unknown_code),
    Monitor("smtp.reply.command-table", in_the_table, code_not_for_this),
    Monitor("smtp.mail.class-of-refusal", refused_mail, refused_with_an_odd_class, to=frozenset({"MAIL"})),
    Monitor("smtp.rcpt.251-551-text", tells_of_another_address, without_the_address, to=frozenset({"RCPT"})),
    Monitor("smtp.ehlo.param-only-once", keywords_listed, keyword_listed_twice, to=HELLO),
    Monitor("smtp.utf8.ehlo-reply-domain", names_itself_to_utf8_clients, named_by_a_u_label, to=HELLO),
)
