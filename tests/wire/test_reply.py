"""The reply reader: hand-written vectors first, then what must hold of any octets at all."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.reply import (
    REPLY_LINE,
    AfterCode,
    EnhancedStatus,
    Expect,
    Reply,
    ReplyClass,
    ReplyReader,
)
from tests.wire.cuts import cuts_of, ways_to_feed

D = Deviation  # the vectors are tables


def read(pieces: list[bytes], reader: ReplyReader | None = None) -> list[Reply]:
    reader = reader or ReplyReader()
    replies: list[Reply] = []
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.next_reply()) is not None:
            replies.append(reply)
    return replies


LAWFUL = [
    (b"250 OK\r\n", 250, (b"OK",)),
    (b"250\r\n", 250, (b"",)),  # clients MUST cope: RFC 5321 §4.2.1
    (b"250 \r\n", 250, (b"",)),
    (b"354 End data with <CR><LF>.<CR><LF>\r\n", 354, (b"End data with <CR><LF>.<CR><LF>",)),
    (b"250-First line\r\n250-Second line\r\n250-234 Text beginning with numbers\r\n250 The last line\r\n", 250,
     (b"First line", b"Second line", b"234 Text beginning with numbers", b"The last line")),  # RFC 5321 §4.2.1
    (b"250-a\r\n250\r\n", 250, (b"a", b"")),
    (b"250-\r\n250-\r\n250 \r\n", 250, (b"", b"", b"")),
    (b"220 a\ttab\r\n", 220, (b"a\ttab",)),
    (b"250 250-not a second line\r\n", 250, (b"250-not a second line",)),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "code", "texts"), LAWFUL)
def test_a_lawful_reply_is_read_without_deviation_however_it_arrives(
    octets: bytes, code: int, texts: tuple[bytes, ...]
) -> None:
    for pieces in ways_to_feed(octets):
        assert read(pieces) == [Reply(code, texts, octets)]


DEVIANT = [
    (b"250 OK\n", 250, (b"OK",), (D.BARE_LF,)),
    (b"250-a\n250 b\r\n", 250, (b"a", b"b"), (D.BARE_LF,)),
    (b"250 a\rb\r\n", 250, (b"a\rb",), (D.BARE_CR,)),
    (b"250 OK\r\r\n", 250, (b"OK\r",), (D.BARE_CR,)),
    (b"250 a\x00b\r\n", 250, (b"a\x00b",), (D.NUL,)),
    (b"250 \x1b[2J\r\n", 250, (b"\x1b[2J",), (D.CONTROL,)),
    (b"250 gr\xc3\xbcezi\r\n", 250, (b"gr\xc3\xbcezi",), (D.NON_ASCII,)),
    (b"250_OK\r\n", 250, (b"_OK",), (D.BAD_SEPARATOR,)),
    (b"2500 OK\r\n", 250, (b"0 OK",), (D.BAD_SEPARATOR,)),
    (b"250\tOK\r\n", 250, (b"\tOK",), (D.BAD_SEPARATOR,)),
    (b"250-a\r\n250_b\r\n", 250, (b"a", b"_b"), (D.BAD_SEPARATOR,)),
    (b"250-a\r\n550 b\r\n", 550, (b"a", b"b"), (D.CHANGED_CODE,)),
    (b"250-a\r\n251-b\r\n250 c\r\n", 250, (b"a", b"b", b"c"), (D.CHANGED_CODE,)),
    (b"hello\r\n", 0, (b"hello",), (D.BAD_CODE,)),
    (b"\r\n", 0, (b"",), (D.BAD_CODE,)),
    (b"\n", 0, (b"",), (D.BARE_LF, D.BAD_CODE)),
    (b"25\r\n", 0, (b"25",), (D.BAD_CODE,)),
    (b" 250 OK\r\n", 0, (b" 250 OK",), (D.BAD_CODE,)),
    (b"650 OK\r\n", 650, (b"OK",), (D.BAD_CODE,)),
    (b"299 OK\r\n", 299, (b"OK",), (D.BAD_CODE,)),
    (b"100 wait\r\n", 100, (b"wait",), (D.BAD_CODE,)),
    (b"000-a\r\n250 b\r\n", 250, (b"a", b"b"), (D.BAD_CODE, D.CHANGED_CODE)),
    (b"250-a\r\ngarbage\r\n250 b\r\n", 250, (b"a", b"garbage", b"b"), (D.BAD_CODE,)),
    (b"250 " + b"x" * 506 + b"\r\n", 250, (b"x" * 506,), ()),  # 512 octets, CRLF included: RFC 5321 §4.5.3.1.5
    (b"250 " + b"x" * 505 + b"\xff\r\n", 250, (b"x" * 505 + b"\xff",), (D.NON_ASCII,)),
    (b"250 " + b"x" * 507 + b"\r\n", 250, (b"x" * 507,), (D.OVER_LONG,)),
    (b"250-a\r\n250 " + b"x" * 507 + b"\r\n", 250, (b"a", b"x" * 507), (D.OVER_LONG,)),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "code", "texts", "deviations"), DEVIANT)
def test_a_deviant_reply_is_framed_and_its_deviations_are_recorded(
    octets: bytes, code: int, texts: tuple[bytes, ...], deviations: tuple[Deviation, ...]
) -> None:
    for pieces in ways_to_feed(octets):
        assert read(pieces) == [Reply(code, texts, octets, deviations)]


@pytest.mark.parametrize("octets", [case[0] for case in LAWFUL + DEVIANT])
def test_what_stands_behind_a_reply_is_the_next_reply_and_not_part_of_it(octets: bytes) -> None:
    [first, second, third] = read([octets + octets + b"221 Bye\r\n"])
    assert first == second
    assert first.octets == octets
    assert third == Reply(221, (b"Bye",), b"221 Bye\r\n")


def test_every_cell_of_the_grammar_is_filled() -> None:
    assert set(REPLY_LINE) == {(expect, after) for expect in Expect for after in AfterCode}


def test_an_unfinished_reply_is_pending_and_no_reply() -> None:
    reader = ReplyReader()
    reader.feed(b"250-a\r\n250-b\r\n250 c")
    assert reader.next_reply() is None
    assert reader.pending == b"250-a\r\n250-b\r\n250 c"
    assert reader.has_pending
    reader.feed(b"\r\n")
    assert read([], reader) == []
    assert reader.next_reply() == Reply(250, (b"a", b"b", b"c"), b"250-a\r\n250-b\r\n250 c\r\n")
    assert not reader.has_pending


def test_a_line_without_an_end_is_refused_at_the_hard_limit_and_again() -> None:
    reader = ReplyReader(hard_limit_octets=1000)
    reader.feed(b"2" * 1000)
    assert reader.next_reply() is None
    reader.feed(b"2")
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="1000 octets"):
            reader.next_reply()


def test_a_whole_line_above_the_hard_limit_is_refused_too() -> None:
    reader = ReplyReader(hard_limit_octets=100)
    reader.feed(b"250 " + b"x" * 100 + b"\r\n")
    with pytest.raises(RemoteProtocolError) as caught:
        reader.next_reply()
    assert caught.value.octets.startswith(b"250 xxx")
    assert caught.value.section.startswith("RFC 5321")


@pytest.mark.parametrize("bounds", [{"max_lines": 10}, {"max_octets": 80}])
def test_a_reply_without_a_last_line_is_refused_at_its_bounds(bounds: dict[str, int]) -> None:
    with pytest.raises(RemoteProtocolError, match="last line"):
        read([b"250-line\r\n" * 10], ReplyReader(**bounds))
    assert len(read([b"250-line\r\n" * 7 + b"250 line\r\n"], ReplyReader(**bounds))) == 1


def test_a_tighter_line_limit_holds_on_every_path() -> None:
    reader = ReplyReader(max_line=10)
    replies = read([b"250 123456\r\n250 1234\r\n250-123456\r\n250 1\r\n250-1\r\n250 123456\r\n"], reader)
    assert [D.OVER_LONG in reply.deviations for reply in replies] == [True, False, True, True]


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, "UNDEFINED"), (120, "PRELIMINARY"), (250, "POSITIVE_COMPLETION"), (354, "POSITIVE_INTERMEDIATE"),
     (421, "TRANSIENT_NEGATIVE"), (550, "PERMANENT_NEGATIVE"), (600, "UNDEFINED"), (999, "UNDEFINED")],
)  # fmt: skip
def test_the_first_digit_is_the_class(code: int, expected: str) -> None:
    assert Reply(code, (b"",), b"").reply_class is ReplyClass[expected]


@pytest.mark.parametrize(
    ("text", "status"),
    [(b"2.1.5 Ok", "2.1.5"), (b"5.7.1", "5.7.1"), (b"4.999.999 x", "4.999.999"), (b"Ok 2.1.5", None),
     (b"3.1.5 x", None), (b"2.1.5x", None), (b"2.01.5 x", None), (b"2.1.5\tx", None), (b"", None)],
)  # fmt: skip
def test_an_enhanced_status_code_is_read_only_at_the_start_of_the_text(text: bytes, status: str | None) -> None:
    enhanced = Reply(250, (text,), b"").enhanced
    assert (enhanced and str(enhanced)) == status
    assert enhanced is None or isinstance(enhanced, EnhancedStatus)


textstring = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=60)
codes = st.builds("{}{}{}".format, st.integers(2, 5), st.integers(0, 5), st.integers(0, 9))


@st.composite
def lawful_replies(draw: st.DrawFn) -> Reply:
    code, texts = draw(codes), draw(st.lists(textstring, min_size=1, max_size=5))
    octets = "".join(f"{code}-{text}\r\n" for text in texts[:-1]) + f"{code} {texts[-1]}\r\n"
    return Reply(int(code), tuple(text.encode() for text in texts), octets.encode())


@given(st.lists(lawful_replies(), min_size=1), st.data())
def test_the_cutting_of_the_bytes_does_not_matter(sent: list[Reply], data: st.DataObject) -> None:
    octets = b"".join(reply.octets for reply in sent)
    assert read(data.draw(cuts_of(octets))) == read([octets]) == sent


# Pieces of which nearly every stream is deviant somewhere; plain random octets would seldom frame anything.
scraps = st.sampled_from(
    [b"250 OK\r\n", b"250-x\r\n", b"550 no\r\n", b"354\r\n", b"\n", b"\r", b"\r\n", b"25", b"250", b"-", b" ",
     b"_", b"\x00", b"\xff", b"\x1b", b"999 x\r\n", b"000-\n", b"x" * 600, b"4.2.1"]
)  # fmt: skip


@given(st.lists(scraps | st.binary(max_size=4)).map(b"".join), st.data())
@example(b"250-a\r\n" * 2 + b"250 b\r\n", None)
@example(b"250 \r\r\n", None)
def test_no_octet_is_lost_or_made_up_whatever_is_sent_and_however_it_is_cut(
    octets: bytes, data: st.DataObject | None
) -> None:
    pieces = [octets] if data is None else data.draw(cuts_of(octets))
    reader, cut_reader = ReplyReader(), ReplyReader()
    replies = read([octets], reader)
    assert b"".join(reply.octets for reply in replies) + reader.pending == octets
    assert read(pieces, cut_reader) == replies
    assert cut_reader.pending == reader.pending


@given(st.lists(scraps | st.binary(max_size=4)).map(b"".join))
def test_the_readers_judgement_is_that_of_a_plain_second_reading(octets: bytes) -> None:
    for reply in read([octets]):
        lines = reply.octets.split(b"\n")[:-1]
        assert len(lines) == len(reply.texts)
        assert (D.BARE_LF in reply.deviations) == any(not line.endswith(b"\r") for line in lines)
        assert (D.NUL in reply.deviations) == (b"\0" in reply.octets)
        assert (D.NON_ASCII in reply.deviations) == (not reply.octets.isascii())
        assert (D.OVER_LONG in reply.deviations) == any(len(line) + 1 > 512 for line in lines)
        coded = [line[:3] for line in lines if len(line) > 2 and line[:3].isdigit()]
        assert (D.CHANGED_CODE in reply.deviations) == (len(set(coded)) > 1)
        assert reply.code == (int(lines[-1][:3]) if lines[-1][:3] in coded else 0)
        assert all(text in line for text, line in zip(reply.texts, lines, strict=True))
