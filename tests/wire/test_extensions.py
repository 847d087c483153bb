"""The EHLO reply as a value."""

from collections.abc import Mapping

import pytest

from loadgen.wire.extensions import NO_EXTENSIONS, Extensions, parse_extensions


def parse(*lines: bytes) -> Extensions:
    return parse_extensions((b"mx.example.test Hello client", *lines))


def test_each_offer_is_found_whatever_its_case() -> None:
    offers = parse(
        b"pipelining", b"SIZE 1000", b"8BITMIME", b"StartTLS", b"SMTPUTF8", b"CHUNKING", b"BINARYMIME",
        b"ENHANCEDSTATUSCODES", b"DSN", b"ETRN",
    )  # fmt: skip
    assert offers.greeting_name == b"mx.example.test"
    assert offers.pipelining
    assert offers.starttls
    assert offers.eight_bit_mime
    assert offers.smtputf8
    assert offers.chunking
    assert offers.binarymime
    assert offers.enhanced_status_codes
    assert offers.dsn
    assert offers.etrn
    assert offers.malformed == ()
    assert next(iter(offers.keywords)) == "PIPELINING"


def test_nothing_is_offered_before_ehlo() -> None:
    offers = NO_EXTENSIONS
    assert not any(
        (offers.pipelining, offers.starttls, offers.eight_bit_mime, offers.smtputf8, offers.chunking, offers.auth,
         offers.binarymime, offers.enhanced_status_codes, offers.dsn, offers.etrn, offers.limits, offers.keywords)
    )  # fmt: skip
    assert offers.size is None


@pytest.mark.parametrize(
    ("lines", "size"),
    [((), None), ((b"SIZE",), 0), ((b"SIZE 0",), 0), ((b"SIZE 10485760",), 10485760), ((b"SIZE many",), 0),
     ((b"SIZE " + b"9" * 21,), 0)],
)  # fmt: skip
def test_size_tells_a_limit_from_no_limit_from_no_offer(lines: tuple[bytes, ...], size: int | None) -> None:
    assert parse(*lines).size == size


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [((b"AUTH PLAIN login",), {"PLAIN", "LOGIN"}), ((b"AUTH=LOGIN PLAIN",), {"LOGIN", "PLAIN"}),
     ((b"auth=login",), {"LOGIN"}), ((b"AUTH CRAM-MD5", b"AUTH=LOGIN"), {"CRAM-MD5", "LOGIN"}), ((b"AUTH",), set()),
     ((b"auth PLAIN", b"Auth LOGIN"), {"PLAIN", "LOGIN"})],
)  # fmt: skip
def test_mechanisms_are_found_in_the_lawful_line_and_in_the_old_one(
    lines: tuple[bytes, ...], mechanisms: set[str]
) -> None:
    offers = parse(*lines)
    assert offers.auth == mechanisms
    assert offers.malformed == ()


@pytest.mark.parametrize(
    ("line", "limits"),
    [(b"LIMITS RCPTMAX=20 MAILMAX=5", {"RCPTMAX": 20, "MAILMAX": 5}), (b"LIMITS rcptmax=20 X=y Z", {"RCPTMAX": 20}),
     (b"LIMITS", {})],
)  # fmt: skip
def test_limits_are_numbers_by_name(line: bytes, limits: Mapping[str, int]) -> None:
    assert parse(line).limits == limits


@pytest.mark.parametrize(
    "line", [b"", b" SIZE", b"SIZE  10", b"SIZE 10 ", b"X_Y", b"-X", b"8BIT\xff", b"SIZE\t10", b"AUTH= PLAIN", b"X=Y"]
)
def test_a_malformed_line_is_kept_as_sent_and_offers_nothing(line: bytes) -> None:
    offers = parse(b"HELP", line)
    assert offers.malformed == (line,)
    assert list(offers.keywords) == ["HELP"]


def test_parameters_are_kept_as_sent() -> None:
    assert parse(b"X-Thing a=B c").keywords == {"X-THING": ("a=B", "c")}
