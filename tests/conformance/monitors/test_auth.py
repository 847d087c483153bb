"""AUTH, as the monitors see it."""

from base64 import b64encode

import pytest

from conformance.monitors.exchange import Asked, Exchange
from tests.conformance.monitors.listening import broken, heard

PASSWORD = b"correct horse"
PLAIN = b64encode(b"\x00user1\x00" + PASSWORD)


def answer(octets: bytes, response: bytes) -> Exchange:
    return heard(octets, response, asked=Asked.RESPONSE)


@pytest.mark.parametrize(
    ("octets", "flagged"),
    [
        (b"334 \r\n", False),
        (b"334\r\n", False),                     # without its space it is another requirement's
        (b"334 VXNlcm5hbWU6\r\n", False),
        (b"334 PDQxOTI5NDIzNDEuMTI4Mjg0NzJAc291cmNlZm91ci5hbmRyZXcuY211LmVkdT4=\r\n", False),
        (b"334 " + b"QUJD" * 1000 + b"\r\n", False),
        (b"334 Username:\r\n", True),
        (b"334 QUI\r\n", True),
        (b"334 QUI=QUI=\r\n", True),
        (b"334 QUJD QUJD\r\n", True),
    ],
)
def test_a_challenge_is_base64(octets: bytes, flagged: bool) -> None:
    for exchange in (heard(octets, b"AUTH LOGIN"), answer(octets, b"dXNlcjE=")):
        assert ("smtp.auth.challenge-base64" in broken([exchange])) == flagged


def test_a_challenge_is_one_line() -> None:
    assert "smtp.auth.challenge-single-line" in broken([heard(b"334-QUJD\r\n334 QUJD\r\n", b"AUTH LOGIN")])
    assert "smtp.auth.challenge-single-line" not in broken([heard(b"334 QUJD\r\n", b"AUTH LOGIN")])


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        (b"2.7.0 Authentication successful", False),
        (b"Welcome", False),                     # base64 by its letters, and a word
        (b"ok", False),
        (b"", False),
        (b"Accepted", False),
        (b64encode(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), True),
        (b"2.7.0 " + b64encode(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), True),
        (b64encode(b"rspauth=ea40f60335c427b5527b84dbabcdfffd"), True),
    ],
)
def test_success_carries_no_data(text: bytes, flagged: bool) -> None:
    assert ("smtp.auth.235-no-data" in broken([answer(b"235 " + text + b"\r\n", b"QUJD")])) == flagged


@pytest.mark.parametrize(
    "reply", [b"535 5.7.8 no " + PLAIN, b"500 unknown: " + PLAIN, b"535 " + PASSWORD + b" is wrong"]
)
def test_credentials_that_come_back_are_flagged_and_not_shown(reply: bytes) -> None:
    for exchange in (heard(reply + b"\r\n", b"AUTH PLAIN " + PLAIN), answer(reply + b"\r\n", PLAIN)):
        assert "smtp.auth.no-cred-echo" in broken([exchange])
    later = [heard(b"535 no\r\n", b"AUTH PLAIN " + PLAIN), heard(reply + b"\r\n", b"NOOP")]
    assert "smtp.auth.no-cred-echo" in broken(later)


@pytest.mark.parametrize(
    ("reply", "response"),
    [
        (b"535 5.7.8 no such user user1\r\n", PLAIN),
        (b"535 wrong password\r\n", b64encode(b"\x00user1\x00word")),       # short: it is in many texts
        (b"535 user1 is locked\r\n", b64encode(b"\x00user1-locked\x00user1-")),   # the name may be repeated
        (b"501 bad base64: !!!!\r\n", b"!!!!"),
        (b"501 cancelled *\r\n", b"*"),
        (b"334 " + PLAIN + b"\r\n", PLAIN),
    ],
)
def test_what_may_come_back_is_not_flagged(reply: bytes, response: bytes) -> None:
    assert "smtp.auth.no-cred-echo" not in broken([answer(reply, response)])
