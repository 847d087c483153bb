"""Messages of a corpus: theirs to the octet, but for the marks that are ours and the fields that must not go along."""

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.message.compose import Composer, Message
from loadgen.message.stamp import digest_of, read_stamp
from loadgen.scenario.corpus import Sample
from loadgen.wire.transparency import stuff, unstuff

COMPOSER = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
HEADER = b"From: <a@b.test>\r\nTo: <c@d.test>\r\nSubject: theirs\r\n"


def compose(sample: Sample, *, arrival: int = 3) -> Message:
    return COMPOSER.compose(
        arrival, 0, reverse_path="load@example.test", recipients=("user1@example.test", "user2@example.test"),
        size_octets=9999, hidden=1, body=sample,
    )  # fmt: skip


@given(st.lists(st.binary(max_size=40).filter(lambda line: not {10, 13} & set(line)), max_size=30), st.integers(0, 99))
def test_the_body_is_theirs_and_stamped_and_stuffed(lines: list[bytes], number: int) -> None:
    body = b"".join(line + b"\r\n" for line in lines)
    message = compose(Sample(f"/mails/{number}-{body!r}.eml", HEADER, body))
    content = unstuff(message.mail_data)
    header, _, rest = content.partition(b"\r\n\r\n")
    assert rest == body
    assert header + b"\r\n" == (
        b"Message-ID: <c0ffee00.3.0@mailproof.invalid>\r\nX-Mailproof-Id: c0ffee00.3.0\r\n"
        b"X-Mailproof-Digest: " + digest_of(body).hex().encode() + b"\r\n" + HEADER
    )
    assert message.content_octets == len(content)
    assert message.mail_data == stuff(content)
    assert read_stamp(content) == message.stamp
    assert message.eight_bit is not body.isascii()


def test_the_same_file_sent_twice_differs_in_its_id_alone() -> None:
    sample = Sample("/mails/a.eml", HEADER, b"Hello\r\n.\r\n")
    first, second = compose(sample), compose(sample, arrival=4)
    assert first.stamp.digest == second.stamp.digest
    assert first.stamp.message_id != second.stamp.message_id
    assert second.mail_data == first.mail_data.replace(b"c0ffee00.3.0", b"c0ffee00.4.0")


def test_two_files_are_never_taken_for_each_other() -> None:
    one, other = Sample("/mails/1.eml", HEADER, b"one\r\n"), Sample("/mails/2.eml", HEADER, b"other\r\n")
    assert [unstuff(compose(sample).mail_data)[-7:] for sample in (one, other, one)] == [
        b"\r\none\r\n", b"other\r\n", b"\r\none\r\n",
    ]  # fmt: skip


@pytest.mark.parametrize("subject", ["theirs", "übrigens"])
def test_python_finds_nothing_wrong_with_it_and_utf_8_in_the_header_is_known(subject: str) -> None:
    message = compose(Sample(f"/mails/{subject}.eml", f"From: <a@b.test>\r\nSubject: {subject}\r\n".encode(), b"x\r\n"))
    found = email.message_from_string(unstuff(message.mail_data).decode(), policy=email.policy.SMTPUTF8)
    assert found.defects == []
    assert found["Subject"] == subject
    assert found["Bcc"] is None
    assert message.utf8_header is not subject.isascii()
