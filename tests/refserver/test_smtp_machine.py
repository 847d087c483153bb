"""What the SMTP machine answers, command by command and state by state (RFC 5321)."""

import re
from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Behaviour, Extension, Limits, VrfyPolicy
from conformance.refserver.directory import Account, Directory
from conformance.refserver.session import After
from tests.refserver.bench import Bench, MakeBench

MAIL = b"MAIL FROM:<a@client.example>\r\n"
RCPT = b"RCPT TO:<user1@example.test>\r\n"


def codes(octets: bytes) -> list[int]:
    """The code of every reply, a multi-line one counted once."""
    assert octets.endswith(b"\r\n")
    return [int(line[:3]) for line in octets.split(b"\r\n")[:-1] if line[3:4] == b" "]


def statuses(octets: bytes) -> list[str]:
    return [match.decode() for match in re.findall(rb"(?m)^\d{3} (\d\.\d+\.\d+) ", octets)]


#   what was said before          the command                                  the reply
ORDER = [
    (b"",                         b"MAIL FROM:<a@client.example>",             "503 5.5.1"),
    (b"",                         b"AUTH PLAIN",                               "503 5.5.1"),
    (b"",                         b"STARTTLS",                                 "503 5.5.1"),
    (b"",                         b"NOOP",                                     "250 2.0.0"),
    (b"",                         b"RSET",                                     "250 2.0.0"),
    (b"",                         b"HELP",                                     "214 2.0.0"),
    (b"",                         b"VRFY user1",                               "252 2.5.2"),
    (b"",                         b"EXPN list",                                "252 2.5.2"),
    (b"",                         b"QUIT",                                     "221 2.0.0"),
    (b"EHLO c.example\r\n",       b"RCPT TO:<user1@example.test>",             "503 5.5.1"),
    (b"EHLO c.example\r\n",       b"DATA",                                     "503 5.5.1"),
    (b"HELO c.example\r\n",       b"MAIL FROM:<>",                             "250 2.1.0"),
    (b"EHLO c.example\r\n",       b"EHLO c.example",                           "250"),
    (b"EHLO c.example\r\n" + MAIL, b"MAIL FROM:<b@client.example>",            "503 5.5.1"),
    (b"EHLO c.example\r\n" + MAIL, b"DATA",                                    "503 5.5.1"),
    (b"EHLO c.example\r\n" + MAIL, b"AUTH PLAIN",                              "503 5.5.1"),
    (b"EHLO c.example\r\n" + MAIL + RCPT, b"MAIL FROM:<b@client.example>",     "503 5.5.1"),
    (b"EHLO c.example\r\n" + MAIL + RCPT, b"DATA",                             "354"),
    (b"EHLO c.example\r\n" + MAIL + RCPT + b"BDAT 0\r\n", b"DATA",             "503 5.5.1"),
    (b"EHLO c.example\r\n" + MAIL + RCPT + b"BDAT 0\r\n", b"RCPT TO:<user2@example.test>", "503 5.5.1"),
]


@pytest.mark.parametrize(("before", "command", "expected"), ORDER)
def test_a_command_out_of_order_is_answered_503_and_one_in_order_is_not(
    bench: Bench, before: bytes, command: bytes, expected: str
) -> None:
    session = bench.smtp(hello=False)
    session.receive(before)
    reply = session.receive(command + b"\r\n")
    code, _, status = expected.partition(" ")
    assert codes(reply) == [int(code)]
    assert statuses(reply) == ([status] if status else [])


SYNTAX = [
    (b"XYZZY",                                        500),
    (b"",                                             500),
    (b" NOOP",                                        500),
    (b"LHLO client.example",                          500),
    (b"NOOP\rNOOP",                                   500),
    (b"NOOP\nNOOP",                                   500),
    (b"NOOP\r",                                       500),
    (b"NOOP a\nb",                                    500),
    (b"NOOP a\rb",                                    500),
    (b"TURN",                                         502),
    (b"ETRN example.test",                            502),
    (b"SEND FROM:<a@client.example>",                 502),
    (b"EHLO",                                         501),
    (b"EHLO under_score.example",                     501),
    (b"EHLO -a.example",                              501),
    (b"EHLO a..example",                              501),
    (b"EHLO [192.0.2.256]",                           501),
    (b"EHLO [2001:db8::1]",                           501),
    (b"EHLO a.example (comment)",                     501),
    (b"EHLO a.ex\x07ample",                           501),
    (b"EHLO \xc3\xbc.example",                        501),
    (b"HELO",                                         501),
    (b"RSET now",                                     501),
    (b"QUIT now",                                     501),
    (b"STARTTLS now",                                 501),
    (b"VRFY",                                         501),
    (b"EXPN",                                         501),
    (b"MAIL",                                         501),
    (b"MAIL FROM:",                                   501),
    (b"MAIL FROM: <a@client.example>",                501),
    (b"MAIL FROM <a@client.example>",                 501),
    (b"MAIL FROM:a@client.example",                   501),
    (b"MAIL FROM:<a@@client.example>",                501),
    (b"MAIL FROM:<a@client.example",                  501),
    (b"MAIL FROM:<a@client.example>x",                501),
    (b"MAIL FROM:<a>",                                501),
    (b"MAIL FROM:<a@client.example>  SIZE=1",         501),
    (b"MAIL FROM:<a@client.example> =1",              501),
    (b"MAIL FROM:<a@client.example> WHAT=1",          555),
    (b"MAIL FROM:<a@client.example> NOTIFY=NEVER",    555),
    (b"MAIL FROM:<\xc3\xbc@client.example>",          550),
    (b"mail from:<a@client.example> size=100",        250),
    (b"MAIL FROM:<a@client.example> ",                250),
    (b"NOOP \t",                                      250),
    (b"noop anything at all",                         250),
    (b"EHLO [192.0.2.1]",                             250),
    (b"EHLO [IPv6:2001:db8::1]",                      250),
    (b"EHLO localhost",                               250),
]


@pytest.mark.parametrize(("command", "code"), SYNTAX)
def test_the_syntax_of_a_command_decides_its_reply(bench: Bench, command: bytes, code: int) -> None:
    session = bench.smtp()
    assert codes(session.receive(command + b"\r\n")) == [code]
    assert codes(session.receive(b"NOOP\r\n")) == [250]


RECIPIENTS = [
    (b"<user1@example.test>",                         250, "2.1.5"),
    (b"<USER1@EXAMPLE.TEST>",                         250, "2.1.5"),
    (b'<"user1"@example.test>',                       250, "2.1.5"),
    (b'<"\\u\\s\\e\\r1"@example.test>',               250, "2.1.5"),
    (b"<@relay.example,@two.example:user1@example.test>", 250, "2.1.5"),
    (b"<postmaster>",                                 250, "2.1.5"),
    (b"<PostMaster>",                                 250, "2.1.5"),
    (b"<postmaster@example.test>",                    250, "2.1.5"),
    (b"<postmaster@other.test>",                      250, "2.1.5"),
    (b"<abuse@example.test>",                         250, "2.1.5"),
    (b"<nobody@example.test>",                        550, "5.1.1"),
    (b'<""@example.test>',                            550, "5.1.1"),
    (b"<user1%elsewhere.example@example.test>",       550, "5.1.1"),
    (b'<"user1@elsewhere.example"@example.test>',     550, "5.1.1"),
    (b"<elsewhere.example!user1@example.test>",       550, "5.1.1"),
    (b"<user1@elsewhere.example>",                    550, "5.7.1"),
    (b"<user1@sub.example.test>",                     550, "5.7.1"),
    (b"<user1@example.test.elsewhere.example>",       550, "5.7.1"),
    (b"<@example.test:user1@elsewhere.example>",      550, "5.7.1"),
    (b"<postmaster@elsewhere.example>",               550, "5.7.1"),
    (b"<user1@[127.0.0.1]>",                          550, "5.7.1"),
    (b"<>",                                           501, "5.1.3"),
    (b"",                                             501, "5.1.3"),
    (b"<user1>",                                      501, "5.1.3"),
    (b"<user1@example.test.>",                        501, "5.1.3"),
    (b"<user1@elsewhere.example@example.test>",       501, "5.1.3"),
    (b"<user1(comment)@example.test>",                501, "5.1.3"),
    (b"<user1\x00@example.test>",                     501, "5.1.3"),
    (b'<"a\x01"@example.test>',                       501, "5.1.3"),
    (b"<a@#123>",                                     501, "5.1.3"),
    (b"<user1@example.test> WHAT",                    555, "5.5.4"),
    (b"<user1@example.test> RET=FULL",                555, "5.5.4"),
    (b"<\xc3\xbc@example.test>",                      553, "5.6.7"),
]


@pytest.mark.parametrize(("path", "code", "status"), RECIPIENTS)
def test_a_recipient_is_taken_unknown_foreign_or_malformed(bench: Bench, path: bytes, code: int, status: str) -> None:
    session = bench.smtp()
    session.receive(MAIL)
    reply = session.receive(b"RCPT TO:" + path + b"\r\n")
    assert (codes(reply), statuses(reply)) == ([code], [status])


def test_a_refused_command_leaves_the_transaction_as_it_was(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    refused = [
        b"EHLO under_score", b"MAIL FROM:<b@c.example>", b"RCPT TO:<nobody@example.test>", b"WHAT", b"NOOP\nX",
        b"VRFY user1", b"HELP", b"EXPN l", b"AUTH PLAIN", b"ETRN x", b"DATA x", b"BDAT x", b"X" * 3000,
    ]
    for command in refused:
        session.receive(command + b"\r\n")
    assert codes(session.receive(b"DATA\r\n")) == [354]


@pytest.mark.parametrize("command", [b"RSET", b"EHLO c.example", b"HELO c.example"])
def test_rset_and_a_new_hello_clear_the_transaction(bench: Bench, command: bytes) -> None:
    session = bench.smtp()
    assert codes(session.receive(MAIL + RCPT + command + b"\r\nRCPT TO:<user2@example.test>\r\nDATA\r\n"))[2:] == [
        250, 503, 503,
    ]


def test_after_a_finished_message_the_buffers_are_empty(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT + b"DATA\r\n")
    assert codes(session.receive(b"Subject: x\r\n\r\nx\r\n.\r\n" + RCPT + b"DATA\r\n" + MAIL)) == [250, 503, 503, 250]


def test_commands_inside_mail_data_are_text(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT + b"DATA\r\n")
    assert codes(session.receive(b"RSET\r\nQUIT\r\nMAIL FROM:<x@y.example>\r\n.\r\n")) == [250]
    assert bench.contents() == [b"RSET\r\nQUIT\r\nMAIL FROM:<x@y.example>\r\n"]


def test_pipelined_groups_are_answered_in_order_and_at_once(bench: Bench) -> None:
    session = bench.smtp()
    group = b"RSET\r\n" + MAIL + RCPT + b"RCPT TO:<nobody@example.test>\r\nWHAT\r\n" + RCPT + b"DATA\r\n"
    assert codes(session.receive(group)) == [250, 250, 250, 550, 500, 250, 354]
    tail = b"x: y\r\n\r\n.\r\n" + MAIL + RCPT + b"DATA\r\n"
    assert codes(session.receive(tail)) == [250, 250, 250, 354]
    assert codes(session.receive(b"z: y\r\n\r\n.\r\nQUIT\r\nNOOP\r\n")) == [250, 221]
    assert session.after is After.CLOSE
    assert len(bench.stored()) == 2


def test_half_a_command_does_not_hold_back_the_reply_to_the_one_before(bench: Bench) -> None:
    session = bench.smtp()
    assert codes(session.receive(MAIL + b"RCPT TO:<us")) == [250]
    assert codes(session.receive(b"er1@example.test>\r\n")) == [250]


def test_ehlo_lists_the_extensions_and_helo_none(bench: Bench) -> None:
    session = bench.smtp(hello=False)
    assert session.receive(b"EHLO c.example\r\n").splitlines() == [
        b"250-mail.example.test greets you", b"250-PIPELINING", b"250-SIZE 33554432", b"250-8BITMIME",
        b"250-SMTPUTF8", b"250-ENHANCEDSTATUSCODES", b"250-CHUNKING", b"250-BINARYMIME", b"250-DSN", b"250-STARTTLS",
        b"250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", b"250-EXPN", b"250 HELP",
    ]
    assert session.receive(b"HELO c.example\r\n") == b"250 mail.example.test\r\n"


def test_after_helo_no_parameter_of_an_extension_is_known(bench: Bench) -> None:
    session = bench.smtp(hello=False)
    session.receive(b"HELO c.example\r\n")
    assert codes(session.receive(b"MAIL FROM:<a@client.example> BODY=8BITMIME\r\n")) == [555]


OFFERED = [
    (Extension.CHUNKING, b"BDAT 0 LAST", 502),
    (Extension.AUTH, b"AUTH PLAIN", 502),
    (Extension.EXPN, b"EXPN list", 502),
    (Extension.HELP, b"HELP", 502),
    (Extension.SIZE, b"MAIL FROM:<> SIZE=1", 555),
    (Extension.SMTPUTF8, b"MAIL FROM:<> SMTPUTF8", 555),
    (Extension.DSN, b"MAIL FROM:<> RET=FULL", 555),
    (Extension.EIGHT_BIT_MIME, b"MAIL FROM:<> BODY=8BITMIME", 555),
]


@pytest.mark.parametrize(("extension", "command", "code"), OFFERED)
def test_what_is_not_offered_is_not_listed_and_does_not_work(
    make_bench: MakeBench, extension: Extension, command: bytes, code: int
) -> None:
    bench = make_bench(Behaviour(extensions=frozenset(Extension) - {extension}))
    session = bench.smtp(hello=False)
    assert extension.value.encode() not in session.receive(b"EHLO c.example\r\n")
    assert codes(session.receive(command + b"\r\n")) == [code]


def test_without_enhancedstatuscodes_no_reply_has_one(make_bench: MakeBench) -> None:
    session = make_bench(Behaviour(extensions=frozenset({Extension.HELP}))).smtp()
    answers = session.receive(b"NOOP\r\nHELP\r\nWHAT\r\n" + MAIL + b"RCPT TO:<x@y.example>\r\nQUIT\r\n")
    assert codes(answers) == [250, 214, 500, 250, 550, 221]
    assert re.search(rb"(?m)^\d{3}[ -]\d\.", answers) is None


def test_every_line_of_a_multi_line_reply_has_its_enhanced_status_code(bench: Bench) -> None:
    lines = bench.smtp().receive(b"HELP\r\n").splitlines()
    assert len(lines) > 1
    assert all(re.match(rb"214[ -]2\.0\.0 ", line) for line in lines)


def test_vrfy_tells_only_where_the_policy_says_so(make_bench: MakeBench) -> None:
    asked = b"VRFY user1@example.test\r\nVRFY <nobody@example.test>\r\nVRFY postmaster\r\nVRFY a b\r\n"
    assert codes(make_bench().smtp().receive(asked)) == [252, 252, 252, 252]
    telling = make_bench(Behaviour(vrfy=VrfyPolicy.TELL)).smtp()
    answers = telling.receive(asked)
    assert codes(answers) == [250, 550, 250, 252]
    assert answers.startswith(b"250 2.1.5 <user1@example.test>\r\n")


def test_vrfy_shows_a_mailbox_in_utf8_only_to_who_asks_with_smtputf8(make_bench: MakeBench) -> None:
    directory = Directory(["example.test"], [Account("δοκιμή@example.test", "secret")])
    session = make_bench(Behaviour(vrfy=VrfyPolicy.TELL), directory=directory).smtp()
    name = "VRFY δοκιμή@example.test".encode()
    assert session.receive(name + b"\r\n").startswith(b"252 2.6.8 ")
    assert session.receive(name + b" smtputf8\r\n") == "250 2.1.5 <δοκιμή@example.test>\r\n".encode()
    assert codes(session.receive(b"EXPN staff SMTPUTF8\r\nEXPN\r\n")) == [252, 501]


def test_the_recipient_limit_is_452_and_keeps_who_was_taken(make_bench: MakeBench) -> None:
    session = make_bench(limits=replace(Limits(), recipients=2)).smtp()
    assert codes(session.receive(MAIL + RCPT + RCPT + RCPT + b"DATA\r\n")) == [250, 250, 250, 452, 354]


def test_many_errors_in_a_row_end_in_421(make_bench: MakeBench) -> None:
    session = make_bench(limits=replace(Limits(), errors=3)).smtp()
    assert codes(session.receive(b"A\r\nNOOP\r\nB\r\nC\r\nD\r\n")) == [500, 250, 500, 500, 421]
    assert session.after is After.CLOSE


def test_a_line_of_the_limit_is_read_and_a_longer_one_is_skipped_whole(bench: Bench) -> None:
    session = bench.smtp()
    limit = bench.service.limits.smtp_line_octets
    assert codes(session.receive(b"NOOP " + b"x" * (limit - 7) + b"\r\n")) == [250]
    assert codes(session.receive(b"NOOP " + b"x" * (limit - 6) + b"\r\nNOOP\r\n")) == [500, 250]


def test_a_line_without_end_is_cut_off_with_421(make_bench: MakeBench) -> None:
    bench = make_bench(limits=replace(Limits(), endless_line_octets=10_000))
    session = bench.smtp()
    assert codes(b"".join(session.receive(b"x" * 1000) for _ in range(20))) == [421]
    assert session.after is After.CLOSE


def test_a_browser_is_hung_up_on_before_its_body_is_read(bench: Bench) -> None:
    session = bench.smtp(hello=False)
    request = b"POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO c.example\r\n" + MAIL + RCPT
    assert codes(session.receive(request)) == [421]
    assert session.after is After.CLOSE


def test_idleness_and_shutdown_are_announced_with_421(bench: Bench) -> None:
    assert codes(bench.smtp().timed_out()) == [421]
    assert codes(bench.smtp().shutting_down()) == [421]


def test_the_greeting_names_the_host_and_no_product(bench: Bench) -> None:
    assert bench.smtp(hello=False).greeting() == b"220 mail.example.test ESMTP ready\r\n"
