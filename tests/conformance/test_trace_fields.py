"""Reading Received fields as servers really write them."""

import pytest

from conformance.cases.trace.fields import header_of, stamp_of
from conformance.trace.tokens import without_comments

# who writes it: the field; its origin, by, with, for and date
WRITTEN = {
    "postfix": (
        b"Received: from a.example (b.example [192.0.2.1])\r\n\t(using TLSv1.3 (256/256 bits))\r\n"
        b"\tby mx.example.test (Postfix) with ESMTPSA id 17D\r\n"
        b"\tfor <u@example.test>; Sun, 22 Nov 2026 08:23:23 +0000 (UTC)\r\n",
        b"a.example (b.example [192.0.2.1]) (using TLSv1.3 (256/256 bits))", b"mx.example.test", b"ESMTPSA",
        b"<u@example.test>", b"Sun, 22 Nov 2026 08:23:23 +0000",
    ),
    "exim": (
        b"Received: from [192.0.2.1] (helo=a.example)\r\n\tby mx.example.test with esmtp (Exim 4.96)\r\n"
        b"\t(envelope-from <s@a.example>)\r\n\tid 1xV\r\n\tfor u@example.test;\r\n"
        b"\tSun, 22 Nov 2026 08:23:23 +0000\r\n",
        b"[192.0.2.1] (helo=a.example)", b"mx.example.test", b"esmtp", b"u@example.test",
        b"Sun, 22 Nov 2026 08:23:23 +0000",
    ),
    "qmail": (
        b"Received: from unknown (HELO a.example) (192.0.2.1)\r\n"
        b"  by mx.example.test with SMTP; 22 Nov 2026 08:23:23 -0000\r\n",
        b"unknown (HELO a.example) (192.0.2.1)", b"mx.example.test", b"SMTP", b"", b"22 Nov 2026 08:23:23 -0000",
    ),
    "nobody": (b"Received: whatever\r\n", b"", b"", b"", b"", b""),
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITTEN)
def test_its_clauses_are_found(writer: str) -> None:
    field, origin, by, protocol, recipient, date = WRITTEN[writer]
    stamp = stamp_of(field)
    assert (stamp.origin, stamp.by, stamp.date) == (origin, by, date)
    assert (stamp.clause(b"with"), stamp.clause(b"for")) == (protocol, recipient)


def test_comments_may_be_nested_and_hold_quoted_parentheses() -> None:
    assert without_comments(rb"a (b (c) \) d) e").split() == [b"a", b"e"]


def test_what_stands_above_the_first_sent_field_is_new() -> None:
    header = header_of(b"Return-Path: <>\r\nReceived: x\r\n\tfolded\r\nFrom: a\r\nReceived: y\r\nTo: b\r\n\r\nbody\r\n")
    assert header.new([b"From: a\r\n", b"To: b\r\n"]) == [b"Return-Path: <>\r\n", b"Received: x\r\n\tfolded\r\n"]
    assert len(header.named(b"received")) == 2
