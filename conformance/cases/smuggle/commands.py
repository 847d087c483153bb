"""A command line ends in CRLF and in nothing else (RFC 5321 §2.3.8)."""

from conformance.case import case
from conformance.cases.smtp.commands import one_answer_to
from conformance.judgement import Judgement, satisfied, violated, weakened
from conformance.peer import SmtpPeer


@case("smuggle.cmd.bare-lf", variants={"noop": b"NOOP\n", "ehlo": None})
async def lf_ends_no_command(peer: SmtpPeer, line: bytes | None) -> Judgement:
    """A line that ends in a bare LF is no command."""
    await peer.hello()
    await peer.control(b"NOOP")
    await peer.send(line or peer.hello_line + b"\n")
    answer = await peer.answer_or_silence()
    return violated(answer, "silence or 5yz") if answer.yes else satisfied(answer)


@case("smuggle.cmd.bare-cr")
async def cr_ends_no_command(peer: SmtpPeer) -> Judgement:
    """A bare CR does not make two commands of one line."""
    return await one_answer_to(peer, b"NOOP\rNOOP\r\n")


@case("smuggle.cmd.crcrlf")
async def crcrlf_ends_one_command(peer: SmtpPeer) -> Judgement:
    """CRCRLF ends one command line at most."""
    return await one_answer_to(peer, b"NOOP\r\r\n")


@case("smuggle.cmd.nul-truncation")
async def nul_does_not_end_an_address(peer: SmtpPeer) -> Judgement:
    """An address with NUL in it is not taken for what stands before the NUL."""
    await peer.open()
    await peer.mail()
    await peer.rcpt()
    answer = await peer.ask(b"RCPT TO:<" + peer.recipient + b"\0.invalid>")
    return weakened(answer, "5yz") if answer.yes else satisfied(answer)
