"""Walks through a session: commands in any order, held against what the state allows (RFC 5321 §4.1.4, §4.3.2).

The model is no server: it says which classes of reply are lawful in a state, and which state each leads to. Where the
RFC leaves a choice (a second MAIL may be refused, or begin anew), both lead on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from random import Random
from typing import Final

from conformance.answer import Answer
from conformance.cases.smtp.groups import mail_command, rcpt_command, take_answers
from conformance.peer import END_OF_MAIL_DATA, SmtpPeer

ERRORS_MAX: Final = 2        # in one session: servers end it after few (Exim: three)
ASIDES_MAX: Final = 5        # what is no part of a transaction: Exim ends a session after ten


class State(Enum):
    """How far a transaction is."""

    READY = auto()
    MAIL = auto()
    RCPT = auto()


class Step(StrEnum):
    """What may be said."""

    EHLO = "EHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA and a message"
    RSET = "RSET"
    NOOP = "NOOP"
    VRFY = "VRFY"
    UNKNOWN = "an unknown command"
    BAD_MAIL = "MAIL without a path"
    BAD_RCPT = "RCPT without a path"


TRANSACTION: Final = frozenset({Step.MAIL, Step.RCPT, Step.DATA})
ERRORS: Final = frozenset({Step.UNKNOWN, Step.BAD_MAIL, Step.BAD_RCPT})

# What is tried more often than the rest: the way onwards, and the ways on which servers keep what they should forget.
_LIKELY: Final = {
    State.READY: (Step.MAIL,) * 10 + (Step.RCPT,),
    State.MAIL: (Step.RCPT,) * 6 + (Step.DATA,) * 4,
    State.RCPT: (Step.DATA,) * 4 + (Step.RSET, Step.EHLO) * 3,
}

# The class of a reply -> the state it leads to; what is not there is not lawful. DATA's is of the message's reply
# where a message was sent.
Choices = Mapping[int, State]
_ANYWHERE: Final[Mapping[Step, Choices]] = {
    Step.EHLO: {2: State.READY},
    Step.RSET: {2: State.READY},
}
_SENDS: Final[Mapping[tuple[State, Step], Choices]] = {
    (State.READY, Step.MAIL): {2: State.MAIL},
    (State.MAIL, Step.MAIL): {5: State.MAIL, 2: State.MAIL},
    (State.RCPT, Step.MAIL): {5: State.RCPT, 2: State.MAIL},
    (State.READY, Step.RCPT): {5: State.READY},
    (State.MAIL, Step.RCPT): {2: State.RCPT},
    (State.RCPT, Step.RCPT): {2: State.RCPT},
    (State.READY, Step.DATA): {5: State.READY},
    (State.MAIL, Step.DATA): {5: State.MAIL},
    (State.RCPT, Step.DATA): {2: State.READY, 5: State.READY},
}


def choices(state: State, step: Step) -> Choices:
    """Return what a step may be answered in a state."""
    if step in _ANYWHERE:
        return _ANYWHERE[step]
    if (state, step) in _SENDS:
        return _SENDS[state, step]
    if step in ERRORS:
        return {5: state}
    return {2: state} if step is Step.NOOP else {2: state, 5: state}


def walk_of(random: Random, length: int) -> tuple[Step, ...]:
    """Return a walk that a server need not take for an attack: mostly onwards, now and then astray."""
    steps: list[Step] = []
    state = State.READY
    errors = asides = 0
    while len(steps) < length:
        step = random.choice((*_LIKELY[state], *Step))
        allowed = choices(state, step)
        wrong = next(iter(allowed)) == 5
        aside = step not in TRANSACTION
        if (wrong and errors == ERRORS_MAX) or (aside and asides == ASIDES_MAX):
            continue
        errors, asides = errors + wrong, asides + aside
        state = next(iter(allowed.values()))
        steps.append(step)
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Misstep:
    """An answer that the state did not allow, and the way there."""

    steps: tuple[Step, ...]          # the last of them was answered so
    answer: Answer
    allowed: str

    def __str__(self) -> str:
        """Return it for people."""
        *before, last = self.steps
        return f"{self.answer} to {last} after {', '.join(before)}" if before else f"{self.answer} to {last}"


async def walk(peer: SmtpPeer, steps: Sequence[Step]) -> Misstep | int:
    """Take a walk in a session of its own; return the misstep of the server, or how many steps it went along.

    A 4yz, a 421, silence or the end of the connection ends the walk: another case's business.
    """
    await peer.open()
    state, recipients = State.READY, 0
    for number, step in enumerate(steps):
        answer, went_on = await _take(peer, step, recipients)
        if answer.reply is None or answer.later:
            return number
        allowed = choices(state, step)
        if answer.code // 100 not in allowed:
            wanted = " or ".join(f"{digit}yz" for digit in allowed)
            return Misstep(tuple(steps[:number + 1]), answer, f"{wanted} to {step}")
        state = allowed[answer.code // 100]
        if went_on and answer.no:      # refused once it was all there: whether anything is left is the server's choice
            await peer.control(b"RSET")
            state = State.READY
        recipients = recipients + (step is Step.RCPT) if state is State.RCPT else 0
    return len(steps)


async def _take(peer: SmtpPeer, step: Step, recipients: int) -> tuple[Answer, bool]:
    """Return the answer to a step, and whether it is to a message."""
    commands = {
        Step.EHLO: peer.hello_line,
        Step.MAIL: mail_command(peer),
        Step.RCPT: rcpt_command(peer),
        Step.VRFY: b"VRFY postmaster",
        Step.UNKNOWN: b"MAILPROOF",
        Step.BAD_MAIL: b"MAIL FROM:",
        Step.BAD_RCPT: b"RCPT TO:",
    }
    answer = await peer.ask(commands.get(step, step.value[:4].encode()))
    if step is not Step.DATA or not answer.go_on:
        return answer, False
    # 354 without a recipient is lawful (RFC 5321 §3.3) as long as nothing comes of it: the message's reply counts.
    await peer.send(peer.another_message() + END_OF_MAIL_DATA)
    return (await take_answers(peer, max(1, recipients) if peer.subject.is_lmtp else 1))[0], True


async def shrink(
    misstep: Misstep, steps: tuple[Step, ...], again: Callable[[tuple[Step, ...]], Awaitable[Misstep | None]]
) -> Misstep | None:
    """Leave out step after step as long as the server still errs at the end; None if it does not err again at all."""
    found = await again(misstep.steps)
    if found is None:
        return None
    shortest, at = found, len(found.steps) - 2
    while at >= 0:
        found = await again(shortest.steps[:at] + shortest.steps[at + 1:])
        if found is None:
            at -= 1
        else:
            shortest, at = found, len(found.steps) - 2      # what was needed before may be needed no more
    return shortest
