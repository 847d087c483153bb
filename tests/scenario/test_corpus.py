"""Reading a directory of .eml files: what is sent of them, what is changed and counted, and what is refused."""

from pathlib import Path

import pytest

from loadgen.scenario import corpus
from loadgen.scenario.corpus import read_corpus
from loadgen.scenario.problems import UnreadableError

MESSAGE = b"From: <a@b.test>\r\nSubject: hello\r\n\r\nFirst\r\n.\r\n"


def written(directory: Path, **files: bytes) -> str:
    for name, octets in files.items():
        (directory / f"{name}.eml").write_bytes(octets)
    return str(directory)


def problems_of(directory: str) -> list[str]:
    with pytest.raises(UnreadableError) as caught:
        read_corpus(directory)
    return [str(problem) for problem in caught.value.problems]


def test_the_messages_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    written(tmp_path, b=MESSAGE, a=MESSAGE)
    (tmp_path / "C.EML").write_bytes(MESSAGE)
    (tmp_path / "notes.txt").write_bytes(b"not mail")
    (tmp_path / "folder.eml").mkdir()
    found = read_corpus(str(tmp_path))
    assert [Path(sample.file).name for sample in found.samples] == ["C.EML", "a.eml", "b.eml"]
    assert {(sample.header, sample.body) for sample in found.samples} == {
        (b"From: <a@b.test>\r\nSubject: hello\r\n", b"First\r\n.\r\n")
    }
    assert found.line_ends_changed == 0


@pytest.mark.parametrize(
    ("octets", "changed"),
    [
        (MESSAGE.replace(b"\r\n", b"\n"), 5),
        (MESSAGE.replace(b"\r\n", b"\r"), 5),
        (MESSAGE.removesuffix(b"\r\n"), 1),
        (MESSAGE.replace(b"First\r\n", b"First\n"), 1),
    ],
)
def test_line_ends_become_crlf_and_each_that_changed_is_counted(tmp_path: Path, octets: bytes, changed: int) -> None:
    found = read_corpus(written(tmp_path, a=octets, b=MESSAGE))
    assert found.samples[0].header + b"\r\n" + found.samples[0].body == MESSAGE
    assert found.line_ends_changed == changed


def test_a_lone_cr_before_crlf_is_a_line_end_of_its_own(tmp_path: Path) -> None:
    assert read_corpus(written(tmp_path, a=b"A: b\r\n\r\nx\r\r\n")).samples[0].body == b"x\r\n\r\n"


def test_what_must_not_go_along_is_left_out_with_its_folded_lines(tmp_path: Path) -> None:
    octets = (
        b"Return-Path: <x@y.test>\r\nDelivered-To: z@y.test\r\nFrom: <a@b.test>\r\nBCC: <hidden@b.test>,\r\n"
        b"\t<also-hidden@b.test>\r\nX-Mailproof-Id: old.0.0\r\nMessage-Id : <1@b.test>\r\nSubject: a\r\n long one\r\n"
        b"Resent-Bcc: <h@b.test>\r\n\r\nBcc: stays\r\n"
    )
    (sample,) = read_corpus(written(tmp_path, a=octets)).samples
    assert sample.header == b"From: <a@b.test>\r\nSubject: a\r\n long one\r\n"
    assert sample.body == b"Bcc: stays\r\n"


@pytest.mark.parametrize("octets", [b"A: b\r\n", b"A: b", b"A: b\r\n\r\n"])
def test_a_message_without_a_body_is_one(tmp_path: Path, octets: bytes) -> None:
    (sample,) = read_corpus(written(tmp_path, a=octets)).samples
    assert (sample.header, sample.body) == (b"A: b\r\n", b"")


UNFIT = [
    (b"A: b\n\n" + b"x" * 999 + b"\n", "line 3 of {}: 999 octets, more than the 998 of RFC 5322 §2.1.1"),
    (b"A: b\n\nx\ny\0\n", "line 4 of {}: a NUL octet, which no mail may hold (RFC 5322 §4, RFC 6152 §2)"),
    (b"", "line 1 of {}: neither a header field nor the empty line after the last"),
    (b"\n\nbody\n", "line 1 of {}: neither a header field nor the empty line after the last"),
    (b" A: b\n\n", "line 1 of {}: neither a header field nor the empty line after the last"),
    (b"From x@y.test Thu Jan  1\nA: b\n\n", "line 1 of {}: neither a header field nor the empty line after the last"),
    (b"A: b\nno field\n\n", "line 2 of {}: neither a header field nor the empty line after the last"),
    (b"A: b\n \xe9\n\n", "line 2 of {}: a header field that is no UTF-8 (RFC 6532 §3)"),
]


@pytest.mark.parametrize(("octets", "sentence"), UNFIT)
def test_what_cannot_be_sent_as_mail_has_a_sentence_with_file_and_line(
    tmp_path: Path, octets: bytes, sentence: str
) -> None:
    directory = written(tmp_path, bad=octets, good=MESSAGE)
    assert problems_of(directory) == [sentence.format(tmp_path / "bad.eml")]


def test_a_line_of_998_octets_and_8_bit_octets_in_a_body_are_mail(tmp_path: Path) -> None:
    body = b"\xff" * 998 + b"\r\n"
    assert read_corpus(written(tmp_path, a=b"A: b\r\n\r\n" + body)).samples[0].body == body


def test_every_unfit_file_is_told_but_only_so_many(tmp_path: Path) -> None:
    assert len(problems_of(written(tmp_path, **{f"n{n}": b"?" for n in range(3)}))) == 3
    assert len(problems_of(written(tmp_path, **{f"n{n}": b"?" for n in range(30)}))) == 10


def test_what_is_wrong_with_the_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    assert problems_of(f"{tmp_path}/none") == [f"no such directory: {tmp_path}/none"]
    assert problems_of(f"{tmp_path}/file") == [
        f"{tmp_path}/file is no directory, and a corpus is a directory of .eml files"
    ]
    assert problems_of(f"{tmp_path}/empty") == [f"{tmp_path}/empty holds no .eml file"]


def test_an_unreadable_directory_or_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied")

    directory = written(tmp_path, a=MESSAGE)
    monkeypatch.setattr(Path, "open", denied)
    assert problems_of(directory) == [f"cannot read {tmp_path / 'a.eml'}: Permission denied"]
    monkeypatch.setattr(Path, "iterdir", denied)
    assert problems_of(directory) == [f"cannot read {tmp_path}: Permission denied"]


def test_a_corpus_is_bounded_in_files_and_octets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = written(tmp_path, a=MESSAGE, b=MESSAGE, c=MESSAGE)
    monkeypatch.setattr(corpus, "FILES_MAX", 2)
    assert problems_of(directory) == [f"{tmp_path} holds 3 .eml files, more than the 2 a run can hold"]
    monkeypatch.setattr(corpus, "FILES_MAX", 3)
    monkeypatch.setattr(corpus, "OCTETS_MAX", 3 * len(MESSAGE))
    assert len(read_corpus(directory).samples) == 3
    monkeypatch.setattr(corpus, "OCTETS_MAX", 3 * len(MESSAGE) - 1)
    assert problems_of(directory) == [f"the .eml files of {tmp_path} hold more than the 0 MiB a run can hold"]
