"""How long a line of an AUTH exchange may be, and what may stand in it (RFC 4954 §4)."""

from base64 import b64encode
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smtp.logins import begin, judge_refusal, ready_for
from conformance.judgement import (
    Judgement,
    NotApplicable,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
    weakened,
)
from conformance.peer import SmtpPeer

# RFC 4616 §2 with three fields of 255 octets, in base64: the longest line that PLAIN has.
LONGEST_PLAIN: Final = b64encode(b"a" * 255 + b"\0" + b"b" * 255 + b"\0" + b"c" * 255)
LINE_12288: Final = b"eA" + b"A" * (12_288 - 4)       # with CRLF; base64 of one long field without a NUL
LINE_TOO_LONG: Final = b"A" * 100_000


async def _answers_to(peer: SmtpPeer, line: bytes) -> tuple[Answer, bool]:
    """Return the answer to a response, and whether more came than was owed."""
    await begin(peer)
    answer = await peer.ask(line)
    if answer.reply is None or answer.matches("421"):
        return answer, False
    if answer.go_on:
        return answer, False
    more = await peer.answer_or_silence()
    return answer, more.reply is not None and not more.matches("421")


@case("smtp.auth.line-mech-max", variants={"1024": LONGEST_PLAIN})
async def the_longest_response_of_plain_is_taken(peer: SmtpPeer, line: bytes) -> Judgement:
    """The longest response that PLAIN has, of 1,024 octets, is one line."""
    answer, more = await _answers_to(peer, line)
    to = f"a response of {len(line)} octets"
    if more:
        return violated(f"{answer} and more to {to}", "one answer")
    if answer.matches("501"):                 # may also be said of any login that is not liked
        return declined(f"{answer} to {to}", "535")
    return violated(f"{answer} to {to}", "535") if answer.matches("500") else answer.expect("5yz", "235", to=to)


@case("smtp.auth.line-mech-max", variants={"12288": LINE_12288})
async def a_long_response_is_answered_once(peer: SmtpPeer, line: bytes) -> Judgement:
    """A response of 12,288 octets gets one answer, whatever it is: its rest is no command."""
    answer, more = await _answers_to(peer, line)
    if more:
        return violated(f"{answer} and more to a response of 12,288 octets", "one answer")
    if answer.silent:
        return undetermined(answer)
    return judge_refusal(answer, "a response of 12,288 octets")


@case("smtp.auth.line-12288")
async def a_long_response_is_read(peer: SmtpPeer) -> Judgement:
    """A response of 12,288 octets is not too long."""
    answer, _ = await _answers_to(peer, LINE_12288)
    to = "a response of 12,288 octets"
    if answer.closed or answer.matches("500", "421"):
        return violated(f"{answer} to {to}", "501 or 535")
    return answer.expect("5yz", to=to)


@case("smtp.auth.line-too-long")
async def an_endless_response_ends(peer: SmtpPeer) -> Judgement:
    """A response of 100,000 octets is refused, or the connection ends."""
    answer, _ = await _answers_to(peer, LINE_TOO_LONG)
    to = "a response of 100,000 octets"
    return violated(f"{answer} to {to}", "5yz or a close") if answer.silent else judge_refusal(answer, to)


@case("smtp.auth.ir-server-first")
async def who_speaks_second_has_no_initial_response(peer: SmtpPeer) -> Judgement:
    """CRAM-MD5, in which the server speaks first, takes no initial response: 501."""
    await begin(peer.another(), "CRAM-MD5")
    await ready_for(peer, "CRAM-MD5")
    answer = await peer.ask(b"AUTH CRAM-MD5 " + b64encode(b"mailproof 0123456789abcdef"))
    return answer.expect("501", lawful=("5yz",), to="AUTH CRAM-MD5 with an initial response")


@case("smtp.auth.equals-ir", variants={"plain": "PLAIN"})
async def an_equals_sign_is_no_login(peer: SmtpPeer, mechanism: str) -> Judgement:
    """= as the initial response of PLAIN is an empty one, which lets nobody in."""
    await begin(peer.another(), mechanism)
    await ready_for(peer, mechanism)
    return (await peer.ask(b"AUTH PLAIN =")).expect("5yz", lawful=("334",), to="AUTH PLAIN =")


@case("smtp.auth.equals-ir", variants={"external": "EXTERNAL"})
async def an_equals_sign_is_an_empty_response(peer: SmtpPeer, mechanism: str) -> Judgement:
    """= as the initial response of EXTERNAL is an empty one, and not bad base64."""
    later = peer.another()
    await ready_for(later, mechanism)
    empty = await later.ask(b"AUTH EXTERNAL")
    if empty.go_on:
        empty = await later.ask(b"")
    await ready_for(peer, mechanism)
    answer = await peer.ask(b"AUTH EXTERNAL =")
    got = f"{answer} to AUTH EXTERNAL =, {empty} to an empty response"
    if answer.reply is None or empty.reply is None or answer.later:
        return undetermined(got)
    return violated(got, "the same") if answer.matches("501") and not empty.matches("501") else satisfied(got)


@case("smtp.auth.pipelined-plain", variants={"plain": b"AUTH PLAIN ", "login": b"AUTH LOGIN"})
async def auth_in_a_group(peer: SmtpPeer, command: bytes) -> Judgement:
    """What AUTH is answered with MAIL and RCPT behind it in one segment is recorded."""
    mail, rcpt = b"MAIL FROM:<" + peer.sender + b">", b"RCPT TO:<" + peer.recipient + b">"
    await ready_for(peer, command.split()[1].decode())
    peer.require("PIPELINING")
    login, password = peer.login
    if command.endswith(b" "):
        command += b64encode(f"\0{login}\0{password}".encode())
    await peer.send(b"".join(line + b"\r\n" for line in (command, mail, rcpt)))
    answers = [await peer.answer()]
    while len(answers) < 3 and answers[-1].reply is not None:
        answers.append(await peer.answer_or_silence())
    return observed(", ".join(str(answer) for answer in answers))


# AUTH= of MAIL (RFC 4954 §5).

XTEXT: Final = b"AUTH=e+3Dmc2@example.com"
ADDRESS_OCTETS_MAX: Final = 254         # RFC 5321 §4.5.3.1.3, without the brackets
LABEL: Final = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"


async def _may_name_a_submitter(peer: SmtpPeer, *, logged_in: bool) -> bytes:
    """Come to where MAIL may be said with AUTH=; return the command without it, once it was seen to be taken."""
    await peer.open()
    if "AUTH" not in peer.extensions.keywords and peer.extensions.starttls and not peer.in_tls:
        await peer.start_tls()
    peer.require("AUTH")
    if logged_in and not peer.subject.declared.session.login:
        await peer.log_in()
    mail = b"MAIL FROM:<" + peer.sender + b">"
    await peer.control(mail)
    await peer.control(b"RSET")
    return mail


@case("smtp.auth.mail-param")
async def nobody_may_be_the_submitter(peer: SmtpPeer) -> Judgement:
    """MAIL takes AUTH=<>, without a login too."""
    mail = await _may_name_a_submitter(peer, logged_in=False)
    return (await peer.ask(mail + b" AUTH=<>")).expect("2yz", to="MAIL with AUTH=<>")


@case("smtp.auth.mail-param-xtext", variants={"logged-in": True, "stranger": False})
async def a_submitter_is_named_in_xtext(peer: SmtpPeer, logged_in: bool) -> Judgement:
    """MAIL takes AUTH= with an address in xtext, whoever says it."""
    mail = await _may_name_a_submitter(peer, logged_in=logged_in)
    return (await peer.ask(mail + b" " + XTEXT)).expect("2yz", to=f"MAIL with {XTEXT.decode()}")


BAD_SUBMITTERS: Final = {"no-hex": b"AUTH=+ZZ", "empty": b"AUTH=", "end": b"AUTH=a@example.com+3"}


@case("smtp.auth.mail-param-bad", variants=BAD_SUBMITTERS)
async def a_submitter_is_xtext_or_nothing(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """AUTH= with what is no xtext is refused."""
    mail = await _may_name_a_submitter(peer, logged_in=True)
    peer.must(await peer.ask(mail + b" " + XTEXT), to=b"MAIL with AUTH=")
    await peer.control(b"RSET")
    return (await peer.ask(mail + b" " + parameter)).expect("5yz", to=f"MAIL with {parameter.decode()}")


@case("smtp.auth.mail-param-bad", variants={"lower-hex": b"AUTH=e+3dmc2@example.com"})
async def xtext_is_in_upper_case(peer: SmtpPeer, parameter: bytes) -> Judgement:
    """AUTH= with xtext in lower case need not be understood."""
    mail = await _may_name_a_submitter(peer, logged_in=True)
    peer.must(await peer.ask(mail + b" " + XTEXT), to=b"MAIL with AUTH=")
    await peer.control(b"RSET")
    answer = await peer.ask(mail + b" " + parameter)
    return answer.expect("5yz", lawful=("2yz",), to=f"MAIL with {parameter.decode()}")


@case("smtp.auth.mail-param-bad", variants={"twice": b"AUTH=<> AUTH=<>"})
async def there_is_one_submitter(peer: SmtpPeer, parameters: bytes) -> Judgement:
    """AUTH= given twice is refused."""
    mail = await _may_name_a_submitter(peer, logged_in=True)
    peer.must(await peer.ask(mail + b" AUTH=<>"), to=b"MAIL with AUTH=<>")
    await peer.control(b"RSET")
    answer = await peer.ask(mail + b" " + parameters)
    if answer.yes:
        return weakened(f"{answer} to MAIL with AUTH= twice", "5yz")
    return answer.expect("5yz", to="MAIL with AUTH= twice")


@case("smtp.auth.mail-line-plus-500")
async def auth_makes_mail_longer(peer: SmtpPeer) -> Judgement:
    """Where AUTH is offered, MAIL may be 500 octets longer than 512: AUTH= with a long address is taken."""
    mail = await _may_name_a_submitter(peer, logged_in=True)
    peer.must(await peer.ask(mail + b" " + XTEXT), to=b"MAIL with AUTH=")
    await peer.control(b"RSET")
    domain = b".".join([LABEL] * 3 + [b"example"])
    address = b"u" * 64 + b"@" + domain
    assert len(address) <= ADDRESS_OCTETS_MAX
    line = mail + b" AUTH=" + b"".join(b"+%02X" % octet for octet in address)
    if len(line) + 2 > 1012:
        raise NotApplicable("the reverse-path is too long for this")
    return (await peer.ask(line)).expect("2yz", to=f"MAIL of {len(line) + 2} octets")
