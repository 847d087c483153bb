"""Every kind of content, judged by Python's own email package: structure, no defects, exact sizes."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.message.compose import Composer, Message
from loadgen.message.stamp import read_stamp
from loadgen.scenario.content import Body, Multipart, Plain
from loadgen.wire.transparency import stuff, unstuff

COMPOSER = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
EIGHT_BIT, IN_UTF8 = Plain("8bit"), Plain("smtputf8")
BODIES = [Plain("text"), EIGHT_BIT, IN_UTF8, Multipart(()), Multipart((1000,)), Multipart((0, 57, 58, 200_000))]


def compose(
    size_octets: int, body: Body, *, arrival: int = 3, recipients: tuple[str, ...] = ("user1@example.test",),
    hidden: int = 0, composer: Composer = COMPOSER,
) -> Message:  # fmt: skip
    return composer.compose(
        arrival, 0, reverse_path="load@example.test", recipients=recipients, size_octets=size_octets,
        hidden=hidden, body=body,
    )  # fmt: skip


def parsed(message: Message) -> EmailMessage:
    """What Python makes of the message; any defect it finds in it or in a part is a failure."""
    content = unstuff(message.mail_data)
    if message.utf8_header:
        found = email.message_from_string(content.decode(), policy=email.policy.SMTPUTF8)
    else:
        found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert part.defects == []
        for value in part.values():
            assert not value.defects
    return found


@given(
    st.sampled_from(BODIES) | st.lists(st.integers(0, 5000), max_size=4).map(lambda sizes: Multipart(tuple(sizes))),
    st.integers(0, 4000) | st.integers(0, 500_000),
    st.integers(0, 5000),
)
@example(Multipart((57 * 2048 * 2,)), 0, 2047)
@example(Multipart((57 * 2048 - 1, 57 * 2048 + 1)), 500_000, 2047)
def test_the_size_is_exact_and_what_arrives_is_what_was_stamped(body: Body, size_octets: int, arrival: int) -> None:
    message = compose(size_octets, body, arrival=arrival)
    content = unstuff(message.mail_data)
    shortest = compose(0, body, arrival=arrival).content_octets
    assert len(content) == message.content_octets == max(size_octets, shortest)
    assert stuff(content) == message.mail_data, "stuffed exactly where it must be"
    assert read_stamp(content) == message.stamp
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 78
    header, _, text = content.partition(b"\r\n\r\n")
    assert message.eight_bit or text.isascii()
    assert message.utf8_header is not header.isascii()
    assert compose(size_octets, body, arrival=arrival) == message


@given(
    st.lists(st.integers(0, 3000) | st.just(57 * 2048 + 3), max_size=5), st.integers(0, 60_000), st.integers(0, 3000)
)
def test_a_multipart_has_its_text_and_each_attachment_to_the_octet(
    sizes: list[int], size_octets: int, arrival: int
) -> None:
    message = compose(size_octets, Multipart(tuple(sizes)), arrival=arrival)
    found = parsed(message)
    assert found.get_content_type() == "multipart/mixed"
    assert found["MIME-Version"] == "1.0"
    text, *attachments = found.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert text.get_content().startswith(f"Message {message.stamp.message_id}")
    assert [len(each.get_content()) for each in attachments] == sizes
    assert [each.get_content_disposition() for each in attachments] == ["attachment"] * len(sizes)
    assert [each.get_filename() for each in attachments] == [f"attachment-{n}.bin" for n in range(1, len(sizes) + 1)]
    assert (found.preamble or "", found.epilogue or "") == ("", "")


@pytest.mark.parametrize("arrival", range(0, 4000, 97))
def test_the_boundary_occurs_in_no_part(arrival: int) -> None:
    message = compose(100_000, Multipart((50_000, 3)), arrival=arrival)
    boundary = parsed(message).get_boundary()
    assert boundary is not None
    lines = unstuff(message.mail_data).split(b"\r\n")
    assert sum(boundary.encode() in line for line in lines) == 1 + 3 + 1, "the header field, three parts, and the end"
    assert sum(line.startswith(b"--") for line in lines) == 3 + 1


def test_attachments_differ_within_a_message_and_between_messages() -> None:
    found = [parsed(compose(0, Multipart((5000, 5000)), arrival=arrival)) for arrival in range(20)]
    contents = [each.get_content() for message in found for each in message.iter_attachments()]
    assert len(set(contents)) == 40


@pytest.mark.parametrize("body", [EIGHT_BIT, IN_UTF8])
def test_text_beyond_ascii_is_utf_8_and_says_so(body: Body) -> None:
    message = compose(20_000, body)
    content = unstuff(message.mail_data)
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert found.get_content_charset() == "utf-8"
    assert found["Content-Transfer-Encoding"] == "8bit"
    text = content.partition(b"\r\n\r\n")[2].decode()
    assert found.get_content().splitlines() == text.splitlines()
    assert sum(not letter.isascii() for letter in text) > 1000
    assert max(map(ord, text)) > 0xFFFF, "four octets a letter"
    assert message.eight_bit
    assert b"\r\n..\r\n" in message.mail_data
    assert message.mail_data.count(b"\r\n..x") + message.mail_data.count(b"\r\n..") >= 30


def test_an_8bit_message_has_an_ascii_header_section() -> None:
    message = compose(5000, EIGHT_BIT)
    assert not message.utf8_header
    assert parsed(message)["Subject"] == "mailproof c0ffee00.3.0"


def test_a_smtputf8_message_has_utf_8_in_its_header_fields() -> None:
    message = compose(5000, IN_UTF8, recipients=("jorg@bücher.example", "user2@example.test"))
    assert message.utf8_header
    found = parsed(message)
    assert found["Subject"] == "Grüße, привет, 你好 😀 mailproof c0ffee00.3.0"
    assert found["From"].addresses[0].display_name == "Jürgen Łukasz"
    assert found["From"].addresses[0].addr_spec == "load@example.test"
    assert [each.addr_spec for each in found["To"].addresses] == ["jorg@bücher.example"]
    assert [each.addr_spec for each in found["Cc"].addresses] == ["user2@example.test"]


@pytest.mark.parametrize("body", BODIES)
@given(visible=st.integers(1, 30), hidden=st.integers(0, 5))
def test_the_visible_stand_in_to_and_cc_and_the_hidden_in_no_field(body: Body, visible: int, hidden: int) -> None:
    recipients = tuple(f"user{n}@example.test" for n in range(100, 100 + visible + hidden))
    message = compose(0, body, recipients=recipients, hidden=hidden)
    found = parsed(message)
    shown = [each.addr_spec for name in ("To", "Cc") if found[name] for each in found[name].addresses]
    assert shown == list(recipients[:visible])
    assert found["Bcc"] is None
    content = unstuff(message.mail_data)
    assert not any(recipient.encode() in content for recipient in recipients[visible:])


def test_a_header_of_ten_thousand_recipients_is_made_of_short_lines() -> None:
    recipients = tuple(f"user{n}@example.test" for n in range(10_000))
    message = compose(0, Plain("text"), recipients=recipients)
    assert max(map(len, message.mail_data.split(b"\r\n"))) <= 78
    assert message.mail_data.count(b"@example.test>,\r\n <user") == 9998


def test_another_seed_gives_other_octets_of_every_kind() -> None:
    other = Composer(seed=8, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC))
    for body in (Plain("text"), EIGHT_BIT, IN_UTF8, Multipart((3000,))):
        assert compose(8000, body, composer=other).mail_data != compose(8000, body).mail_data
