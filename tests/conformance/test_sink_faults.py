"""What a sink does wrong when it is told to, by every so many messages; and what it keeps."""

import json
from pathlib import Path

import pytest

from conformance.keeping_sink import KeepingSink, line_of
from conformance.sink import Transferred
from conformance.sink_faults import FAULTS, misfortunes_of
from reports.errors import UserError

MAIL = b"X-Mailproof-Id: run.0.0\r\n\r\nThe body of it."
ONE = Transferred(b"from@a.test", (b"user1@a.test", b"user9@a.test"), MAIL)


def kept_by(name: str) -> list[Transferred]:
    return list(FAULTS[name].kept(ONE))


def test_each_fault_does_what_it_is_named_after() -> None:
    assert (kept_by("loses"), kept_by("duplicates"), kept_by("hushes")) == ([], [ONE, ONE], [ONE])
    assert [one.recipients for one in kept_by("misdelivers")] == [(b"user2@a.test", b"user10@a.test")]
    [flipped] = kept_by("flips")
    differing = [place for place, octet in enumerate(flipped.mail_data) if octet != MAIL[place]]
    assert len(differing) == 1
    assert differing[0] > MAIL.index(b"\r\n\r\n")
    assert [name for name, fault in FAULTS.items() if not fault.answers] == ["hushes"]


@pytest.mark.parametrize(
    ("address", "neighbour"), [(b"a@b.test", b"a1@b.test"), (b"u19@b.test", b"u20@b.test"), (b"", b"1")]
)
def test_everybody_has_a_neighbour(address: bytes, neighbour: bytes) -> None:
    [one] = FAULTS["misdelivers"].kept(Transferred(b"", (address,), MAIL))
    assert one.recipients == (neighbour,)


def test_one_message_suffers_one_thing_the_first_that_is_named() -> None:
    misfortunes = misfortunes_of(["loses=4", "duplicates=2"])
    suffered = [fault.name if fault is not None else "" for fault in (misfortunes.of_the_next() for _ in range(8))]
    assert suffered == ["", "duplicates", "", "loses", "", "duplicates", "", "loses"]
    assert misfortunes.befell == {"loses": 2, "duplicates": 2}
    assert misfortunes_of(["flips"]).of_the_next() is FAULTS["flips"], "without a number: every message"


@pytest.mark.parametrize(
    ("notation", "sentence"),
    [
        ("looses=5", "a sink has no such fault; it has loses, duplicates, flips, misdelivers, hushes"),
        ("loses=0", "loses=N does so to every N-th message"),
        ("loses=", "loses=N does so to every N-th message"),
        ("loses=x", "loses=N does so to every N-th message"),
    ],
)
def test_what_is_no_fault_gets_its_sentence(notation: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        misfortunes_of([notation])


def test_a_line_is_kept_for_each_recipient_and_the_counts_are_told(tmp_path: Path) -> None:
    sink = KeepingSink(tmp_path / "kept.jsonl", misfortunes_of(["loses=2"]))
    assert [sink.keep(ONE) for _ in range(3)] == [True, True, True]
    sink.close()
    lines = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_bytes().splitlines()]
    assert [line["recipient"] for line in lines] == ["user1@a.test", "user9@a.test"] * 2
    assert {line["message_id"] for line in lines} == {"run.0.0"}
    assert sink.told() == {"received": 3, "kept": 4, "faults": {"loses": 1}}


def test_a_message_that_is_none_of_ours_is_kept_without_an_id() -> None:
    line = json.loads(line_of(b"a@b.test", Transferred(b"", (), b"no header at all"), 7))
    assert (line["message_id"], line["at_ns"], "body" in line) == ("", 7, False)


def test_a_file_that_cannot_be_written_is_the_operators_to_know(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--keep .*: No such file or directory"):
        KeepingSink(tmp_path / "nowhere" / "kept.jsonl", misfortunes_of([]))
