"""POP3 responses: framed, unstuffed, and read."""

import pytest

from loadgen.wire.deviation import Deviation
from loadgen.wire.errors import RemoteProtocolError
from loadgen.wire.response import (
    Response,
    ResponseReader,
    lawful_response,
    parse_capabilities,
    parse_scan_listing,
    parse_stat,
    parse_uidl,
    read_status_line,
)
from tests.wire.cuts import ways_to_feed

STATUS_LINES = [
    (b"+OK\r\n", True, None, b"", ()),
    (b"+OK \r\n", True, None, b"", ()),
    (b"+OK 2 320\r\n", True, None, b"2 320", ()),
    (b"-ERR no such message\r\n", False, None, b"no such message", ()),
    (b"-ERR [IN-USE] locked\r\n", False, b"IN-USE", b"[IN-USE] locked", ()),  # RFC 2449 §8.1.1
    (b"-ERR [SYS/TEMP] later\r\n", False, b"SYS/TEMP", b"[SYS/TEMP] later", ()),  # RFC 3206 §4
    (b"-ERR [] x\r\n", False, None, b"[] x", ()),
    (b"-ERR [IN USE x\r\n", False, None, b"[IN USE x", ()),
    (b"-ERR see [IN-USE]\r\n", False, None, b"see [IN-USE]", ()),
    (b"+ok\r\n", True, None, b"", (Deviation.STATUS_CASE,)),
    (b"-Err x\n", False, None, b"x", (Deviation.BARE_LF, Deviation.STATUS_CASE)),
    (b"+OK\tx\r\n", True, None, b"\tx", (Deviation.BAD_SEPARATOR,)),
    (b"+OK a\rb\r\n", True, None, b"a\rb", (Deviation.BARE_CR,)),
    (b"+OK \xc3\xbc\r\n", True, None, b"\xc3\xbc", (Deviation.NON_ASCII,)),
    (b"+OK " + b"x" * 506 + b"\r\n", True, None, b"x" * 506, ()),
    (b"+OK " + b"x" * 507 + b"\r\n", True, None, b"x" * 507, (Deviation.OVER_LONG,)),
]


@pytest.mark.parametrize(("octets", "ok", "code", "text", "deviations"), STATUS_LINES)
def test_a_status_line_is_framed_and_its_deviations_are_recorded(
    octets: bytes, ok: bool, code: bytes | None, text: bytes, deviations: tuple[Deviation, ...]
) -> None:
    for pieces in ways_to_feed(octets):
        reader = ResponseReader()
        for piece in pieces:
            reader.feed(piece)
        assert reader.next_response() == Response(ok, code, text, None, len(octets), deviations)
        assert not reader.has_pending


@pytest.mark.parametrize("octets", [b"220 hello\r\n", b"\r\n", b"OK\r\n", b"*OK\r\n", b"+X\r\n", b" +OK\r\n"])
def test_a_line_without_a_status_indicator_cannot_be_framed(octets: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="no status indicator") as caught:
        read_status_line(octets)
    assert caught.value.octets == octets


@pytest.mark.parametrize(
    ("octets", "body", "deviations"),
    [
        (b"+OK\r\n.\r\n", b"", ()),
        (b"+OK\r\na\r\n.\r\n", b"a\r\n", ()),
        (b"+OK\r\n..\r\n..a\r\n.\r\n", b".\r\n.a\r\n", ()),
        (b"+OK\r\n.a\r\n.\r\n", b"a\r\n", (Deviation.UNSTUFFED_DOT,)),
        (b"+OK\r\na\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", ()),  # a bare LF does not end the content
        (b"+OK\n.\r\n", b"", (Deviation.BARE_LF,)),
    ],
)
def test_a_multi_line_response_ends_at_its_dot_and_is_unstuffed(
    octets: bytes, body: bytes, deviations: tuple[Deviation, ...]
) -> None:
    for pieces in ways_to_feed(octets):
        reader = ResponseReader()
        got = None
        for piece in pieces:
            reader.feed(piece)
            got = got or reader.next_response(multi_line=True)
        assert got == Response(True, None, b"", body, len(octets), deviations)


def first_of(octets: bytes, *, multi_line: bool) -> Response | None:
    """Return the response that octets are, and nothing else, as the reader has it."""
    reader = ResponseReader()
    reader.feed(octets)
    try:
        read = reader.next_response(multi_line=multi_line)
    except RemoteProtocolError:
        return None
    return None if reader.has_pending else read


WITH_LINES = [
    b"+OK\r\n.\r\n", b"+OK\r\n.", b"+OK\r\n", b"+OK\n.\r\n", b"+OK x\r\na\r\n.\r\n", b"+OK\r\na\r\n.\r\nb\r\n.\r\n",
    b"+OK\r\n.\r\n.\r\n", b"+OK\r\n..\r\n..a\r\n.\r\n", b"+OK\r\n.a\r\n.\r\n", b"+OK\r\na\r\n.b\r\n.\r\n",
    b"+OK\r\na\n.\r\n",
    b"+OK\r\na\n.\r\nb\r\n.\r\n", b"+OK [X] y\r\na\rb\r\n.\r\n", b"-ERR\r\na\r\n.\r\n", b"\r\n.\r\n", b"\n\r\n.\r\n",
    b"+ \r\n.\r\n", b"",
    b"+OK " + b"x" * 507 + b"\r\n.\r\n",
]  # fmt: skip


@pytest.mark.parametrize("multi_line", [False, True])
@pytest.mark.parametrize("octets", [*WITH_LINES, *[line for line, *_ in STATUS_LINES]])
def test_a_lawful_response_is_read_at_once_as_the_reader_reads_it(octets: bytes, multi_line: bool) -> None:
    read = first_of(octets, multi_line=multi_line)
    as_hoped = read is not None and read.ok and not read.continues and not read.deviations
    assert lawful_response(octets, multi_line=multi_line) == (read if as_hoped else None)


def test_after_err_no_lines_follow() -> None:
    reader = ResponseReader()
    reader.feed(b"-ERR no\r\n+OK\r\n.\r\n")
    assert reader.next_response(multi_line=True) == Response(False, None, b"no", None, 9)
    assert reader.next_response(multi_line=True) == Response(True, None, b"", b"", 8)


def response(text: bytes = b"", body: bytes | None = None, *, ok: bool = True) -> Response:
    return Response(ok, None, text, body, 0)


def test_listings_are_read_with_and_without_an_argument() -> None:
    assert parse_stat(response(b"2 320")) == (2, 320)
    assert parse_stat(response(b"2 320 and more")) == (2, 320)
    assert parse_scan_listing(response(body=b"1 120\r\n2 200 x\r\n")) == ((1, 120), (2, 200))
    assert parse_scan_listing(response(b"2 200")) == ((2, 200),)
    assert parse_scan_listing(response(b"0 messages", b"")) == ()
    assert parse_uidl(response(body=b"1 whqtswO00WBw418f9t5JxYwZ\r\n2 !~\r\n")) == (
        (1, b"whqtswO00WBw418f9t5JxYwZ"),
        (2, b"!~"),
    )
    assert parse_uidl(response(b"2 abc")) == ((2, b"abc"),)


@pytest.mark.parametrize("text", [b"", b"2", b"two 320", b"2  320", b"-1 320", b"2 320x", b"9" * 30 + b" 1"])
def test_what_is_no_listing_is_the_servers_error(text: bytes) -> None:
    for parse in (parse_stat, parse_scan_listing):
        with pytest.raises(RemoteProtocolError):
            parse(response(text))
    with pytest.raises(RemoteProtocolError):
        parse_scan_listing(response(body=b"1 120\r\n" + text + b"\r\n"))
    with pytest.raises(RemoteProtocolError):
        parse_stat(response(b"2 320", ok=False))


@pytest.mark.parametrize("line", [b"1", b"1 " + b"x" * 71, b"1 a b", b"1 a\x80", b"x abc"])
def test_what_is_no_unique_id_listing_is_the_servers_error(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_uidl(response(body=line + b"\r\n"))


def test_capabilities_are_found_whatever_their_case() -> None:
    capabilities = parse_capabilities(response(body=b"top\r\nSASL PLAIN login\r\n\r\nX \xff\r\n"))
    assert capabilities == {"TOP": (), "SASL": ("PLAIN", "login"), "X": ("\\xff",)}
    assert parse_capabilities(response(ok=False)) == {}
