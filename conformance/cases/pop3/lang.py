"""LANG: the languages that a server speaks to people in (RFC 6856 §3)."""

import re
from typing import Final

from conformance.case import case
from conformance.cases.pop3.offers import judge_list
from conformance.judgement import Judgement, NotApplicable, Undetermined, declined, satisfied, undetermined, violated
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer
from loadgen.wire.printable import printable

_TAG: Final = rb"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*"                # RFC 5646 §2.1, loosely
_LISTING: Final = re.compile(_TAG + rb"(?: [^\r\n]+)?")
NOBODY_SPEAKS: Final = {"private": b"x-mailproof", "unknown": b"qaa-x-none", "no-tag": b"mail_proof"}


async def _languages(peer: Pop3Peer) -> list[bytes]:
    """Return the tags that LANG lists; NotApplicable if it lists none."""
    answer = await peer.ask(b"LANG")
    if answer.err and not answer.not_now:
        raise NotApplicable(f"{answer} to LANG")
    Pop3Peer.must(answer, to=b"LANG")
    tags = [line.partition(b" ")[0] for line in answer.lines if _LISTING.fullmatch(line)]
    if not tags:
        raise NotApplicable("LANG lists no language")
    return tags


@case("pop3.lang.list", variants={"before-login": False, "after-login": True})
async def languages_are_listed(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """LANG alone lists tags, each perhaps with a description, or is refused."""
    if logged_in:
        await peer.log_in()
    else:
        await peer.prelude()
    answer = await peer.ask(b"LANG")
    if answer.err:
        return undetermined(answer) if answer.not_now else satisfied(f"{answer} to LANG")
    if not answer.ok:
        await peer.hang_up()
        other = peer.another()
        await (other.log_in() if logged_in else other.prelude())
        return await judge_list(other, b"LANG")
    odd = next((line for line in answer.lines if not _is_listing(line)), None)
    if odd is not None:
        return violated(f'"{printable(odd, 120)}"', "a language tag, and a space and a description if there is one")
    return satisfied(f"{answer} to LANG")


def _is_listing(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _LISTING.fullmatch(line) is not None


def _judge_set(answer: Pop3Answer, tag: bytes, to: str) -> Judgement:
    """Judge the answer to a language that is listed: its tag, and a space and words."""
    if not answer.ok:
        return answer.expect("+OK", to=to)
    said = answer.text.partition(b" ")[0]
    expected = f"+OK {tag.decode()} and words"
    return (satisfied if said.lower() == tag.lower() else violated)(f"{answer} to {to}", expected)


@case("pop3.lang.set", variants={"listed": bytes, "lower": bytes.lower, "upper": bytes.upper})
async def a_listed_language_can_be_had(peer: Pop3Peer, written: object) -> Judgement:
    """LANG with a tag that is listed, in whatever case, is answered with +OK and that tag."""
    assert callable(written)
    await peer.prelude()
    for tag in await _languages(peer):
        judgement = _judge_set(await peer.ask(b"LANG " + written(tag)), tag, f"LANG {written(tag).decode()}")
        if judgement.did != satisfied("").did:
            return judgement
    return judgement


@case("pop3.lang.set", variants={"any": None})
async def the_server_may_choose(peer: Pop3Peer, _: None) -> Judgement:
    """LANG * is answered with +OK and the tag of the server's choice, or refused."""
    await peer.prelude()
    await _languages(peer)
    answer = await peer.ask(b"LANG *")
    if answer.err and not answer.not_now:
        return declined(f"{answer} to LANG *", "+OK and a tag")
    if not answer.ok:
        return answer.expect("+OK", to="LANG *")
    said = answer.text.partition(b" ")[0]
    return (satisfied if re.fullmatch(_TAG, said) else violated)(f"{answer} to LANG *", "+OK and a tag")


@case("pop3.lang.unknown", variants=NOBODY_SPEAKS)
async def nobody_speaks_all_languages(peer: Pop3Peer, tag: bytes) -> Judgement:
    """LANG with a tag that nobody speaks is refused, and the language stays."""
    await peer.prelude()
    tags = await _languages(peer)
    if tag in tags:
        raise Undetermined(f"{tag.decode()} is listed")
    before = await peer.ask(b"MAILPROOF")
    answer = await peer.ask(b"LANG " + tag)
    to = f"LANG {tag.decode()}"
    if not answer.err:
        return answer.expect("-ERR", to=to)
    after = await peer.ask(b"MAILPROOF")
    if before.response is None or after.response is None:
        return undetermined(f"{before}, then {after} to an unknown command")
    got = f'{answer} to {to}, then "{printable(after.text, 80)}"'
    return satisfied(got) if before.text == after.text else violated(got, f'then "{printable(before.text, 80)}"')


@case("pop3.lang.both-states")
async def the_language_may_change_later(peer: Pop3Peer) -> Judgement:
    """LANG with a listed tag is taken before the login and after it."""
    await peer.maildrops()
    await peer.prelude()
    tag = (await _languages(peer))[0]
    before = await peer.ask(b"LANG " + tag)
    await peer.log_in()
    after = await peer.ask(b"LANG " + tag)
    got = f"{before} before the login, {after} after it"
    if any(answer.response is None or answer.not_now for answer in (before, after)):
        return undetermined(got)
    return satisfied(got) if before.ok and after.ok else violated(got, "+OK in both")
