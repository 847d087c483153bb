"""Departures of the kinds that come back in every area, as functions for `Fault.around` and `Fault.outgoing`."""

import re
from collections.abc import Callable

from conformance.refserver import replies
from conformance.refserver.fault import Fault, GoOn
from conformance.refserver.replies import Reply
from conformance.refserver.session import After
from conformance.refserver.smtp_commands import COMMANDS
from conformance.refserver.smtp_state import Reading, SmtpState, State

Around = Callable[[SmtpState, bytes, bytes, GoOn], Reply | None]
When = Callable[[SmtpState, bytes], bool]      # (session, argument)


def always(session: SmtpState, argument: bytes) -> bool:
    """Say yes."""
    return True


def with_argument(session: SmtpState, argument: bytes) -> bool:
    """Say whether the command came with an argument."""
    return bool(argument)


def holds(pattern: bytes) -> When:
    """Return the question whether a command's argument holds a pattern, in any case."""
    found = re.compile(pattern, re.IGNORECASE)
    return lambda session, argument: found.search(argument) is not None


def before_hello(session: SmtpState, argument: bytes) -> bool:
    """Say whether nobody has said hello."""
    return session.state is State.START


def in_transaction(session: SmtpState, argument: bytes) -> bool:
    """Say whether a transaction is open."""
    return session.transaction is not None


def _as_told(code: int, status: str = "") -> Reply:
    return replies.reply(code, status or (f"{code // 100}.0.0" if code // 100 in {2, 4, 5} else ""), "As told")


def answers(verb: bytes, code: int, when: When = always, status: str = "") -> Around:
    """Answer a command with another code, and perhaps enhanced code, and do nothing that it asks."""
    refusal = _as_told(code, status)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        return refusal if said == verb and when(session, argument) else go_on()

    return around


def does_but_answers(verb: bytes, code: int, when: When = always) -> Around:
    """Do what a command asks, and answer with another code."""
    told = _as_told(code)

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb or not when(session, argument):
            return go_on()
        go_on()
        return told

    return around


def forgets_envelope(verb: bytes) -> Around:
    """Let a command clear the transaction that it has nothing to do with."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        reply = go_on()
        if said == verb and session.transaction is not None:
            session.forget_transaction()
        return reply

    return around


def keeps_envelope(verb: bytes) -> Around:
    """Let a command leave the transaction that it should have cleared."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        state, transaction = session.state, session.transaction
        reply = go_on()
        if said == verb and transaction is not None:
            session.state, session.transaction = state, transaction
        return reply

    return around


def closes_after(verb: bytes, when: When = always) -> Around:
    """Close the connection once a command has been answered."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        due = said == verb and when(session, argument)
        reply = go_on()
        if due:
            session.after = After.CLOSE
        return reply

    return around


def says_nothing(verb: bytes, when: When = always) -> Around:
    """Do what a command asks, and never answer it."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        due = said == verb and when(session, argument)
        reply = go_on()
        return None if due else reply

    return around


def out_of_order(verb: bytes, when: When = always) -> Around:
    """Do what a command asks in a state in which it is not permitted. It must be able to."""

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb or not when(session, argument):
            return go_on()
        return COMMANDS[verb].run(session, argument)

    return around


def hears(verb: bytes, pattern: bytes, by: bytes) -> Around:
    """Run a command with its argument changed: what fits a pattern, in any case, is replaced."""
    found = re.compile(pattern, re.IGNORECASE)
    command = COMMANDS[verb]

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        if said != verb or session.state not in command.permitted:
            return go_on()
        heard = found.sub(by, argument)
        return go_on() if heard == argument else command.run(session, heard)

    return around


def runs_sleeps(name: str, does: str, verb: bytes) -> Fault:
    """Return the fault of running the `sleep` that a command's argument holds."""
    found = re.compile(rb"sleep(?: |\$\{IFS\})([0-9])")

    def around(session: SmtpState, said: bytes, argument: bytes, go_on: GoOn) -> Reply | None:
        told = found.search(argument) if said == verb else None
        session.memory[name] = float(told[1]) if told else 0.0
        return go_on()

    def pause_s(session: SmtpState, said: bytes, octets: bytes) -> float:
        slept_s = session.memory.pop(name, 0.0) if said == verb else 0.0
        assert isinstance(slept_s, float)
        return slept_s

    return Fault(name, does, around=around, pause_s=pause_s)


def answers_response(name: str, does: str, when: Callable[[bytes], bool], octets: bytes) -> Fault:
    """Return the fault that answers some responses of an AUTH exchange, as they are sent, with something else."""

    def incoming(session: SmtpState, came: bytes) -> bytes:
        session.memory[name] = session.reading is Reading.SASL_RESPONSE and when(came.rstrip(b"\r\n"))
        return came

    def outgoing(session: SmtpState, verb: bytes, lawful: bytes) -> bytes:
        return octets if session.memory.pop(name, False) else lawful

    return Fault(name, does, incoming=incoming, outgoing=outgoing)
