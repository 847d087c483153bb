"""Reading Received fields: every form that mail systems write, and anything else without an error."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.trace.audit import audit
from conformance.trace.grammar import departures
from conformance.trace.header import header_of
from conformance.trace.hop import LINES_MAX, chain_of
from conformance.trace.messages import messages_in
from conformance.trace.moment import moment_of
from conformance.trace.origin import origin_of
from conformance.trace.received import received
from conformance.trace.trust import trust_in
from conformance.trace.words import in_words, plain_data

# the from clause: who handed the message over, as a person is told
ORIGINS: Final = {
    b"a.example (b.example [192.0.2.1])": "b.example [192.0.2.1] (called itself a.example)",
    b"a.example (a.example. [192.0.2.1])": "a.example [192.0.2.1]",
    b"a.example (unknown [192.0.2.1])": "[192.0.2.1] (called itself a.example)",
    b"a.example (b.example [192.0.2.1] (may be forged))": "b.example [192.0.2.1] (called itself a.example)",
    b"a.example (root@b.example [192.0.2.1])": "b.example [192.0.2.1] (called itself a.example)",
    b"a.example (b.example [IPv6:2001:db8::1])": "b.example [2001:db8::1] (called itself a.example)",
    b"[192.0.2.9] (b.example [192.0.2.1])": "b.example [192.0.2.1] (called itself [192.0.2.9])",
    b"[192.0.2.1] (helo=a.example)": "[192.0.2.1] (called itself a.example)",
    b"[192.0.2.1] (port=4711 helo=a.example)": "[192.0.2.1] (called itself a.example)",
    b"b.example ([192.0.2.1] helo=a.example)": "b.example [192.0.2.1] (called itself a.example)",
    b"b.example ([192.0.2.1]:4711 helo=[10.0.0.1])": "b.example [192.0.2.1] (called itself [10.0.0.1])",
    b"a.example ([192.0.2.1])": "[192.0.2.1] (called itself a.example)",
    b"unknown (HELO a.example) (192.0.2.1)": "[192.0.2.1] (called itself a.example)",
    b"b.example (HELO a.example) (ident@192.0.2.1)": "b.example [192.0.2.1] (called itself a.example)",
    b"b.example (EHLO a.example) ([192.0.2.1])": "b.example [192.0.2.1] (called itself a.example)",
    b"EX1.corp.example (2001:db8:10a6:208::1)": "[2001:db8:10a6:208::1] (called itself ex1.corp.example)",
    b"EX1 ([fe80::a1:b2%12])": "[fe80::a1:b2] (called itself ex1)",
    b"a.example ([::ffff:192.0.2.1])": "[192.0.2.1] (called itself a.example)",
    b"mx.example ([unix socket])": "mx.example",
    b"by ([192.0.2.1])": "[192.0.2.1] (called itself by)",
    b"a.example (using TLSv1.3 with cipher X (256/256 bits)) (b.example [192.0.2.1])":
        "b.example [192.0.2.1] (called itself a.example)",
    b"x (x [999.0.2.1])": "[999.0.2.1] (called itself x)",
}  # fmt: skip
DATES: Final = {
    b"Thu, 1 Jan 2026 00:00:05 +0000 (UTC)": "2026-01-01 00:00:05Z",
    b"Thu,  1 Jan 2026 01:00:05 +0100": "2026-01-01 00:00:05Z",
    b"1 Jan 2026 00:00:05 -0000": "2026-01-01 00:00:05Z",
    b"Wed, 31 Dec 2025 16:00:05 -0800 (PST)": "2026-01-01 00:00:05Z",
    b"1 Jan 26 00:00 UT": "2026-01-01 00:00:00Z",
    b"31 Dec 98 19:00:05 EST": "1999-01-01 00:00:05Z",
    b"1 Jan 126 00:00:05 GMT": "2026-01-01 00:00:05Z",
    b"Thu Jan  1 00:00:05 2026": "2026-01-01 00:00:05 (zone unknown)",
    b"Thu, 1 Jan 2026 00:00:05 CEST": "2026-01-01 00:00:05 (zone unknown)",
    b"Thu (a (nested) day), 1 (first) Jan 2026 00 : 00 : 05 +0000": "2026-01-01 00:00:05Z",
    b'Thu, 1 Jan 2026 00:00:05 "GMT"': "2026-01-01 00:00:05Z",
    b"Thu, 1 Jan 2026 00:00:60 +0000": "2026-01-01 00:01:00Z",
    b"Thursday, 1-January-2026 00:00:05 +00:00": "2026-01-01 00:00:05Z",
    b"Thu, 1 Jan 2026 00:00:05 +9959": "2026-01-01 00:00:05 (zone unknown)",
}


@pytest.mark.parametrize("clause", ORIGINS)
def test_who_handed_it_over_is_found_in_every_form(clause: bytes) -> None:
    field = received(b"from " + clause + b"\r\n\tby mx.example with SMTP; Thu, 1 Jan 2026 00:00:05 +0000")
    assert str(origin_of(field)) == ORIGINS[clause]
    assert (field.by, field.clause(b"with").value) == (b"mx.example", b"SMTP")


@pytest.mark.parametrize("text", DATES)
def test_dates_are_read_in_their_obsolete_forms_too(text: bytes) -> None:
    moment = moment_of(text)
    assert str(moment) == DATES[text]
    assert moment is not None
    assert not moment.wrong


@pytest.mark.parametrize("text", [b"", b"yesterday", b"1 Foo 2026 00:00:00", b"2026-01-01T00:00:00Z"])
def test_what_is_no_date_is_none(text: bytes) -> None:
    assert moment_of(text) is None


STRICT: Final = b"from a.example (b.example [192.0.2.1]) by mx.example with ESMTPS id 7 for <u@mx.example>; "
DATE: Final = b"Thu, 1 Jan 2026 00:00:05 +0000"
DEPARTURES: Final = {
    STRICT + DATE: (),
    STRICT + DATE + b" (UTC)": (),
    b"from [192.0.2.1] ([192.0.2.1]) by mx.example via TCP with SMTP id 7; " + DATE: (),
    b"from [192.0.2.1] (helo=a) by mx.example; " + DATE: ("no domain or address literal behind from",),
    b"(qmail 1 invoked by uid 2); 1 Jan 2026 00:00:05 GMT": (
        "no from clause", "no by clause", "something stands before the first clause",
        "a date in an obsolete form, or a wrong one",
    ),
    b"from a by b id 7 with ESMTP for <x@y> <z@y> yesterday": (
        "the clauses are not from, by, via, with, id, for, each once", "not one path behind for",
        "no semicolon before the date", "no date in the form of RFC 5322 §3.3",
    ),
    b"from a by b with magic; " + DATE: ("the word behind with is not registered",),
}  # fmt: skip


@pytest.mark.parametrize("value", DEPARTURES)
def test_departures_from_the_grammar_are_named_and_nothing_else_is(value: bytes) -> None:
    assert departures(received(value)) == DEPARTURES[value]


def test_a_date_without_its_semicolon_is_found_and_the_lack_is_kept() -> None:
    field = received(b"from a by b id 7 Thu, 1 Jan 2026 00:00:05 +0000")
    assert (field.date, field.semicolon) == (b"Thu, 1 Jan 2026 00:00:05 +0000", False)
    assert field.clause(b"id").words == (b"7",)


def test_semicolons_and_keywords_in_comments_separate_nothing() -> None:
    field = received(b"from a (x; by y) by b (tls; with it) with ESMTP id 1; Thu, 1 Jan 2026 00:00:05 +0000")
    assert (field.by, field.clause(b"with").value, field.clause(b"id").value) == (b"b", b"ESMTP", b"1")


def test_a_parenthesis_that_is_never_closed_hides_nothing() -> None:
    field = received(b"from a (oh by b with ESMTP; Thu, 1 Jan 2026 00:00:05 +0000")
    assert (field.by, field.date) == (b"b", b"Thu, 1 Jan 2026 00:00:05 +0000")


def test_a_header_keeps_its_fields_octets_whatever_its_line_ends() -> None:
    crlf = b"A: 1\r\n\t2\r\nreceived : x\r\nno field\r\n still none\r\nB:\r\n\r\nC: body\r\n"
    assert [field.octets for field in header_of(crlf)] == [b"A: 1\r\n\t2\r\n", b"received : x\r\n", b"B:\r\n"]
    assert [field.name for field in header_of(crlf.replace(b"\r\n", b"\n"))] == [b"a", b"received", b"b"]


def test_a_mailbox_is_cut_only_where_a_message_can_begin() -> None:
    first, second = b"A: 1\n\nFrom the bottom\n\n", b"B: 2\n\nof my heart\nFrom: here\n"
    assert list(messages_in(b"From a Thu\n" + first + b"From b Fri\n" + second)) == [first, second]
    assert list(messages_in(b"A: 1\n\nFrom x\n")) == [b"A: 1\n\nFrom x\n"]


@pytest.mark.parametrize("given", ["mx.example", ".example.test", "192.0.2.0/24", "[2001:db8::1]", "localhost"])
def test_servers_can_be_named_in_these_ways(given: str) -> None:
    assert trust_in([given])


@pytest.mark.parametrize("given", ["", "a b", "user@example.test", "192.0.2.0/99", ".", "mx..example"])
def test_what_names_no_server_is_refused_in_a_sentence(given: str) -> None:
    with pytest.raises(ValueError, match="neither a host name, nor an address, nor a network"):
        trust_in([given])


PIECES: Final = st.sampled_from([
    b"from ", b"by ", b"with ESMTP ", b"id 1 ", b"for <a@b> ", b"(", b")", b"[", b"]", b";", b'"', b"\\", b"\r\n\t",
    b"192.0.2.1", b"[IPv6:::1]", b"a.example ", b"unknown ", b"HELO ", b"helo=", b"@",
    b"Thu, 1 Jan 2026 00:00:05 +0000",
    b"31 Feb 0000 99:99:99 +9999", b"1 Jan 9999 23:59:60 -1400", b"\x00", b"\xff", b"%", b":",
    b"(qmail 1 invoked by uid 2)",
])  # fmt: skip
FIELDS: Final = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@settings(max_examples=300)
@given(st.lists(FIELDS, max_size=5), st.sampled_from([(), ("a.example",), ("0.0.0.0/0",)]))
def test_no_octets_can_make_the_audit_raise(fields: list[bytes], trusted: tuple[str, ...]) -> None:
    message = b"".join(b"Received: " + field.replace(b"\n", b"\n ") + b"\r\n" for field in fields)
    found = audit(chain_of(message), now_s=1_768_000_000, trust=trust_in(trusted))
    assert all(line.isprintable() and line.isascii() for line in map(_plain, in_words(found)))
    assert plain_data(found)["outcome"]


def _plain(line: str) -> str:
    return line.replace("§", "S")


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_octets_at_all_can_make_the_reader_raise(octets: bytes) -> None:
    for message in messages_in(octets):
        audit(chain_of(message), now_s=0)


SLOW: Final = [b"(", b")(", b'"', b'"\\', b"<", b"[", b"Mon", b"1 ", b"a ", b"from ", b"\\", b"(\r\n\t", b"1 Jan 1 "]


@pytest.mark.parametrize("piece", SLOW)
def test_a_field_of_64_kib_is_read_within_what_a_test_may_take(piece: bytes) -> None:
    field = received(piece * (64_000 // len(piece)))       # quadratic time would take minutes
    origin_of(field)
    assert moment_of(field.date) is None


def test_a_chain_of_a_thousand_lines_is_looked_at_up_to_a_limit() -> None:
    message = b"Received: from a.example by b.example; Thu, 1 Jan 2026 00:00:05 +0000\r\n" * 1_000
    assert len(chain_of(message)) == LINES_MAX
