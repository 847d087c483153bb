"""Maildrops as Maildirs: kept over a restart, shared with other software, never half written."""

import mailbox
from pathlib import Path

import pytest

from conformance.refserver.errors import ServerSetupError
from conformance.refserver.maildir import MaildirStore, directory_name
from conformance.refserver.maildrop import NotStored
from tests.refserver.bench import make_bench

USER1 = "user1@example.test"


def store(root: Path, **limits: int) -> MaildirStore:
    return MaildirStore(root, "mail.example.test", **({"maildrop_octets_max": 10**6} | limits))


def test_what_was_delivered_is_there_after_a_restart_with_the_same_unique_ids(tmp_path: Path) -> None:
    first = make_bench(maildrops=store(tmp_path))
    for n in range(20):
        first.deliver(b"N: %d\r\n\r\n.\r\n" % n, 1)
    before = first.pop3(1).receive(b"UIDL\r\n")
    second = make_bench(maildrops=store(tmp_path))
    assert second.contents() == [b"N: %d\r\n\r\n.\r\n" % n for n in range(20)]
    session = second.pop3(1)
    assert session.receive(b"UIDL\r\n") == before
    session.receive(b"DELE 1\r\nQUIT\r\n")
    assert make_bench(maildrops=store(tmp_path)).contents() == [b"N: %d\r\n\r\n.\r\n" % n for n in range(1, 20)]


def test_the_directory_is_a_maildir_that_other_software_reads(tmp_path: Path) -> None:
    make_bench(maildrops=store(tmp_path)).deliver(b"Subject: hi\r\n\r\nbody\r\n", 1)
    box = mailbox.Maildir(tmp_path / USER1, create=False)
    assert [message["Subject"] for message in box] == ["hi"]
    assert list((tmp_path / USER1 / "tmp").iterdir()) == []


def test_mail_of_other_software_appears_at_the_next_login_with_crlf_line_ends(tmp_path: Path) -> None:
    bench = make_bench(maildrops=store(tmp_path))
    bench.deliver(b"N: 1\r\n\r\n", 1)
    session = bench.pop3(1)
    box = mailbox.Maildir(tmp_path / USER1, create=False)
    box.add(b"Subject: local\n\n.dot\nno end")
    assert session.receive(b"STAT\r\n").startswith(b"+OK 1 ")
    session.receive(b"QUIT\r\n")
    again = bench.pop3(1)
    assert again.receive(b"LIST 2\r\n") == b"+OK 2 32\r\n"
    assert again.receive(b"RETR 2\r\n") == b"+OK 32 octets\r\nSubject: local\r\n\r\n..dot\r\nno end\r\n.\r\n"


def test_a_message_keeps_its_unique_id_when_other_software_marks_it_seen(tmp_path: Path) -> None:
    bench = make_bench(maildrops=store(tmp_path))
    bench.deliver(b"N: 1\r\n\r\n", 1)
    before = bench.pop3(1).receive(b"UIDL\r\nRETR 1\r\n")
    (one,) = (tmp_path / USER1 / "new").iterdir()
    one.rename(tmp_path / USER1 / "cur" / f"{one.name}:2,S")
    assert make_bench(maildrops=store(tmp_path)).pop3(1).receive(b"UIDL\r\nRETR 1\r\n") == before


def test_a_message_taken_away_by_other_software_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    bench = make_bench(maildrops=store(tmp_path))
    bench.deliver(b"N: 1\r\n\r\n", 1)
    session = bench.pop3(1)
    (one,) = (tmp_path / USER1 / "new").iterdir()
    one.unlink()
    assert session.receive(b"RETR 1\r\n").startswith(b"-ERR [SYS/TEMP]")
    assert session.receive(b"DELE 1\r\nQUIT\r\n").startswith(b"+OK\r\n-ERR [SYS/TEMP]")


def test_a_failed_write_leaves_no_copy_with_any_recipient(tmp_path: Path) -> None:
    maildrops = store(tmp_path)
    (tmp_path / "user2@example.test").write_text("in the way")
    assert maildrops.deliver([USER1, "user2@example.test"], b"A: b\r\n\r\n") is NotStored.STORE_FAILED
    assert maildrops.maildrop(USER1).listing() == ()
    assert list((tmp_path / USER1 / "new").iterdir()) == []


def test_a_message_that_cannot_be_moved_into_new_does_not_stay_in_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", rename)
    assert store(tmp_path).deliver([USER1], b"A: b\r\n\r\n") is NotStored.STORE_FAILED
    assert [list((tmp_path / USER1 / folder).iterdir()) for folder in ("tmp", "new")] == [[], []]


def test_a_quota_holds_for_what_a_restart_found(tmp_path: Path) -> None:
    make_bench(maildrops=store(tmp_path)).deliver(b"x" * 900 + b"\r\n", 1)
    again = store(tmp_path, maildrop_octets_max=1500)
    assert again.room(USER1, 100) is None
    assert again.room(USER1, 600) is NotStored.MAILDROP_FULL


def test_a_directory_that_cannot_be_written_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerSetupError, match="cannot keep maildrops under"):
        store(tmp_path / "file" / "below")


HOSTILE = ["../../etc/passwd@example.test", "/abs@example.test", ".hidden@example.test", "a\x00b@x", "ü" * 64 + "@x"]


@pytest.mark.parametrize("maildrop", HOSTILE)
def test_no_maildrop_name_leads_out_of_the_directory(maildrop: str) -> None:
    name = directory_name(maildrop)
    assert "/" not in name
    assert "\x00" not in name
    assert not name.startswith(".")
    assert len(name) <= 255


def test_different_maildrops_have_different_directories() -> None:
    names = ["a@x", "A@x", "a%40@x", "a@@x", "%61@x", ".a@x", "%2Ea@x"]
    assert len({directory_name(name) for name in names}) == len(names)
