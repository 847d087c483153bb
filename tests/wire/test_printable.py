"""Nothing a server says reaches a terminal as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.wire.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from loadgen.wire.printable import printable


@pytest.mark.parametrize(
    ("octets", "shown"),
    [(b"250 OK", "250 OK"), (b"\r\n\t", "\\r\\n\\t"), (b"\x1b[2J\x00\x7f", "\\x1b[2J\\x00\\x7f"),
     (b"back\\slash", "back\\\\slash"), ("\u202egr\u00fc\u00df".encode(), "\\xe2\\x80\\xaegr\\xc3\\xbc\\xc3\\x9f")],
)  # fmt: skip
def test_hostile_octets_are_escaped(octets: bytes, shown: str) -> None:
    assert printable(octets) == shown


def test_what_is_past_the_limit_is_counted() -> None:
    assert printable(b"abcdef", limit=4) == "abcd [2 more octets]"
    assert printable(b"abcd", limit=4) == "abcd"


@given(st.binary(max_size=100))
def test_everything_shown_is_printable_ascii_and_can_be_read_back(octets: bytes) -> None:
    shown = printable(octets)
    assert shown.isascii()
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape").encode("latin-1") == octets


def test_the_root_of_the_errors_is_abstract() -> None:
    with pytest.raises(TypeError):
        ProtocolError("who?")
    assert issubclass(LocalProtocolError, ProtocolError)


def test_the_message_of_a_remote_error_is_safe_to_show() -> None:
    error = RemoteProtocolError("no code", octets=b"\x1b[2J\r\n", section="RFC 5321 §4.2")
    assert str(error) == 'no code (RFC 5321 §4.2), got "\\x1b[2J\\r\\n"'
    assert error.octets == b"\x1b[2J\r\n"
    assert str(RemoteProtocolError("cut", octets=b"", section="RFC 5321 §4.2")) == "cut (RFC 5321 §4.2)"
