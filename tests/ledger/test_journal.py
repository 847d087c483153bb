"""The journal: nothing that was entered is lost on its way to the file, and what could not be written is said."""

import pickle
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from loadgen.ledger.journal import AT_ONCE, EVIDENCE_MAX, Journal, journals_in
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.page import encoded, page_of, pages_in
from loadgen.ledger.steps import finished
from loadgen.ledger.writer import Writer
from loadgen.message.stamp import Stamp
from loadgen.session.trace import Offered, Retrieved, Trace
from reports.errors import UserError

A = "user1@example.test"


def sent(number: int) -> Trace:
    trace = Trace(begun=[Offered(Stamp(f"run.{number}.0", b"digest"), (A,), "from@example.test")])
    trace.dot_sent(number)
    trace.settle((A,), accepted=True, at_ns=number + 1, code=250)
    return trace


def changed(count: int) -> Trace:
    stamp = Stamp("run.0.0", b"other", whole=False)
    return Trace(retrieved=[Retrieved(A, b"%d" % n, stamp, 5, 1, n, b"changed") for n in range(count)])


@pytest.mark.parametrize("in_a_file", [True, False])
def test_what_was_entered_comes_out_in_its_order_in_another_process(in_a_file: bool, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "0.pages" if in_a_file else None)
    entered = [sent(number) for number in range(3 * AT_ONCE + 1)]
    for number, trace in enumerate(entered):
        journal.add(trace, intended_ns=number)
        if number % 40 == 0:
            assert all(steps for steps in journal.fold()), "what is folded in steps says that there was something"
    journal.close()
    arrived = pickle.loads(pickle.dumps(journal))
    pages = list(arrived.pages())
    assert [page.intended_ns for page in pages] == list(range(len(entered)))
    assert [page.begun for page in pages] == [trace.begun for trace in entered]
    assert [page.words for page in pages] == [trace.words for trace in entered]
    assert journal.failure is None
    arrived.remove()
    assert not list(tmp_path.iterdir())


def test_a_session_that_did_nothing_for_the_ledger_has_no_page() -> None:
    assert page_of(Trace()) is None
    looked = page_of(Trace(), looked=A, look_ns=7)
    assert looked is not None, "an empty maildrop that was read is something to know"


def test_a_page_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    page = page_of(sent(1))
    assert page is not None
    path = tmp_path / "cut"
    for cut in (1, 5):
        path.write_bytes(encoded(page) + encoded(page)[:-cut])
        with path.open("rb") as stream:
            assert list(pages_in(stream)) == [page]


def test_a_disk_that_takes_no_more_is_told_and_nobody_is_accused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "no such directory" / "0.pages")
    journal.add(sent(1))
    journal.close()
    assert journal.failure is not None
    assert journal.failure.endswith("No such file or directory")
    ledger = Ledger("run")
    finished(ledger.read(journal))
    ledger.add(sent(2))
    assert (ledger.result([A]).pending, ledger.result([A]).lost) == (1, 0)


def test_a_journal_that_is_gone_is_the_operators_to_know(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "0.pages")
    journal.add(sent(1))
    journal.close()
    journal.remove()
    with pytest.raises(UserError, match=r"cannot be read: .*No such file"):
        finished(Ledger("run").read(journal))


def test_the_writer_writes_on_after_no_failure(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "file")
    for piece in (b"one ", b"two ", b"three"):
        writer.append(piece)
    writer.close()
    assert (writer.failure, (tmp_path / "file").read_bytes()) == (None, b"one two three")


def test_of_changed_bodies_only_so_many_are_kept_and_all_are_counted() -> None:
    journal = Journal()
    for _ in range(EVIDENCE_MAX // 10 + 2):
        journal.add(changed(10))
    journal.close()
    found = [one for page in journal.pages() for one in page.retrieved]
    assert len(found) == 10 * (EVIDENCE_MAX // 10 + 2)
    assert EVIDENCE_MAX - 10 < sum(one.evidence is not None for one in found) <= EVIDENCE_MAX


async def test_instants_count_from_the_start_of_the_run_whatever_the_clock_of_the_process(
    autojump_clock: MockClock,
) -> None:
    await trio.sleep(5)
    journal = Journal()
    journal.begin(4_000)
    journal.add(sent(4_100), intended_ns=50)
    journal.close()
    ledger = Ledger("run")
    finished(ledger.read(journal))
    [attempt] = ledger.attempts()
    assert (attempt.intended_ns, attempt.dot_ns, attempt.reply_ns, attempt.code) == (50, 100, 101, 250)
    assert (attempt.reverse_path, attempt.word) == ("from@example.test", "accepted")


def test_the_directory_of_the_journals_is_gone_when_the_run_is_over(tmp_path: Path) -> None:
    with journals_in(tmp_path) as made:
        assert made is not None
        (made / "0.pages").write_bytes(b"x")
    assert not list(tmp_path.iterdir())
    with journals_in(None) as nowhere:
        assert nowhere is None


def test_a_directory_that_cannot_be_made_is_the_operators_to_know(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the ledger cannot be kept in"), journals_in(tmp_path / "nowhere"):
        pass
