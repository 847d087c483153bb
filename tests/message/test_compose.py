"""The composer: exact sizes, the same octets again, and what is sent comes back as what was stamped."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.message.compose import JOINED_MAX_OCTETS, PIECES_MAX, Composer, Message
from loadgen.message.stamp import Stamp, read_stamp
from loadgen.scenario.content import Multipart
from loadgen.wire.transparency import stuff, unstuff

DATE = datetime(2026, 1, 1, tzinfo=UTC)
COMPOSER = Composer(seed=7, run_token="c0ffee00", date=DATE)


def compose(
    size_octets: int, *, arrival: int = 3, index: int = 0, composer: Composer = COMPOSER,
    reverse_path: str = "load@example.test", recipients: tuple[str, ...] = ("user1@example.test",),
) -> Message:  # fmt: skip
    return composer.compose(
        arrival, index, reverse_path=reverse_path, recipients=recipients, size_octets=size_octets
    )


SHORTEST = compose(0).content_octets


@given(st.integers(0, 3000) | st.integers(0, 11 * 150_000), st.integers(0, 5000), st.integers(0, 300))
@example(SHORTEST, 0, 0)
@example(SHORTEST + 1, 0, 0)
@example(SHORTEST + 2, 0, 0)
@example(10_000, 2047, 0)
def test_the_content_has_the_size_asked_for_and_comes_back_as_it_was_stamped(
    size_octets: int, arrival: int, index: int
) -> None:
    message = compose(size_octets, arrival=arrival, index=index)
    content = unstuff(message.mail_data)
    shortest = compose(0, arrival=arrival, index=index).content_octets
    assert len(content) == message.content_octets == max(size_octets, shortest)
    assert stuff(content) == message.mail_data, "stuffed exactly where it must be"
    assert read_stamp(content) == message.stamp
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", content) is None
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()


def test_what_is_large_is_not_copied_and_what_is_small_is_in_one_piece() -> None:
    small, large = compose(JOINED_MAX_OCTETS // 2), compose(2 * JOINED_MAX_OCTETS)
    assert len(small.pieces) == 1
    assert any(isinstance(piece, memoryview) and len(piece) > JOINED_MAX_OCTETS for piece in large.pieces)
    assert len(large.pieces) <= PIECES_MAX
    assert large.mail_octets == len(large.mail_data)


def test_what_is_in_very_many_pieces_is_joined() -> None:
    body = Multipart(attachments_octets=(1_000,) * PIECES_MAX)
    message = COMPOSER.compose(
        3, 0, reverse_path="", recipients=("user1@example.test",), size_octets=4 * JOINED_MAX_OCTETS, body=body
    )
    assert message.mail_octets > JOINED_MAX_OCTETS
    assert len(message.pieces) == 1


@pytest.mark.parametrize("extra", range(-3, 4))
@pytest.mark.parametrize("blocks", [1, 2, 10])
@pytest.mark.parametrize("arrival", [0, 1, 66, 2047])
def test_sizes_around_whole_blocks_are_exact_too(blocks: int, extra: int, arrival: int) -> None:
    one_block = block_octets()
    message = compose(compose(0, arrival=arrival).content_octets + blocks * one_block + extra, arrival=arrival)
    content = unstuff(message.mail_data)
    assert len(content) == message.content_octets
    assert message.content_octets == compose(0, arrival=arrival).content_octets + blocks * one_block + extra
    assert stuff(content) == message.mail_data
    assert read_stamp(content) == message.stamp


def block_octets() -> int:
    """How long the composer's block is: after so many octets the text repeats."""
    text = unstuff(compose(400_000).mail_data).partition(b"\r\n\r\n")[2].partition(b"\r\n")[2]
    return text.index(text[:500], 1)


def test_every_message_of_some_length_exercises_transparency() -> None:
    for arrival in range(300):
        lines = unstuff(compose(8000, arrival=arrival).mail_data).split(b"\r\n")
        assert b"." in lines
        assert sum(line.startswith(b".") for line in lines) >= 10


def test_the_same_seed_gives_the_same_octets_and_another_gives_others() -> None:
    again = Composer(seed=7, run_token="c0ffee00", date=DATE)
    other = Composer(seed=8, run_token="c0ffee00", date=DATE)
    assert compose(5000, composer=again) == compose(5000)
    assert compose(5000, composer=other).mail_data != compose(5000).mail_data


def test_sizes_do_not_depend_on_the_run() -> None:
    later = Composer(seed=7, run_token="deadbeef", date=DATE + timedelta(days=300, hours=11))
    for arrival in range(0, 3000, 7):
        assert compose(0, arrival=arrival, composer=later).content_octets == compose(0, arrival=arrival).content_octets


def test_messages_differ_in_stamp_and_text() -> None:
    stamps = [compose(5000, arrival=arrival, index=index).stamp for arrival in range(50) for index in range(3)]
    assert len({stamp.message_id for stamp in stamps}) == len({stamp.digest for stamp in stamps}) == 150


def test_the_header_is_what_rfc_5322_asks_for() -> None:
    message = compose(2000, recipients=("user1@example.test", "user2@example.test"))
    parsed = email.message_from_bytes(unstuff(message.mail_data), policy=email.policy.default)
    assert parsed.defects == []
    assert parsed["From"] == "load@example.test"
    assert parsed["To"] == "user1@example.test", "others are the envelope's matter"
    assert parsed["Date"].datetime == DATE
    assert parsed["Message-ID"] == "<c0ffee00.3.0@mailproof.invalid>"
    assert parsed["X-Mailproof-Id"] == message.stamp.message_id
    assert parsed.get_content_type() == "text/plain"


def test_the_null_reverse_path_still_has_a_from_field() -> None:
    """RFC 5322 §3.6 wants one; the envelope alone is null (RFC 5321 §4.5.5)."""
    assert b"From: <postmaster@mailproof.invalid>\r\n" in unstuff(compose(0, reverse_path="").mail_data)


def test_an_address_beyond_ascii_stands_in_the_header_in_utf_8() -> None:
    """RFC 6532 §3.2; the body stays ASCII, as its Content-Type says."""
    message = compose(5000, recipients=("jörg@bücher.example",))
    content = unstuff(message.mail_data)
    header, _, body = content.partition(b"\r\n\r\n")
    assert "To: <jörg@bücher.example>\r\n".encode() in header
    assert body.isascii()
    assert len(content) == message.content_octets == 5000
    assert read_stamp(content) == message.stamp


def test_without_a_ledger_the_size_is_the_same_and_no_digest_is_made() -> None:
    unverified = Composer(seed=7, run_token="c0ffee00", date=DATE, digests=False)
    message, verified = compose(5000, composer=unverified), compose(5000)
    assert message.content_octets == verified.content_octets == 5000
    assert b"X-Mailproof-Digest" not in message.mail_data
    assert message.stamp == Stamp(verified.stamp.message_id, b"")


def test_the_header_tells_the_digest_of_the_body_so_that_a_changed_octet_shows_without_the_sender() -> None:
    content = unstuff(compose(5000).mail_data)
    assert b"\r\nX-Mailproof-Digest: %s\r\n" % compose(5000).stamp.digest.hex().encode() in content
    changed = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
    found = read_stamp(changed)
    assert found is not None
    assert not found.whole
    assert read_stamp(content) == compose(5000).stamp


def test_what_is_remembered_of_a_recipient_is_the_recipients_own() -> None:
    octets = {
        (reverse_path, to): compose(0, reverse_path=reverse_path, recipients=(to,)).mail_data
        for _ in range(2) for reverse_path in ("", "a@example.test") for to in ("b@example.test", "c@example.test")
    }  # fmt: skip
    for (reverse_path, to), sent in octets.items():
        assert f"From: <{reverse_path or 'postmaster@mailproof.invalid'}>\r\nTo: <{to}>\r\n".encode() in sent
