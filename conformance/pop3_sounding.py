"""The first look at a POP3 server: what every case would otherwise have to find out for itself."""

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from statistics import median
from typing import Final

from conformance.judgement import NotApplicable, Undetermined
from conformance.pop3_login import WAYS
from conformance.pop3_peer import AGAIN_S, Pop3Peer
from conformance.subject import Capabilities, Pop3Found, Subject
from loadgen.wire.response import parse_capabilities
from reports.errors import PreconditionFailed

ASKED: Final = 5           # times; a server that refuses CAPA may count its errors, and soon be tired of us
_OTHERS: Final = re.compile(rb"[0-9]{3}[ -]|\* |HTTP/|SSH-")         # how servers of other protocols begin
NEEDS_NOTHING: Final = ("USER", "APOP")      # ways in that are no SASL mechanism


async def sound_pop3(subject: Subject) -> None:
    """Find out greeting, capabilities, the way in and the server's pace; keep it in `subject.found`.

    Raises PreconditionFailed if no session can be had.
    """
    async with AsyncExitStack() as stack:
        try:
            peer = Pop3Peer(subject, f"{subject.run_token}-sounding", stack)
            if not await _is_greeted(subject, peer):
                return      # the cases about the greeting say what is wrong with it
            await _ask_for_capabilities(subject, peer)
        except Undetermined as trouble:
            raise PreconditionFailed(f"{subject.endpoint} cannot be judged: {trouble}") from None
        try:
            await _look_into_tls(subject, peer)
            if subject.maildrops.every:
                await _find_the_way_in(subject, stack)
        except (Undetermined, NotApplicable):
            return          # the cases that need what was not found say so


async def measure_pop3(subject: Subject, stack: AsyncExitStack) -> None:
    """Measure a sounded server's pace once more. Undetermined if no session can be had for it."""
    peer = Pop3Peer(subject, f"{subject.run_token}-sounding", stack)
    await peer.greet()
    await _ask_for_capabilities(subject, peer)


async def _is_greeted(subject: Subject, peer: Pop3Peer) -> bool:
    answer = await peer.answer()
    if answer.response is None and not (answer.closed or answer.silent) and _OTHERS.match(peer.pending):
        raise Undetermined(str(answer))
    subject.found = replace(
        subject.found, greeting=answer.octets, unwelcome="" if answer.ok else str(answer),
        slowest_s=answer.waited_s if answer.ok else 0.0,
    )  # fmt: skip
    return answer.ok


async def _ask_for_capabilities(subject: Subject, peer: Pop3Peer) -> None:
    """Ask for what is offered, several times: what it takes to answer is the server's pace.

    Whoever does not know CAPA ought to refuse it; that it is left unanswered is for the cases to find.
    """
    waits: list[float] = []
    offered: Capabilities | None = None
    for _ in range(ASKED):
        answer = await peer.ask(b"CAPA")
        if answer.response is None:
            await peer.hang_up()             # what is wrong with it is for the case about CAPA's form
            break
        waits.append(answer.waited_s)
        if not answer.ok:
            break
        offered = parse_capabilities(answer.response)
    found = subject.found
    subject.found = replace(
        found, latency_s=median(waits or [found.slowest_s]), slowest_s=max([*waits, found.slowest_s]),
        pop3=replace(found.pop3, capabilities=offered),
    )  # fmt: skip
    if answer.response is not None:
        await peer.quit()


async def _look_into_tls(subject: Subject, peer: Pop3Peer) -> None:
    found = subject.found.pop3
    if subject.endpoint.implicit_tls:
        subject.found = replace(subject.found, tls=peer.tls_facts)
        _keep(subject, replace(found, has_tls=True, capabilities_in_tls=found.capabilities))
        return
    inside = peer.another()
    await inside.greet()
    try:
        await inside.start_tls()             # listed or not: a server may forget to list it
        subject.found = replace(subject.found, tls=inside.tls_facts)
        _keep(subject, replace(found, has_tls=True))
        listed = await inside.capabilities()
    except Undetermined:
        return
    _keep(subject, replace(found, has_tls=True, capabilities_in_tls=listed))
    await inside.quit()


async def _find_the_way_in(subject: Subject, stack: AsyncExitStack) -> None:
    """Try the ways in, each in a session of its own, until one leads to the first maildrop."""
    for way in WAYS:
        peer = Pop3Peer(subject, f"{subject.run_token}-login", stack)
        await peer.prelude()
        if peer.timestamp:
            _keep(subject, replace(subject.found.pop3, timestamp=peer.timestamp))
        listed = _listed(subject.found.pop3, in_tls=peer.in_tls)
        if (way == "APOP" and not peer.timestamp) or (way not in NEEDS_NOTHING and way not in listed):
            await peer.quit()
            continue
        if await _leads_in(subject, way, peer):
            return


async def _leads_in(subject: Subject, way: str, peer: Pop3Peer) -> bool:
    """Try one way in, again where the maildrop cannot be had just now: somebody may have been in it."""
    place = subject.maildrops.every[0].place
    session = peer
    for pause_s in (*AGAIN_S, 0.0):
        await session.prelude()
        answer = await WAYS[way](session.ask, place.login, place.password, session.timestamp)
        if answer.ok:
            _keep(subject, replace(subject.found.pop3, way_in=way, messages=await session.count()))
        await session.quit()
        if not answer.not_now:
            return answer.ok
        await session.pause(pause_s)
        session = peer.another()
    return False


def _listed(found: Pop3Found, *, in_tls: bool) -> tuple[str, ...]:
    """Return the SASL mechanisms that are listed where one would log in."""
    offered = found.capabilities_in_tls if in_tls else found.capabilities
    return tuple(name.upper() for name in (offered or {}).get("SASL", ()))       # RFC 4422 §3.1


def _keep(subject: Subject, found: Pop3Found) -> None:
    subject.found = replace(subject.found, pop3=found)
