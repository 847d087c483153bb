"""What the ledger's part of a scenario means: where the mail is looked for, and whether it can be there."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.draft import Draft
from loadgen.scenario.model import Ledger, LmtpDeliver, Pop3Retrieve, Session, SmtpDeliver
from loadgen.scenario.problems import Problem, show
from loadgen.scenario.sessions import ResetInData, SlowSender
from loadgen.scenario.steps import StepsSession, flat


def ledger_problems(draft: Draft) -> Iterator[Problem]:
    """Find what the ledger could not look into, or would count twice."""
    if draft.ledger is None or draft.target is None:
        return
    yield from _source_of_copies_problems(draft.ledger, draft.sessions)
    if not draft.ledger.verify:
        return
    if draft.ledger.reads_pop3 and draft.target.pop3 is None:
        what = "looks into the maildrops over POP3, and there is no POP3 server"
        yield Problem("ledger.verify", what=what, hint="add pop3 under [target], or give --pop3 URL")
    elif draft.target.embedded and draft.target.endpoints:
        what = "what one server accepts cannot come out of another: some servers are embedded, some are not"
        yield Problem("ledger.verify", what=what)
    elif draft.sessions and not any(session is None or _delivers(session) for session in draft.sessions):
        yield Problem("ledger.verify", what="no session delivers anything")


def _source_of_copies_problems(ledger: Ledger, sessions: Iterable[Session | None]) -> Iterator[Problem]:
    """Find what would count one copy twice, or look where nothing can be."""
    for name in ("maildir", "sink"):
        if getattr(ledger, name) is not None and not ledger.verify:
            yield Problem(f"ledger.{name}", what="nobody looks there without verify = true")
    if ledger.maildir is not None and ledger.sink is not None:
        what = "mail is looked for in Maildirs or in what came to a sink"
        yield Problem("ledger.sink", what=what, hint="leave one of them out")
    if ledger.sink is not None and not Path(ledger.sink).is_file():
        yield Problem("ledger.sink", what=f"no such file: {ledger.sink}", hint="start mailproof sink --keep FILE first")
    if ledger.maildir is not None and not any(mark in ledger.maildir for mark in ("{address}", "{local}")):
        yield Problem("ledger.maildir", got=show(ledger.maildir), allowed="a path with {local} or {address}")
    if (ledger.maildir or ledger.sink) and any(map(_reads_mail, sessions)):
        what = "a session reads the maildrops by POP3, and the ledger otherwise: each copy would be found twice"
        yield Problem("ledger.maildir" if ledger.maildir else "ledger.sink", what=what)


def _reads_mail(session: Session | None) -> bool:
    return isinstance(session, Pop3Retrieve) or (isinstance(session, StepsSession) and protocol_of(session) == "pop3")


def _delivers(session: Session) -> bool:
    if isinstance(session, StepsSession):
        return any(step.send_message for step in flat(session.steps))
    return isinstance(session, SmtpDeliver | LmtpDeliver | SlowSender | ResetInData)
