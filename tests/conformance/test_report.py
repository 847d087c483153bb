"""Reports of delivery, read as they lie in a maildrop."""

from conformance.report import fields_of, read_report

REPORT = b"""\
Return-Path: <>
To: <user1@example.test>
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="=_b"

not for readers of MIME
--=_b
Content-Type: text/plain

It was delivered.
--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.test
Original-Envelope-Id:
 QQ314159

Final-Recipient: rfc822; user1@example.test
Action: delivered
Action: failed

Final-Recipient: rfc822; user2@example.test
Action: relayed

--=_b
Content-Type: text/rfc822-headers

From: <user1@example.test>
--=_b--
""".replace(b"\n", b"\r\n")


def test_a_report_tells_of_the_message_and_of_each_recipient() -> None:
    report = read_report(REPORT)
    assert report.kind == "multipart/report/delivery-status"
    assert report.header["return-path"] == b"<>"
    assert dict(report.message) == {
        "reporting-mta": b"dns; mail.example.test", "original-envelope-id": b"QQ314159",
    }
    assert [group["final-recipient"][8:13] for group in report.recipients] == [b"user1", b"user2"]


def test_the_first_field_of_a_name_counts() -> None:
    assert read_report(REPORT).recipients[0]["action"] == b"delivered"


def test_what_is_no_report_has_no_status() -> None:
    report = read_report(b"Subject: hello\r\n\r\nReporting-MTA: dns; somebody\r\n")
    assert not report.has_status
    assert report.kind == "text/plain/"
    assert (dict(report.message), report.recipients) == ({}, ())


def test_a_status_part_of_another_type_is_none() -> None:
    report = read_report(REPORT.replace(b"message/delivery-status", b"text/plain"))
    assert not report.has_status
    assert report.recipients == ()


def test_a_report_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    report = read_report(REPORT[: REPORT.index(b"Action: relayed")])
    assert report.has_status
    assert len(report.recipients) == 2


def test_lines_that_are_no_fields_are_passed_over() -> None:
    assert dict(fields_of(b"no field\r\nA: 1\r\n  2\r\n")) == {"a": b"1  2"}
