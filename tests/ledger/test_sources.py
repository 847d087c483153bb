"""The receiver's view otherwise than by POP3: Maildirs, and what a sink has written."""

import json
import os
import time
from pathlib import Path

import pytest

from conformance.keeping_sink import line_of
from conformance.sink import Transferred
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.maildir import Maildirs
from loadgen.ledger.sink_file import SinkFile
from loadgen.ledger.steps import finished
from loadgen.message.stamp import Stamp, digest_of
from loadgen.scenario.accounts import Account
from loadgen.session.trace import Offered, Trace
from reports.errors import UserError
from reports.ledger_result import COUNTS

A, B = "user1@example.test", "user2@example.test"
BODY = b"Hello,\r\n\r\nworld.\r\n"
DIGEST = digest_of(BODY)
HEADER = b"Subject: x\r\nX-Mailproof-Id: run.0.0\r\nX-Mailproof-Digest: %s\r\n\r\n" % DIGEST.hex().encode()


def ledger_with(*recipients: str) -> Ledger:
    """One message, accepted for each of these."""
    trace = Trace(begun=[Offered(Stamp("run.0.0", DIGEST), recipients)])
    trace.settle(recipients, accepted=True, at_ns=1)
    ledger = Ledger("run")
    ledger.add(trace)
    return ledger


def counted(ledger: Ledger, read: frozenset[str] | None) -> dict[str, int]:
    result = ledger.result(read, body_as_sent=lambda arrival, number: BODY)
    ordinary = {"sent", "accepted"}
    return {name: getattr(result, name) for name in COUNTS if name not in ordinary and getattr(result, name)}


class Mailbox:
    """A Maildir in a directory of the test's."""

    def __init__(self, base: Path, local: str) -> None:
        self.path = base / local / "Maildir"
        for folder in ("new", "cur", "tmp"):
            (self.path / folder).mkdir(parents=True)

    def deliver(self, name: str, content: bytes, folder: str = "new") -> None:
        (self.path / folder / name).write_bytes(content)


def maildirs(base: Path) -> Maildirs:
    accounts = [Account(address, address, "secret") for address in (A, B)]
    return Maildirs(f"{base}/{{local}}/Maildir", accounts, time.monotonic_ns())


def test_a_message_in_its_maildir_is_delivered_whatever_its_line_ends(tmp_path: Path) -> None:
    ledger, box = ledger_with(A, B), Mailbox(tmp_path, "user1")
    box.deliver("1.a", (HEADER + BODY).replace(b"\r\n", b"\n"))
    Mailbox(tmp_path, "user2").deliver("1.b:2,S", HEADER + BODY, "cur")
    read = finished(maildirs(tmp_path).read(ledger))
    assert counted(ledger, read) == {"delivered_once": 2}


def test_the_same_file_moved_and_read_again_is_one_copy_and_another_is_two(tmp_path: Path) -> None:
    ledger, box = ledger_with(A), Mailbox(tmp_path, "user1")
    box.deliver("1.a", HEADER + BODY)
    reader = maildirs(tmp_path)
    finished(reader.read(ledger))
    (box.path / "new" / "1.a").rename(box.path / "cur" / "1.a:2,S")
    assert counted(ledger, finished(reader.read(ledger))) == {"delivered_once": 1}
    box.deliver("2.a", HEADER + BODY)
    assert counted(ledger, finished(reader.read(ledger))) == {"duplicate": 1}


def test_a_maildir_that_has_long_been_as_it_is_is_not_read_again_and_one_that_was_changed_is(tmp_path: Path) -> None:
    ledger, box = ledger_with(A), Mailbox(tmp_path, "user1")
    reader = maildirs(tmp_path)
    box.deliver("1.a", b"no mail of ours")
    for folder in ("new", "cur"):
        os.utime(box.path / folder, (1_000_000, 1_000_000))
    assert finished(reader.read(ledger)) == {A}
    box.deliver("2.a", HEADER + BODY)
    os.utime(box.path / "new", (1_000_000, 1_000_000))
    assert finished(reader.read(ledger)) == {A}, "as far as its times tell, nothing has come"
    assert ledger.maildrops_owing() == {A}
    os.utime(box.path / "new", (1_000_001, 1_000_001))
    assert finished(reader.read(ledger)) == {A}
    assert ledger.maildrops_owing() == set()


def test_a_maildir_that_was_changed_just_now_is_read_again_though_its_time_is_the_same(tmp_path: Path) -> None:
    ledger, box = ledger_with(A), Mailbox(tmp_path, "user1")
    reader, now_ns = maildirs(tmp_path), time.time_ns()
    os.utime(box.path / "new", ns=(now_ns, now_ns))
    finished(reader.read(ledger))
    box.deliver("1.a", HEADER + BODY)
    os.utime(box.path / "new", ns=(now_ns, now_ns))
    finished(reader.read(ledger))
    assert ledger.maildrops_owing() == set()


def test_a_maildir_that_is_not_there_was_not_read_so_nothing_is_lost(tmp_path: Path) -> None:
    ledger = ledger_with(A, B)
    Mailbox(tmp_path, "user1")
    read = finished(maildirs(tmp_path).read(ledger))
    assert read == {A}
    assert counted(ledger, read) == {"lost": 1, "pending": 1}


def test_the_octets_that_were_changed_are_named_and_the_neighbours_mail_too(tmp_path: Path) -> None:
    ledger = ledger_with(A)
    Mailbox(tmp_path, "user1").deliver("1.a", HEADER + BODY.replace(b"w", b"W"))
    Mailbox(tmp_path, "user2").deliver("1.b", HEADER + BODY)
    read = finished(maildirs(tmp_path).read(ledger))
    assert counted(ledger, read) == {"corrupt": 1, "misdelivered": 1}
    sentences = [one.sentence for one in ledger.result(read, body_as_sent=lambda *_: BODY).irregularities]
    assert sentences == [
        "octet 10 of its body is 0x57 where 0x77 was sent",
        f"found in the maildrop of {B}, whom it was not for",
    ]


def test_other_mail_in_a_maildir_is_no_affair_of_ours(tmp_path: Path) -> None:
    ledger, box = ledger_with(A), Mailbox(tmp_path, "user1")
    box.deliver("1.a", HEADER + BODY)
    box.deliver("2.a", b"no mail at all")
    box.deliver("3.a", HEADER.replace(b"run.0.0", b"another.0.0") + BODY)
    box.deliver(".hidden", HEADER + BODY)
    assert counted(ledger, finished(maildirs(tmp_path).read(ledger))) == {"delivered_once": 1}


def kept(recipient: str, content: bytes) -> bytes:
    assert content.endswith(b"\r\n"), "the sink sees mail data without the end of its last line"
    return line_of(recipient.encode(), Transferred(b"from@a.test", (), content[:-2]), 5)


def test_what_a_sink_writes_is_read_as_it_grows(tmp_path: Path) -> None:
    ledger, path = ledger_with(A, B), tmp_path / "kept.jsonl"
    file = SinkFile(path, 0)
    first, second = kept(A, HEADER + BODY), kept(B, HEADER + BODY)
    path.write_bytes(first + second[:20])
    finished(file.read(ledger))
    assert ledger.maildrops_owing() == {B}
    path.write_bytes(first + second)
    finished(file.read(ledger))
    assert ledger.maildrops_owing() == set()
    assert counted(ledger, None) == {"delivered_once": 2}


def test_a_changed_body_is_kept_by_the_sink_and_told_by_the_ledger(tmp_path: Path) -> None:
    ledger, path = ledger_with(A), tmp_path / "kept.jsonl"
    path.write_bytes(kept(A, HEADER + b">" + BODY))
    finished(SinkFile(path, 0).read(ledger))
    result = ledger.result(None, body_as_sent=lambda *_: BODY)
    assert [one.sentence for one in result.irregularities] == ['1 octet (">") stands in its body at 0 that nobody sent']


@pytest.mark.parametrize("at_ns", [-1, 1 << 62])
def test_an_instant_of_another_clock_is_no_time(at_ns: int, tmp_path: Path) -> None:
    ledger, path, origin_ns = ledger_with(A), tmp_path / "kept.jsonl", time.monotonic_ns()
    one = Transferred(b"from@a.test", (), (HEADER + BODY)[:-2])
    path.write_bytes(line_of(A.encode(), one, origin_ns + at_ns))
    finished(SinkFile(path, origin_ns).read(ledger))
    result = ledger.result(None)
    assert result.delivered_once == 1
    assert result.end_to_end is not None
    assert (result.end_to_end.count, result.end_to_end.untimed) == (0, 1)
    assert len(result.backlog) < 60


def test_a_whole_body_is_not_kept() -> None:
    assert "body" not in json.loads(kept(A, HEADER + BODY))


@pytest.mark.parametrize(
    "line",
    [b"nonsense\n", b'{"recipient": "a"}\n', b'{"recipient":"a","message_id":"","digest":"zz","at_ns":1}\n'],
)
def test_a_file_that_no_sink_wrote_is_the_operators_to_know(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_bytes(line)
    with pytest.raises(UserError, match=r"line 1 of .* is none of a sink's"):
        finished(SinkFile(path, 0).read(ledger_with(A)))
    path.unlink()
    with pytest.raises(UserError, match="cannot be read: No such file"):
        finished(SinkFile(path, 0).read(ledger_with(A)))
