"""What a scenario's messages ask of the target, and what was done to them: said before the load."""

from collections.abc import Iterable, Iterator
from typing import Final

from loadgen.engine.preflight import KEYWORDS_MAX
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.content import Extension
from loadgen.scenario.model import Delivery, LmtpDeliver, Scenario, SmtpDeliver
from reports.document import EndpointFacts
from reports.errors import PreconditionFailed

SECTIONS: Final[dict[Extension, str]] = {"8BITMIME": "RFC 6152 §3", "SMTPUTF8": "RFC 6531 §3.2"}


def content_notes(scenario: Scenario, seen: Iterable[EndpointFacts]) -> list[str]:
    """Return what is to be known of a scenario's messages, whole sentences.

    Raises PreconditionFailed where a session could send none of its messages: a thousand sessions failing for what
    is known beforehand is no measurement.
    """
    facts = {each.protocol: each for each in seen}
    notes: list[str] = []
    for session in _delivering(scenario):
        notes += _changed(session)
        there = facts.get(protocol_of(session))
        if there is not None and len(there.keywords) < KEYWORDS_MAX:      # else the one in question may be left out
            notes += _missing(session, there, scenario.accounts.pattern)
    return notes


def _delivering(scenario: Scenario) -> Iterator[Delivery]:
    for session in scenario.sessions:
        if isinstance(session, SmtpDeliver | LmtpDeliver) and session.weight:
            yield session


def _changed(session: Delivery) -> Iterator[str]:
    corpus = session.content.corpus
    if corpus is not None and corpus.line_ends_changed:
        count = corpus.line_ends_changed
        ends = "line end was" if count == 1 else "line ends were"
        yield f"corpus {corpus.directory}: {count:,} {ends} made CRLF, as mail must have them (RFC 5321 §2.3.8)"


def _missing(session: Delivery, there: EndpointFacts, addresses: str) -> Iterator[str]:
    offered = {keyword.partition(" ")[0].upper() for keyword in there.keywords}
    for extension, section in SECTIONS.items():
        needing, of = session.content.needing(extension)
        if extension == "SMTPUTF8" and not (session.reverse_path + addresses).isascii():
            needing = of
        if not needing or extension in offered:
            continue
        if needing == of:
            raise PreconditionFailed(
                f"{there.url}: does not offer {extension}, and no message of session {session.name!r} can be sent "
                f"without it ({section}); choose another content, or another target"
            )
        what = "needs" if needing == 1 else "need"
        yield (
            f"{there.url}: does not offer {extension}, which {needing:,} of the {of:,} messages of session "
            f"{session.name!r} {what}: those are not sent, and their sessions fail ({section})"
        )
