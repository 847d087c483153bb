"""The order that messages of one session have in their maildrop: told, and held against nobody."""

import pytest

from loadgen.ledger.delivery import ACCEPTED, REJECTED, Attempt, Copy, Delivery
from loadgen.ledger.join import reordered_in


def delivery(
    number: int, position: int | None, *, look: int | None = 0, seen: int = 0, recipient: str = "a",
    sent: tuple[int, int] | None = None, word: str = ACCEPTED,
) -> Delivery:  # fmt: skip
    """Return message `number` of a session, sent in its turn, at a place in the maildrop."""
    dot_ns, reply_ns = (10 * number, 10 * number + 5) if sent is None else sent
    attempt = Attempt(0, number, recipient, word, 250, "", b"d", 0, dot_ns, reply_ns)
    copy = Copy(0, number, "", recipient, b"u", b"d", seen, look, position, None)
    return Delivery("delivered_once", recipient, [attempt], [copy])


@pytest.mark.parametrize(
    ("positions", "reordered"),
    [
        ((1, 2, 3), 0), ((2, 1, 3), 1), ((3, 2, 1), 2), ((3, 1, 2), 1), ((1, 3, 2), 1), ((2, 3, 1), 2), ((1,), 0),
        ((), 0),
    ],
)
def test_each_message_behind_a_later_one_counts_once(positions: tuple[int, ...], reordered: int) -> None:
    assert reordered_in([delivery(number, place) for number, place in enumerate(positions)]) == reordered


def test_an_earlier_look_is_before_a_later_one_whatever_the_numbers_in_them() -> None:
    """Message-numbers begin anew when mail was deleted (RFC 1939 §8)."""
    assert reordered_in([delivery(0, 7, look=100), delivery(1, 1, look=200)]) == 0
    assert reordered_in([delivery(0, 1, look=200), delivery(1, 7, look=100)]) == 1


def test_messages_that_were_under_way_at_once_have_no_order() -> None:
    assert reordered_in([delivery(0, 2, sent=(0, 50)), delivery(1, 1, sent=(40, 60))]) == 0


def test_different_recipients_have_nothing_to_do_with_each_other() -> None:
    assert reordered_in([delivery(0, 2, recipient="a"), delivery(1, 1, recipient="b")]) == 0


def test_where_copies_have_no_order_nothing_is_told() -> None:
    assert reordered_in([delivery(0, None), delivery(1, 1), delivery(2, None)]) == 0


def test_what_was_seen_as_it_came_has_the_order_of_its_instants() -> None:
    assert reordered_in([delivery(0, 1, look=None, seen=9), delivery(1, 2, look=None, seen=5)]) == 1
    assert reordered_in([delivery(0, 2, look=None, seen=5), delivery(1, 1, look=None, seen=9)]) == 0


def test_what_was_refused_is_in_no_order() -> None:
    assert reordered_in([delivery(0, 2, word=REJECTED), delivery(1, 1)]) == 0
