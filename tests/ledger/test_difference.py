"""Which octets of a body were changed, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.ledger.difference import difference


@pytest.mark.parametrize(
    ("sent", "found", "sentence"),
    [
        (b"abcdef", b"abXdef", "octet 2 of its body is 0x58 where 0x63 was sent"),
        (b"abcdef", b"Xbcdef", "octet 0 of its body is 0x58 where 0x61 was sent"),
        (
            b"abcdef", b"aXcdeY",
            "2 octets of its body differ, from 1 (0x58 where 0x62 was sent) to 5 (0x59 where 0x66 was sent)",
        ),
        (b"abcdef", b"abc", "its body ends after 3 octets of 6"),
        (b"abcdef", b"", "its body ends after 0 octets of 6"),
        (b"abcdef", b"abef", '2 octets ("cd") of its body from 2 on are missing'),
        (b"abcdef", b"acdef", '1 octet ("b") of its body from 1 on is missing'),
        (b"abcdef", b"ab>cdef", '1 octet (">") stands in its body at 2 that nobody sent'),
        (b"abcdef", b"abcdef--\r\n", '4 octets ("--\\r\\n") stand in its body at 6 that nobody sent'),
        (b"abcdef", b"abXYZef", 'in its body 2 octets ("cd") from 2 on have become 3 octets ("XYZ")'),
        (b"aaa", b"aa", "its body ends after 2 octets of 3"),
    ],
)   # fmt: skip
def test_it_is_said_where_and_what(sent: bytes, found: bytes, sentence: str) -> None:
    assert difference(sent, found) == sentence


@given(st.binary(min_size=1, max_size=60), st.binary(max_size=60))
def test_any_difference_can_be_told_and_stays_printable(sent: bytes, found: bytes) -> None:
    if sent != found:
        assert difference(sent, found).isprintable()
