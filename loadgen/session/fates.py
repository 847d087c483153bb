"""Which recipients a session has settled, and which a sender may try again (RFC 5321 §4.5.4.1).

Noted in a trace that has `fates`: nobody else needs to know.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from loadgen.schedule.plans import MessagePlan
from loadgen.session.refused import NotOffered, Refused
from loadgen.session.trace import Trace
from loadgen.wire.reply import Reply, ReplyClass

YES: Final = "2"
FOR_GOOD: Final = "5"      # the first digit of a reply code: RFC 5321 §4.2.1


def note(trace: Trace, index: int, recipients: Iterable[str], reply: Reply, at_ns: int) -> None:
    """Note one word on the mail data of message `index`: taken for these recipients, refused for good, or neither."""
    if reply.reply_class is ReplyClass.POSITIVE_COMPLETION:
        note_taken(trace, index, recipients, at_ns)
    elif reply.reply_class is ReplyClass.PERMANENT_NEGATIVE:
        _note_refused(trace, index, recipients)


def note_taken(trace: Trace, index: int, recipients: Iterable[str], at_ns: int) -> None:
    """Note that message `index` was taken for these recipients, and when."""
    if trace.fates is not None:
        trace.fates |= dict.fromkeys([(index, one) for one in recipients], at_ns)


def note_envelope(trace: Trace, index: int, recipients: tuple[str, ...], since: int) -> None:
    """Note what the replies to MAIL, each RCPT and DATA say of message `index`; they are the trace's from `since` on.

    They may be fewer, if the session broke. Where MAIL was put off, what was pipelined behind it is out of order,
    and 503 says nothing of a recipient. DATA answers for those who had been accepted: with none, 554 says only
    that there is nobody (RFC 2920 §3.1).
    """
    if trace.fates is None:
        return
    codes = [code[:1] for _, code, _ in trace.replies[since:]]
    _note_refused(trace, index, _refused(recipients, codes) if codes else ())


def note_in_vain(trace: Trace, messages: Iterable[MessagePlan], error: Refused | NotOffered) -> None:
    """Note what a session, or a transaction, that came to nothing means for these messages.

    A greeting of 554 or a refused login will be the same next time, and so will what the server does not offer;
    421 and 454 may pass.
    """
    if isinstance(error, NotOffered) or error.for_good:
        for message in messages:
            _note_refused(trace, message.index, message.envelope)


def _refused(recipients: tuple[str, ...], codes: Sequence[str]) -> Sequence[str]:
    mail, rcpts, data = codes[0], codes[1 : len(recipients) + 1], codes[len(recipients) + 1 :]
    if mail != YES:
        return recipients if mail == FOR_GOOD else ()
    refused = {FOR_GOOD, YES} if data and data[0] == FOR_GOOD else {FOR_GOOD}
    return [one for one, code in zip(recipients, rcpts, strict=False) if code in refused]


def _note_refused(trace: Trace, index: int, recipients: Iterable[str]) -> None:
    if trace.fates is not None:
        trace.fates |= dict.fromkeys([(index, one) for one in recipients], None)
