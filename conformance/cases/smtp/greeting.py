"""The greeting: what a server says first, to whoever connects (RFC 5321 §3.1, §4.2, §4.3.1)."""

import ipaddress
import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import (
    Judgement,
    NotApplicable,
    diverged,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

LABEL: Final = rb"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
DOMAIN: Final = re.compile(LABEL + rb"(\." + LABEL + rb")*")
UNDERSCORED: Final = re.compile(rb"[A-Za-z0-9._-]*_[A-Za-z0-9._-]*")
REFUSED_FOR_GOOD: Final = "554"           # RFC 5321 §3.1
NO_MAIL_HERE: Final = "521"               # RFC 7504
ENHANCED: Final = re.compile(rb"\A[245]\.[0-9]{1,3}\.[0-9]{1,3} ")
# A word and a number with dots, as in "Exim 4.96", "mailer/1.2.3", "server version 7.0"; four numbers are an address.
PRODUCT: Final = re.compile(
    rb"(?<![\w.@-])[A-Za-z][A-Za-z0-9_+-]{2,}(?:/| v| version | )?v?[0-9]+\.[0-9]+(?:\.[0-9]+)?[a-z0-9-]*(?![\w.])"
)
NO_PRODUCT: Final = re.compile(rb"(?i)\b(RFC|section|STD|BCP|TLS|SSL|IPv4|IPv6)\b[ /v]*[0-9]")


async def greeting_of(peer: SmtpPeer) -> Answer:
    """Connect and return the server's first words."""
    return await peer.answer()


async def welcome_of(peer: SmtpPeer) -> tuple[bytes, bytes]:
    """Connect, take a greeting of 220, and return its first word and all of its first line."""
    answer = await greeting_of(peer)
    if answer.reply is None:
        return b"", peer.must(answer, "220").text
    if not answer.matches("220"):
        raise NotApplicable(f"{answer}: no 220")
    text = answer.reply.text
    return text.partition(b" ")[0], text


def is_literal(word: bytes) -> bool:
    """Say whether this is an address literal of IPv4 or IPv6."""
    if not (word.startswith(b"[") and word.endswith(b"]") and word.isascii()):
        return False
    inner = word[1:-1].decode("ascii")
    try:
        if inner[:5].upper() == "IPV6:":
            return bool(ipaddress.IPv6Address(inner[5:]))
        return bool(ipaddress.IPv4Address(inner))
    except ValueError:
        return False


@case("smtp.greet.sent")
async def a_server_speaks_first(peer: SmtpPeer) -> Judgement:
    """A server opens with a message, and does not close without one."""
    answer = await greeting_of(peer)
    if answer.closed:
        return violated(f"{answer} without a word", "an opening message")
    return satisfied(answer) if answer.reply is not None else undetermined(answer, "an opening message")


@case("smtp.greet.code")
async def the_greetings_code(peer: SmtpPeer) -> Judgement:
    """The opening message is 220; or 554, 521 or 421 where there is no service."""
    answer = await greeting_of(peer)
    if answer.reply is None:
        return undetermined(answer)
    lawful = answer.matches("220", REFUSED_FOR_GOOD, NO_MAIL_HERE, "421")
    return (satisfied if lawful else violated)(answer, "220, 554, 521 or 421")


@case("smtp.greet.grammar")
async def the_greeting_names_the_server(peer: SmtpPeer) -> Judgement:
    """A greeting that welcomes is 220, and begins with the server's domain or address literal."""
    answer = await greeting_of(peer)
    expected = "220, and a domain or an address literal"
    if answer.no:
        raise NotApplicable(f"{answer}: there is no service")
    if answer.reply is None or answer.later:
        return undetermined(answer, expected)
    if not answer.matches("220"):
        return violated(answer, expected)
    word = answer.reply.text.partition(b" ")[0]
    if DOMAIN.fullmatch(word.removesuffix(b".")) or is_literal(word):
        return satisfied(answer, expected)
    return (diverged if UNDERSCORED.fullmatch(word) else violated)(answer, expected)


@case("smtp.greet.fqdn")
async def the_name_is_qualified(peer: SmtpPeer) -> Judgement:
    """The name in the greeting is fully qualified."""
    word, _ = await welcome_of(peer)
    if is_literal(word):
        raise NotApplicable(f"{printable(word)} is no name")
    qualified = b"." in word.strip(b".") and DOMAIN.fullmatch(word.removesuffix(b"."))
    return (satisfied if qualified else violated)(printable(word), "a name with a dot")


@case("smtp.greet.name-not-literal")
async def the_name_is_a_name(peer: SmtpPeer) -> Judgement:
    """The server names itself by a name, not by an address."""
    word, _ = await welcome_of(peer)
    return (violated if word.startswith(b"[") else satisfied)(printable(word), "a domain name")


@case("smtp.greet.matches-ehlo")
async def the_greeting_and_ehlo_name_a_host(peer: SmtpPeer) -> Judgement:
    """Whether greeting and EHLO name the same host is recorded."""
    word, _ = await welcome_of(peer)
    await peer.ehlo()
    name = peer.extensions.greeting_name
    same = name.lower() == word.lower()
    return observed(f"{printable(word)} in both" if same else f"{printable(word)}, then {printable(name)}")


@case("smtp.greet.no-client-speech-needed", limit_s=600.0)
async def nobody_need_speak_first(peer: SmtpPeer) -> Judgement:
    """The greeting comes without a word from the client."""
    answer = await greeting_of(peer)
    if not answer.silent:
        return satisfied(answer) if answer.reply is not None else undetermined(answer)
    spoken = await peer.ask(peer.hello_line)
    if spoken.reply is None:
        return undetermined(f"{answer}; then {spoken} to {peer.hello_verb.decode()}")
    # It may have been about to speak: another session waits for longer than this one did, and says nothing.
    patient = await peer.another().answer(2 * answer.waited_s + spoken.waited_s)
    if patient.reply is not None:
        return satisfied(f"{patient}, after {patient.waited_s:.3g} s")
    return violated(f"{answer}; {spoken} once something was said", "a greeting unasked")


@case("smtp.greet.early-talker")
async def who_speaks_too_early(peer: SmtpPeer) -> Judgement:
    """EHLO sent before the greeting is refused, or answered once, behind the one greeting."""
    await peer.send(peer.hello_line + b"\r\n")
    first = await peer.answer()
    expected = "220, then 250; or a refusal"
    if first.reply is None:
        return undetermined(first, expected)
    if first.no or first.later:
        return satisfied(f"{first} to who spoke too early", expected)
    second = await peer.answer()
    got = f"{first}, then {second}"
    if second.no or second.later or second.closed:
        return satisfied(got, expected)
    if second.reply is None:
        return undetermined(got, expected)
    if not (first.matches("220") and second.matches("250")):
        return weakened(got, expected)
    third = await peer.ask(b"NOOP")
    same = third.reply is not None and third.reply.text == second.reply.text
    doubled = third.matches("220") or same
    return weakened(f"{got}, then {third} to NOOP", expected) if doubled else satisfied(got, expected)


async def turned_away(peer: SmtpPeer, code: str) -> None:
    """Connect, and go on only where the greeting refuses with this code."""
    answer = await greeting_of(peer)
    if not answer.matches(code):
        raise NotApplicable(f"{answer}: no {code}")


@case("smtp.greet.554-waits-for-quit")
async def a_refusal_waits_for_quit(peer: SmtpPeer) -> Judgement:
    """After a greeting of 554 the server waits for QUIT."""
    await turned_away(peer, REFUSED_FOR_GOOD)
    early = await peer.answer_or_silence()
    if early.closed:
        return violated(f"{early} behind its greeting", "221 to QUIT, then a close")
    answer = await peer.quit()
    if answer.closed:
        return violated(f"{answer} instead of answering QUIT", "221 to QUIT, then a close")
    return satisfied(answer) if answer.reply is not None else undetermined(answer)


@case("smtp.greet.554-answers-503")
async def a_refusal_answers_503(peer: SmtpPeer) -> Judgement:
    """After a greeting of 554 every command but QUIT is answered 503."""
    await turned_away(peer, REFUSED_FOR_GOOD)
    answer = await peer.ask(b"NOOP")
    if not answer.matches("503"):
        return answer.expect("503", to="NOOP after 554")
    return (await peer.ask(peer.hello_line)).expect("503", to="EHLO after 554")


@case("smtp.greet.521-then-quit")
async def what_follows_521(peer: SmtpPeer) -> Judgement:
    """What QUIT is answered after a greeting of 521 is recorded."""
    await turned_away(peer, NO_MAIL_HERE)
    return observed(await peer.quit())


def product_in(text: bytes) -> bytes | None:
    """Return what looks like a product and its version."""
    text = NO_PRODUCT.sub(b"", ENHANCED.sub(b"", text))
    found = PRODUCT.search(text)
    return found[0] if found is not None else None


@case("smtp.greet.banner-version")
async def the_version_is_kept_secret(peer: SmtpPeer) -> Judgement:
    """Neither greeting nor EHLO, HELP and QUIT tell product and version; the RFC allows it."""
    greeting = await greeting_of(peer)
    if greeting.no:
        raise NotApplicable(f"{greeting}: there is no service")
    spoken = {"the greeting": peer.must(greeting, "220"), "EHLO": await peer.ehlo()}
    for command in (b"HELP", b"QUIT"):
        answer = await peer.ask(command)
        if answer.reply is not None:
            spoken[command.decode()] = answer.reply
    told = {where: product for where, reply in spoken.items() for text in reply.texts if (product := product_in(text))}
    if told:
        return weakened("; ".join(f"{printable(what)} in {where}" for where, what in told.items()), "no version")
    return satisfied("no version")
