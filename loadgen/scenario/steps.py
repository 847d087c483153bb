"""`kind = "steps"`: a session written down step by step in the scenario. Data only: nothing in it is ever run."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from loadgen.scenario.content import Content
from loadgen.scenario.distributions import Counts, Durations, Sizes
from loadgen.scenario.quantities import Duration
from loadgen.scenario.table import Table, default, says
from loadgen.scenario.words import Name, Weight
from reports.phases import STEP_NAME_PATTERN

Protocol = Literal["smtp", "lmtp", "pop3"]

CLOSED: Final = "closed"
GREETING: Final = "greeting"
_VERB: Final = re.compile(rf"({STEP_NAME_PATTERN})(?:\s.*)?", re.IGNORECASE | re.DOTALL)
_MULTI_LINE: Final = re.compile(r"(?:RETR|TOP|CAPA)\b.*|(?:LIST|UIDL)", re.IGNORECASE | re.DOTALL)


class Step(Table, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do: send, expect, both, think, starttls or disconnect."""

    name: Annotated[
        str | None,
        says("What its time and its answers are reported under, as smtp.NAME; default: the command's first word."),
    ] = None
    send: Annotated[
        str | None, says("One command, without its CRLF. {…} is filled in; {{ and }} stand for braces.")
    ] = None
    send_octets: Annotated[
        str | None,
        says(r"Octets, nothing added: \r \n \t \0 \\ \xHH, and {…} as in send. Answered any number of times."),
    ] = None
    send_message: Annotated[
        bool, says("Send a composed message as mail data, stuffed and ended, for the ledger to look for.")
    ] = False
    expect: Annotated[
        str | tuple[str, ...] | None,
        says(
            'What the next answer must be: "250", "2yz", "+OK", "-ERR", "+", or one of a list; "closed": the server '
            "may close instead, which ends the session. Without send: the answer to an earlier one, or the greeting."
        ),
    ] = None
    match: Annotated[
        str | None,
        says(
            "Regular expression found in the answer's text, its lines joined by a line feed; (?P<name>…) is kept as "
            "{capture.name}. Only the first 8 KiB are looked at."
        ),
    ] = None
    multi_line: Annotated[
        bool | None, says("POP3: lines follow the +OK. Default: of RETR, TOP, CAPA, and LIST and UIDL alone.")
    ] = None
    timeout: Annotated[
        Duration | None, says("The longest wait; default: the limit of the phase of that name, else of noop.")
    ] = None
    think: Annotated[Durations | None, says("Wait so long, and do nothing else.")] = None
    starttls: Annotated[bool, says("STARTTLS or STLS, its answer and the handshake, timed as tls.")] = False
    disconnect: Annotated[
        Literal["close", "reset"] | None, says("End the connection, and with it the session, in order or by a reset.")
    ] = None


class RepeatableStep(Step, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do, or several of them again and again."""

    repeat: Annotated[Counts | None, says("How often; needs steps, and nothing else. {i} is 1, 2, 3 … in them.")] = None
    steps: Annotated[tuple[Step, ...], says("What is repeated.")] = ()


class StepsSession(Table, frozen=True, kw_only=True, tag_field="kind", tag="steps"):
    """Do what the scenario says, step by step. The first answer that is not as expected ends the session."""

    auth: ClassVar[Literal["none"]] = "none"
    name: Name = None
    weight: Weight = 1.0
    protocol: Annotated[Protocol, says("What is spoken.")] = "smtp"
    steps: Annotated[tuple[RepeatableStep, ...], says("What is done, in order."), Meta(min_length=1)]
    recipients: Annotated[
        Counts, says("Accounts {recipient} stands for; more than one in turn, as repeat goes on.")
    ] = default(Counts, 1)
    reverse_path: Annotated[str, says("What {reverse_path} stands for, and From in a message.")] = "load@example.test"
    size: Annotated[Sizes, says("Octets of a message of send_message, headers included.")] = default(Sizes, "4 KiB")
    content: Annotated[Content, says("What such a message is made of.")] = default(Content, "text")


def words_of(expect: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the answers that will do; none: none is read."""
    if expect is None:
        return ()
    return (expect,) if isinstance(expect, str) else expect


def has_lines(step: Step) -> bool:
    """Say whether lines follow the +OK to what a step sends (RFC 1939 §3)."""
    if step.multi_line is not None:
        return step.multi_line
    return step.send is not None and _MULTI_LINE.fullmatch(step.send) is not None


def name_of(step: Step) -> str | None:
    """Return the part of the phase behind the protocol; None if the step has none, or must be told its name.

    An expect alone has the name of what it answers: of nothing sent yet, the greeting.
    """
    if step.name is not None:
        return step.name
    if step.starttls:
        return "tls"
    if step.send_message:
        return "body"
    if step.send is not None and (found := _VERB.fullmatch(step.send)) is not None:
        return found[1].lower()
    return None


def flat(steps: Sequence[RepeatableStep]) -> Iterator[Step]:
    """Yield every step once, those of a repeat in its place."""
    for step in steps:
        if step.repeat is not None:
            yield from step.steps
        else:
            yield step


def step_phases(session: StepsSession) -> frozenset[str]:
    """Return the phases a session's own steps are reported under."""
    names = {name_of(step) for step in flat(session.steps)} | {GREETING}
    return frozenset(f"{session.protocol}.{name}" for name in names if name is not None)
