"""The parameters of MAIL and RCPT, as the cases of several extensions ask about them (RFC 5321 §4.1.1.11)."""

from conformance.answer import Answer
from conformance.judgement import Judgement, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable


async def keyword_alone(peer: SmtpPeer, keyword: str) -> Judgement:
    """Judge whether EHLO lists an extension that has no parameters without any."""
    await peer.greet()
    reply = await peer.ehlo()
    peer.require(keyword)
    lines = [text for text in reply.texts[1:] if text.split(b" ")[0].upper() == keyword.encode()]
    more = [text for text in lines if text.rstrip(b" \t").upper() != keyword.encode()]
    return violated("; ".join(map(printable, more)), f"{keyword} alone") if more else satisfied(f"{keyword} alone")


async def ready_for_mail(peer: SmtpPeer, keyword: str = "") -> None:
    """Open the session, see that an extension is offered in it, and that MAIL without parameters is taken."""
    await peer.open()
    if keyword:
        peer.require(keyword)
    await peer.mail()
    await peer.control(b"RSET")


async def ready_for_rcpt(peer: SmtpPeer, keyword: str = "") -> None:
    """Open the session, see that an extension is offered in it, and that RCPT without parameters is taken."""
    await peer.open()
    if keyword:
        peer.require(keyword)
    await peer.begin_transaction()


async def ask_mail(peer: SmtpPeer, parameters: bytes) -> Answer:
    """Say MAIL with parameters, as they stand behind the path."""
    return await peer.ask(b"MAIL FROM:<" + peer.sender + b"> " + parameters)


async def ask_rcpt(peer: SmtpPeer, parameters: bytes) -> Answer:
    """Say RCPT with parameters, as they stand behind the path."""
    return await peer.ask(b"RCPT TO:<" + peer.recipient + b"> " + parameters)


async def mail_takes(peer: SmtpPeer, *parameters: bytes) -> Judgement:
    """Judge whether MAIL is taken with each of these parameters, as it is without: the first refusal counts."""
    for each in parameters:
        answer = await ask_mail(peer, each)
        if not answer.yes:
            return answer.expect("2yz", to=f"MAIL with {printable(each, 60)}")
        await peer.control(b"RSET")
    return satisfied(f"{answer} to MAIL with {printable(each, 60)}", "2yz")


async def rcpt_takes(peer: SmtpPeer, *parameters: bytes) -> Judgement:
    """Judge whether RCPT is taken with each of these parameters, as it is without: the first refusal counts.

    It begins in a transaction, and each has its own: OpenSMTPD holds the NOTIFY of one recipient against the next.
    """
    for place, each in enumerate(parameters):
        if place:
            await peer.control(b"RSET")
            await peer.mail()
        answer = await ask_rcpt(peer, each)
        if not answer.yes:
            return answer.expect("2yz", to=f"RCPT with {printable(each, 60)}")
    return satisfied(f"{answer} to RCPT with {printable(each, 60)}", "2yz")


async def mail_refuses(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """Judge whether MAIL is refused for its parameters, which are not lawful."""
    answer = await ask_mail(peer, parameters)
    return answer.expect("5yz", to=f"MAIL with {printable(parameters, 60)}")


async def rcpt_refuses(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """Judge whether RCPT is refused for its parameters, which are not lawful."""
    answer = await ask_rcpt(peer, parameters)
    return answer.expect("5yz", to=f"RCPT with {printable(parameters, 60)}")
