"""The passive requirements in a run: the conversations of all its cases, held against the monitors."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import trio

from conformance.case import OVER_LMTP
from conformance.catalogue.requirement import Level, Requirement
from conformance.finding import Finding
from conformance.judgement import Did, verdict_of
from conformance.monitors.follow import Conversation
from conformance.monitors.follow_pop3 import Pop3Conversation
from conformance.monitors.monitor import Tally
from conformance.monitors.sessions import Banners
from conformance.monitors.watch import SmtpWatch
from conformance.monitors.watch_pop3 import Pop3Watch
from conformance.plan import force_of
from conformance.selection import Selection
from conformance.transcript import Transcript
from loadgen.endpoint import Protocol

T = TypeVar("T")
_EXCHANGES_A_TURN: Final = 32        # about 3 ms; then others, who may be timing a server, have theirs


class Overhearing:
    """What the monitors have seen of one endpoint so far."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._lmtp = protocol == "lmtp"
        self._tally = Tally()
        self._banners = Banners()
        self._evidence: dict[str, tuple[str, tuple[str, ...]]] = {}     # of the first departure: case, transcript

    async def hear(self, case_id: str, transcripts: Sequence[Transcript]) -> None:
        """Watch a case's conversations, once they are over."""
        for transcript in (one for one in transcripts if not one.aside):
            tally = await (self._heard_pop3(transcript) if self._protocol == "pop3" else self._heard_smtp(transcript))
            for requirement in tally.broken:
                if requirement not in self._evidence:
                    self._evidence[requirement] = case_id, tuple(transcript.lines())
            self._tally.merge(tally)

    async def _heard_smtp(self, transcript: Transcript) -> Tally:
        conversation = Conversation(lmtp=self._lmtp)
        async for side, octets in _in_turns(transcript.events()):
            conversation.hear(side, octets)
        watch = SmtpWatch(lmtp=self._lmtp)
        async for exchange in _in_turns(conversation.exchanges):
            watch.see(exchange)
        watch.end()
        self._banners.add(watch.steps)
        return watch.tally

    async def _heard_pop3(self, transcript: Transcript) -> Tally:
        conversation = Pop3Conversation()
        async for side, octets in _in_turns(transcript.events()):
            conversation.hear(side, octets)
        watch = Pop3Watch()
        async for exchange in _in_turns(conversation.exchanges):
            watch.see(exchange)
        return watch.tally

    def findings(
        self, requirements: Mapping[str, Requirement], selection: Selection, *, strict: bool
    ) -> Iterator[Finding]:
        """Give a finding for each passive requirement that was selected, and for each that was seen broken."""
        tally = Tally()
        tally.merge(self._tally)
        for look in self._banners.look():
            tally.add(look)
        for requirement in requirements.values():
            if not (requirement.passive and self._concerns(requirement) and selection.allows(requirement)):
                continue
            if requirement.id in tally.broken or selection.names(requirement):
                yield self._finding(requirement, tally, strict=strict)

    def _concerns(self, requirement: Requirement) -> bool:
        if self._protocol == "pop3":
            return requirement.family == "pop3"
        return requirement.family != "pop3" and (self._lmtp or requirement.family != "lmtp")

    def _finding(self, requirement: Requirement, tally: Tally, *, strict: bool) -> Finding:
        looked, broken = tally.looked[requirement.id], tally.broken[requirement.id]
        case_id, transcript = self._evidence.get(requirement.id, ("", ()))
        if broken:
            did = Did.OBSERVED if requirement.level is Level.MAY else Did.VIOLATED
            first, *others = tally.examples[requirement.id]
            got = f"{first}; {broken} of {looked} times"
            got += f", else {' and '.join(others)}" if others else ""
        elif looked:
            did, got = Did.SATISFIED, f"nothing amiss, {looked} times"
        else:
            did, got = Did.NOT_APPLICABLE, "no reply gave occasion to look"
        return Finding(
            case_id=f"{requirement.id}#{OVER_LMTP}" if self._lmtp and requirement.family != "lmtp" else requirement.id,
            requirement=requirement.id,
            title=f"{requirement.idea[0].upper()}{requirement.idea[1:]}",
            verdict=verdict_of(did, force_of(requirement), strict=strict),
            expected=requirement.passes,
            got=got,
            transcript=transcript,
            seen_in=case_id,
        )


async def _in_turns(many: Iterable[T]) -> AsyncIterator[T]:
    """Give what is in a collection, and other tasks a turn now and then."""
    for number, one in enumerate(many, 1):
        yield one
        if number % _EXCHANGES_A_TURN == 0:
            await trio.lowlevel.checkpoint()
