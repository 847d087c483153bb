"""An answer of a POP3 server, and how it is judged."""

import pytest

from conformance.answer import Ended
from conformance.judgement import Did
from conformance.pop3_answer import Pop3Answer
from loadgen.wire.response import ResponseReader


def said(octets: bytes, *, multi_line: bool = False) -> Pop3Answer:
    reader = ResponseReader()
    reader.feed(octets)
    response = reader.next_response(multi_line=multi_line)
    assert response is not None
    return Pop3Answer(response, octets)


@pytest.mark.parametrize(
    ("octets", "wanted", "lawful", "did"),
    [
        (b"+OK\r\n", ("+OK",), (), Did.SATISFIED),
        (b"-ERR no\r\n", ("+OK",), (), Did.VIOLATED),
        (b"-ERR no\r\n", ("-ERR",), (), Did.SATISFIED),
        (b"+OK\r\n", ("-ERR",), (), Did.VIOLATED),
        (b"+OK\r\n", ("-ERR",), ("+OK",), Did.DECLINED),
        (b"+ \r\n", ("+OK",), (), Did.VIOLATED),
        (b"+ \r\n", ("+",), (), Did.SATISFIED),
        (b"-ERR [IN-USE] busy\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [UTF8] say so first\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [in-use] busy\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [SYS/TEMP] down\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [SYS/PERM] down\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [LOGIN-DELAY] wait\r\n", ("+OK",), (), Did.UNDETERMINED),
        (b"-ERR [AUTH] no\r\n", ("+OK",), (), Did.VIOLATED),
        (b"-ERR [IN-USE] busy\r\n", ("-ERR",), (), Did.SATISFIED),
    ],
)
def test_an_answer_is_held_against_indicators(
    octets: bytes, wanted: tuple[str, ...], lawful: tuple[str, ...], did: Did
) -> None:
    assert said(octets).expect(*wanted, lawful=lawful).did is did


@pytest.mark.parametrize("ended", Ended)
def test_no_answer_tells_nothing(ended: Ended) -> None:
    judgement = Pop3Answer(ended=ended).expect("+OK", "-ERR", to="STAT")
    assert judgement.did is Did.UNDETERMINED
    assert judgement.got.endswith("to STAT")


def test_an_end_violates_where_a_session_must_survive() -> None:
    assert Pop3Answer(ended=Ended.RESET).expect_open(to="NOOP").did is Did.VIOLATED
    assert Pop3Answer(ended=Ended.SILENT).expect_open(to="NOOP").did is Did.UNDETERMINED
    assert said(b"+OK\r\n").expect_open(to="NOOP").did is Did.SATISFIED


def test_lines_are_unstuffed_and_their_stuffing_is_kept_beside_them() -> None:
    answer = said(b"+OK two\r\n..\r\n\r\n...\r\n.\r\n", multi_line=True)
    assert answer.lines == (b".", b"", b"..")
    assert answer.stuffed == b"..\r\n\r\n...\r\n.\r\n"
    assert str(answer) == "+OK two and 3 lines"


def test_a_list_of_nothing_has_no_lines_and_an_empty_line_is_one() -> None:
    assert said(b"+OK\r\n.\r\n", multi_line=True).lines == ()
    assert said(b"+OK\r\n\r\n.\r\n", multi_line=True).lines == (b"",)


def test_what_is_no_response_has_neither_text_nor_lines() -> None:
    answer = Pop3Answer(ended=Ended.CLOSED)
    assert (answer.ok, answer.err, answer.text, answer.body, answer.lines, answer.code) == (
        False, False, b"", b"", (), b"",
    )  # fmt: skip


def test_a_status_line_is_shown_without_harm() -> None:
    assert str(said(b"+OK \x1b[2J\xff\r\n")) == r"+OK \x1b[2J\xff"
