"""Reading the stamp of what came out of a maildrop, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.message.stamp import Stamp, digest_of, read_stamp

HEADER = b"X-Mailproof-Id: run.1.0\r\nSubject: s\r\n\r\n"


def test_trace_fields_on_top_change_nothing() -> None:
    """RFC 5321 §4.4: what a mail system may lawfully do to a message."""
    body = b"Message\r\n.\r\n"
    received = b"Return-Path: <a@b.test>\r\nReceived: from c\r\n\tby d; Thu, 1 Jan 2026 00:00:00 +0000\r\n"
    assert read_stamp(received + HEADER + body) == read_stamp(HEADER + body) == Stamp("run.1.0", digest_of(body))


@pytest.mark.parametrize("line", [b"x-mailproof-id: run.1.0", b"X-MAILPROOF-ID:run.1.0", b"X-Mailproof-Id: \trun.1.0 "])
def test_the_field_is_known_by_its_name_in_any_case(line: bytes) -> None:
    assert read_stamp(line + b"\r\n\r\n") == Stamp("run.1.0", digest_of(b""))


@pytest.mark.parametrize(
    "content",
    [b"", b"\r\n\r\n", b"Subject: s\r\n\r\nX-Mailproof-Id: run.1.0\r\n", b"X-Mailproof-Id: run.1.0\r\n", b"no header"],
)
def test_what_is_not_ours_has_no_stamp(content: bytes) -> None:
    assert read_stamp(content) is None


@given(st.binary(min_size=1), st.data())
def test_a_flipped_octet_of_the_body_changes_the_digest(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    before, after = read_stamp(HEADER + body), read_stamp(HEADER + changed)
    assert before is not None
    assert after is not None
    assert before.digest != after.digest


@given(st.binary())
def test_no_octets_make_it_fail(content: bytes) -> None:
    read_stamp(content)
    read_stamp(HEADER[:16] + content)


@given(st.lists(st.binary()))
def test_the_digest_does_not_depend_on_the_pieces(pieces: list[bytes]) -> None:
    assert digest_of(*pieces) == digest_of(b"".join(pieces))
