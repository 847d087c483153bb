"""What the server writes on top of a message: one Return-Path, from the envelope, and nothing that a client made up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.case import case
from conformance.cases.crossing.passage import NOT_THERE, begin, came, copies_of, letter
from conformance.cases.smtp.groups import rcpt_command
from conformance.cases.trace.fields import RETURN_PATH, header_of
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, violated
from conformance.peer import SmtpPeer
from loadgen.wire.transparency import stuff

FORGED: Final = b"<forged@elsewhere.invalid>"
FIELD: Final = b"X-Injected"
OLD: Final = {
    "one": b"Return-Path: " + FORGED + b"\r\n",
    "two": b"Return-Path: " + FORGED + b"\r\nReturn-path: <second@elsewhere.invalid>\r\n",
    "lower": b"return-path: " + FORGED + b"\r\n",
    "folded": b"Return-Path:\r\n " + FORGED + b"\r\n",
    "null": b"Return-Path: <>\r\n",
}


async def _paths(peer: SmtpPeer, sender: bytes, above: bytes = b"", below: bytes = b"") -> list[bytes]:
    """Send a message with fields above and below its own; return what each Return-Path says where it arrived."""
    await begin(peer, sender=sender)
    await peer.control(b"DATA", "354")
    await peer.send(stuff(above + peer.message(header=below)))
    peer.must(await peer.answer(), to=b"the message")
    found = await came(peer)
    if not found:
        raise Undetermined(NOT_THERE)
    return [b"".join(field.partition(b":")[2].split()) for field in header_of(found[0]).named(RETURN_PATH)]


def _is(path: bytes, sender: bytes) -> bool:
    """Say whether a path is the sender's, its domain in any case."""
    local, _, domain = path.strip(b"<>").rpartition(b"@")
    wanted, _, wanted_domain = sender.rpartition(b"@")
    return (local, domain.lower()) == (wanted, wanted_domain.lower())


@case("x.delivery.return-path-one", variants={**OLD, "below": None})
async def the_return_path_is_that_of_the_envelope(peer: SmtpPeer, fields: bytes | None) -> Judgement:
    """A message that came with a Return-Path has one when it arrives, and it is what MAIL said."""
    if peer.subject.declared.claims.rewrites_senders:
        raise NotApplicable("reverse-paths are rewritten on purpose (claims.rewrites_senders)")
    sender = peer.marked_sender
    paths = await _paths(peer, sender, fields or b"", OLD["one"] if fields is None else b"")
    got, expected = b", ".join(paths).decode("latin-1") or "none", f"<{sender.decode()}>"
    if not paths or not _is(paths[0], sender):
        return violated(got, expected)
    # One SHOULD be there, and who delivers MAY take off those that a message came with (RFC 5321 §4.4).
    return satisfied(got, expected) if len(paths) == 1 else declined(got, expected)


@case("x.delivery.null-return-path", variants={"plain": b"", "forged": OLD["one"]})
async def the_null_reverse_path_stays_null(peer: SmtpPeer, fields: bytes) -> Judgement:
    """What was sent from the null reverse-path arrives with Return-Path: <>."""
    paths = await _paths(peer, b"", fields)
    got = b", ".join(paths).decode("latin-1") or "none"
    return (satisfied if paths[:1] == [b"<>"] else violated)(got, "<>")


XTEXT: Final = b"a+0D+0A" + FIELD + b":+20yes@example.test"
HIDDEN: Final = b"a\r" + FIELD + b": yes"
NAMES: Final = {
    "tab": b"a.example\t" + FIELD + b":yes", "parentheses": b"a.example)\t(" + FIELD + b": yes",
    "cr": HIDDEN, "lf": b"a.example\n" + FIELD + b": yes", "percent": b"a.example%0d%0a" + FIELD + b":yes",
    "semicolon": b"a.example;" + FIELD + b":yes", "literal": b"[a\r" + FIELD + b": yes]",
    "utf8": "a\u2028".encode() + FIELD + b":yes", "next-line": b"a\x85" + FIELD + b": yes",
    "vertical-tab": b"a\x0b" + FIELD + b": yes", "form-feed": b"a\x0c" + FIELD + b": yes",
}
LOCAL_PARTS: Final = {
    "space": b'"a ' + FIELD + b': yes"', "cr": b'"a\\\r' + FIELD + b': yes"', "lf": b'"a\\\n' + FIELD + b': yes"',
    "percent": b"a%0d%0a" + FIELD + b"%3ayes", "comment": b'"a)(' + FIELD + b': yes"',
    "quote": b'"a\\"' + FIELD + b':"',
    "brackets": b'"a>\\\t<' + FIELD + b': yes"', "next-line": b'"a\xc2\x85' + FIELD + b': yes"',
}
PARAMETERS: Final = {
    "envid": (b" ENVID=" + XTEXT, b"", "DSN"), "auth": (b" AUTH=" + XTEXT, b"", "AUTH"),
    "orcpt": (b"", b" ORCPT=rfc822;" + XTEXT, "DSN"),
    "orcpt-lf": (b"", b" ORCPT=rfc822;a+0A" + FIELD + b":+20yes@example.test", "DSN"),
}


@dataclass(frozen=True, slots=True)
class Odd:
    """An odd value in one of the commands before DATA; empty: the usual one."""

    hello: bytes = b""
    sender: bytes = b""                  # a local-part
    mail: bytes = b""                    # parameters
    rcpt: bytes = b""
    needs: str = ""                      # the keyword that has to be offered


ODD: Final[dict[str, dict[str, Odd]]] = {
    "hello": {name: Odd(hello=value) for name, value in NAMES.items()},
    "mail": {name: Odd(sender=value) for name, value in LOCAL_PARTS.items()},
    "parameters": {name: Odd(mail=mail, rcpt=rcpt, needs=needs) for name, (mail, rcpt, needs) in PARAMETERS.items()},
}


@case("x.delivery.header-injection", variants=ODD)
async def no_field_comes_of_an_argument(peer: SmtpPeer, values: Mapping[str, Odd]) -> Judgement:
    """No header field comes of an odd argument, as far as the server took it."""
    await peer.must_take_mail()
    taken = [name for name, odd in values.items() if await _is_taken(peer, name, odd)]
    if not taken:
        return satisfied(f"none of {len(values)} odd values was taken")
    found = await came(peer, len(taken))
    if not found:
        raise Undetermined(NOT_THERE)
    injected = [name for name in taken if any(map(_has_field, copies_of(found, peer, name)))]
    if injected:
        return violated(f"a header field came of: {', '.join(injected)}", "none")
    return satisfied(f"none, of {len(taken)} that were taken")


async def _is_taken(peer: SmtpPeer, name: str, odd: Odd) -> bool:
    """Send a message with an odd value in its envelope; say whether it was taken, every command answered once."""
    session = peer.another()
    await session.open()
    if odd.needs and odd.needs not in session.extensions.keywords:
        return False
    sender = odd.sender + b"@" + peer.marked_sender.rpartition(b"@")[2] if odd.sender else peer.sender
    commands = (
        *([peer.hello_verb + b" " + odd.hello] if odd.hello else []),
        b"MAIL FROM:<" + sender + b">" + odd.mail, rcpt_command(peer) + odd.rcpt,
    )  # fmt: skip
    for command in commands:
        if not (await session.ask(command)).yes:
            return False
    if not (await session.ask(b"DATA")).go_on:
        return False
    await session.send(stuff(letter(peer, name)))
    return (await session.answer()).yes


def _has_field(copy: bytes) -> bool:
    header = copy.partition(b"\r\n\r\n")[0]
    return any(line.lower().startswith(FIELD.lower()) for line in re.split(rb"\r\n|\r|\n", header))
