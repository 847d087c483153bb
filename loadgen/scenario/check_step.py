"""Whether one step of a `steps` session can be meant, looked at on its own."""

import re
from collections.abc import Iterator
from typing import Final

from loadgen.scenario.problems import Problem, near_miss, show
from loadgen.scenario.steps import CLOSED, Step, name_of, words_of
from loadgen.scenario.template import checked, ends_a_line, fields_of, literal_octets
from reports.phases import NO_STEP, STEP_NAME_PATTERN

_SENDS: Final = ("send", "send_octets", "send_message")
_ACTIONS: Final = (*_SENDS, "think", "starttls", "disconnect")
_MAIL_WORDS: Final = re.compile("[2-5](?:[0-9]{2}|yz)")
_POP3_WORDS: Final = ("+OK", "-ERR", "+")


def actions_of(step: Step) -> list[str]:
    """Return the keys by which a step says what it does, expect apart."""
    return [key for key in _ACTIONS if getattr(step, key) not in (None, False)]


def sends(step: Step) -> bool:
    """Say whether a step sends something that answers are owed to."""
    return any(action in _SENDS for action in actions_of(step))


def step_problems(step: Step, path: str, protocol: str) -> Iterator[Problem]:
    """Yield what is wrong with a step wherever it stands."""
    actions = actions_of(step)
    if len(actions) > 1:
        yield Problem(path, what=f"says {' and '.join(actions)}: a step does one thing")
    elif not actions and step.expect is None:
        yield Problem(path, what=f"does nothing; say one of {', '.join((*_ACTIONS, 'expect', 'repeat'))}")
    yield from _name_problems(step, path, actions)
    yield from _send_problems(step, path, protocol)
    yield from _expect_problems(step, path, protocol, actions)
    if step.timeout is not None and step.timeout.ns == 0:
        yield Problem(f"{path}.timeout", got='"0s"', allowed="more than zero")


def _name_problems(step: Step, path: str, actions: list[str]) -> Iterator[Problem]:
    if step.name is not None:
        if {"think", "disconnect"} & set(actions):
            what = f"{actions[0]} has neither a time nor an answer to be reported under it"
            yield Problem(f"{path}.name", what=what, hint="leave it out")
        elif not re.fullmatch(STEP_NAME_PATTERN, step.name):
            allowed = "lower-case letters, digits and hyphens, at most 40"
            yield Problem(f"{path}.name", got=show(step.name), allowed=allowed)
        elif step.name in NO_STEP:
            what = f"{step.name} is timed for every session, from the instant it was due; give the step another name"
            yield Problem(f"{path}.name", what=what)
    elif step.send_octets is not None:
        yield Problem(f"{path}.name", what="octets have no first word to be named after", hint='say name = "…"')
    elif step.send is not None and ((name := name_of(step)) is None or name in NO_STEP):
        yield Problem(f"{path}.name", what="the command's first word is no name for the step", hint='say name = "…"')


def _send_problems(step: Step, path: str, protocol: str) -> Iterator[Problem]:
    if step.send is not None:
        if ends_a_line(step.send):
            hint = "send_octets sends whatever is written"
            yield Problem(f"{path}.send", what="is one command, and holds a CR, LF or NUL", hint=hint)
        if (sentence := checked(step.send, fields_of)) is not None:
            yield Problem(f"{path}.send", what=sentence)
    if step.send_octets is not None:
        if not step.send_octets:
            yield Problem(f"{path}.send_octets", got='""', allowed="at least one octet")
        if (sentence := checked(step.send_octets, literal_octets)) is not None:
            yield Problem(f"{path}.send_octets", what=sentence)
    if step.send_message and protocol == "pop3":
        yield Problem(f"{path}.send_message", what="POP3 sends no mail")


def _expect_problems(step: Step, path: str, protocol: str, actions: list[str]) -> Iterator[Problem]:
    words = words_of(step.expect)
    if step.expect is not None:
        if (other := next((each for each in actions if each not in _SENDS), None)) is not None:
            yield Problem(f"{path}.expect", what=f"stands beside {other}; expect goes with a send, or alone")
        if not words:
            yield Problem(f"{path}.expect", got="[]", allowed="at least one answer")
    for word in words:
        if word != CLOSED and not (word in _POP3_WORDS if protocol == "pop3" else _MAIL_WORDS.fullmatch(word)):
            yield Problem(f"{path}.expect", got=show(word), allowed=_allowed(protocol), hint=_meant(word, protocol))
    if step.match is not None:
        try:
            re.compile(step.match)
        except (re.error, OverflowError, RecursionError) as error:
            yield Problem(f"{path}.match", what=f"{show(step.match)} is no regular expression: {error}")
        if step.expect is None:
            yield Problem(f"{path}.match", what="no answer is read, as there is no expect")
    if step.timeout is not None and step.expect is None and not step.starttls:
        yield Problem(f"{path}.timeout", what="no answer is waited for, as there is no expect")
    if step.multi_line is not None and protocol != "pop3":
        yield Problem(f"{path}.multi_line", what="is POP3; a reply of SMTP tells itself whether lines follow")


def _allowed(protocol: str) -> str:
    if protocol == "pop3":
        return '"+OK", "-ERR", "+" or "closed"'
    return 'a reply code such as "250", a class such as "2yz", or "closed"'


def _meant(word: str, protocol: str) -> str:
    if protocol == "pop3":
        return near_miss(word, (*_POP3_WORDS[:2], CLOSED))
    if re.fullmatch("[2-5](?i:x|y|z|[*.?])+", word):
        return f"did you mean `{word[0]}yz`?"
    return near_miss(word, (CLOSED,))
