"""Whether the steps of a session can be done in their order: every problem of theirs at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from loadgen.scenario.check_step import sends, step_problems
from loadgen.scenario.problems import Problem, near_miss, show
from loadgen.scenario.steps import CLOSED, RepeatableStep, Step, StepsSession, words_of
from loadgen.scenario.template import (
    CAPTURE,
    FIELDS,
    FOR_MAIL,
    SECRET,
    BadTemplateError,
    fields_of,
    unknown_field,
)

MOVES_MAX: Final = 100_000      # of one session, so that one plan stays a plan
_TAKES: Final = re.compile(r"(RETR|DELE) .*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Owed:
    """An answer that is owed, and to which step; of octets nobody knows how many."""

    path: str
    octets: bool = False
    message: bool = False


@dataclass(slots=True)
class _Course:
    """What is known of a session when it comes to one of its steps."""

    session: StepsSession
    starttls: bool                       # the target's TLS begins inside the session
    verify: bool                         # the ledger looks for what was accepted
    later: dict[str, str]                # every capture, and the first step that makes it
    owed: list[_Owed] = field(default_factory=lambda: [_Owed("the greeting")])
    captured: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    secured: bool = False
    ended: str | None = None             # the step that ended the connection
    repeating: bool = False

    def certain(self) -> list[_Owed]:
        """Return the answers owed to commands."""
        return [each for each in self.owed if not each.octets]


def steps_problems(session: StepsSession, path: str, *, starttls: bool, verify: bool) -> Iterator[Problem]:
    """Yield everything wrong with the steps of a session.

    `starttls`: the target's TLS begins inside the session. `verify`: the ledger looks for what was accepted.
    """
    places = [(f"{path}.steps[{i}]", step) for i, step in enumerate(session.steps)]
    course = _Course(session, starttls, verify, _captures(places))
    for place, step in places:
        if step.repeat is not None or step.steps:
            yield from _repeat_problems(step, place, course)
        else:
            yield from _in_its_place(step, place, course)
    moves = sum(len(step.steps) * step.repeat.bounds[1] if step.repeat is not None else 1 for step in session.steps)
    if moves > MOVES_MAX:
        yield Problem(f"{path}.steps", what=f"are {moves:,} with every repeat, more than {MOVES_MAX:,}")


def _captures(places: list[tuple[str, RepeatableStep]]) -> dict[str, str]:
    made: dict[str, str] = {}
    for place, step in places:
        for below, each in _below(place, step):
            for name in _groups(each.match):
                made.setdefault(name, below)
    return made


def _below(place: str, step: RepeatableStep) -> list[tuple[str, Step]]:
    """Return the steps of a repeat with their places; of any other, itself."""
    return [(f"{place}.steps[{j}]", each) for j, each in enumerate(step.steps)] or [(place, step)]


def _groups(match: str | None) -> tuple[str, ...]:
    try:
        return () if match is None else tuple(re.compile(match).groupindex)
    except (re.error, OverflowError, RecursionError):
        return ()


def _repeat_problems(step: RepeatableStep, path: str, course: _Course) -> Iterator[Problem]:
    if step.repeat is None:
        yield Problem(path, what="has steps, and no repeat to say how often they are done")
    elif not step.steps:
        yield Problem(f"{path}.repeat", what="there is nothing to repeat", hint="write steps = [{send = …}] beside it")
    elif step.repeat.bounds[0] < 1:
        yield Problem(f"{path}.repeat", got=show(step.repeat.plain()), allowed="numbers of at least 1")
    if replace(step, repeat=None, steps=()) != RepeatableStep():
        yield Problem(path, what="repeats, and so it does nothing else: put the rest into its steps")
    owed_before, ended_before = len(course.certain()), course.ended
    course.repeating = True
    for below, each in _below(path, step):
        yield from _in_its_place(each, below, course) if step.steps else ()
    course.repeating = False
    unread = len(course.certain()) - owed_before
    if course.ended != ended_before:
        yield Problem(path, what=f"cannot be repeated: {course.ended} ends the connection")
    elif unread:
        what = f"leaves {unread} unread" if unread > 0 else f"reads {-unread} more than there are"
        yield Problem(path, what=f"each time it {what} of the answers it is owed")


def _in_its_place(step: Step, path: str, course: _Course) -> Iterator[Problem]:
    """Yield what is wrong with a step, on its own and behind the ones before it; note what it leaves behind."""
    yield from step_problems(step, path, course.session.protocol)
    if course.ended is not None:
        yield Problem(path, what=f"comes after the end of the connection, which is {course.ended}")
        return
    yield from _text_problems(step, path, course)
    if course.verify and step.send is not None:
        yield from _ledger_problems(step.send, path, course)
    if sends(step) or step.starttls:
        course.owed = course.certain()          # what octets are still owed is nobody's business now
        if course.owed and (step.expect is not None or step.starttls):
            first = course.owed[0].path
            yield Problem(path, what=f"would take the answer to {first} for its own", hint="expect that one first")
            course.owed = []
        if step.starttls:
            yield from _starttls_problems(path, course)
        elif step.expect is None:
            if step.send_message and (before := next((each for each in course.owed if each.message), None)):
                what = f"the message of {before.path} has no answer yet: the ledger could not tell one from the other"
                yield Problem(path, what=what, hint="expect that one first")
            course.owed.append(_Owed(path, octets=step.send_octets is not None, message=step.send_message))
        elif step.send_octets is not None:
            course.owed.append(_Owed(path, octets=True))
    elif step.expect is not None:
        if not course.owed:
            yield Problem(f"{path}.expect", what="nothing is owed: every answer before it has been read")
        elif not course.owed[0].octets:
            del course.owed[0]
    course.captured.update(_groups(step.match))
    if step.disconnect is not None or words_of(step.expect) == (CLOSED,):
        course.ended = path


def _text_problems(step: Step, path: str, course: _Course) -> Iterator[Problem]:
    """Yield the fields that nothing fills where the step stands."""
    for key, text in (("send", step.send), ("send_octets", step.send_octets)):
        if text is None:
            continue
        try:
            fields = fields_of(text)
        except BadTemplateError:                # told already
            continue
        for each in dict.fromkeys(fields):
            yield from (Problem(f"{path}.{key}", what=what) for what in _field_problems(each, course))


def _field_problems(name: str, course: _Course) -> Iterator[str]:
    mail = course.session.protocol != "pop3"
    allowed = tuple(
        each for each in FIELDS if (mail or each not in FOR_MAIL) and (course.repeating or each != "i")
    )
    if name.startswith(CAPTURE):
        capture = name.removeprefix(CAPTURE)
        if capture in course.captured:
            return
        if capture in course.later:
            yield f"{{{name}}} is made only by {course.later[capture]}"
        elif (hint := near_miss(capture, course.later)):
            yield f"no match makes {show(capture)}; {hint}"
        else:
            yield f"no match makes {show(capture)}; (?P<{capture}>…) in an earlier step's match would"
    elif name == "i" and not course.repeating:
        yield "{i} counts repetitions, and nothing is repeated here"
    elif name not in allowed:
        yield unknown_field(name, allowed)
    elif name in SECRET and course.starttls and not course.secured:
        yield f"{{{name}}} would go in clear text: the target says tls = \"starttls\", and no step before says starttls"


def _starttls_problems(path: str, course: _Course) -> Iterator[Problem]:
    if course.secured:
        yield Problem(f"{path}.starttls", what="TLS is on already (RFC 3207 §4.2)")
    elif not course.starttls:
        what = 'the target has no TLS that begins inside the session; say target.tls = "starttls"'
        yield Problem(f"{path}.starttls", what=what)
    course.secured = True


def _ledger_problems(send: str, path: str, course: _Course) -> Iterator[Problem]:
    """Yield what would make the ledger accuse the server of what the steps did."""
    found = _TAKES.fullmatch(send)
    verb = found[1].upper() if found else send.upper()
    if verb == "RETR" and "UIDL" not in course.said:
        what = "with ledger.verify = true, UIDL comes before RETR: without it two copies look like one read twice"
        yield Problem(f"{path}.send", what=what)
    elif verb == "DELE" and "RETR" not in course.said:
        what = "with ledger.verify = true, RETR comes before DELE: what nobody has read would be called lost"
        yield Problem(f"{path}.send", what=what)
    course.said.add(verb)


