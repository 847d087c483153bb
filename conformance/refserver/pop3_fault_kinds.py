"""Departures of the kinds that come back in every area of POP3, as functions for `Pop3Points.around`."""

import re
from collections.abc import Callable

from conformance.refserver.pop3_commands import COMMANDS
from conformance.refserver.pop3_points import GoOn
from conformance.refserver.pop3_state import Pop3State, State
from conformance.refserver.session import After

Around = Callable[[Pop3State, bytes, bytes, GoOn], bytes]
When = Callable[[Pop3State, bytes], bool]      # (session, argument)


def always(session: Pop3State, argument: bytes) -> bool:
    """Say yes."""
    return True


def with_argument(session: Pop3State, argument: bytes) -> bool:
    """Say whether the command came with an argument."""
    return bool(argument)


def without_argument(session: Pop3State, argument: bytes) -> bool:
    """Say whether the command came alone."""
    return not argument


def logged_in(session: Pop3State, argument: bytes) -> bool:
    """Say whether a maildrop is open."""
    return session.state is State.TRANSACTION


def before_login(session: Pop3State, argument: bytes) -> bool:
    """Say whether nobody has logged in."""
    return session.state is State.AUTHORIZATION


def of_nothing(session: Pop3State, argument: bytes) -> bool:
    """Say whether all of an empty maildrop was asked for."""
    return session.view is not None and not session.view.every() and not argument


def holds(pattern: bytes) -> When:
    """Return the question whether a command's argument holds a pattern, in any case."""
    found = re.compile(pattern, re.IGNORECASE)
    return lambda session, argument: found.search(argument) is not None


def answers(verb: bytes, octets: bytes, when: When = always) -> Around:
    """Answer a command with something else, and do nothing that it asks."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return octets if said == verb and when(session, argument) else go_on()

    return around


def does_but_answers(verb: bytes, octets: bytes, when: When = always) -> Around:
    """Do what a command asks, and answer with something else and no lines."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        due = said == verb and when(session, argument)
        response = go_on()
        if not due:
            return response
        session.body = None
        return octets

    return around


def says_nothing(verb: bytes, when: When = always) -> Around:
    """Do what a command asks, and never answer it."""
    return does_but_answers(verb, b"", when)


def closes_after(verb: bytes, when: When = always) -> Around:
    """Close the connection once a command has been answered."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        due = said == verb and when(session, argument)
        response = go_on()
        if due:
            session.after = After.CLOSE
        return response

    return around


def ends_at(verb: bytes, when: When = always) -> Around:
    """Close the connection instead of answering a command."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        if said != verb or not when(session, argument):
            return go_on()
        session.after = After.CLOSE
        return b""

    return around


def out_of_order(verb: bytes, when: When = always) -> Around:
    """Do what a command asks in a state in which it is not permitted. It must be able to."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        return COMMANDS[verb].run(session, argument) if said == verb and when(session, argument) else go_on()

    return around


def hears(verb: bytes, pattern: bytes, by: bytes) -> Around:
    """Run a command with its argument changed: what fits a pattern, in any case, is replaced."""
    found = re.compile(pattern, re.IGNORECASE)

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        command = COMMANDS.get(verb)
        if said != verb or command is None or session.state not in command.permitted:
            return go_on()
        heard = found.sub(by, argument)
        return go_on() if heard == argument else command.run(session, heard)

    return around


def clamps(verb: bytes) -> Around:
    """Take the last message where a command names one behind it."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        every = session.view.every() if session.view else ()
        number, space, rest = argument.partition(b" ")
        if said == verb and re.fullmatch(rb"[0-9]{1,9}", number) and 0 < len(every) < int(number):
            return COMMANDS[verb].run(session, b"%d%b%b" % (len(every), space, rest))
        return go_on()

    return around


def changes(verb: bytes, how: Callable[[bytes], bytes], when: When = always) -> Around:
    """Do what a command asks, and change what is answered: the status line, and the lines of LIST, UIDL and CAPA."""

    def around(session: Pop3State, said: bytes, argument: bytes, go_on: GoOn) -> bytes:
        due = said == verb and when(session, argument)
        response = go_on()
        return how(response) if due else response

    return around
