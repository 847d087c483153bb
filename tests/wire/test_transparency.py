"""Transparency: what is stuffed comes back, and only CRLF.CRLF ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.wire.transparency import Stuffer, Unstuffer, stuff, unstuff, unstuff_noting
from tests.wire.cuts import cuts_of

VECTORS = [
    (b"", b".\r\n"),
    (b"a\r\n", b"a\r\n.\r\n"),
    (b"a", b"a\r\n.\r\n"),
    (b".", b"..\r\n.\r\n"),
    (b".\r\n", b"..\r\n.\r\n"),
    (b"..\r\n", b"...\r\n.\r\n"),
    (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
    (b"a\r\n.b\r\n", b"a\r\n..b\r\n.\r\n"),
    (b"a.\r\nb.c\r\n", b"a.\r\nb.c\r\n.\r\n"),
    (b"a\n.\nb\r\n", b"a\n.\nb\r\n.\r\n"),  # a bare LF begins no line
    (b"a\r.\r\n", b"a\r.\r\n.\r\n"),
    (b"\r\n\r\n.", b"\r\n\r\n..\r\n.\r\n"),
    (b"a\r", b"a\r\r\n.\r\n"),
]

bodies = st.lists(st.sampled_from([b"a", b".", b"..", b"\r", b"\n", b"\r\n", b"\r\n.", b"\x00\xff"]), max_size=20).map(
    b"".join
)


@pytest.mark.parametrize(("body", "stuffed"), VECTORS)
def test_a_body_is_stuffed_as_written_by_hand(body: bytes, stuffed: bytes) -> None:
    assert stuff(body) == stuffed
    assert unstuff(stuffed) == (body if body.endswith(b"\r\n") or not body else body + b"\r\n")


@pytest.mark.parametrize(
    ("block", "content", "unstuffed"),
    [
        (b".a\r\n.\r\n", b"a\r\n", True),
        (b"..a\r\n.\r\n", b".a\r\n", False),
        (b"a\r\n.b\r\n.\r\n", b"a\r\nb\r\n", True),
        (b"a\r\n..b\r\n.c\r\n.\r\n", b"a\r\n.b\r\nc\r\n", True),
        (b"a\r\n..b\r\n..\r\n.\r\n", b"a\r\n.b\r\n.\r\n", False),
        (b"...\r\n.\r\n", b"..\r\n", False),
        (b".\r\n", b"", False),
    ],
)
def test_a_dot_that_was_not_stuffed_is_stripped_and_noted(block: bytes, content: bytes, unstuffed: bool) -> None:
    assert unstuff_noting(block) == (content, unstuffed)


@given(bodies)
def test_what_is_stuffed_comes_back_and_ends_only_at_its_end(body: bytes) -> None:
    stuffed = stuff(body)
    assert unstuff(stuffed) == (body if body.endswith(b"\r\n") or not body else body + b"\r\n")
    assert (b"\r\n" + stuffed).find(b"\r\n.\r\n") == len(stuffed) - 3
    assert not unstuff_noting(stuffed)[1]


@given(bodies, st.data())
def test_stuffing_in_pieces_is_stuffing_whole(body: bytes, data: st.DataObject) -> None:
    stuffer = Stuffer()
    stuffed = b"".join([stuffer.feed(piece) for piece in data.draw(cuts_of(body))]) + stuffer.finish()
    assert stuffed == stuff(body)


@given(bodies, st.binary(max_size=8), st.data())
def test_what_is_stuffed_comes_back_whatever_the_cuts(body: bytes, behind: bytes, data: st.DataObject) -> None:
    unstuffer = Unstuffer()
    pieces = data.draw(cuts_of(stuff(body) + behind))
    content = b"".join([unstuffer.feed(piece) for piece in pieces])
    assert content == (body if body.endswith(b"\r\n") or not body else body + b"\r\n")
    assert unstuffer.done
    assert unstuffer.rest == behind


@given(bodies, st.data())
def test_unstuffing_in_pieces_is_unstuffing_whole_even_of_what_was_never_stuffed(
    block: bytes, data: st.DataObject
) -> None:
    end = (b"\r\n" + block + b"\r\n.\r\n").find(b"\r\n.\r\n") + 3
    unstuffer = Unstuffer()
    sent = block + b"\r\n.\r\n"
    content = b"".join([unstuffer.feed(piece) for piece in data.draw(cuts_of(sent))])
    assert content == unstuff(sent[:end])
    assert unstuffer.rest == sent[end:]


def test_content_is_given_out_as_soon_as_it_is_certain() -> None:
    unstuffer = Unstuffer()
    assert unstuffer.feed(b"abc\r\n") == b"abc\r\n"
    assert unstuffer.feed(b".") == b""
    assert unstuffer.feed(b"\r") == b""
    assert unstuffer.feed(b"x") == b"\rx"
    assert not unstuffer.done
