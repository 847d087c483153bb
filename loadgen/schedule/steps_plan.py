"""What an arrival does whose session the scenario writes step by step."""

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from loadgen.scenario.accounts import Account
from loadgen.scenario.content import Body
from loadgen.scenario.steps import Protocol, Step, StepsSession


@dataclass(frozen=True, slots=True)
class Move:
    """One step, when its turn comes. The same step may come again."""

    step: Step
    i: int                         # which repetition, from 1; 0: it is not repeated
    think_ns: int = 0


@dataclass(frozen=True, slots=True)
class StepsPlan:
    """A session of the scenario's own steps."""

    kind: ClassVar[Literal["steps"]] = "steps"
    arrival: int
    session_name: str
    protocol: Protocol
    account: Account
    recipients: tuple[str, ...]    # Invariant: at least one, all different
    reverse_path: str
    moves: tuple[Move, ...]
    messages: tuple[tuple[int, Body], ...]    # size in octets and content of each send_message, in order

    @property
    def thinks(self) -> bool:
        """Say whether the session's length is partly the scenario's wish."""
        return any(move.think_ns for move in self.moves)


def steps_plan(
    session: StepsSession, k: int, rng: random.Random, account: Account, recipients: tuple[str, ...]
) -> StepsPlan:
    """Return what arrival `k` does: every pause, repetition and message drawn."""
    moves = tuple(_moves(session, rng))
    drawn = tuple([(session.size.sample(rng), session.content.draw(rng)) for move in moves if move.step.send_message])
    return StepsPlan(
        k, session.name or "", session.protocol, account, recipients, session.reverse_path, moves, drawn
    )


def _moves(session: StepsSession, rng: random.Random) -> Iterator[Move]:
    for step in session.steps:
        if step.repeat is None:
            yield _move(step, 0, rng)
            continue
        for i in range(1, max(1, step.repeat.sample(rng)) + 1):
            yield from (_move(each, i, rng) for each in step.steps)


def _move(step: Step, i: int, rng: random.Random) -> Move:
    return Move(step, i, 0 if step.think is None else step.think.sample(rng))


def values_of(plan: StepsPlan, hello_name: str) -> dict[str, str]:
    """Return what fills the fields of the steps' texts, save what changes on the way: recipient, i, captures."""
    account = plan.account
    return {
        "account.address": account.address,
        "account.login": account.login,
        "account.password": account.password,
        "base64.login": _base64(account.login),
        "base64.password": _base64(account.password),
        "base64.plain": _base64(f"\0{account.login}\0{account.password}"),     # RFC 4616 §2
        "reverse_path": plan.reverse_path,
        "hello": hello_name,
        "k": str(plan.arrival),
    }


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
