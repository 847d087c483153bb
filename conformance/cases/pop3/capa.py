"""CAPA, and whether what it lists is true (RFC 2449 §5, §6)."""

import re
from typing import Final

from conformance.case import case
from conformance.cases.pop3.offers import judge_list, offered, tags_of
from conformance.cases.pop3.refusals import before_login, judge_refusal_here
from conformance.judgement import (
    Judgement,
    NotApplicable,
    Undetermined,
    declined,
    observed,
    satisfied,
    undetermined,
    violated,
)
from conformance.monitors.pop3_lists import REGISTERED_TAGS
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_peer import Pop3Peer

# RFC 2595 §4 lets STLS go once it cannot be used; RFC 2449 §6.9 lets IMPLEMENTATION come later.
_MAY_GO: Final = frozenset({"STLS", "IMPLEMENTATION"})
_VERSION: Final = re.compile(r"[0-9]+[._-][0-9]+|(?:\bv|\bversion|\b20)[0-9]+", re.IGNORECASE)


@case("pop3.capa.ok")
async def what_capa_is_answered(peer: Pop3Peer) -> Judgement:
    """Whether there is CAPA is recorded."""
    await peer.prelude()
    answer = await peer.ask(b"CAPA")
    if answer.response is None:
        return undetermined(answer)
    return observed(" ".join(tags_of(answer)) if answer.ok else answer)


@case("pop3.capa.multiline", variants={"before-login": False, "after-login": True})
async def capa_is_a_list(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """CAPA is answered with +OK, lines, and a line with a dot."""
    if logged_in:
        await peer.maildrops()
    await peer.prelude()
    if peer.subject.found.pop3.capabilities is None and (refused := await peer.ask(b"CAPA")).err:
        raise NotApplicable(f"CAPA is not offered: {refused}")
    if peer.subject.found.pop3.capabilities is None:
        peer = peer.another()
        await peer.prelude()
    if logged_in:
        await peer.log_in()
    return await judge_list(peer, b"CAPA")


@case("pop3.capa.no-args", variants={"word": b"CAPA mailproof", "tag": b"CAPA TOP"})
async def capa_takes_no_argument(peer: Pop3Peer, command: bytes) -> Judgement:
    """CAPA with an argument is refused."""
    await peer.prelude()
    await offered(peer)
    return await judge_refusal_here(peer, command, before_login)


@case("pop3.capa.both-states")
async def capa_may_be_asked_in_both_states(peer: Pop3Peer) -> Judgement:
    """CAPA is answered before the login and after it."""
    await peer.maildrops()
    await peer.prelude()
    before = await peer.ask(b"CAPA")
    await peer.log_in()
    after = await peer.ask(b"CAPA")
    got = f"{before} before the login, {after} after it"
    if before.err and after.err and not (before.not_now or after.not_now):
        raise NotApplicable(f"CAPA is not offered: {got}")
    refused = [answer for answer in (before, after) if not answer.ok]
    if not refused:
        return satisfied(got)
    return violated(got, "+OK in both") if all(one.err and not one.not_now for one in refused) else undetermined(got)


@case("pop3.capa.auth-caps-remain", variants={"user": "USER", "sasl": "SASL", "others": ""})
async def nothing_is_taken_back(peer: Pop3Peer, tag: str) -> Judgement:
    """What was listed before the login is listed after it, though it may be of no use any more."""
    await peer.maildrops()
    await peer.prelude()
    before = set(await offered(peer)) & REGISTERED_TAGS
    if tag and tag not in before:
        raise NotApplicable(f"{tag} is not listed")
    await peer.log_in()
    after = set(await offered(peer))
    wanted = {tag} if tag else before - {"USER", "SASL"} - _MAY_GO
    gone = sorted(wanted - after)
    stls = ", STLS gone" if "STLS" in before - after else ", STLS still listed" if "STLS" in after else ""
    if gone:
        return violated(f"{', '.join(gone)} not listed after the login{stls}", "still listed")
    return satisfied(f"{tag or 'all'} listed{stls}")


@case("pop3.capa.case", variants={"lower": b"capa", "mixed": b"CaPa"})
async def capa_in_any_case(peer: Pop3Peer, command: bytes) -> Judgement:
    """CAPA may be written in any case."""
    await peer.prelude()
    await offered(peer)
    return (await peer.ask(command)).expect("+OK", to=command.decode())


def _judge_honesty(listed: bool, answer: Pop3Answer, tag: str, command: str) -> Judgement:
    """Hold what a command is answered against whether it is listed."""
    got = f"{answer} to {command}, {tag} {'listed' if listed else 'not listed'}"
    if answer.response is None or answer.not_now:
        return undetermined(got)
    if listed:
        return satisfied(got) if answer.ok else violated(got, "+OK")
    return declined(got, "listed") if answer.ok else satisfied(got)


HONEST: Final = {"before-login": False, "after-login": True}


async def _listed(peer: Pop3Peer, tag: str, *, logged_in: bool) -> bool:
    """Open a maildrop with a message in it, and say whether a tag was listed before that, or is after it."""
    await peer.prepare(least=1)
    await peer.prelude()
    before = await offered(peer)
    await peer.log_in()
    return tag in (await offered(peer) if logged_in else before)


@case("pop3.capa.top-honest", variants=HONEST)
async def top_is_listed_where_it_works(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """TOP works if it is listed, and is listed if it works."""
    listed = await _listed(peer, "TOP", logged_in=logged_in)
    return _judge_honesty(listed, await peer.ask(b"TOP 1 0"), "TOP", "TOP 1 0")


@case("pop3.capa.uidl-honest", variants=HONEST)
async def uidl_is_listed_where_it_works(peer: Pop3Peer, logged_in: bool) -> Judgement:
    """UIDL works if it is listed, and is listed if it works."""
    listed = await _listed(peer, "UIDL", logged_in=logged_in)
    return _judge_honesty(listed, await peer.ask(b"UIDL 1"), "UIDL", "UIDL 1")


@case("pop3.capa.user-honest")
async def user_is_listed_where_it_works(peer: Pop3Peer) -> Judgement:
    """USER and PASS work if USER is listed; some users may lack them (RFC 2449 §6.2)."""
    mine = await peer.maildrops(min(2, len(peer.subject.maildrops.every)))
    await peer.prelude()
    listed = "USER" in await offered(peer)
    if not listed:
        login, _ = await peer.login()
        return _judge_honesty(False, await peer.ask(b"USER " + login.encode()), "USER", "USER")
    if peer.subject.found.pop3.way_in is None:
        raise Undetermined("nobody could log in as the first of accounts.pop3")
    answers = [await _by_user(peer, at) for at in range(len(mine))]
    good = next((answer for answer in answers if answer.ok), None)
    if good is not None:
        return satisfied(f"{good} to USER and PASS, USER listed")
    got = ", ".join(f"{answer} to USER and PASS" for answer in answers)
    if any(answer.response is None or answer.not_now for answer in answers):
        return undetermined(got)
    return violated(f"{got}, USER listed", "+OK") if len(answers) > 1 else declined(f"{got}, USER listed", "+OK")


async def _by_user(peer: Pop3Peer, at: int) -> Pop3Answer:
    session = peer.another()
    answer = await session.insist("USER", at=at)
    if answer.ok:
        await session.quit()
    return answer


@case("pop3.capa.no-apop-tag")
async def apop_is_offered_by_the_greeting(peer: Pop3Peer) -> Judgement:
    """APOP is offered by the greeting's timestamp, and is no capability."""
    await peer.prelude()
    return violated("APOP listed", "not listed") if "APOP" in await offered(peer) else satisfied("not listed")


@case("pop3.capa.implementation")
async def strangers_are_not_told_the_version(peer: Pop3Peer) -> Judgement:
    """IMPLEMENTATION, if it is listed before the login, names no version."""
    await peer.prelude()
    words = (await offered(peer)).get("IMPLEMENTATION")
    if words is None:
        return satisfied("IMPLEMENTATION is not listed")
    said = f"IMPLEMENTATION {' '.join(words)}"
    return violated(said, "no version") if _VERSION.search(" ".join(words)) else satisfied(said)
