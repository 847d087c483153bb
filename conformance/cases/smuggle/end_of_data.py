"""Nothing but CRLF.CRLF ends mail data (RFC 5321 §4.1.1.4), however it comes and wherever it stands.

The oracle counts answers: one that comes before the true end, and says 2yz, shows that the server took the look-alike
for the end. Silence, a refusal or a close at that point is lawful: keeping a bare LF, and refusing it, both are.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smuggle.forms import FORMS, GROUPED, GROUPS, REACHABLE
from conformance.judgement import Judgement, observed, satisfied, undetermined, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

ONE_ANSWER: Final = "one answer, to CRLF.CRLF"
TRUE_END: Final = b"\r\n.\r\n"
LONG_LINES: Final = (998, 1000, 1024, 2048, 4096, 8192)
BUFFERS: Final = (512, 1024, 2048, 4096, 8192, 16384)


async def _in_clear(peer: SmtpPeer) -> None:
    await peer.open()


async def _in_tls(peer: SmtpPeer) -> None:
    await peer.hello()
    if not peer.in_tls:
        await peer.start_tls()
    if peer.subject.declared.session.login:
        await peer.log_in()


async def _after_helo(peer: SmtpPeer) -> None:
    await peer.greet()
    await peer.helo()


async def _after_a_message(peer: SmtpPeer) -> None:
    await peer.open()
    await peer.begin_mail_data()
    await peer.send(stuff(peer.another_message()))
    peer.must(await peer.answer(), to=b"a message before")


OPENINGS: Final[Mapping[str, Callable[[SmtpPeer], Awaitable[None]]]] = {
    "plain": _in_clear,
    "tls": _in_tls,
    "pipelined": _in_clear,
    "octets": _in_clear,
    "cut": _in_clear,
    "helo": _after_helo,
    "second": _after_a_message,
}


async def _send(peer: SmtpPeer, before: bytes, form: bytes, setting: str) -> None:
    """Send mail data and the look-alike behind them, cut as the setting says."""
    match setting:
        case "octets":
            await peer.send(before)
            for octet in form:
                await peer.send(bytes([octet]))
        case "cut":
            middle = len(form) // 2
            await peer.send(before + form[:middle])
            await peer.send(form[middle:])
        case "pipelined":
            await peer.send(before + form + b"NOOP\r\nNOOP\r\n")
        case _:
            await peer.send(before + form)


async def smuggle(peer: SmtpPeer, form: bytes, setting: str, *, in_header: bool = False) -> Judgement:
    """Send a look-alike amid a message's data, then the true end; judge by what is answered, and when."""
    await OPENINGS[setting](peer)
    await peer.begin_mail_data()
    message = peer.message(b"A line without an end")
    head, _, body = message.partition(b"\r\n\r\n")
    before = head + b"\r\nX-Unended: a line" if in_header else head + b"\r\n\r\n" + body
    await _send(peer, before, form, setting)
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", ONE_ANSWER)
    if not early.silent:
        return satisfied(f"{early} at the look-alike", ONE_ANSWER)
    return await _to_the_true_end(peer, b"more of it")


async def _to_the_true_end(peer: SmtpPeer, rest: bytes) -> Judgement:
    await peer.send(rest + TRUE_END)
    final = await peer.answer()
    if final.reply is None and not final.closed:
        return undetermined(f"{final} after CRLF.CRLF", ONE_ANSWER)
    if not final.closed:
        second = await peer.answer_or_silence()
        if second.reply is not None and second.code != 421:
            return violated(f"{final}, then {second}: more than one answer", ONE_ANSWER)
    return satisfied(f"{final} to CRLF.CRLF", ONE_ANSWER)


def _register(name: str) -> None:
    """Register the cases on one form: one for each setting."""

    @case(f"smuggle.in.{name}", variants={setting: setting for setting in OPENINGS})
    async def question(peer: SmtpPeer, setting: str) -> Judgement:
        """What only looks like the end of mail data is content, or is refused; it is not their end."""
        return await smuggle(peer, FORMS[name].octets, setting)


def _register_group(group: str, names: tuple[str, ...]) -> None:
    """Register the cases on a group of forms: one for each form."""

    @case(f"smuggle.in.{group}", variants={name: FORMS[name].octets for name in names})
    async def question(peer: SmtpPeer, form: bytes) -> Judgement:
        """What only looks like the end of mail data is content, or is refused; it is not their end."""
        return await smuggle(peer, form, "plain")


for _name in FORMS:
    if _name not in GROUPED:
        _register(_name)
for _group, _names in GROUPS.items():
    _register_group(_group, _names)


@case("smuggle.in.header-section", variants={name: FORMS[name].octets for name in REACHABLE})
async def not_in_the_header_either(peer: SmtpPeer, form: bytes) -> Judgement:
    """What looks like the end of mail data does not end them in the header section either."""
    return await smuggle(peer, form, "plain", in_header=True)


@case("smuggle.in.control")
async def the_true_end_is_answered_once(peer: SmtpPeer) -> Judgement:
    """CRLF.CRLF ends mail data, stuffed lines and long bodies among them, and is answered once."""
    await peer.open()
    await peer.begin_mail_data()
    lines = b"".join(b".stuffed %d\r\n" % number + b"x" * 70 + b"\r\n" for number in range(200))
    await peer.send(stuff(peer.message(lines)))
    final = await peer.answer()
    if final.no:
        await peer.must_take_mail()
    if not final.yes:
        return final.expect("2yz", to="CRLF.CRLF")
    second = await peer.answer_or_silence()
    return satisfied(final, ONE_ANSWER) if second.silent else violated(f"{final}, then {second}", ONE_ANSWER)


@case("smuggle.in.crcrlf-dot-crlf")
async def a_true_end_after_a_bare_cr(peer: SmtpPeer) -> Judgement:
    """CR before the true end is no reason not to see it; refusing the bare CR is lawful."""
    await peer.open()
    await peer.begin_mail_data()
    await peer.send(peer.message(b"A line") + b"\r\r\n.\r\n")
    answer: Answer = await peer.answer_or_silence()
    return observed(f"{answer} to CRCRLF.CRLF")


@case("smuggle.in.long-line-wrap", variants={str(length): length for length in LONG_LINES})
async def a_long_line_is_one_line(peer: SmtpPeer, length: int) -> Judgement:
    """A dot amid a long line is no dot at a line's start, wherever a buffer ends."""
    await peer.open()
    await peer.begin_mail_data()
    await peer.send(peer.message(b"x" * length + b".\r\n"))
    return await _after_content(peer)


@case("smuggle.in.stuffed-boundary", variants={str(length): length for length in BUFFERS})
async def a_stuffed_dot_across_buffers(peer: SmtpPeer, length: int) -> Judgement:
    """A line of two dots is a line of one dot, wherever a buffer ends in it."""
    await peer.open()
    await peer.begin_mail_data()
    head = peer.message(b"")
    for shift in range(-3, 3):
        filler = _lines(length + shift - len(head) - 2 if shift == -3 else length + 1 - 5)
        await peer.send((head if shift == -3 else b"") + filler + b"\r\n..\r\n")
    return await _after_content(peer)


def _lines(octets: int) -> bytes:
    """Return so many octets of lines, the last of them without its end."""
    return (b"y" * 70 + b"\r\n") * (octets // 72) + b"z" * (octets % 72) if octets > 0 else b""


async def _after_content(peer: SmtpPeer) -> Judgement:
    early = await peer.answer_or_silence()
    if early.yes:
        return violated(f"{early} before the end", ONE_ANSWER)
    return await _to_the_true_end(peer, b"more of it") if early.silent else satisfied(f"{early}", ONE_ANSWER)


@case("smuggle.in.stored-count", variants={name: FORMS[name].octets for name in FORMS})
async def no_second_message_is_stored(peer: SmtpPeer, form: bytes) -> Judgement:
    """What was sent as one message is stored as one, or not at all."""
    await peer.open()
    await peer.begin_mail_data()
    envelope = b"MAIL FROM:<" + peer.sender + b">\r\nRCPT TO:<" + peer.recipient + b">\r\nDATA\r\n"
    await peer.send(peer.message(b"A line") + form + envelope + stuff(peer.message(b"Smuggled.\r\n")))
    answers = []
    while (answer := await peer.answer_or_silence()).reply is not None:
        answers.append(answer)
    arrived = await peer.stored_before_a_later_one()
    got = f"{len(arrived)} stored, after {'; '.join(map(str, answers)) or 'no answer'}"
    return violated(got, "one message or none") if len(arrived) > 1 else satisfied(got, "one message or none")


@case("smuggle.in.normalise-stuffing")
async def dots_after_bare_lf_are_one_messages(peer: SmtpPeer) -> Judgement:
    """A server that makes line ends whole handles dots by the lines it made: one message comes of it."""
    await peer.open()
    answer = await peer.deliver_as_is(peer.message(b"before\n..x\nafter\n..\nlast\r\n") + b".\r\n")
    if not answer.yes:
        return satisfied(f"{answer}: nothing was stored")
    arrived = await peer.stored_before_a_later_one()
    whole = len(arrived) == 1 and b"last" in arrived[0]
    return (satisfied if whole else violated)(f"{len(arrived)} stored", "one whole message")


@case("smuggle.in.policy-record", variants={"lf": b"one\ntwo\r\n", "cr": b"one\rtwo\r\n"})
async def what_becomes_of_bare_line_ends(peer: SmtpPeer, body: bytes) -> Judgement:
    """What a server does with a bare CR or LF in mail data is recorded."""
    await peer.open()
    return observed(await peer.deliver_as_is(peer.message(body) + b".\r\n"))
