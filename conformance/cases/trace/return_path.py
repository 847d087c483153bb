"""Return-Path: what delivers a message for good writes the reverse-path on top (RFC 5321 §4.4)."""

from typing import Final

from conformance.case import case
from conformance.cases.trace.fields import RETURN_PATH, Header, name_of, store
from conformance.judgement import Judgement, NotApplicable, Undetermined, satisfied, violated
from conformance.message import make_message
from conformance.peer import SmtpPeer
from conformance.trace.header import RECEIVED

FORGED: Final = b"Return-Path: <forged@elsewhere.invalid>\r\n"
NULL: Final = b"<>"


async def _delivered(peer: SmtpPeer, sender: bytes | None = None, fields: bytes = b"") -> Header:
    """Deliver a message whose author is not its sender; return its header."""
    await peer.open()
    sender = peer.sender if sender is None else sender
    await peer.control(b"MAIL FROM:<" + sender + b">")
    await peer.rcpt()
    author = b"author@elsewhere.invalid"
    return await store(peer, fields + make_message(author, peer.recipient, peer.token, b"A line.\r\n"))


def _path_in(header: Header) -> bytes:
    """Return the path of the first Return-Path, as it stands there."""
    found = header.named(RETURN_PATH)
    if not found:
        raise Undetermined("there is no Return-Path: trace.return-path.added looks into that")
    return found[0].partition(b":")[2].strip()


@case("trace.return-path.added")
async def the_reverse_path_is_written_down(peer: SmtpPeer) -> Judgement:
    """Final delivery puts a Return-Path on a message."""
    found = (await _delivered(peer)).named(RETURN_PATH)
    return (satisfied if found else violated)(f"{len(found)} Return-Path fields", "one")


@case("trace.return-path.first")
async def it_stands_above_received(peer: SmtpPeer) -> Judgement:
    """Return-Path stands above every Received field."""
    header = await _delivered(peer)
    _path_in(header)
    names = [name_of(field) for field in header.fields]
    if RECEIVED not in names:
        raise Undetermined("there is no Received field")
    first = names.index(RETURN_PATH) < names.index(RECEIVED)
    got = "above" if first else "below a Received field"
    return (satisfied if first else violated)(got, "above all Received fields")


@case("trace.return-path.value")
async def it_is_the_reverse_path(peer: SmtpPeer) -> Judgement:
    """Return-Path is what MAIL said, not what the From field says."""
    if peer.subject.declared.claims.rewrites_senders:
        raise NotApplicable("reverse-paths are rewritten on purpose (claims.rewrites_senders)")
    sender = peer.marked_sender
    path = _path_in(await _delivered(peer, sender))
    local_part, _, domain = path.strip(b"<>").rpartition(b"@")
    wanted, _, wanted_domain = sender.rpartition(b"@")
    same = local_part == wanted and domain.lower() == wanted_domain.lower()
    return (satisfied if same else violated)(path.decode("ascii", "replace"), f"<{sender.decode()}>")


@case("trace.return-path.null")
async def the_null_path_is_written_as_it_is(peer: SmtpPeer) -> Judgement:
    """What came from the null reverse-path has Return-Path: <>."""
    path = _path_in(await _delivered(peer, b""))
    return (satisfied if path == NULL else violated)(path.decode("ascii", "replace"), "<>")


@case("trace.return-path.single")
async def there_is_one(peer: SmtpPeer) -> Judgement:
    """A message that came with a Return-Path has one all the same: the one that the server wrote."""
    header = await _delivered(peer, fields=FORGED)
    found = header.named(RETURN_PATH)
    if not found:
        raise Undetermined("there is no Return-Path: trace.return-path.added looks into that")
    lawful = len(found) == 1 and b"forged@" not in found[0]
    got = ", ".join(field.partition(b":")[2].strip().decode("ascii", "replace") for field in found)
    return (satisfied if lawful else violated)(got, "one, the server's own")
