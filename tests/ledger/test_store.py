"""The tables: a copy is kept as it was first seen, what is owed goes down as it is found, and a full disk is said."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.ledger.delivery import ACCEPTED, Attempt, Copy
from loadgen.ledger.store import BATCH, Store
from reports.errors import UserError


def attempt(number: int, recipient: str = "a") -> Attempt:
    return Attempt(0, number, recipient, ACCEPTED, 250, "", b"d", 0, 1, 2)


def copy(
    number: int, maildrop: str = "a", *, seen_ns: int = 5, look_ns: int = 5, unique_id: bytes | int = b"u"
) -> Copy:
    return Copy(0, number, "", maildrop, unique_id, b"d", seen_ns, look_ns, 1, None)


def test_a_copy_is_kept_as_it_was_first_seen_whoever_tells_of_it_first() -> None:
    store = Store()
    for seen_ns in (7, 5, 9):
        store.add_copy(copy(0, seen_ns=seen_ns, look_ns=seen_ns - 1))
    store.add_look("a", 2)
    store.add_look("a", 3)
    store.add_look("a", 8)
    store.add_look("b", 4)
    [kept] = store.copies()
    assert (kept.seen_ns, kept.look_ns, kept.previous_ns) == (5, 4, 3)


def test_what_is_owed_goes_down_as_it_is_found_and_up_as_more_is_sent() -> None:
    store = Store()
    for number in range(3):
        store.add_attempt(attempt(number))
    store.add_attempt(attempt(0, "b"))
    assert store.owing() == {"a": 3, "b": 1}
    store.add_copy(copy(1))
    store.add_copy(copy(1, unique_id=b"another"))
    store.add_copy(copy(2, "c"))
    assert store.owing() == {"a": 2, "b": 1}
    store.add_copy(copy(0, "b"))
    assert store.owing() == {"a": 2}
    store.add_attempt(attempt(9, "c"))
    assert store.owing() == {"a": 2, "c": 1}


def test_many_rows_come_back_in_the_order_of_their_messages(tmp_path: Path) -> None:
    store = Store(tmp_path / "ledger.sqlite")
    for number in reversed(range(BATCH + 10)):
        store.add_attempt(attempt(number))
        store.add_copy(copy(number))
    assert [one.number for one in store.attempts()] == [one.number for one in store.copies()] == [*range(BATCH + 10)]
    store.close()


def test_a_run_does_not_add_to_the_books_of_another(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / "ledger.sqlite")
        store.add_attempt(attempt(1))
        store.flush()
        store.close()
    database = sqlite3.connect(tmp_path / "ledger.sqlite")
    assert database.execute("SELECT count(*) FROM attempt").fetchone() == (1,)
    database.close()


def test_a_place_where_nothing_can_be_written_is_the_operators_to_know(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the ledger cannot be kept in"):
        Store(tmp_path / "nowhere" / "ledger.sqlite")


def test_a_full_disk_is_said_and_never_a_loss(tmp_path: Path) -> None:
    store = Store(tmp_path / "ledger.sqlite")
    store._database.execute("PRAGMA max_page_count = 12")
    for number in range(BATCH - 1):
        store.add_attempt(attempt(number))
    with pytest.raises(UserError, match="the ledger cannot be written: database or disk is full"):
        store.flush()
    store.close()


def full(path: Path) -> Store:
    """Return tables on a disk that has just become full."""
    store = Store(path)
    store.add_attempt(attempt(0))
    store.flush()
    [pages] = store._database.execute("PRAGMA page_count").fetchone()
    store._database.execute(f"PRAGMA max_page_count = {pages}")
    return store


@pytest.mark.parametrize(
    "write",
    [
        lambda store: store.about("name", "x" * 100_000),
        lambda store: store.add_evidence(0, 0, "a", b"x" * 100_000),
        lambda store: store.add_irregular(0, 0, "a", "lost", "x" * 100_000),
    ],
)
def test_whatever_a_full_disk_takes_no_more_it_is_said_in_a_sentence(
    write: Callable[[Store], None], tmp_path: Path
) -> None:
    store = full(tmp_path / "ledger.sqlite")
    with pytest.raises(UserError, match="the ledger cannot be written: database or disk is full"):
        write(store)
    store.close()


def test_a_file_that_is_no_longer_one_of_ours_is_said_in_a_sentence(tmp_path: Path) -> None:
    store = full(tmp_path / "ledger.sqlite")
    store._database.execute("DROP TABLE attempt")
    for read in (store.owing, lambda: list(store.attempts()), lambda: list(store.recipients())):
        with pytest.raises(UserError, match="the ledger cannot be read: no such table: attempt"):
            read()
    store.close()
