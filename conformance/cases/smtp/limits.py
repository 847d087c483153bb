"""How long a path, a command and a list of recipients every server has to take (RFC 5321 §4.5.3.1)."""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.grammar import (
    domain_of_recipient,
    domain_of_sender,
    open_controlled,
    parsed,
    understood_recipient,
)
from conformance.cases.smtp.groups import as_lines, rcpt_command, take_answers
from conformance.judgement import (
    Did,
    Judgement,
    NotApplicable,
    Undetermined,
    diverged,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

LOCAL_PART_OCTETS: Final = 64
PATH_OCTETS: Final = 256             # with its brackets
DOMAIN_OCTETS: Final = 250           # of 255: the path is too short for more
COMMAND_OCTETS: Final = 512          # with its CRLF
RECIPIENTS: Final = 100
RECIPIENTS_TRIED: Final = 5_000
RECIPIENTS_A_GROUP: Final = 50
FLOOD_OCTETS: Final = 4 * 1024 * 1024
PIECE_OCTETS: Final = 1024 * 1024     # few of them, with a NOOP beside each: Exim ends a session after ten
STARVED_S: Final = 5.0               # for an answer that is there at once otherwise


def long_domain(octets: int, under: bytes) -> bytes:
    """Return a domain of so many octets, of labels that are long and lawful, under another one."""
    count, rest = divmod(octets - len(under), 62)            # labels of 61 octets, each with its dot
    first, count = (62, count - 1) if rest == 1 else (rest - 1, count)
    return (b"d" * first + b"." if rest else b"") + (b"d" * 61 + b".") * count + under


def longest_path(under: bytes) -> bytes:
    """Return a path of 256 octets under a domain."""
    local_part = b"a" * LOCAL_PART_OCTETS
    domain = long_domain(PATH_OCTETS - len(b"<@>") - LOCAL_PART_OCTETS, under)
    return b"<" + local_part + b"@" + domain + b">"


@case("smtp.limit.local-part-64")
async def local_parts_have_64_octets(peer: SmtpPeer) -> Judgement:
    """A local-part of 64 octets is taken, of a sender and of a recipient."""
    domain = domain_of_sender(peer)
    await open_controlled(peer)
    for octets in (LOCAL_PART_OCTETS - 1, LOCAL_PART_OCTETS):
        answer = await peer.ask(b"MAIL FROM:<" + b"a" * octets + b"@" + domain + b">")
        judgement = parsed(answer, f"a local-part of {octets} octets")
        if judgement.did is not Did.SATISFIED:
            return judgement
        if octets < LOCAL_PART_OCTETS:
            await peer.control(b"RSET")
    recipient = peer.subject.found.recipients[0].encode() if peer.subject.found.recipients else b""
    if b"@" not in recipient:
        return judgement
    answer = await peer.ask(rcpt_command(peer, b"a" * LOCAL_PART_OCTETS + b"@" + recipient.rpartition(b"@")[2]))
    of_rcpt = parsed(answer, "a recipient's local-part of 64 octets")
    return of_rcpt if of_rcpt.did is Did.VIOLATED else judgement


async def taken_under(peer: SmtpPeer, path: bytes, what: str) -> Judgement:
    """Judge MAIL with a long path, where a short one under the same domain is taken."""
    await open_controlled(peer, b"<a@a." + domain_of_sender(peer) + b">")
    return parsed(await peer.ask(b"MAIL FROM:" + path), what)


@case("smtp.limit.domain-255")
async def domains_have_255_octets(peer: SmtpPeer) -> Judgement:
    """A domain of 250 octets is taken; one of 255 leaves no room for a local-part in a path of 256."""
    path = b"<a@" + long_domain(DOMAIN_OCTETS, domain_of_sender(peer)) + b">"
    return await taken_under(peer, path, "a domain of 250 octets")


@case("smtp.limit.path-256")
async def paths_have_256_octets(peer: SmtpPeer) -> Judgement:
    """A path of 256 octets is taken."""
    return await taken_under(peer, longest_path(domain_of_sender(peer)), "a path of 256 octets")


@case("smtp.limit.path-256", variants={"rcpt": None})
async def forward_paths_have_256_octets(peer: SmtpPeer, _: None) -> Judgement:
    """A forward-path of 256 octets is understood."""
    path = longest_path(domain_of_recipient(peer))
    await peer.begin_transaction()
    return understood_recipient(await peer.ask(b"RCPT TO:" + path), "a forward-path of 256 octets")


def noop_of(octets: int) -> bytes:
    """Return NOOP with an argument, so many octets with its CRLF."""
    return b"NOOP " + b"x" * (octets - len(b"NOOP \r\n"))


@case("smtp.limit.command-512", variants={"512": COMMAND_OCTETS, "511": COMMAND_OCTETS - 1})
async def command_lines_have_512_octets(peer: SmtpPeer, octets: int) -> Judgement:
    """A command line of 512 octets is read whole, and answered once."""
    await peer.hello()
    await peer.control(b"NOOP")
    refusal = await peer.ask(b"NOOP x")      # some servers let NOOP have no argument: that is not about its length
    answer = await peer.ask(noop_of(octets))
    expected = f"as to a short one: {refusal}"
    if refusal.later or answer.later:
        return undetermined(f"{answer} on {octets} octets", expected)
    if answer.closed:
        return violated(f"{answer} on {octets} octets", expected)
    if answer.matches("500") and not refusal.matches("500"):
        return violated(f"{answer} to {octets} octets", expected)
    judgement = answer.expect("250", "501", lawful=("500", "502", "504"), to=f"a NOOP of {octets} octets")
    late = await peer.out_of_step() if answer.reply is not None else None
    return judgement if late is None else violated(f"{answer}, then {late} to {octets} octets", "one answer")


@case("smtp.limit.command-over", variants={"513": 513, "2-kib": 2_048, "16-kib": 16_384})
async def longer_command_lines(peer: SmtpPeer, octets: int) -> Judgement:
    """What a server does with a longer command line is recorded."""
    await peer.hello()
    answer = await peer.ask(noop_of(octets))
    return observed(f"{answer} to {octets} octets")


async def _slowest_beside(peer: SmtpPeer) -> Answer:
    """Send 4 MiB of a line; return the slowest of the answers to NOOP that another session had meanwhile."""
    other = peer.another()
    await other.hello()
    await peer.hello()
    answers = [await other.ask(b"NOOP")]
    while len(answers) <= FLOOD_OCTETS // PIECE_OCTETS and answers[-1].yes:
        try:
            await peer.send(b"x" * PIECE_OCTETS)
        except Undetermined:
            break                            # it reads no more: bounded as well
        answers.append(await other.ask(b"NOOP"))
    return max(answers, key=lambda answer: (not answer.yes, answer.waited_s))


@case("smtp.limit.command-unbounded", alone=True)
async def endless_lines_hurt_nobody_else(peer: SmtpPeer) -> Judgement:
    """A command line of 4 MiB is refused, cut off or passed over, and other sessions do not feel it."""
    slowest = await _slowest_beside(peer)
    if slowest.matches("421"):
        return undetermined(f"another session: {slowest}")
    if slowest.reply is None:
        return weakened(f"another session: {slowest}", "NOOP answered in another session")
    if slowest.waited_s > STARVED_S:         # a busy machine stalls now and then, and not twice at the same place
        again = await _slowest_beside(peer.another())
        got = f"another session waited for {slowest.waited_s:.3g} s, and a second time for {again.waited_s:.3g} s"
        starves = again.waited_s > STARVED_S
        return (weakened if starves else undetermined)(got, "no delay in another session")
    await peer.send(b"\r\n")
    answer = await peer.answer()
    if answer.reply is None or answer.later:
        return satisfied(answer)
    late = await peer.answer_or_silence()
    if late.reply is not None and not late.later:
        return weakened(f"{answer}, then {late} to one line", "one answer")
    return satisfied(answer)


# A value that is as long as its RFC allows it, and a short one, which shows that the parameter is taken at all.
PARAMETERS: Final = {
    "SIZE": (b" SIZE=00000000000000001000", b" SIZE=1000"),                          # RFC 1870 §6: 20 digits
    "8BITMIME": (b" BODY=8BITMIME", b" BODY=8BITMIME"),
    "SMTPUTF8": (b" SMTPUTF8", b" SMTPUTF8"),
    "DSN": (b" RET=HDRS ENVID=" + b"e" * 100, b" RET=HDRS ENVID=e"),                 # RFC 3461 §4.4
    "AUTH": (b" AUTH=" + b"+41" * 64 + b"+40" + b"+41" * 62 + b".example", b" AUTH=a@a.example"),   # RFC 4954 §3: 500
}


@case("smtp.limit.mail-extended")
async def parameters_lengthen_mail(peer: SmtpPeer) -> Judgement:
    """MAIL may be longer by what the offered extensions add to it."""
    await peer.open()
    path = longest_path(domain_of_sender(peer))
    if not (await peer.ask(b"MAIL FROM:" + path)).yes:
        path = b"<" + peer.sender + b">"
        await peer.mail()
    words = b""
    for keyword, (long, short) in PARAMETERS.items():
        if keyword not in peer.extensions.keywords:
            continue
        await peer.control(b"RSET")
        if (await peer.ask(b"MAIL FROM:<" + peer.sender + b">" + short)).yes:
            words += long
    await peer.control(b"RSET")
    command = b"MAIL FROM:" + path + words
    answer = await peer.ask(command)
    if not answer.no:
        return answer.expect("2yz", to=f"MAIL of {len(command) + 2} octets")
    alone = peer.another()                   # is it the length, or one of the parameters?
    await alone.open()
    for long, _ in PARAMETERS.values():
        if long in words:
            await alone.control(b"MAIL FROM:<" + peer.sender + b">" + long)
            await alone.control(b"RSET")
    return answer.expect("2yz", to=f"MAIL of {len(command) + 2} octets")


async def name_many(peer: SmtpPeer, addresses: Sequence[bytes]) -> list[Answer]:
    """Say RCPT for each until one is not taken; return the answers up to that one."""
    size = RECIPIENTS_A_GROUP if peer.extensions.pipelining else 1
    answers: list[Answer] = []
    for start in range(0, len(addresses), size):
        group = addresses[start:start + size]
        await peer.send(as_lines([rcpt_command(peer, address) for address in group]))
        for _ in group:
            answer = await peer.answer()
            if not answers or answers[-1].yes:
                answers.append(answer)
            if answer.reply is None:
                return answers
        if not answers[-1].yes:
            return answers
    return answers


def again_and_again(peer: SmtpPeer, count: int) -> list[bytes]:
    """Return so many addresses that are taken, over and over if there are fewer."""
    return list(islice(cycle(address.encode() for address in peer.subject.found.recipients), count))


@case("smtp.limit.rcpt-100")
async def a_hundred_recipients_are_taken(peer: SmtpPeer) -> Judgement:
    """A transaction may have a hundred recipients."""
    different = len(peer.subject.found.recipients)
    await peer.begin_transaction()
    await peer.control(b"RSET")
    await peer.mail()
    answers = await name_many(peer, again_and_again(peer, RECIPIENTS))
    number, last = len(answers), answers[-1]
    got, expected = f"{last} to RCPT number {number}", f"{RECIPIENTS} recipients"
    if last.yes:
        return satisfied(f"{number} recipients taken, {min(different, number)} of them different", expected)
    if last.closed or last.matches("452"):
        return violated(got, expected)
    if last.reply is None or last.later or number <= different + 1:
        return undetermined(f"{got}: for another reason than their number, perhaps", expected)
    return violated(got, expected)


@case("smtp.limit.rcpt-over-452")
async def too_many_recipients_are_452(peer: SmtpPeer) -> Judgement:
    """The recipient that is one too many is answered 452: later, in another transaction."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    await peer.mail()
    answers = await name_many(peer, again_and_again(peer, RECIPIENTS_TRIED))
    number, last = len(answers), answers[-1]
    got, expected = f"{last} to RCPT number {number}", "452"
    if last.yes:
        raise NotApplicable(f"no limit found: {number} recipients taken")
    if number <= RECIPIENTS:
        return undetermined(f"{got}: too few for a limit", expected)
    if last.closed:
        return violated(got, expected)
    if not last.later or last.matches("452", "421"):
        return last.expect("452", lawful=("5yz",), to=f"RCPT number {number}")
    # Another 4yz: is it the number of this transaction's recipients, or something that comes and goes?
    await peer.control(b"RSET")
    await peer.mail()
    again = await name_many(peer, again_and_again(peer, number))
    if len(again) == number and again[-1].code == last.code:
        return diverged(f"{got}, twice", expected)
    return undetermined(f"{got}, then {again[-1]} to number {len(again)}", expected)


async def deliver_to(peer: SmtpPeer, recipients: int, mark: str) -> None:
    """Send a message where mail data are awaited; LMTP answers for every recipient."""
    await peer.send(stuff(peer.message(mark=mark)))
    for answer in await take_answers(peer, recipients if peer.subject.is_lmtp else 1):
        peer.must(answer, to=b"the message")


@case("smtp.limit.rcpt-over-keeps")
async def who_was_taken_is_not_forgotten(peer: SmtpPeer) -> Judgement:
    """Recipients taken before the one that was too many get the message: the first, and the last."""
    first, other = peer.recipients(2)
    await peer.open()
    await peer.mail()
    answers = await name_many(peer, [first, *[other] * (RECIPIENTS_TRIED - 1)])
    if not answers[-1].matches("452"):
        raise NotApplicable(f"{answers[-1]} to RCPT number {len(answers)}: no limit with 452 found")
    data = await peer.ask(b"DATA")
    if not data.go_on:
        return data.expect("354", to=f"DATA after RCPT number {len(answers)} was answered 452")
    await deliver_to(peer, len(answers) - 1, "first")
    await peer.mail()
    again = await name_many(peer, [*[other] * (len(answers) - 2), first, other])
    if len(again) != len(answers) or again[-1].yes:
        return undetermined(f"another limit the second time: {len(answers)}, then {len(again)}")
    await peer.control(b"DATA", "354")
    await deliver_to(peer, len(answers) - 1, "last")
    arrived = len(await peer.stored(2))
    got, expected = f"{arrived} of 2 messages arrived", "both: to the first recipient, and to the last that was taken"
    return satisfied(got, expected) if arrived >= 2 else violated(got, expected)
