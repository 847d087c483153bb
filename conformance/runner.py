"""Run cases against a subject, side by side, each on connections of its own."""

import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final

import trio

from conformance.answer import SHUTTING_DOWN
from conformance.case import Case
from conformance.farewell import unless_cut_short
from conformance.finding import Finding, gravest
from conformance.judgement import (
    AskLater,
    CaseVerdict,
    Did,
    Force,
    Judgement,
    NotApplicable,
    Undetermined,
    not_applicable,
    undetermined,
    verdict_of,
)
from conformance.monitors.follow import Side
from conformance.peer import SmtpPeer
from conformance.pop3_peer import Pop3Peer
from conformance.pressure import unless_only_pressed
from conformance.room import Room
from conformance.subject import SPARED, Subject
from conformance.transcript import Speaker, Transcript

SURVIVES: Final = "core.survives-input"
SURVIVES_TITLE: Final = "Whatever a client sent, the server goes on to serve the next one"
# A server that was asked too fast may be out of breath; one that takes only so many sessions drops more until ours end.
LOOK_AGAIN_S: Final = (0.0, 1.0, 4.0, 10.0)
ATTEMPTS: Final = 4                   # of a case that the server had no room for
CASE_LIMIT_S: Final = 120.0
LEAVE_S: Final = 0.05                 # for a goodbye nobody judges


@dataclass(frozen=True, slots=True)
class Planned:
    """A case that is to be run, and all that its verdict depends on besides the server."""

    case: Case
    force: Force
    lacking: str | None = None        # why it cannot be run against this subject; None: it can
    slow: bool = False                # waits for minutes, and nothing else: does not count against `parallel`


@dataclass(frozen=True, slots=True)
class Manner:
    """How cases are run."""

    parallel: int = 16
    repeat: int = 1
    strict: bool = False
    limit_s: float = CASE_LIMIT_S     # for one case that is not slow
    slow_limit_s: float = 1200.0


@dataclass(frozen=True, slots=True)
class _Asked:
    judgement: Judgement
    transcript: tuple[str, ...]
    seconds: float
    ours: bool = False                # the case broke, not the server
    turned_away: bool = False         # the server would not begin a session just then


Observe = Callable[[Finding], None]


async def run_cases(
    planned: Sequence[Planned], subject: Subject, manner: Manner, observe: Observe = lambda _: None
) -> list[Finding]:
    """Run every case and return a finding for each, in the order planned, and more for what a case left behind.

    Slow cases wait beside the others; those that must be alone come last, one after another. Where nobody hands in
    mail, those that delete some are put off until all others were run, and those that delete all until then.
    `observe` is called with each finding as it is made.
    """
    findings: dict[str, list[Finding]] = {}
    room = Room(manner.parallel)
    due, put_off = planned, list[Planned]()

    async def run(item: Planned, room: Room | None) -> None:
        try:
            findings[item.case.id] = made = await _findings(item, subject, manner, room)
        except AskLater:
            put_off.append(item)
            return
        for finding in made:
            observe(finding)

    for spared in SPARED if subject.is_pop3 and subject.deliverer is None else SPARED[-1:]:
        subject.spared = spared
        await _run_all(due, run, room)
        due, put_off = put_off, []
    assert len(findings) == len(planned), "a case that silently did not run"
    return [finding for item in planned for finding in findings[item.case.id]]


async def _run_all(
    planned: Sequence[Planned], run: Callable[[Planned, Room | None], Awaitable[None]], room: Room
) -> None:
    async with trio.open_nursery() as nursery:
        for item in planned:
            if item.slow:
                nursery.start_soon(run, item, None)
        async with trio.open_nursery() as quick:
            for item in planned:
                if not (item.slow or item.case.alone):
                    quick.start_soon(run, item, room)
        for item in planned:
            if item.case.alone and not item.slow:
                await run(item, None)


async def _findings(item: Planned, subject: Subject, manner: Manner, room: Room | None) -> list[Finding]:
    """Run one case as often as asked; the gravest of its findings counts."""
    if item.lacking is not None:
        return [_finding(item, _Asked(not_applicable(item.lacking), (), 0.0), manner)]
    made, survived = [], []
    for repetition in range(manner.repeat):
        asked, survival = await _admitted(item, subject, manner, repetition, room)
        made.append(_finding(item, asked, manner))
        survived.append(survival)
    verdicts = [finding.verdict for finding in made]
    worst = next(finding for finding in made if finding.verdict is gravest(verdicts))
    if len(set(verdicts)) > 1:
        worst = replace(worst, verdicts_seen=tuple(verdicts))
    return [worst, *[finding for finding in survived if finding is not None][:1]]


async def _admitted(
    item: Planned, subject: Subject, manner: Manner, repetition: int, room: Room | None
) -> tuple[_Asked, Finding | None]:
    """Run one case once there is room for it, again if the server had none; and look how the server took it."""
    for attempt in range(ATTEMPTS):
        async with AsyncExitStack() as stack:
            if room is not None:
                await stack.enter_async_context(room.entered())
            asked = await _asked(item, subject, manner, f"{repetition or ''}{'abc'[:attempt]}")
            if room is None or not asked.turned_away or attempt == ATTEMPTS - 1:
                return asked, await still_serves(subject, item.case.id)
            room.make_smaller()
    raise AssertionError("no attempt was the last")


async def _asked(item: Planned, subject: Subject, manner: Manner, repetition: str) -> _Asked:
    token = f"{subject.run_token}-{_short(item.case.id)}{repetition}"
    began_s = trio.current_time()
    judgement = undetermined("the case took longer than its limit")
    ours = False
    limit_s = item.case.limit_s or (manner.slow_limit_s if item.slow else manner.limit_s)
    async with AsyncExitStack() as stack:
        peer = _peer_of(item, subject, token, stack)
        with trio.move_on_after(limit_s) as limit:
            if isinstance(peer, Pop3Peer):
                peer.end_within(limit)
            try:
                judgement = await item.case.ask(peer)
            except Undetermined as why:
                judgement = undetermined(why)
            except NotApplicable as why:
                judgement = not_applicable(why)
            except AskLater:
                raise
            except ExceptionGroup as several:
                judgement, ours = _of_several(several)
            except Exception as error:   # a case that breaks must not end the others, and is told as ours
                judgement, ours = undetermined(_where(error)), True
    seconds = trio.current_time() - began_s
    if not item.case.asks_for_the_end:
        judgement = unless_cut_short(judgement, peer.transcripts)
    if subject.pressure is not None:
        judgement = unless_only_pressed(judgement, peer.transcripts, subject.pressure, began_s)
    await subject.overhear(item.case.id, peer.transcripts)
    lines = tuple(line for transcript in peer.transcripts for line in transcript.lines())
    turned_away = judgement.did is Did.UNDETERMINED and any(map(_turned_away, peer.transcripts))
    return _Asked(judgement, lines, seconds, ours, turned_away)


def _peer_of(item: Planned, subject: Subject, token: str, stack: AsyncExitStack) -> SmtpPeer | Pop3Peer:
    """Return the side of a session that a case takes."""
    if subject.is_pop3:
        return Pop3Peer(subject, token, stack, slow=item.slow)
    return SmtpPeer(subject, token, stack)


def _of_several(errors: ExceptionGroup[Exception]) -> tuple[Judgement, bool]:
    """Judge what came out of a case's own tasks; say as well whether it was the case that broke."""
    _, broken = errors.split((Undetermined, NotApplicable))
    first: BaseException = errors if broken is None else broken
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if broken is not None:
        return undetermined(_where(first)), True
    return (not_applicable if isinstance(first, NotApplicable) else undetermined)(first), False


def _turned_away(transcript: Transcript) -> bool:
    """Say whether a session was met by 421, by -ERR or by the end: so does a server greet that has enough of them."""
    told = (turn for turn in transcript.turns if turn.speaker is not Speaker.NOTE or turn.means is Side.CLOSED)
    first = next(told, None)
    if first is None or first.speaker is Speaker.CLIENT:
        return False
    return first.speaker is Speaker.NOTE or first.octets.startswith((b"421", b"-ERR"))


def _finding(item: Planned, asked: _Asked, manner: Manner) -> Finding:
    verdict = CaseVerdict.ERROR if asked.ours else verdict_of(asked.judgement.did, item.force, strict=manner.strict)
    return Finding(
        case_id=item.case.id,
        requirement=item.case.requirement,
        title=item.case.title,
        verdict=verdict,
        expected=asked.judgement.expected,
        got=asked.judgement.got,
        transcript=asked.transcript,
        seconds=asked.seconds,
    )


async def still_serves(subject: Subject, after: str) -> Finding | None:
    """Look whether the server still serves others; return a finding if it does not, having done so before.

    `after`: what was done to it, as the finding's id says. Under a load a refusal may be the load's doing.
    """
    if subject.found.unwelcome:
        return None
    for pause_s in LOOK_AGAIN_S:
        await trio.sleep(pause_s)
        async with AsyncExitStack() as stack:
            peer = _look_again(subject, stack)
            if (trouble := await _no_answer(peer)) is not None:
                continue
            with trio.move_on_after(LEAVE_S):
                await peer.quit()
            return None
    return Finding(
        case_id=f"{SURVIVES}#{after}",
        requirement=SURVIVES,
        title=SURVIVES_TITLE,
        # Hardening: no RFC says so.
        verdict=CaseVerdict.WEAK if subject.pressure is None else CaseVerdict.INCONCLUSIVE,
        expected="a new session, and what is said in it answered",
        got=trouble or "",
        transcript=tuple(peer.transcript.lines()),
    )


def _look_again(subject: Subject, stack: AsyncExitStack) -> SmtpPeer | Pop3Peer:
    token = f"{subject.run_token}-after"
    return Pop3Peer(subject, token, stack) if subject.is_pop3 else SmtpPeer(subject, token, stack)


async def _no_answer(peer: SmtpPeer | Pop3Peer) -> str | None:
    """Return how a new session was left without an answer; None: it was not. A refusal is an answer."""
    try:
        if isinstance(peer, Pop3Peer):
            greeting = await peer.answer()
            return str(greeting) if greeting.response is None else None
        answers = [await peer.answer()]
        for command in (peer.hello_line, b"NOOP"):
            if answers[-1].code != SHUTTING_DOWN:
                answers.append(await peer.ask(command))
    except Undetermined as why:
        return str(why)
    return next((str(answer) for answer in answers if answer.reply is None), None)


def _short(case_id: str) -> str:
    """Return a case's id as a word that no server has a reason to change in a header."""
    return case_id.replace(".", "-").replace("#", "-")


def _where(error: BaseException) -> str:
    """Say where a case broke."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"the case itself broke: {type(error).__name__}: {error} ({frame.name}, line {frame.lineno})"
