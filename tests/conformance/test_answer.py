"""An answer, and how it is judged."""

import pytest

from conformance.answer import Answer, Ended
from conformance.judgement import Did
from loadgen.wire.reply import Reply, ReplyReader


def reply(octets: bytes) -> Reply:
    reader = ReplyReader()
    reader.feed(octets)
    found = reader.next_reply()
    assert found is not None
    return found


def said(octets: bytes) -> Answer:
    return Answer(reply(octets))


@pytest.mark.parametrize(
    ("octets", "wanted", "lawful", "did"),
    [
        (b"250 ok\r\n", ("250",), (), Did.SATISFIED),
        (b"251 ok\r\n", ("250",), (), Did.VIOLATED),
        (b"251 ok\r\n", ("2yz",), (), Did.SATISFIED),
        (b"501 no\r\n", ("250",), ("5yz",), Did.DECLINED),
        (b"501 no\r\n", ("250",), (), Did.VIOLATED),
        (b"421 bye\r\n", ("250",), (), Did.UNDETERMINED),
        (b"451 later\r\n", ("5yz",), (), Did.UNDETERMINED),
        (b"451 later\r\n", ("4yz", "5yz"), (), Did.SATISFIED),
        (b"what?\r\n", ("2yz",), (), Did.VIOLATED),
    ],
)
def test_an_answer_is_held_against_codes_and_classes(
    octets: bytes, wanted: tuple[str, ...], lawful: tuple[str, ...], did: Did
) -> None:
    assert said(octets).expect(*wanted, lawful=lawful).did is did


@pytest.mark.parametrize("ended", Ended)
def test_no_answer_decides_nothing(ended: Ended) -> None:
    assert Answer(ended=ended).expect("2yz", to="NOOP").did is Did.UNDETERMINED


@pytest.mark.parametrize("ended", [Ended.CLOSED, Ended.RESET])
def test_a_close_is_a_close(ended: Ended) -> None:
    assert Answer(ended=ended).closed
    assert Answer(ended=ended).expect_open(to="NOOP").did is Did.VIOLATED


def test_hostile_octets_are_shown_and_not_sent_to_the_terminal() -> None:
    assert str(said(b"250 \x1b[2J\r\n")) == "250 \\x1b[2J"


def test_a_demand_for_a_login_or_tls_tells_nothing_of_what_was_asked() -> None:
    refused = said(b"530 5.7.0 Authentication required\r\n")
    assert refused.expect("2yz").did is Did.UNDETERMINED
    assert refused.expect("5yz").did is Did.SATISFIED
