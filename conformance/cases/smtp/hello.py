"""EHLO and HELO: who is there, and what is offered (RFC 5321 §4.1.1.1)."""

import re
from typing import Final

from conformance.case import case
from conformance.catalogue.ehlo_keywords import ehlo_keywords
from conformance.judgement import Judgement, declined, observed, satisfied, undetermined, violated, weakened
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

POLICY: Final = "550"                                  # RFC 5321 §4.1.4: not for us, for whatever reason
NOT_UNDERSTOOD: Final = ("500", "501", "502", "504")
# Domain or address-literal, first word of a 250 to EHLO: ehlo-ok-rsp = "250" SP Domain [ SP ehlo-greet ]
DOMAIN: Final = re.compile(rb"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?")
LITERAL: Final = re.compile(rb"\[[!-Z^-~]+\]")
KEYWORD_LINE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*([ =].*)?")
LEGACY_AUTH: Final = re.compile(rb"AUTH=", re.IGNORECASE)
EXTENSIONS: Final = frozenset({b"PIPELINING", b"SIZE", b"8BITMIME", b"STARTTLS", b"AUTH", b"DSN", b"CHUNKING"})


async def greeted(peer: SmtpPeer) -> None:
    """Take the greeting, and see in another session that EHLO is answered: the control."""
    control = peer.another()
    await control.hello()
    await peer.greet()


async def hello_answer(peer: SmtpPeer, argument: bytes) -> Judgement:
    """Ask EHLO with a lawful argument, and judge whether it was understood."""
    await greeted(peer)
    answer = await peer.ask(peer.hello_verb + b" " + argument)
    return answer.expect("250", POLICY, lawful=("4yz", "553", "554"), to=f"EHLO {printable(argument, 60)}")


@case("smtp.ehlo.supported")
async def ehlo_is_known(peer: SmtpPeer) -> Judgement:
    """EHLO is a command that every server knows."""
    await peer.greet()
    answer = await peer.ask(peer.hello_line)
    if answer.matches(POLICY, "554", "553"):
        return undetermined(f"{answer}: a policy")
    return answer.expect("250", to="EHLO")


@case("smtp.ehlo.first-line-domain")
async def the_first_word_is_the_servers_name(peer: SmtpPeer) -> Judgement:
    """The reply to EHLO begins with the server's name."""
    await peer.greet()
    reply = await peer.ehlo()
    word = reply.texts[0].partition(b" ")[0]
    named = DOMAIN.fullmatch(word) or LITERAL.fullmatch(word)
    keyword = word.upper() in EXTENSIONS
    if named and not keyword:
        return satisfied(printable(word))
    return violated(printable(reply.texts[0]), "the server's domain as the first word")


@case("smtp.ehlo.keyword-grammar")
async def every_line_is_a_keyword(peer: SmtpPeer) -> Judgement:
    """Each further line of the reply to EHLO is a keyword, and perhaps parameters."""
    await peer.greet()
    reply = await peer.ehlo()
    bad = [text for text in reply.texts[1:] if not KEYWORD_LINE.fullmatch(text) and not LEGACY_AUTH.match(text)]
    if bad:
        return violated("; ".join(map(printable, bad)), "a keyword on each line")
    return satisfied(f"{len(reply.texts) - 1} keywords")


@case("smtp.ehlo.param-grammar")
async def parameters_are_printable(peer: SmtpPeer) -> Judgement:
    """Parameters of keywords are printable ASCII."""
    await peer.greet()
    reply = await peer.ehlo()
    bad = [text for text in reply.texts[1:] if any(not 0x20 <= octet <= 0x7E for octet in text)]
    return violated("; ".join(map(printable, bad)), "printable ASCII") if bad else satisfied("all printable")


@case("smtp.ehlo.no-duplicates")
async def no_keyword_twice(peer: SmtpPeer) -> Judgement:
    """No keyword is listed twice with different parameters."""
    await peer.greet()
    reply = await peer.ehlo()
    lines: dict[bytes, set[bytes]] = {}
    for text in reply.texts[1:]:
        keyword, _, parameters = text.partition(b" ")
        lines.setdefault(keyword.upper(), set()).add(parameters)
    twice = [printable(keyword) for keyword, parameters in lines.items() if len(parameters) > 1]
    return weakened(f"{', '.join(twice)} twice", "each keyword once") if twice else satisfied("each keyword once")


@case("smtp.ehlo.keywords-registered")
async def every_keyword_is_registered(peer: SmtpPeer) -> Judgement:
    """A keyword that does not begin with X is in the registry; what was registered since its copy cannot be known."""
    await peer.greet()
    await peer.ehlo()
    registered = ehlo_keywords()
    strange = [keyword for keyword in peer.extensions.keywords if not registered.knows(keyword)]
    expected = f"keywords registered by {registered.as_of}, or with an X before them"
    if strange:
        return violated(", ".join(printable(keyword.encode()) for keyword in strange), expected)
    return satisfied(f"{len(peer.extensions.keywords)} keywords, all known", expected)


UNLISTED: Final = {
    "AUTH": (b"AUTH PLAIN", ("334", "235")),
    "STARTTLS": (b"STARTTLS", ("220",)),
    "CHUNKING": (b"BDAT 0 LAST", ("2yz",)),
    "ETRN": (b"ETRN example.test", ("2yz",)),
}


@case("smtp.ehlo.lists-what-it-honours", variants={keyword.lower(): keyword for keyword in UNLISTED})
async def what_works_is_listed(peer: SmtpPeer, keyword: str) -> Judgement:
    """A command of an extension works only where EHLO listed the extension."""
    await peer.hello()
    if keyword in peer.extensions.keywords or (keyword == "AUTH" and peer.extensions.auth):
        return satisfied(f"{keyword} is listed")
    command, works = UNLISTED[keyword]
    answer = await peer.ask(command)
    if answer.matches(*works):
        return violated(f"{answer} to {command.decode()}, which is not listed", "5yz")
    return satisfied(answer) if answer.reply is not None else undetermined(answer)


USED: Final = {
    "STARTTLS": b"STARTTLS",
    "EXPN": b"EXPN postmaster",
    "HELP": b"HELP",
    "VRFY": b"VRFY postmaster",
    "ETRN": b"ETRN example.test",
    "CHUNKING": b"BDAT 0 LAST",
    "AUTH": b"AUTH ",                  # and a mechanism that is listed: some know AUTH only with one
}


@case("smtp.ehlo.honours-what-it-lists", variants={keyword.lower(): keyword for keyword in USED})
async def what_is_listed_works(peer: SmtpPeer, keyword: str) -> Judgement:
    """A command of an extension that EHLO listed is known."""
    await peer.hello()
    peer.require(keyword)
    command = USED[keyword]
    if keyword == "AUTH":
        command += min(peer.extensions.auth, default="PLAIN").encode("ascii", "replace")
    answer = await peer.ask(command)
    if answer.matches("500", "502"):
        return violated(f"{answer} to {command.decode()}", "a command that is known")
    return satisfied(answer) if answer.reply is not None else undetermined(answer)


@case("smtp.ehlo.expn-listed")
async def expn_is_listed(peer: SmtpPeer) -> Judgement:
    """EXPN that works is listed."""
    await peer.hello()
    answer = await peer.ask(b"EXPN postmaster")
    listed = "EXPN" in peer.extensions.keywords
    if answer.yes and not listed and answer.code != 252:
        return violated(f"{answer}, and EXPN is not listed", "EXPN listed, or refused")
    return satisfied(f"{answer}; {'listed' if listed else 'not listed'}")


@case("smtp.ehlo.repeatable")
async def ehlo_may_be_said_again(peer: SmtpPeer) -> Judgement:
    """EHLO may be said again at any time."""
    await peer.hello()
    return (await peer.ask(peer.hello_line)).expect("250", to="EHLO again")


@case("smtp.ehlo.resets-transaction")
async def ehlo_clears_the_envelope(peer: SmtpPeer) -> Judgement:
    """EHLO clears a transaction as RSET would."""
    await peer.begin_transaction()
    await peer.control(peer.hello_line, "250")
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after EHLO")


@case("smtp.ehlo.rejected-keeps-state")
async def a_refused_ehlo_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """An EHLO that was refused leaves the session as it was."""
    await peer.begin_transaction()
    refused = await peer.ask(peer.hello_verb)
    if not refused.no:
        return undetermined(f"{refused} to EHLO without an argument")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after a refused EHLO")


@case("smtp.ehlo.reject-codes")
async def how_ehlo_without_a_name_is_refused(peer: SmtpPeer) -> Judgement:
    """EHLO without an argument is refused with 501, 500, 502 or 550; some servers take it."""
    await greeted(peer)
    answer = await peer.ask(peer.hello_verb)
    if answer.yes:
        return declined(f"{answer} to EHLO without an argument", "501, 500, 502 or 550")
    return answer.expect("501", "500", "502", "550", lawful=("504",), to="EHLO without an argument")


@case("smtp.ehlo.literal-v4")
async def an_ipv4_literal_is_understood(peer: SmtpPeer) -> Judgement:
    """An IPv4 address literal is a lawful argument of EHLO."""
    return await hello_answer(peer, b"[192.0.2.1]")


V6: Final = {"compressed": b"[IPv6:2001:db8::1]", "full": b"[IPv6:2001:db8:0:0:0:0:0:1]"}


@case("smtp.ehlo.literal-v6", variants=V6)
async def an_ipv6_literal_is_understood(peer: SmtpPeer, literal: bytes) -> Judgement:
    """An IPv6 address literal is a lawful argument of EHLO."""
    return await hello_answer(peer, literal)


@case("smtp.ehlo.literal-trailing-text")
async def words_behind_a_literal(peer: SmtpPeer) -> Judgement:
    """Words may stand behind an address literal."""
    await greeted(peer)
    return observed(await peer.ask(peer.hello_verb + b" [192.0.2.1] some words"))


@case("smtp.ehlo.name-mismatch-accepted")
async def a_name_that_is_not_ours_is_taken(peer: SmtpPeer) -> Judgement:
    """Mail is not refused because the name in EHLO is not the client's."""
    control = peer.another()
    await control.begin_transaction()
    await peer.greet()
    answer = await peer.ask(peer.hello_verb + b" some.other.example")
    if not answer.matches("250"):
        return answer.expect("250", to="EHLO with another's name")
    await peer.mail()
    return (await peer.ask(b"RCPT TO:<" + peer.recipient + b">")).expect("2yz", to="RCPT, under another's name")


@case("smtp.ehlo.underscore")
async def an_underscore_is_no_lawful_label(peer: SmtpPeer) -> Judgement:
    """A domain with an underscore is refused; nearly every server takes it."""
    await greeted(peer)
    return (await peer.ask(peer.hello_verb + b" under_score.example")).expect("5yz", to="EHLO under_score.example")


CONTROL: Final = {"nul": b"\0", "bel": b"\a", "del": b"\x7f", "esc": b"\x1b"}


@case("smtp.ehlo.control-octet", variants=CONTROL)
async def control_octets_are_refused(peer: SmtpPeer, octet: bytes) -> Judgement:
    """A control octet in the argument of EHLO is refused."""
    await greeted(peer)
    answer = await peer.ask(peer.hello_verb + b" bad" + octet + b".example")
    return answer.expect("5yz", to="EHLO with a control octet")


INJECTIONS: Final = {"comment": b"a.example (x); y", "quote": b'a.example"', "cr": b"a.example\rX-Injected: yes"}


@case("smtp.ehlo.injection-in-trace", variants=INJECTIONS)
async def the_hello_name_adds_no_field(peer: SmtpPeer, name: bytes) -> Judgement:
    """What stands in EHLO adds no line to the message's header."""
    await greeted(peer)
    answer = await peer.ask(peer.hello_verb + b" " + name)
    if not answer.yes:
        return satisfied(answer) if answer.no or answer.closed else undetermined(answer)
    await peer.mail()
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    peer.must(await peer.answer(), to=b"the message")
    arrived = await peer.stored()
    if not arrived:
        return undetermined("the message did not arrive in the time allowed (timers.delivery)")
    header = arrived[0].partition(b"\r\n\r\n")[0]
    bad = b"\nX-Injected" in header or b"\rX-Injected" in header
    return weakened("it made a line of its own", "no field added") if bad else satisfied("no field was added")


@case("smtp.ehlo.long-domain")
async def a_long_name_is_taken(peer: SmtpPeer) -> Judgement:
    """A domain of 255 octets is a lawful argument of EHLO."""
    name = b".".join([b"a" * 63] * 3 + [b"a" * 54, b"example"])[:255]
    return await hello_answer(peer, name)


@case("smtp.helo.supported")
async def helo_is_known(peer: SmtpPeer) -> Judgement:
    """HELO is a command that every server knows."""
    await greeted(peer)
    answer = await peer.ask(b"HELO " + peer.hello_name)
    return answer.expect("250", lawful=("504", "550", "553", "554"), to="HELO")


@case("smtp.helo.no-extension-list")
async def helo_lists_no_extensions(peer: SmtpPeer) -> Judgement:
    """The reply to HELO lists no extensions."""
    await peer.greet()
    reply = await peer.helo()
    listed = [text for text in reply.texts[1:] if text.partition(b" ")[0].upper() in EXTENSIONS]
    return violated("; ".join(map(printable, listed)), "no keywords") if listed else satisfied(printable(reply.octets))


@case("smtp.helo.resets-transaction")
async def helo_clears_the_envelope(peer: SmtpPeer) -> Judgement:
    """HELO clears a transaction as RSET would."""
    await peer.begin_transaction()
    await peer.helo()
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after HELO")


@case("smtp.helo.no-argument")
async def helo_needs_a_name(peer: SmtpPeer) -> Judgement:
    """HELO without an argument is refused."""
    await greeted(peer)
    return (await peer.ask(b"HELO")).expect("5yz", to="HELO without an argument")


@case("smtp.helo.then-extension-params")
async def parameters_after_helo(peer: SmtpPeer) -> Judgement:
    """What a server does with parameters of extensions after HELO is recorded."""
    await peer.greet()
    await peer.helo()
    return observed(await peer.ask(b"MAIL FROM:<" + peer.sender + b"> SIZE=1000"))


@case("smtp.helo.plain-transaction")
async def helo_is_enough_for_mail(peer: SmtpPeer) -> Judgement:
    """A message goes through with HELO alone."""
    control = peer.another()
    await control.open()
    peer.must(await control.deliver(peer.another_message()), to=b"the same with EHLO")
    await peer.greet()
    await peer.helo()
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    if answer.matches("530", "554", "550"):
        return undetermined(f"{answer}: a policy that wants a login or TLS, perhaps")
    if not answer.yes:
        return answer.expect("2yz", to="MAIL after HELO")
    await peer.rcpt()
    await peer.control(b"DATA", "354")
    await peer.send(stuff(peer.message()))
    return (await peer.answer()).expect("2yz", to="the message")
