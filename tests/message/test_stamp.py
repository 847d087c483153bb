"""Reading the stamp of what came out of a maildrop, whatever it is."""

import base64
import email
import email.policy
import quopri

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


BODY = "Message run.1.0\r\nGrüße, 你好 😀\r\n.\r\n..\r\nx = y \r\n".encode()
SENT = b"X-Mailproof-Encoding: 8bit\r\nX-Mailproof-Id: run.1.0\r\n"
TEXT = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [(b"8bit", BODY), (b"quoted-printable", quopri.encodestring(BODY)), (b"Base64", base64.encodebytes(BODY))],
)
def test_a_body_sent_as_8bit_is_known_again_however_a_relay_has_encoded_it(encoding: bytes, encoded: bytes) -> None:
    """RFC 6152 §3: on the way to a server without 8BITMIME, that is lawful."""
    header = b"Received: x\r\n" + TEXT + b"content-transfer-encoding: " + encoding + b" \r\n" + SENT
    arrived = header + b"\r\n" + encoded
    assert read_stamp(arrived) == Stamp("run.1.0", digest_of(BODY))


def test_what_pythons_own_generator_makes_of_it_for_seven_bits_is_known_again() -> None:
    sent = TEXT + b"Content-Transfer-Encoding: 8bit\r\n" + SENT + b"\r\n" + BODY
    seven_bits = email.message_from_bytes(sent, policy=email.policy.default).as_bytes(
        policy=email.policy.SMTP.clone(cte_type="7bit")
    )
    assert seven_bits.isascii()
    assert read_stamp(seven_bits) == read_stamp(sent) == Stamp("run.1.0", digest_of(BODY))


def test_an_encoded_body_that_was_changed_shows() -> None:
    encoded = base64.encodebytes(BODY.replace("ü".encode(), b"u"))
    stamp = read_stamp(SENT + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded)
    assert stamp is not None
    assert stamp.digest != digest_of(BODY)


@pytest.mark.parametrize("encoding", [b"quoted-printable", b"base64"])
def test_a_body_that_was_not_sent_as_8bit_is_never_decoded(encoding: bytes) -> None:
    body = b"=41=\r\nQUJD\r\n"
    stamp = read_stamp(HEADER.removesuffix(b"\r\n") + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body)
    assert stamp == Stamp("run.1.0", digest_of(body))


@given(st.binary())
def test_no_octets_said_to_be_encoded_make_it_fail(body: bytes) -> None:
    for encoding in (b"quoted-printable", b"base64"):
        assert read_stamp(SENT + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body) is not None
