"""Parameters of MAIL that few servers know: BY, MT-PRIORITY, HOLDFOR, REQUIRETLS; and LIMITS (RFC 9422)."""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer

POLICY: Final = ("530", "535", "538", "550", "553", "554")      # who may ask for it is the operator's choice
TRANSACTIONS_MAX: Final = 500
RECIPIENTS_MAX: Final = 5_000
LIMIT: Final = re.compile(r"[A-Za-z0-9_-]+(?:=[!-:<-~]+)?")
NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
NUMBERED: Final = frozenset({"MAILMAX", "RCPTMAX", "RCPTDOMAINMAX"})


async def _mail_with(peer: SmtpPeer, keyword: str, parameters: bytes) -> Judgement:
    """Judge the answer to MAIL with lawful parameters."""
    mail = await _ready(peer, keyword)
    answer = await peer.ask(mail + b" " + parameters)
    to = f"MAIL with {parameters.decode()}"
    return undetermined(f"{answer} to {to}") if answer.matches(*POLICY) else answer.expect("2yz", to=to)


async def _ready(peer: SmtpPeer, keyword: str) -> bytes:
    """Come to where MAIL with a parameter of an extension may be said; return MAIL without it, once it was taken."""
    await peer.open()
    if keyword not in peer.extensions.keywords and peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    peer.require(keyword)
    await peer.mail()
    await peer.control(b"RSET")
    return b"MAIL FROM:<" + peer.sender + b">"


async def _mail_without(peer: SmtpPeer, keyword: str, good: bytes, bad: bytes, *lawful: str) -> Judgement:
    """Judge the answer to MAIL with unlawful parameters, once lawful ones were taken."""
    mail = await _ready(peer, keyword)
    peer.must(await peer.ask(mail + b" " + good), to=b"MAIL with " + good)
    await peer.control(b"RSET")
    return (await peer.ask(mail + b" " + bad)).expect("5yz", lawful=lawful, to=f"MAIL with {bad.decode()}")


BY_GOOD: Final = {"return": b"BY=%d;R", "notify": b"BY=-1;N", "trace": b"BY=%d;RT"}
BY_BAD: Final = {"no-number": b"BY=abc", "no-mode": b"BY=120", "mode": b"BY=120;X", "twice": b"BY=9999;R BY=9999;R"}


def _by_minimum(peer: SmtpPeer) -> int | None:
    parameters = peer.extensions.keywords.get("DELIVERBY", ())
    return int(parameters[0]) if parameters and NUMBER.fullmatch(parameters[0]) else None


@case("smtp.deliverby.syntax", variants=BY_GOOD)
async def deadlines_are_taken(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """BY with a time and R or N is taken."""
    if b"%d" in parameter:
        offer = peer.subject.found.extensions
        words = offer.keywords.get("DELIVERBY", ()) if offer is not None else ()
        least = int(words[0]) if words and NUMBER.fullmatch(words[0]) else 0
        parameter %= max(3600, least)
    return await _mail_with(peer, "DELIVERBY", parameter)


@case("smtp.deliverby.syntax", variants=BY_BAD)
async def deadlines_have_a_form(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """BY of another form is refused."""
    return await _mail_without(peer, "DELIVERBY", b"BY=99999;N", parameter)


@case("smtp.deliverby.syntax", variants={"zero": b"BY=0;R"})
async def deadlines_lie_ahead(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """BY=0;R, which nobody can meet, should be refused."""
    return await _mail_without(peer, "DELIVERBY", b"BY=99999;N", parameter, "2yz")


@case("smtp.deliverby.min")
async def the_least_time_counts(peer: SmtpPeer) -> Judgement:
    """A time below the least that is offered is refused, where R asks for it."""
    mail = await _ready(peer, "DELIVERBY")
    least = _by_minimum(peer)
    if least is None or least < 2:
        raise NotApplicable("DELIVERBY names no least time")
    peer.must(await peer.ask(mail + b" BY=%d;R" % (least + 3600)), to=b"MAIL with BY")
    await peer.control(b"RSET")
    return (await peer.ask(mail + b" BY=%d;R" % (least - 1))).expect("5yz", to=f"BY={least - 1};R, less than {least}")


@case("smtp.mtpriority.syntax", variants={
    "least": b"MT-PRIORITY=-9", "most": b"MT-PRIORITY=9", "none": b"MT-PRIORITY=0",
})  # fmt: skip
async def priorities_are_taken(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """MT-PRIORITY from -9 to 9 is taken."""
    return await _mail_with(peer, "MT-PRIORITY", parameter)


PRIORITIES: Final = {
    "ten": b"MT-PRIORITY=10", "word": b"MT-PRIORITY=abc", "below": b"MT-PRIORITY=-10",
    "twice": b"MT-PRIORITY=0 MT-PRIORITY=0",
}


@case("smtp.mtpriority.syntax", variants=PRIORITIES)
async def priorities_have_a_range(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """MT-PRIORITY beyond 9, of another form, or twice, is refused."""
    return await _mail_without(peer, "MT-PRIORITY", b"MT-PRIORITY=0", parameter)


@case("smtp.futurerelease.syntax", variants={"for": b"HOLDFOR=60"})
async def mail_may_be_held(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """HOLDFOR with a time within the limit is taken."""
    return await _mail_with(peer, "FUTURERELEASE", parameter)


@case("smtp.futurerelease.syntax", variants={
    "both": b"HOLDFOR=60 HOLDUNTIL=2030-01-01T00:00:00Z", "over": b"HOLDFOR=999999999", "word": b"HOLDFOR=soon",
})  # fmt: skip
async def holding_has_a_form(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """HOLDFOR and HOLDUNTIL together, beyond the limit, or of another form, are refused."""
    return await _mail_without(peer, "FUTURERELEASE", b"HOLDFOR=60", parameter)


@case("smtp.requiretls.tls-only")
async def tls_is_promised_in_tls(peer: SmtpPeer) -> Judgement:
    """REQUIRETLS is offered inside TLS only."""
    outside, inside = peer.subject.found.extensions, peer.subject.found.extensions_in_tls
    if outside is not None and "REQUIRETLS" in outside.keywords and not peer.subject.endpoint.implicit_tls:
        return violated("REQUIRETLS is offered in clear text", "in TLS only")
    if inside is None or "REQUIRETLS" not in inside.keywords:
        raise NotApplicable("REQUIRETLS is not offered")
    return satisfied("offered in TLS only")


@case("smtp.requiretls.no-value")
async def tls_is_required_without_a_value(peer: SmtpPeer) -> Judgement:
    """REQUIRETLS with a value is refused."""
    return await _mail_without(peer, "REQUIRETLS", b"REQUIRETLS", b"REQUIRETLS=1")


@case("smtp.requiretls.in-clear")
async def tls_is_not_required_in_clear(peer: SmtpPeer) -> Judgement:
    """REQUIRETLS is refused in clear text."""
    await peer.open()
    if peer.in_tls:
        raise NotApplicable("there is no clear text here")
    await peer.mail()
    await peer.control(b"RSET")
    return (await peer.ask(b"MAIL FROM:<" + peer.sender + b"> REQUIRETLS")).expect("5yz", to="REQUIRETLS in clear text")


async def _required_and_sent_on(peer: SmtpPeer, header: bytes) -> Judgement:
    """Send mail that requires TLS to where there is none, and judge by whether it arrives there."""
    address = peer.at_sink()
    mail = await _ready(peer, "REQUIRETLS")
    if not peer.subject.declared.session.login:
        await peer.log_in()
    peer.must(await peer.ask(mail + b" REQUIRETLS"), to=b"MAIL with REQUIRETLS")
    rcpt = await peer.ask(b"RCPT TO:<" + address + b">")
    if rcpt.no:
        return satisfied(f"{rcpt} to a recipient behind a server without TLS")
    peer.must(rcpt, to=b"RCPT")
    peer.must(await peer.ask(b"DATA"), "354", to=b"DATA")
    final = await peer.end_of(peer.message(header=header))
    if final.no:
        return satisfied(f"{final} to the message")
    peer.must(final, to=b"the message")
    arrived = await peer.sent_on(1)
    return violated("sent on without TLS", "refused, or a bounce") if arrived else satisfied(f"{final}, not sent on")


@case("smtp.requiretls.no-downgrade")
async def required_tls_is_not_given_up(peer: SmtpPeer) -> Judgement:
    """Mail that requires TLS is not sent on to a server without it."""
    return await _required_and_sent_on(peer, b"")


@case("smtp.requiretls.header-ignored")
async def a_field_does_not_undo_it(peer: SmtpPeer) -> Judgement:
    """Mail that requires TLS does so whatever its field TLS-Required says."""
    return await _required_and_sent_on(peer, b"TLS-Required: No\r\n")


# LIMITS (RFC 9422).


async def _limits(peer: SmtpPeer) -> dict[str, str]:
    await peer.open()
    peer.require("LIMITS")
    return {
        name.upper(): value for name, _, value in (word.partition("=") for word in peer.extensions.keywords["LIMITS"])
    }


@case("smtp.limits.values")
async def limits_have_a_form(peer: SmtpPeer) -> Judgement:
    """LIMITS has names with values, and the known ones are numbers."""
    limits = await _limits(peer)
    words = peer.extensions.keywords["LIMITS"]
    odd = next((word for word in words if not LIMIT.fullmatch(word)), None)
    bad = next((name for name, value in limits.items() if name in NUMBERED and not NUMBER.fullmatch(value)), None)
    if odd is None and bad is None and words:
        return satisfied(" ".join(words))
    return violated(f"LIMITS {' '.join(words)}", "name=number")


@case("smtp.limits.rcptmax-honest")
async def as_many_recipients_as_promised(peer: SmtpPeer) -> Judgement:
    """RCPTMAX recipients are taken."""
    most = _number(await _limits(peer), "RCPTMAX", RECIPIENTS_MAX)
    await peer.mail()
    group = 100 if peer.extensions.pipelining else 1
    rcpt, taken = b"RCPT TO:<" + peer.recipient + b">\r\n", 0
    while taken < most:
        count = min(group, most - taken)
        await peer.send(rcpt * count)
        for _ in range(count):
            answer = await peer.answer()
            taken += 1
            if answer.reply is None or answer.matches("421", "450", "451"):
                raise Undetermined(f"{answer} to recipient number {taken}")
            if not answer.yes:
                return violated(f"{answer} to recipient number {taken}", f"{most} are taken")
    one_more = await peer.ask(rcpt.rstrip(b"\r\n"))
    got = f"{taken} taken, {one_more} to one more"
    return declined(got, f"{most}") if one_more.yes else satisfied(got)


@case("smtp.limits.mailmax-honest")
async def as_many_transactions_as_promised(peer: SmtpPeer) -> Judgement:
    """MAILMAX transactions are taken in a session."""
    most = _number(await _limits(peer), "MAILMAX", TRANSACTIONS_MAX)
    answers = await _begin_transactions(peer, most)
    if not answers or answers[-1].yes:
        return satisfied(f"{most} taken")
    number, answer = len(answers), answers[-1]
    got, expected = f"{answer} to MAIL number {number}", f"{most} are taken"
    if answer.silent or not answer.matches("421"):
        return undetermined(got) if answer.silent else violated(got, expected)
    # A server may say 421 at any time; but twice at the same transaction is a limit.
    other = peer.another()
    await other.open()
    again = await _begin_transactions(other, most)
    if len(again) == number and again[-1].matches("421"):
        return violated(f"no more than {number - 1} transactions in either of two sessions", expected)
    return undetermined(got, expected)


async def _begin_transactions(peer: SmtpPeer, most: int) -> list[Answer]:
    """Begin so many transactions, one after another, or up to the first that is not taken; return the answers."""
    answers: list[Answer] = []
    while len(answers) < most:
        answers.append(await peer.ask(b"MAIL FROM:<" + peer.sender + b">"))
        if not answers[-1].yes:
            break
        await peer.control(b"RSET")
    return answers


def _number(limits: dict[str, str], name: str, most: int) -> int:
    value = limits.get(name, "")
    if not NUMBER.fullmatch(value):
        raise NotApplicable(f"{name} is not among the limits")
    if int(value) > most:
        raise NotApplicable(f"{name}={value}: no more than {most} are tried")
    return int(value)
