"""Addresses that once ran programs, on systems that came with them."""

from typing import Final

from conformance.case import case
from conformance.judgement import Judgement, Undetermined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

# sendmail's aliases file once handed mail for these to programs; attackers still ask for them.
ALIASES: Final = {name: name.encode() for name in ("decode", "uudecode", "decode-owner")}


@case("hard.program-alias", variants=ALIASES)
async def no_alias_runs_a_program(peer: SmtpPeer, alias: bytes) -> Judgement:
    """No alias that hands mail to a program takes mail from strangers."""
    domain = peer.recipient.rpartition(b"@")[2]
    if not domain:
        raise Undetermined("no address with a domain is known (addresses.accepted)")
    await peer.open()
    await peer.mail()
    await peer.rcpt()
    unknown = await peer.ask(b"RCPT TO:<no-such-" + peer.token.encode() + b"@" + domain + b">")
    answer = await peer.ask(b"RCPT TO:<" + alias + b"@" + domain + b">")
    got = f"{answer} to {alias.decode()}, {unknown} to a name that nobody has"
    if answer.reply is None or answer.later or not unknown.no:
        return undetermined(got)         # whoever takes everybody tells nothing
    return violated(got, "5yz, as for a name that nobody has") if answer.yes else satisfied(got)
