"""How a command line is read: its case, its end, and what is no command (RFC 5321 §2.4, §4.1.1)."""

from typing import Final

from conformance.answer import Answer
from conformance.case import case
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

NONSENSE: Final = b"MAILPROOF"


def alike(answer: Answer, control: Answer, to: str) -> Judgement:
    """Judge an answer by that to the same command in its usual form: the class must be the same."""
    if answer.reply is None or answer.later or control.reply is None or control.later:
        return undetermined(f"{answer} to {to}")
    got, expected = f"{answer} to {to}", f"as to the usual form: {control}"
    return (satisfied if answer.code // 100 == control.code // 100 else violated)(got, expected)


VERBS: Final = {"noop": b"NOOP", "rset": b"RSET", "vrfy": b"VRFY postmaster", "mail": b"MAIL", "quit": b"QUIT"}


@case("smtp.cmd.case-insensitive", variants={
    **{f"{name}-lower": (verb, verb.lower()) for name, verb in VERBS.items()},
    **{f"{name}-mixed": (verb, verb.title().swapcase()) for name, verb in VERBS.items()},
})  # fmt: skip
async def verbs_have_no_case(peer: SmtpPeer, forms: tuple[bytes, bytes]) -> Judgement:
    """The case of a verb makes no difference."""
    usual, other = (form + (b" FROM:<" + peer.sender + b">" if form.upper() == b"MAIL" else b"") for form in forms)
    control = peer.another()
    await control.open()
    await peer.open()
    return alike(await peer.ask(other), await control.ask(usual), other.decode())


@case("smtp.cmd.from-to-case")
async def from_and_to_have_no_case(peer: SmtpPeer) -> Judgement:
    """FROM: and TO: may be written in any case."""
    await peer.begin_transaction()
    await peer.control(b"RSET")
    first = await peer.ask(b"mail from:<" + peer.sender + b">")
    if not first.yes:
        return first.expect("2yz", to="mail from:")
    return (await peer.ask(b"rcpt to:<" + peer.recipient + b">")).expect("2yz", to="rcpt to:")


@case("smtp.cmd.param-keyword-case")
async def keywords_of_parameters_have_no_case(peer: SmtpPeer) -> Judgement:
    """The keyword of a parameter, and BODY's value, may be written in any case."""
    await peer.open()
    peer.require("8BITMIME")
    await peer.mail(b"BODY=8BITMIME")
    await peer.control(b"RSET")
    answer = await peer.ask(b"MAIL FROM:<" + peer.sender + b"> body=8bitmime")
    return answer.expect("2yz", to="body=8bitmime")


SPACED: Final = {"noop": b"NOOP ", "rset": b"RSET ", "noop-tab": b"NOOP\t", "rset-tab": b"RSET\t"}


@case("smtp.cmd.trailing-space", variants=SPACED)
async def white_space_at_the_end_is_tolerated(peer: SmtpPeer, command: bytes) -> Judgement:
    """White space before a command's CRLF is tolerated."""
    await peer.open()
    await peer.control(command.strip())
    return (await peer.ask(command)).expect("2yz", to=f"{command.decode()!r}")


@case("smtp.cmd.no-action-before-crlf")
async def nothing_happens_before_crlf(peer: SmtpPeer) -> Judgement:
    """A command is acted on when its CRLF has come."""
    await peer.open()
    await peer.control(b"NOOP")
    await peer.send(b"NOOP")
    early = await peer.answer_or_silence()
    if early.reply is not None and early.code != 421:
        return violated(f"{early} before CRLF", "silence, then one answer")
    await peer.send(b"\r\n")
    return (await peer.answer()).expect("250", to="NOOP, its CRLF later")


@case("smtp.cmd.byte-by-byte")
async def commands_may_come_octet_by_octet(peer: SmtpPeer) -> Judgement:
    """How a session is cut into segments makes no difference."""
    control = peer.another()
    await control.hello()
    await peer.greet()
    for command in (peer.hello_line, b"MAIL FROM:<" + peer.sender + b">", b"RSET", b"NOOP", b"QUIT"):
        await peer.send_one_by_one(command + b"\r\n")
        answer = await peer.answer()
        if answer.silent:
            return violated(f"{answer} to {command[:4].decode()} in single octets", "an answer, as to a whole line")
        if not answer.yes:
            return answer.expect("2yz", to=f"{command[:4].decode()} in single octets")
    return satisfied("every command was understood")


@case("smtp.cmd.bare-lf")
async def lf_ends_no_command(peer: SmtpPeer) -> Judgement:
    """A line that ends in a bare LF is no command; most servers take it for one."""
    await peer.open()
    await peer.control(b"NOOP")
    await peer.send(b"NOOP\n")
    answer = await peer.answer_or_silence()
    return violated(answer, "silence or 5yz") if answer.yes else satisfied(answer)


@case("smtp.cmd.bare-cr")
async def cr_ends_no_command(peer: SmtpPeer) -> Judgement:
    """A line that ends in a bare CR is no command."""
    await peer.open()
    await peer.control(b"NOOP")
    await peer.send(b"NOOP\r")
    answer = await peer.answer_or_silence()
    return violated(answer, "silence or 5yz") if answer.yes else satisfied(answer)


async def one_answer_to(peer: SmtpPeer, octets: bytes) -> Judgement:
    """Send what is one line by the RFC, and judge whether it is answered as one."""
    await peer.open()
    await peer.control(b"NOOP")
    await peer.send(octets)
    first = await peer.answer()
    if first.reply is None and not first.closed:
        return undetermined(first)
    second = await peer.answer_or_silence()
    if second.reply is not None and second.code != 421:
        return violated(f"{first}, then {second}", "one answer to one line")
    return satisfied(first)


@case("smtp.cmd.embedded-lf")
async def lf_in_a_line_makes_no_two(peer: SmtpPeer) -> Judgement:
    """A bare LF does not make two commands of one line."""
    return await one_answer_to(peer, b"NOOP\nNOOP\r\n")


@case("smtp.cmd.embedded-cr")
async def cr_in_a_line_makes_no_two(peer: SmtpPeer) -> Judgement:
    """A bare CR does not make two commands of one line."""
    return await one_answer_to(peer, b"NOOP\rNOOP\r\n")


@case("smtp.cmd.unknown-500", variants={"word": NONSENSE, "x": b"XMAILPROOF"})
async def an_unknown_verb_is_500(peer: SmtpPeer, verb: bytes) -> Judgement:
    """A verb that is none is answered 500."""
    await peer.open()
    await peer.control(b"NOOP")
    return (await peer.ask(verb)).expect("500", to=verb.decode())


@case("smtp.cmd.unknown-refused")
async def an_unknown_verb_is_refused(peer: SmtpPeer) -> Judgement:
    """A verb that is none is refused."""
    await peer.open()
    await peer.control(b"NOOP")
    return (await peer.ask(NONSENSE)).expect("5yz", to=NONSENSE.decode())


@case("smtp.cmd.unknown-keeps-envelope")
async def an_unknown_verb_keeps_the_envelope(peer: SmtpPeer) -> Judgement:
    """A verb that is none leaves a transaction as it was."""
    await peer.begin_transaction()
    refused = await peer.ask(NONSENSE)
    if not refused.no:
        return undetermined(f"{refused} to {NONSENSE.decode()}")
    return (await peer.ask(b"DATA")).expect("354", to="DATA after an unknown verb")


REQUIRED: Final = ("EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY")


@case("smtp.cmd.required-verbs", variants={verb.lower(): verb for verb in REQUIRED})
async def the_required_verbs_are_known(peer: SmtpPeer, verb: str) -> Judgement:
    """The verbs every server must know are known."""
    if peer.subject.is_lmtp and verb == "HELO":
        raise NotApplicable("LMTP has no HELO")
    await (peer.greet() if verb in {"EHLO", "HELO"} else peer.open())
    words = {
        "EHLO": peer.hello_line,
        "HELO": b"HELO " + peer.hello_name,
        "MAIL": b"MAIL FROM:<" + peer.promised_sender + b">",
        "RCPT": b"RCPT TO:<postmaster>",
        "VRFY": b"VRFY postmaster",
    }
    answer = await peer.ask(words.get(verb, verb.encode()))
    if answer.matches("500"):
        return violated(f"{answer} to {verb}", "a verb that is known")
    return answer.expect("2yz", "3yz", "4yz", "5yz", to=verb)


@case("smtp.cmd.empty-line")
async def an_empty_line_is_answered(peer: SmtpPeer) -> Judgement:
    """An empty line is refused, and the session goes on."""
    await peer.open()
    answer = await peer.ask(b"")
    if answer.closed or answer.silent:
        return weakened(f"{answer} on an empty line", "5yz")
    after = await peer.still_there()
    if answer.matches("421") or after.matches("421"):
        return declined(f"{answer}, then {after} to NOOP", "a usable session")
    return satisfied(answer) if after.yes else weakened(f"{answer}, then {after} to NOOP", "a usable session")


CONTROL: Final = {
    f"{verb}-{name}": (verb, octet)
    for verb in ("mail", "rcpt")
    for name, octet in {"nul": b"\0", "bel": b"\a", "del": b"\x7f"}.items()
}


@case("smtp.cmd.control-octets", variants=CONTROL)
async def control_octets_are_refused(peer: SmtpPeer, what: tuple[str, bytes]) -> Judgement:
    """A control octet in an address is refused."""
    verb, octet = what
    await peer.open()
    await peer.mail()
    if verb == "mail":
        await peer.control(b"RSET")
        answer = await peer.ask(b"MAIL FROM:<us" + octet + b"er@example.test>")
    else:
        answer = await peer.ask(b"RCPT TO:<" + peer.recipient[:2] + octet + peer.recipient[2:] + b">")
    return answer.expect("5yz", to=f"{verb.upper()} with a control octet")


@case("smtp.cmd.8bit-envelope", variants={"mail": "mail", "rcpt": "rcpt"})
async def utf8_needs_smtputf8(peer: SmtpPeer, verb: str) -> Judgement:
    """UTF-8 in an address is refused where SMTPUTF8 was not asked for."""
    await peer.open()
    await peer.mail()
    if verb == "mail":
        await peer.control(b"RSET")
        return (await peer.ask("MAIL FROM:<grüße@example.test>".encode())).expect("5yz", to="MAIL in UTF-8")
    return (await peer.ask("RCPT TO:<grüße@example.test>".encode())).expect("5yz", to="RCPT in UTF-8")


@case("smtp.cmd.data-args")
async def data_takes_no_argument(peer: SmtpPeer) -> Judgement:
    """DATA with an argument is refused."""
    await peer.begin_transaction()
    return (await peer.ask(b"DATA x")).expect("501", lawful=("5yz",), to="DATA x")


@case("smtp.cmd.rset-args")
async def rset_takes_no_argument(peer: SmtpPeer) -> Judgement:
    """RSET with an argument is refused."""
    await peer.open()
    await peer.control(b"RSET")
    return (await peer.ask(b"RSET x")).expect("501", to="RSET x")


@case("smtp.cmd.quit-args")
async def quit_takes_no_argument(peer: SmtpPeer) -> Judgement:
    """QUIT with an argument is refused."""
    await peer.open()
    return (await peer.ask(b"QUIT x")).expect("501", to="QUIT x")


@case("smtp.cmd.leading-space")
async def white_space_before_a_verb(peer: SmtpPeer) -> Judgement:
    """What a server does with white space before a verb is recorded."""
    await peer.open()
    return observed(await peer.ask(b" NOOP"))


@case("smtp.cmd.turn-refused")
async def turn_is_refused(peer: SmtpPeer) -> Judgement:
    """TURN, which hands mail to whoever asks, is refused."""
    await peer.hello()
    return (await peer.ask(b"TURN")).expect("5yz", to="TURN")


@case("smtp.cmd.send-family", variants={verb.lower(): verb for verb in ("SEND", "SOML", "SAML")})
async def send_and_its_kin_are_refused(peer: SmtpPeer, verb: str) -> Judgement:
    """SEND, SOML and SAML are obsolete: refused, or listed by EHLO."""
    await peer.open()
    answer = await peer.ask(verb.encode() + b" FROM:<" + peer.promised_sender + b">")
    if answer.yes and verb in peer.extensions.keywords:
        return declined(f"{answer}; {verb} is listed")
    return answer.expect("5yz", to=verb)


PRIVATE: Final = {
    "xclient": b"XCLIENT ADDR=192.0.2.1", "xforward": b"XFORWARD ADDR=192.0.2.1", "debug": b"DEBUG", "wiz": b"WIZ",
    "xexch50": b"XEXCH50 1 2",
}  # fmt: skip


@case("smtp.cmd.private-verbs-closed", variants=PRIVATE)
async def private_verbs_are_for_friends(peer: SmtpPeer, command: bytes) -> Judgement:
    """Verbs that are meant for a server's own friends are refused to strangers."""
    await peer.hello()
    answer = await peer.ask(command)
    if answer.yes or answer.go_on:
        return weakened(f"{answer} to {command.decode()}", "5yz")
    return satisfied(answer) if answer.reply is not None else undetermined(answer)


@case("smtp.cmd.http-cross-protocol")
async def a_browser_sends_no_mail(peer: SmtpPeer) -> Judgement:
    """A request of HTTP with commands in its body sends no mail."""
    await peer.greet()
    body = peer.hello_verb + b" x\r\nMAIL FROM:<" + peer.sender + b">\r\nRCPT TO:<" + peer.recipient + b">\r\nDATA\r\n"
    await peer.send(b"POST / HTTP/1.1\r\nHost: mail.example.test\r\nContent-Length: 120\r\n\r\n" + body)
    answers = []
    while (answer := await peer.answer_or_silence()).reply is not None:
        answers.append(answer)
    reached = any(answer.go_on for answer in answers)
    got = "; ".join(map(str, answers)) or "no answer"
    return weakened(got, "a close, or no 354") if reached else satisfied(got)


@case("smtp.cmd.oversync")
async def impatience_keeps_its_order(peer: SmtpPeer) -> Judgement:
    """Commands sent before EHLO was answered are answered in order, or the session is ended."""
    await peer.greet()
    await peer.send(peer.hello_line + b"\r\nNOOP\r\nQUIT\r\n")
    answers = []
    while (answer := await peer.answer_or_silence()).reply is not None:
        answers.append(answer)
    codes = [answer.code for answer in answers]
    got = "; ".join(map(str, answers)) or str(answer)
    lawful = codes == [250, 250, 221] or (codes and codes[-1] // 100 in {4, 5} and len(codes) <= 3)
    return satisfied(got) if lawful else weakened(got, "250, 250, 221, or a refusal")
