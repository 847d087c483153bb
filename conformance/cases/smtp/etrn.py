"""ETRN: to have a queue run (RFC 1985), and TURN, which is no more (RFC 5321 appendix F.1)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.slowness import sleeps_as_told
from conformance.judgement import Judgement, Undetermined, not_applicable, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

UNAGREED: Final = b"unagreed.mailproof.invalid"
NO_SUCH_NODE: Final = ("458", "459")
STARTED: Final = ("250", "251", "252", "253")
UNKNOWN: Final = ("500", "501", "502", "504")       # what says that the command was not understood
FLOOD: Final = 50
DELAY_S: Final = 0.5                  # an answer held back so long is held back on purpose


async def _offered(peer: SmtpPeer) -> bytes:
    """Come to where ETRN may be said; return a domain of the server's own."""
    await peer.open()
    peer.require("ETRN")
    domain = peer.promised_recipient.rpartition(b"@")[2]
    if not domain:
        raise Undetermined("no domain of the server's own is known (addresses.accepted)")
    return domain


@case("smtp.etrn.known")
async def a_queue_may_be_started(peer: SmtpPeer) -> Judgement:
    """ETRN for a domain that mail is kept for is answered 250 to 253."""
    domain = await _offered(peer)
    answer = await peer.ask(b"ETRN " + domain)
    if answer.matches(*NO_SUCH_NODE):
        return not_applicable(f"{answer}: nothing is agreed on for {domain.decode()}")
    if answer.no and not answer.matches(*UNKNOWN):
        return undetermined(answer)
    return answer.expect(*STARTED, to="ETRN for the server's own domain")


@case("smtp.etrn.unknown")
async def strange_domains_have_no_queue(peer: SmtpPeer) -> Judgement:
    """ETRN for a domain that nothing is agreed on for is refused with 458 or 459."""
    await _offered(peer)
    answer = await peer.ask(b"ETRN " + UNAGREED)
    to = "ETRN for a strange domain"
    if answer.matches(*NO_SUCH_NODE):
        return satisfied(f"{answer} to {to}")
    return violated(f"{answer} to {to}", "458 or 459") if answer.silent or answer.go_on else answer.expect(
        *NO_SUCH_NODE, lawful=("2yz", "5yz"), to=to)


@case("smtp.etrn.no-arg")
async def etrn_needs_a_name(peer: SmtpPeer) -> Judgement:
    """ETRN without a name is refused."""
    await _offered(peer)
    return (await peer.ask(b"ETRN")).expect("5yz", to="ETRN alone")


BAD_NAMES: Final = {"two": b"a.example b.example", "dots": b"a..example", "hyphen": b"-a-.example", "octet": b"a\x01.b"}


@case("smtp.etrn.bad-arg", variants=BAD_NAMES)
async def etrn_needs_one_good_name(peer: SmtpPeer, name: bytes) -> Judgement:
    """ETRN with what is no domain name is refused."""
    await _offered(peer)
    peer.must(await peer.ask(b"ETRN " + UNAGREED), "2yz", "4yz", "55z", "550", "554", to=b"ETRN")
    return (await peer.ask(b"ETRN " + name)).expect("5yz", lawful=NO_SUCH_NODE, to=f"ETRN {name.decode('latin-1')!a}")


@case("smtp.etrn.at-prefix")
async def queues_of_subdomains(peer: SmtpPeer) -> Judgement:
    """What ETRN with @ before the name is answered is recorded."""
    return observed(await peer.ask(b"ETRN @" + await _offered(peer)))


@case("smtp.etrn.hash-prefix")
async def queues_by_name(peer: SmtpPeer) -> Judgement:
    """What ETRN with # before the name is answered is recorded."""
    await _offered(peer)
    return observed(await peer.ask(b"ETRN #mailproof"))


@case("smtp.etrn.in-transaction")
async def no_queue_is_started_in_a_transaction(peer: SmtpPeer) -> Judgement:
    """ETRN within a transaction is refused."""
    domain = await _offered(peer)
    outside = await peer.ask(b"ETRN " + domain)
    if not (outside.yes or outside.matches(*NO_SUCH_NODE)):
        raise Undetermined(f"{outside} to ETRN outside a transaction")
    await peer.mail()
    return (await peer.ask(b"ETRN " + domain)).expect("5yz", to="ETRN after MAIL")


@case("smtp.etrn.same-connection")
async def roles_are_not_changed(peer: SmtpPeer) -> Judgement:
    """What ETRN starts comes over another connection: here the server goes on to be asked."""
    domain = await _offered(peer)
    peer.must(await peer.ask(b"ETRN " + domain), "2yz", *NO_SUCH_NODE, to=b"ETRN")
    said = await peer.answer_or_silence()
    if not said.silent:
        return violated(f"{said} unasked after ETRN", "silence")
    return (await peer.still_there()).expect_open(to="NOOP after ETRN")


TRICKS: Final = {
    "quote": b"'x.example", "sql": b"x'||(SELECT/**/1)||'", "semicolon": b"x.example;sleep${IFS}4",
    "dollar": b"$(sleep${IFS}4)", "hash": b"#'||randomblob(1)||'",
}


@case("smtp.etrn.injection", variants=TRICKS)
async def names_of_queues_are_names(peer: SmtpPeer, name: bytes) -> Judgement:
    """What looks like a command or a query in ETRN is refused, and nothing runs it."""
    await _offered(peer)
    etrn = b"ETRN " + name
    answer = await peer.ask(etrn)
    got = f"{answer} to {etrn.decode()} after {answer.waited_s:.2g} s"
    tells = answer.reply is not None and b"sql" in answer.reply.octets.lower()
    if answer.yes or tells or await sleeps_as_told(peer.ask, etrn, answer):
        return violated(got, "501, 458 or 459 at once")
    return undetermined(got) if answer.silent else satisfied(got)


@case("smtp.etrn.flood")
async def queues_cost_nothing(peer: SmtpPeer) -> Judgement:
    """Fifty ETRN in a row are limited, or cheap: others are served meanwhile."""
    await _offered(peer)
    beside = peer.another()
    await beside.open()
    answer = Answer()
    for number in range(1, FLOOD + 1):
        answer = await peer.ask(b"ETRN " + UNAGREED)
        if answer.closed or answer.matches("421"):
            return satisfied(f"{answer} to ETRN number {number}")
        if answer.waited_s >= max(DELAY_S, peer.subject.quiet_s) and not answer.silent:
            return satisfied(f"ETRN number {number} was answered after {answer.waited_s:.2g} s")
        if answer.silent:
            return violated(f"{answer} to ETRN number {number}", "an answer")
    other = await beside.still_there()
    got = f"{answer} to {FLOOD} ETRN, {other} to NOOP beside them"
    return satisfied(got) if other.reply is not None else violated(got, "an answer")


@case("smtp.turn.refused")
async def turn_is_gone(peer: SmtpPeer) -> Judgement:
    """TURN from somebody who has not logged in is refused."""
    await peer.hello()
    answer = await peer.ask(b"TURN")
    return satisfied(answer) if answer.closed else answer.expect("5yz", to="TURN")
