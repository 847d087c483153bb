"""LHLO, and what takes the place of SMTP's hello (RFC 2033 §4.1, §5)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.hello import DOMAIN, KEYWORD_LINE, LEGACY_AUTH, LITERAL, greeted
from conformance.judgement import Judgement, NotApplicable, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

SMTP_PORT: Final = 25
POLICY: Final = ("550", "553", "554")                  # not for us, for whatever reason


@case("lmtp.lhlo.ok")
async def lhlo_is_known(peer: SmtpPeer) -> Judgement:
    """LHLO is answered 250, with the server's name and its extensions, as EHLO would be."""
    await peer.greet()
    answer = await peer.ask(peer.hello_line)
    if answer.matches(*POLICY):
        return undetermined(f"{answer}: a policy")
    if not answer.matches("250") or answer.reply is None:
        return answer.expect("250", to="LHLO")
    first, *others = answer.reply.texts
    word = first.partition(b" ")[0]
    if not (DOMAIN.fullmatch(word) or LITERAL.fullmatch(word)):
        return violated(printable(first), "the server's domain as the first word")
    odd = [text for text in others if not (KEYWORD_LINE.fullmatch(text) or LEGACY_AUTH.match(text))]
    return violated("; ".join(map(printable, odd)), "a keyword on each line") if odd else satisfied(answer)


@case("lmtp.lhlo.no-arg")
async def lhlo_needs_a_name(peer: SmtpPeer) -> Judgement:
    """LHLO without an argument is refused with 501."""
    await greeted(peer)
    return (await peer.ask(b"LHLO")).expect("5yz", to="LHLO without an argument")


NAMES: Final = {"v4": b"[127.0.0.1]", "one-label": b"localhost"}


@case("lmtp.lhlo.literal", variants=NAMES)
async def lhlo_takes_every_kind_of_name(peer: SmtpPeer, name: bytes) -> Judgement:
    """LHLO takes an address literal, and should take a name of one label."""
    await greeted(peer)
    answer = await peer.ask(b"LHLO " + name)
    lawful = ("5yz",) if name.isalpha() else POLICY
    return answer.expect("250", lawful=lawful, to=f"LHLO {name.decode()}")


@case("lmtp.lhlo.again", variants={"answered": False, "clears": True})
async def lhlo_may_be_said_again(peer: SmtpPeer, then_data: bool) -> Judgement:
    """LHLO may be said again, and clears a transaction as RSET would."""
    await peer.begin_transaction()
    answer = await peer.ask(peer.hello_line)
    if not then_data:
        return answer.expect("250", to="LHLO after MAIL and RCPT")
    peer.must(answer, "250", to=b"LHLO again")
    return (await peer.ask(b"DATA")).expect("5yz", to="DATA after LHLO")


def _not_answered_yes(answer: Answer, verb: str) -> Judgement:
    if answer.yes:
        return violated(f"{answer} to {verb}", "no 2yz: 500 is recommended")
    return satisfied(f"{answer} to {verb}") if answer.reply is not None or answer.closed else undetermined(answer)


def _register(verb: str) -> None:
    @case(f"lmtp.{verb.lower()}.refused")
    async def question(peer: SmtpPeer) -> Judgement:
        """SMTP's hello is no command of LMTP: it is not answered 2yz."""
        await greeted(peer)
        return _not_answered_yes(await peer.ask(verb.encode() + b" " + peer.hello_name), verb)


for _verb in ("EHLO", "HELO"):
    _register(_verb)


@case("lmtp.ehlo.code", variants={"ehlo": b"EHLO", "helo": b"HELO"})
async def smtps_hello_is_unknown(peer: SmtpPeer, verb: bytes) -> Judgement:
    """SMTP's hello is answered 500."""
    await greeted(peer)
    return (await peer.ask(verb + b" " + peer.hello_name)).expect("500", to=verb.decode())


@case("lmtp.mail.before-lhlo")
async def mail_needs_a_hello(peer: SmtpPeer) -> Judgement:
    """MAIL before LHLO is out of order."""
    control = peer.another()
    await control.open()
    await control.mail()
    await peer.greet()
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">")
    return answer.expect("5yz", to="MAIL before LHLO")


REQUIRED: Final = {"pipelining": "PIPELINING", "esc": "ENHANCEDSTATUSCODES", "8bitmime": "8BITMIME"}


def _register_extension(name: str, keyword: str) -> None:
    @case(f"lmtp.ext.{name}")
    async def question(peer: SmtpPeer) -> Judgement:
        """An LMTP server offers the extensions that LMTP is built on."""
        await peer.hello()
        offered = ", ".join(map(printable, (word.encode() for word in peer.extensions.keywords)))
        return (satisfied if keyword in peer.extensions.keywords else violated)(f"LHLO lists {offered}", keyword)


for _name, _keyword in REQUIRED.items():
    _register_extension(_name, _keyword)


@case("lmtp.port.not-25")
async def lmtp_is_not_on_port_25(peer: SmtpPeer) -> Judgement:
    """LMTP is not spoken on TCP port 25."""
    port = peer.subject.endpoint.port
    if port != SMTP_PORT:
        if peer.subject.is_lmtp:
            return satisfied(f"LMTP is on port {port}" if port is not None else "LMTP is on a unix socket")
        raise NotApplicable(f"this is port {port}, not 25")
    await peer.greet()
    return _not_answered_yes(await peer.ask(b"LHLO " + peer.hello_name), "LHLO on port 25")


@case("lmtp.smtp.refuses-lhlo")
async def lhlo_is_no_command_of_smtp(peer: SmtpPeer) -> Judgement:
    """LHLO is no command of SMTP."""
    await greeted(peer)
    return (await peer.ask(b"LHLO " + peer.hello_name)).expect("5yz", to="LHLO")
