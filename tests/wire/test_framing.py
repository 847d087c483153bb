"""Lines and dot-ended blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.framing import Line, LineEnding, LineFramer
from tests.wire.cuts import cuts_of

# Octets in which ends, and what only looks like an end, are common.
streams = st.lists(
    st.sampled_from([b"a", b".", b"\r", b"\n", b"\r\n", b"\r\n.\r\n", b".\r\n", b"bc"]), max_size=20
).map(b"".join)


def test_lines_come_with_their_endings_and_their_length_judged() -> None:
    framer = LineFramer(5, 100)
    framer.feed(b"abc\r\nabcd\r\nab\ncut")
    assert framer.next_line() == Line(b"abc", LineEnding.CRLF, over_long=False)
    assert framer.next_line() == Line(b"abcd", LineEnding.CRLF, over_long=True)
    assert framer.next_line() == Line(b"ab", LineEnding.LF, over_long=False)
    assert framer.next_line() is None
    assert framer.pending == b"cut"


@given(streams, st.data())
def test_lines_joined_with_what_is_pending_are_the_octets_fed(octets: bytes, data: st.DataObject) -> None:
    framer = LineFramer()
    lines: list[Line] = []
    for piece in data.draw(cuts_of(octets)):
        framer.feed(piece)
        while (line := framer.next_line()) is not None:
            lines.append(line)
    assert b"".join(line.octets for line in lines) + framer.pending == octets
    assert all(b"\n" not in line.content for line in lines)
    assert b"\n" not in framer.pending


@pytest.mark.parametrize(
    ("octets", "block"),
    [
        (b".\r\nrest", b".\r\n"),
        (b"a\r\n.\r\nrest", b"a\r\n.\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n.\r\n"),  # a bare LF begins no line
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n.\nb\r\n.\r\n"),  # a bare LF ends none
        (b"a\r\n..\r\n.\r\n", b"a\r\n..\r\n.\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n.\r\n"),
        (b"\n.\r\n", None),
        (b"a\r\n.\r", None),
        (b"a\r\n.\r\r\n", None),
    ],
)
def test_a_block_ends_at_the_first_line_that_is_a_dot_and_nowhere_else(octets: bytes, block: bytes | None) -> None:
    for size in (1, 2, 3, len(octets)):
        framer = LineFramer()
        taken = None
        for at in range(0, len(octets), size):
            framer.feed(octets[at : at + size])
            taken = taken if taken is not None else framer.next_block(1000)
        assert taken == block
        assert (taken or b"") + framer.pending == octets


@given(streams, st.data())
def test_a_block_is_the_same_however_it_is_cut(octets: bytes, data: st.DataObject) -> None:
    whole, cut = LineFramer(), LineFramer()
    whole.feed(b"status\r\n" + octets)
    whole.next_octets()
    block = whole.next_block(1000)
    status = taken = None
    for piece in data.draw(cuts_of(b"status\r\n" + octets)):
        cut.feed(piece)
        if status is None:
            status = cut.next_octets()
        if status is not None and taken is None:
            taken = cut.next_block(1000)
    assert (taken, cut.pending) == (block, whole.pending)


def test_a_block_above_its_limit_is_refused_whether_or_not_its_end_has_come() -> None:
    for octets in (b"x" * 100 + b"\r\n.\r\n", b"x" * 105):
        framer = LineFramer(section="RFC 1939 §3")
        framer.feed(octets)
        with pytest.raises(RemoteProtocolError, match="104 octets") as caught:
            framer.next_block(104)
        assert caught.value.section == "RFC 1939 §3"
    framer = LineFramer()
    framer.feed(b"x" * 100 + b"\r\n.\r\n")
    assert framer.next_block(105) is not None


def test_everything_pending_can_be_taken_at_once() -> None:
    framer = LineFramer()
    framer.feed(b"a\r\nb\r\nc")
    assert framer.next_octets() == b"a\r\n"
    assert framer.take_pending() == b"b\r\nc"
    assert (framer.pending, framer.pending_octets) == (b"", 0)
    framer.feed(b"d\r\n")
    assert framer.next_octets() == b"d\r\n"
