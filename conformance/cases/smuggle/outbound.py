"""What leaves the server is framed by CRLF and its dots are stuffed, whatever came in (RFC 5321 §2.3.8, §4.5.2).

The oracle is the sink: it takes CRLF.CRLF for the end, as it must. A message that ends there before its last line has
let an end out; a look-alike that comes as it was sent ends a message at the next hop that takes it for an end.
"""

import re
from typing import Final

from conformance.answer import Answer
from conformance.case import case
from conformance.cases.smuggle.onward import begin_message, begin_submission, reaches_the_sink, what_came
from conformance.judgement import Judgement, Undetermined, satisfied, violated
from conformance.message import make_message
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable
from loadgen.wire.transparency import stuff

LAST: Final = b"the last line of this message"
TRUE_END: Final = b"\r\n.\r\n"
REFUSED: Final = "refused, or sent with its dots stuffed"
_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")

# By the last part of the requirement's id.
RAW: Final = {
    "lf-dot-lf": b"\n.\n",
    "lf-dot-crlf": b"\n.\r\n",
    "cr-dot-cr": b"\r.\r",
    "cr-dot-crlf": b"\r.\r\n",
}


def _message(peer: SmtpPeer, body: bytes, header: bytes = b"") -> bytes:
    return make_message(peer.sender, peer.at_sink(), peer.token, body, header=header)


async def _submit(peer: SmtpPeer, mail_data: bytes) -> Answer:
    """Submit mail data as they are for the sink, once an ordinary message has come there."""
    await begin_submission(peer)
    await reaches_the_sink(peer)
    await begin_message(peer, peer.at_sink())
    await peer.control(b"DATA", "354")
    await peer.send(mail_data + TRUE_END)
    return await peer.answer()


def _refused(answer: Answer, expected: str) -> Judgement:
    if answer.no or answer.later or answer.closed:
        return satisfied(f"{answer} to the message", expected)
    raise Undetermined(f"{answer} to the message")


async def _leaves(peer: SmtpPeer, form: bytes, *, raw: bool) -> Judgement:
    """Send a look-alike amid a message; it must not leave as an end, nor, with `raw`, as it is."""
    answer = await _submit(peer, _message(peer, b"A line without an end" + form + b"more of it\r\n" + LAST))
    if not answer.yes:
        return _refused(answer, REFUSED)
    came = (await what_came(peer)).mail_data
    if LAST not in came:
        return violated(f"the message ended at the sink with {printable(came[-40:])}", REFUSED)
    if raw and b"without an end" + form + b"more" in came:
        return violated(f"{printable(form)} came as it was sent", REFUSED)
    at = came.find(b"without an end")
    return satisfied(f"came as {printable(came[at + 14 : came.find(b'more of it')])}", REFUSED)


def _register(name: str, form: bytes) -> None:
    """Register the case on one look-alike."""

    @case(f"smuggle.out.{name}")
    async def question(peer: SmtpPeer) -> Judgement:
        """A server does not send on what another may take for the end of mail data."""
        return await _leaves(peer, form, raw=True)


for _name, _form in RAW.items():
    _register(_name, _form)


@case("smuggle.out.crlf-nul-dot")
async def nul_hides_no_end(peer: SmtpPeer) -> Judgement:
    """A server that takes NUL out of mail data does so before it stuffs them."""
    return await _leaves(peer, b"\r\n\0.\r\n", raw=False)


# Where making line ends whole makes a line of one dot.
NORMALISED: Final = {
    "lf-dot-lf": b"\n.\n", "lf-dot-crlf": b"\n.\r\n", "cr-dot-cr": b"\r.\r", "cr-dot-crlf": b"\r.\r\n",
    "lfcr-dot-crlf": b"\n\r.\r\n",
}  # fmt: skip


@case("smuggle.out.after-normalise", variants=NORMALISED)
async def what_was_made_whole_is_stuffed(peer: SmtpPeer, form: bytes) -> Judgement:
    """A server that makes line ends whole stuffs the lines that come of it."""
    return await _leaves(peer, form, raw=False)


BARE: Final = {
    "lf": b"one\ntwo", "cr": b"one\rtwo", "cr-before-crlf": b"one\r\r\ntwo", "lf-after-crlf": b"one\r\n\ntwo",
    "long": b"x" * 400 + b"\n" + b"y" * 400 + b"\r" + b"z" * 100,
}  # fmt: skip


@case("smuggle.out.bare-cr-lf-any", variants={**BARE, "header": None})
async def no_bare_line_end_leaves(peer: SmtpPeer, text: bytes | None) -> Judgement:
    """A server sends neither a CR nor an LF alone."""
    body = (b"" if text is None else text + b"\r\n") + LAST
    answer = await _submit(peer, _message(peer, body, b"" if text is not None else b"X-Odd: one\n two\r\n"))
    expected = "no bare CR or LF"
    if not answer.yes:
        return _refused(answer, expected)
    came = (await what_came(peer)).mail_data
    found = _BARE.search(came)
    if found is None:
        return satisfied("CRLF alone", expected)
    return violated(f"came with {printable(came[max(0, found.start() - 10) : found.end() + 10])}", expected)


DOTS: Final = (b".", b"..", b".a", b"...", b". ", b"a.", b"")


def _judge_lines(came: bytes) -> Judgement:
    """Judge the lines between the marks by those that were meant."""
    expected = "every dot at a line's start stuffed"
    if LAST not in came:
        return violated(f"the message ended at the sink with {printable(came[-40:])}", expected)
    lines = came.partition(b"\r\nfirst\r\n")[2].partition(b"\r\n" + LAST)[0].split(b"\r\n")
    got = printable(b"\r\n".join(lines))
    if len(lines) != len(DOTS):
        raise Undetermined(f"other lines came than were sent: {got}")
    # Only the dots are looked at: what else a server does to a line is another question.
    dotted = [(line.rstrip(), meant.rstrip()) for line, meant in zip(lines, DOTS, strict=True) if meant[:1] == b"."]
    stuffed = all(line == b"." + meant for line, meant in dotted)
    return (satisfied if stuffed else violated)(got, expected)


@case("smuggle.out.stuffs")
async def what_leaves_is_stuffed(peer: SmtpPeer) -> Judgement:
    """Lines that begin with a dot leave with one more."""
    body = b"\r\n".join((b"first", *DOTS, LAST))
    answer = await _submit(peer, stuff(_message(peer, body + b"\r\n"))[: -len(TRUE_END)])
    if not answer.yes:
        raise Undetermined(f"{answer} to lines with dots")
    return _judge_lines((await what_came(peer)).mail_data)


@case("smuggle.out.bdat-to-data", variants={"whole": None, "before-dot": b"\r\n", "behind-dot": b"\r\n."})
async def what_came_in_chunks_is_stuffed(peer: SmtpPeer, cut_behind: bytes | None) -> Judgement:
    """What came by BDAT, where a line of one dot is a line, is stuffed when it leaves by DATA."""
    await begin_submission(peer)
    peer.require("CHUNKING")
    await reaches_the_sink(peer)
    await begin_message(peer, peer.at_sink())
    message = _message(peer, b"\r\n".join((b"first", *DOTS, LAST)) + b"\r\n")
    middle = len(message) // 2 if cut_behind is None else message.index(b"first\r\n.\r\n") + 5 + len(cut_behind)
    chunks = (message,) if cut_behind is None else (message[:middle], message[middle:])
    for number, chunk in enumerate(chunks, 1):
        await peer.send(b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if number == len(chunks) else b"") + chunk)
        answer = await peer.answer()
    if not answer.yes:
        raise Undetermined(f"{answer} to the chunks")
    return _judge_lines((await what_came(peer)).mail_data)
