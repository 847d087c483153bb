"""The join: attempts and copies, both in the order of their messages, brought together in one pass."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from loadgen.ledger.delivery import Attempt, Copy, Delivery, Looked, deliveries_of

_session = itemgetter(0)


def joined(
    attempts: Iterable[Attempt],
    copies: Iterable[Copy],
    *,
    looked_through: Looked,
    pages_missing: bool = False,
    crashes_ns: Sequence[int] = (),
) -> Iterator[list[Delivery]]:
    """Yield the deliveries of one session after another. No more than one session's are in memory."""
    sent, found = groupby(attempts, _session), groupby(copies, _session)
    one, other = next(sent, None), next(found, None)
    while one is not None or other is not None:
        session = min(each[0] for each in (one, other) if each is not None)
        attempted: list[Attempt] = []
        copied: list[Copy] = []
        if one is not None and one[0] == session:
            attempted, one = list(one[1]), next(sent, None)
        if other is not None and other[0] == session:
            copied, other = list(other[1]), next(found, None)
        yield [
            delivery
            for its_attempts, its_copies in _by_message(attempted, copied)
            for delivery in deliveries_of(
                its_attempts, its_copies, looked_through=looked_through, pages_missing=pages_missing,
                crashes_ns=crashes_ns,
            )
        ]


def _by_message(attempts: list[Attempt], copies: list[Copy]) -> Iterator[tuple[list[Attempt], list[Copy]]]:
    if len(attempts) == 1 >= len(copies) and (not copies or copies[0].number == attempts[0].number):    # nearly always
        yield attempts, copies
        return
    sent: dict[tuple[int, str], list[Attempt]] = {}
    found: dict[tuple[int, str], list[Copy]] = {}
    for attempt in attempts:
        sent.setdefault((attempt.number, ""), []).append(attempt)
    for copy in copies:
        found.setdefault((copy.number, copy.stray), []).append(copy)
    for message in sorted(sent.keys() | found.keys()):
        yield sent.get(message, []), found.get(message, [])


def reordered_in(session: Iterable[Delivery]) -> int:
    """Count what stands in its maildrop behind a message that the same session sent the same recipient later.

    Later is what began to be sent when the server had taken the other. SMTP promises no such order.
    """
    placed: dict[str, list[tuple[int, int, tuple[int, int]]]] = {}      # (dot, reply, place), by recipient
    for delivery in session:
        taken, place = delivery.accepted, _place(delivery)
        if taken is not None and taken.reply_ns is not None and taken.dot_ns is not None and place is not None:
            placed.setdefault(delivery.recipient, []).append((taken.dot_ns, taken.reply_ns, place))
    return sum(_overtaken(messages) for messages in placed.values() if len(messages) > 1)


def _place(delivery: Delivery) -> tuple[int, int] | None:
    """Return where the first copy stands: in an earlier look, or before others of the same. None: nobody can say."""
    places = [
        (one.seen_ns if one.look_ns is None else one.look_ns, one.position)
        for one in delivery.copies
        if one.position is not None
    ]
    return min(places, default=None)


def _overtaken(messages: list[tuple[int, int, tuple[int, int]]]) -> int:
    overtaken = 0
    foremost: tuple[int, int, tuple[int, int]] | None = None
    for dot_ns, reply_ns, place in sorted(messages, reverse=True):
        if foremost is not None and reply_ns <= foremost[0] and foremost[2] < place:
            overtaken += 1
        if foremost is None or place < foremost[2]:
            foremost = (dot_ns, reply_ns, place)
    return overtaken
