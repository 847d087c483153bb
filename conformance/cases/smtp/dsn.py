"""DSN's parameters: NOTIFY and ORCPT of RCPT, RET and ENVID of MAIL (RFC 3461 §4, §5.1, §5.4)."""

from itertools import permutations
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.smtp.parameters import (
    ask_mail,
    ask_rcpt,
    keyword_alone,
    mail_refuses,
    mail_takes,
    rcpt_refuses,
    rcpt_takes,
    ready_for_mail,
    ready_for_rcpt,
)
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

KEYWORD: Final = "DSN"
# RFC 3461 §5.4: these sizes must be taken. Whether they count the keyword is left open: here they do.
ENVID_OCTETS: Final = 100
ORCPT_OCTETS: Final = 500
LONGEST_NOTIFY: Final = b"NOTIFY=SUCCESS,FAILURE,DELAY"
PATH_OCTETS: Final = 256               # RFC 5321 §4.5.3.1.3
XCHARS: Final = bytes(octet for octet in range(0x21, 0x7F) if octet not in b"+=")


@case("smtp.dsn.no-param")
async def the_keyword_stands_alone(peer: SmtpPeer) -> Judgement:
    """EHLO lists DSN without parameters."""
    return await keyword_alone(peer, KEYWORD)


# what stands behind the paths of MAIL and RCPT
VALID: Final = {
    "notify": (b"", b" NOTIFY=SUCCESS,DELAY"),
    "never": (b"", b" NOTIFY=NEVER"),
    "orcpt": (b"", b" ORCPT=rfc822;%s"),
    "ret": (b" RET=HDRS", b""),
    "envid": (b" ENVID=Mail+2BProof", b""),
}


@case("smtp.dsn.valid-no-effect", variants=VALID)
async def parameters_decide_nothing(peer: SmtpPeer, parameters: tuple[bytes, bytes]) -> Judgement:
    """MAIL and RCPT are answered alike with and without valid parameters, for good recipients and bad ones."""
    addresses = (peer.recipient, peer.rejected)
    await peer.open()
    peer.require(KEYWORD)
    for address in addresses:
        without = await _envelope(peer, address, b"", b"")
        given = [parameter.replace(b"%s", address) for parameter in parameters]
        answer = await _envelope(peer, address, *given)
        got, expected = f"{without} without, {answer} with {b''.join(given).decode().strip()}", "the same answer"
        if any(one.reply is None or one.later for one in (without, answer)):
            return undetermined(got, expected)
        if answer.code // 100 != without.code // 100:
            return violated(got, expected)
    return satisfied(got, expected)


async def _envelope(peer: SmtpPeer, address: bytes, of_mail: bytes, of_rcpt: bytes) -> Answer:
    """Begin a transaction with parameters and give it up; return the answer that decided."""
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b">" + of_mail)
    if answer.yes:
        answer = await peer.ask(rcpt_command(peer, address) + of_rcpt)
        await peer.control(b"RSET")
    return answer


WORDS: Final = (b"SUCCESS", b"FAILURE", b"DELAY")
LISTS: Final = tuple(b",".join(words) for length in (2, 3) for words in permutations(WORDS, length))


@case("smtp.dsn.notify-each", variants={"never": (b"NEVER",), "alone": WORDS, "lists": LISTS})
async def every_notify_is_taken(peer: SmtpPeer, values: tuple[bytes, ...]) -> Judgement:
    """NOTIFY takes NEVER, and SUCCESS, FAILURE and DELAY alone and in all lists."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_takes(peer, *[b"NOTIFY=" + value for value in values])


@case("smtp.dsn.notify-case")
async def the_case_of_notify_is_of_no_account(peer: SmtpPeer) -> Judgement:
    """NOTIFY and its values are known in any case."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_takes(peer, b"NOTIFY=success,Failure,dElAy", b"NOTIFY=never", b"notify=SUCCESS")


@case("smtp.dsn.notify-never-alone", variants={"first": b"NOTIFY=NEVER,SUCCESS", "last": b"NOTIFY=FAILURE,NEVER"})
async def never_stands_alone(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """NEVER in a list of NOTIFY is refused."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_refuses(peer, parameter)


BAD_NOTIFY: Final = {
    "word": b"NOTIFY=MAYBE",
    "second": b"NOTIFY=SUCCESS,MAYBE",
    "longer": b"NOTIFY=SUCCESSES",
    "semicolon": b"NOTIFY=SUCCESS;FAILURE",
    "empty": b"NOTIFY=",
    "alone": b"NOTIFY",
}


@case("smtp.dsn.notify-bad", variants=BAD_NOTIFY)
async def a_bad_notify_is_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A value of NOTIFY that nobody defined, or none, is refused."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_refuses(peer, parameter)


@case("smtp.dsn.notify-dup", variants={"same": b"NOTIFY=DELAY NOTIFY=DELAY", "other": b"NOTIFY=NEVER NOTIFY=SUCCESS"})
async def notify_twice_is_refused(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """NOTIFY twice is refused."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_refuses(peer, parameters)


@case("smtp.dsn.ret-values")
async def every_ret_is_taken(peer: SmtpPeer) -> Judgement:
    """RET takes FULL and HDRS, in any case."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_takes(peer, b"RET=FULL", b"RET=HDRS", b"ret=hdrs", b"Ret=Full")


BAD_RET: Final = {
    "word": b"RET=SOME",
    "longer": b"RET=HDRSX",
    "list": b"RET=FULL,HDRS",
    "empty": b"RET=",
    "alone": b"RET",
}


@case("smtp.dsn.ret-bad", variants=BAD_RET)
async def a_bad_ret_is_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """A value of RET that nobody defined, or none, is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameter)


@case("smtp.dsn.ret-dup", variants={"same": b"RET=HDRS RET=HDRS", "other": b"RET=FULL RET=HDRS"})
async def ret_twice_is_refused(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """RET twice is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameters)


def _filled(opening: bytes, octets: int) -> bytes:
    """Return a parameter made so many octets long."""
    return opening + b"x" * (octets - len(opening))


ENCODED: Final = b"ENVID=a+2Bb+3Dc+20d"
GOOD_ENVID: Final = {"any": (b"ENVID=QQ314159", ENCODED, b"ENVID=" + XCHARS), "long": (_filled(ENCODED, ENVID_OCTETS),)}


@case("smtp.dsn.envid-ok", variants=GOOD_ENVID)
async def a_good_envid_is_taken(peer: SmtpPeer, parameters: tuple[bytes, ...]) -> Judgement:
    """ENVID takes any xtext, up to 100 characters."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_takes(peer, *parameters)


BAD_ENVID: Final = {
    "one-digit": b"ENVID=a+2",
    "no-digits": b"ENVID=a+",
    "no-hex": b"ENVID=a+ZZb",
    "lower-case": b"ENVID=a+2bc",
    "equals": b"ENVID=a=b",
    "control": b"ENVID=a\x01b",
    "eight-bit": b"ENVID=a\xe9b",
    "alone": b"ENVID",
}
READABLE: Final = b"+2b"               # lower-case digits are not in the grammar, and can only mean one thing


@case("smtp.dsn.envid-bad", variants=BAD_ENVID)
async def a_bad_envid_is_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """An ENVID that is no xtext is refused."""
    await ready_for_mail(peer, KEYWORD)
    answer = await ask_mail(peer, parameter)
    if answer.yes and READABLE in parameter:
        return declined(f"{answer} to hexadecimal digits in lower case", "501")
    return answer.expect("5yz", to=f"MAIL with {printable(parameter)}")


@case("smtp.dsn.envid-dup", variants={"same": b"ENVID=one ENVID=one", "other": b"ENVID=one ENVID=two"})
async def envid_twice_is_refused(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """ENVID twice is refused."""
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameters)


@case("smtp.dsn.envid-long", variants={"a-little": 101, "much": 400})
async def a_long_envid_is_refused(peer: SmtpPeer, octets: int) -> Judgement:
    """An ENVID of more than 100 characters is refused, rather than cut or kept."""
    await ready_for_mail(peer, KEYWORD)
    answer = await ask_mail(peer, b"ENVID=" + b"x" * octets)
    return answer.expect("5yz", to=f"MAIL with an ENVID of {octets} octets")



GOOD_ORCPT: Final = {
    "own": (b"ORCPT=rfc822;%s", b"ORCPT=RFC822;%s"),
    "any": (b"ORCPT=rfc822;user+2Btag+40example.org", b"ORCPT=rfc822;" + XCHARS),
    "long": (_filled(b"ORCPT=rfc822;a+2B@", ORCPT_OCTETS),),
}


@case("smtp.dsn.orcpt-ok", variants=GOOD_ORCPT)
async def a_good_orcpt_is_taken(peer: SmtpPeer, parameters: tuple[bytes, ...]) -> Judgement:
    """ORCPT takes any xtext behind an address type, up to 500 characters."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_takes(peer, *[each.replace(b"%s", peer.recipient) for each in parameters])


@case("smtp.dsn.orcpt-unknown-type")
async def other_address_types_are_taken(peer: SmtpPeer) -> Judgement:
    """ORCPT takes addresses of other registered types: it only carries them."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_takes(peer, b"ORCPT=x400;/G+3DGiven/S+3DSurname/C+3Daq/")


BAD_ORCPT: Final = {
    "no-semicolon": b"ORCPT=rfc822",
    "no-type": b"ORCPT=;user@example.org",
    "one-digit": b"ORCPT=rfc822;user+4",
    "no-hex": b"ORCPT=rfc822;user+XXexample.org",
    "equals": b"ORCPT=rfc822;user=example.org",
    "control": b"ORCPT=rfc822;user\x01@example.org",
    "empty": b"ORCPT=",
    "alone": b"ORCPT",
}


@case("smtp.dsn.orcpt-bad", variants=BAD_ORCPT)
async def a_bad_orcpt_is_refused(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """An ORCPT without its type, or that is no xtext, is refused."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_refuses(peer, parameter)


TWICE: Final = {
    "same": b"ORCPT=rfc822;one@example.org ORCPT=rfc822;one@example.org",
    "other": b"ORCPT=rfc822;one@example.org ORCPT=rfc822;two@example.org",
}


@case("smtp.dsn.orcpt-dup", variants=TWICE)
async def orcpt_twice_is_refused(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """ORCPT twice is refused."""
    await ready_for_rcpt(peer, KEYWORD)
    return await rcpt_refuses(peer, parameters)


OF_RCPT: Final = {"ret": b"RET=FULL", "envid": b"ENVID=QQ314159"}
OF_MAIL: Final = {"notify": b"NOTIFY=SUCCESS", "orcpt": b"ORCPT=rfc822;user@example.org"}


@case("smtp.dsn.ret-on-rcpt", variants={**OF_RCPT, **OF_MAIL})
async def parameters_have_their_command(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """RET and ENVID are refused on RCPT, NOTIFY and ORCPT on MAIL."""
    if parameter in OF_RCPT.values():
        await ready_for_rcpt(peer, KEYWORD)
        return await rcpt_refuses(peer, parameter)
    await ready_for_mail(peer, KEYWORD)
    return await mail_refuses(peer, parameter)


UNASKED: Final = {"helo-notify": b"NOTIFY=NEVER", "helo-ret": b"RET=HDRS", "ehlo-notify": b"NOTIFY=NEVER"}


@case("smtp.dsn.unadvertised", variants={name: name for name in UNASKED})
async def parameters_are_refused_where_not_offered(peer: SmtpPeer, name: str) -> Judgement:
    """The parameters of DSN are refused after HELO, and where EHLO did not list DSN."""
    if name.startswith("ehlo"):
        await peer.open()
        if KEYWORD in peer.extensions.keywords:
            raise NotApplicable("DSN is offered")
    else:
        await peer.greet()
        await peer.helo()
    await peer.begin_transaction()
    if name.endswith("ret"):
        await peer.control(b"RSET")
    asked = ask_mail if name.endswith("ret") else ask_rcpt
    answer = await asked(peer, UNASKED[name])
    return answer.expect("5yz", to=f"{UNASKED[name].decode()}, which was not offered")


@case("smtp.dsn.rcpt-line-length", variants={"plain": False, "routed": True})
async def long_command_lines_are_taken(peer: SmtpPeer, routed: bool) -> Judgement:
    """RCPT is taken with parameters of the full length, whose line is longer than 512 octets."""
    await ready_for_rcpt(peer, KEYWORD)
    path = peer.recipient
    if routed:                         # obsolete, and the only lawful way to a line of this length
        route, number = b"", 0
        while len(hop := b"@relay%d.example" % number) + len(route) + len(path) + 4 < PATH_OCTETS:
            route, number = (route + b"," if route else b"") + hop, number + 1
        path = route + b":" + path
        control = await peer.ask(rcpt_command(peer, path))
        if not control.yes:
            raise Undetermined(f"{control} to a long source route")
    line = rcpt_command(peer, path) + b" " + LONGEST_NOTIFY + b" " + _filled(b"ORCPT=rfc822;", ORCPT_OCTETS)
    return (await peer.ask(line)).expect("2yz", to=f"RCPT of {len(line)} octets")
