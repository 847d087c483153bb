"""MAIL and RCPT parameters, chunks, authentication and TLS as the SMTP machine takes them."""

import base64
import hmac
from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Behaviour, Extension, Limits
from conformance.refserver.session import After
from loadgen.wire.sasl import ScramSha256
from tests.refserver.bench import Bench, MakeBench

MAIL = b"MAIL FROM:<a@client.example>\r\n"
RCPT = b"RCPT TO:<user1@example.test>\r\n"


def codes(octets: bytes) -> list[int]:
    assert octets.endswith(b"\r\n")
    return [int(line[:3]) for line in octets.split(b"\r\n")[:-1] if line[3:4] == b" "]


def b64(octets: bytes | None) -> bytes:
    assert octets is not None
    return base64.b64encode(octets)


MAIL_PARAMETERS = [
    (b"SIZE=1000",                       250),
    (b"SIZE=0",                          250),
    (b"SIZE=33554432",                   250),
    (b"SIZE=33554433",                   552),
    (b"SIZE=4294967297",                 552),
    (b"SIZE=18446744073709551617",       552),
    (b"SIZE=99999999999999999999",       552),
    (b"SIZE=999999999999999999999",      501),
    (b"SIZE=",                           501),
    (b"SIZE",                            501),
    (b"SIZE=abc",                        501),
    (b"SIZE=-1",                         501),
    (b"SIZE=1k",                         501),
    (b"SIZE=1 SIZE=1",                   501),
    (b"BODY=7BIT",                       250),
    (b"body=8bitmime",                   250),
    (b"BODY=9BIT",                       501),
    (b"BODY=BINARYMIME",                 250),
    (b"BODY=BINARY",                     501),
    (b"BODY",                            501),
    (b"BODY=7BIT SIZE=10",               250),
    (b"SIZE=10 BODY=8BITMIME SMTPUTF8",  250),
    (b"SMTPUTF8",                        250),
    (b"SMTPUTF8=1",                      501),
    (b"RET=FULL",                        250),
    (b"ret=hdrs",                        250),
    (b"RET=SOME",                        501),
    (b"RET=",                            501),
    (b"RET=FULL RET=FULL",               501),
    (b"ENVID=a+2Bb",                     250),
    (b"ENVID=" + b"x" * 100,             250),
    (b"ENVID=" + b"x" * 101,             501),
    (b"ENVID=a+2",                       501),
    (b"ENVID=a+ZZ",                      501),
    (b"ENVID=a+2b",                      501),
    (b"ENVID=a+0D+0AX:y",                501),
    (b"ENVID=a+00",                      501),
    (b"AUTH=<>",                         250),
    (b"AUTH=e+3Dmc2@example.com",        250),
    (b"AUTH=+ZZ",                        501),
    (b"AUTH=",                           501),
    (b"REQUIRETLS",                      555),
    (b"NOTIFY=NEVER",                    555),
]


@pytest.mark.parametrize(("parameters", "code"), MAIL_PARAMETERS)
def test_mail_takes_the_parameters_of_what_is_offered_and_no_other(bench: Bench, parameters: bytes, code: int) -> None:
    session = bench.smtp()
    assert codes(session.receive(b"MAIL FROM:<a@client.example> " + parameters + b"\r\n")) == [code]


RCPT_PARAMETERS = [
    (b"NOTIFY=NEVER",                               250),
    (b"NOTIFY=SUCCESS",                             250),
    (b"notify=success,Failure,DELAY",               250),
    (b"NOTIFY=NEVER,SUCCESS",                       501),
    (b"NOTIFY=",                                    501),
    (b"NOTIFY=MAYBE",                               501),
    (b"NOTIFY=SUCCESS,",                            501),
    (b"NOTIFY=NEVER NOTIFY=NEVER",                  501),
    (b"ORCPT=rfc822;user+40example.test",           250),
    (b"ORCPT=rfc822;" + b"x" * 493,                 250),
    (b"ORCPT=x-other;abc",                          250),
    (b"ORCPT=utf-8;a\\x{FC}b@example.test",         250),
    (b"ORCPT=rfc822",                               501),
    (b"ORCPT=;x",                                   501),
    (b"ORCPT=rfc822;a+0D+0AX:b",                    501),
    (b"ORCPT=rfc822;a+4",                           501),
    (b"ORCPT=rfc822;a ORCPT=rfc822;a",              501),
    (b"RET=FULL",                                   555),
    (b"SIZE=1",                                     555),
]


@pytest.mark.parametrize(("parameters", "code"), RCPT_PARAMETERS)
def test_rcpt_takes_the_parameters_of_dsn_and_no_other(bench: Bench, parameters: bytes, code: int) -> None:
    session = bench.smtp()
    assert codes(session.receive(MAIL + b"RCPT TO:<user1@example.test> " + parameters + b"\r\n")) == [250, code]


def test_a_rcpt_line_of_1036_characters_is_read(bench: Bench) -> None:
    """RFC 3461 §5.4 adds that much to RFC 5321's 512."""
    line = b"RCPT TO:<user1@example.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;" + b"x" * 493
    assert codes(bench.smtp().receive(MAIL + line.ljust(1036) + b"\r\n")) == [250, 250]


UTF8 = [
    ("MAIL FROM:<jürgen@bücher.example> SMTPUTF8", 250),
    ('MAIL FROM:<"jürgen x"@example.org> SMTPUTF8', 250),
    ("MAIL FROM:<jürgen@example.org>", 550),
]


@pytest.mark.parametrize(("command", "code"), UTF8)
def test_utf8_in_a_path_needs_smtputf8(bench: Bench, command: str, code: int) -> None:
    reply = bench.smtp().receive(command.encode() + b"\r\n")
    assert codes(reply) == [code]
    assert reply.isascii()


@pytest.mark.parametrize("octets", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xc3", b"\x80", b"\xf4\x90\x80\x80"])
def test_what_is_not_utf8_is_refused_even_with_smtputf8(bench: Bench, octets: bytes) -> None:
    session = bench.smtp()
    assert codes(session.receive(b"MAIL FROM:<a" + octets + b"@example.org> SMTPUTF8\r\nNOOP\r\n")) == [501, 250]


def test_a_utf8_recipient_is_unknown_and_not_malformed(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(b"MAIL FROM:<a@client.example> SMTPUTF8\r\n")
    assert codes(session.receive("RCPT TO:<jürgen@example.test>\r\n".encode())) == [550]


# Chunks (RFC 3030)


def test_chunks_are_joined_octet_for_octet_without_dot_processing(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    assert codes(session.receive(b"BDAT 7\r\nA: b\r\n\r")) == [250]
    assert codes(session.receive(b"bdat 0\r\nBDAT 14 last\r\n\n.\r\n..\r\n.x\r\n\r\nNOOP\r\n")) == [250, 250, 250]
    assert bench.contents() == [b"A: b\r\n\r\n.\r\n..\r\n.x\r\n\r\n"]


def test_a_chunk_alone_gets_no_reply_before_its_octets(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    assert session.receive(b"BDAT 10\r\n") == b""
    assert session.receive(b"123456789") == b""
    assert codes(session.receive(b"0")) == [250]


def test_the_octets_of_a_refused_chunk_are_swallowed(bench: Bench) -> None:
    evil = MAIL + RCPT
    session = bench.smtp()
    chunk = b"BDAT %d LAST\r\n" % len(evil) + evil
    assert codes(session.receive(chunk + b"NOOP\r\n")) == [503, 250]
    assert codes(session.receive(MAIL + chunk + RCPT)) == [250, 503, 250]
    assert codes(session.receive(b"BDAT 0 LAST\r\n" + chunk)) == [250, 503]
    assert codes(bench.smtp(hello=False).receive(chunk)) == [503]


@pytest.mark.parametrize("argument", [b"", b"LAST", b"-1", b"abc", b"0x10", b"+5", b"5 LAST X", b"5 FIRST", b"9" * 21])
def test_a_malformed_chunk_size_is_501_and_waits_for_nothing(bench: Bench, argument: bytes) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    assert codes(session.receive(b"BDAT " + argument + b"\r\nNOOP\r\n")) == [501, 250]


def test_chunks_over_the_limit_are_552_and_the_next_transaction_works(make_bench: MakeBench) -> None:
    bench = make_bench(limits=replace(Limits(), message_octets=70_000))
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    big = b"x" * 60_000
    assert codes(session.receive(b"BDAT 60000\r\n" + big + b"BDAT 60000\r\n" + big + b"BDAT 2 LAST\r\n\r\n")) == [
        250, 552, 503,
    ]
    assert codes(session.receive(MAIL + RCPT + b"BDAT 6 LAST\r\nA: b\r\n")) == [250, 250, 250]
    assert bench.contents() == [b"A: b\r\n"]


@pytest.mark.parametrize("command", [b"RSET", b"EHLO c.example", b"HELO c.example"])
def test_rset_and_a_new_hello_throw_chunks_away(bench: Bench, command: bytes) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT + b"BDAT 3\r\nold" + command + b"\r\n")
    session.receive(MAIL + RCPT + b"BDAT 5 LAST\r\nnew\r\n")
    assert bench.contents() == [b"new\r\n"]


def test_ten_thousand_chunks_of_one_octet_are_all_taken(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL + RCPT)
    assert codes(session.receive(b"BDAT 1\r\nx" * 10_000)) == [250] * 10_000


def test_a_bare_lf_in_a_chunk_is_refused_and_nothing_is_stored(bench: Bench) -> None:
    session = bench.smtp()
    assert codes(session.receive(MAIL + RCPT + b"BDAT 6 LAST\r\na\nb\nc\n")) == [250, 250, 554]
    assert bench.stored() == []


# AUTH (RFC 4954)

PLAIN = b64(b"\0user1\0secret1")
EXCHANGES = [
    ([b"AUTH PLAIN " + PLAIN],                                          [235]),
    ([b"auth plain " + PLAIN],                                          [235]),
    ([b"AUTH PLAIN", PLAIN],                                            [334, 235]),
    ([b"AUTH PLAIN " + b64(b"user1\0user1\0secret1")],                  [235]),
    ([b"AUTH PLAIN " + b64(b"\0user1@example.test\0secret1")],          [235]),
    ([b"AUTH PLAIN " + b64(b"user2\0user1\0secret1")],                  [535]),
    ([b"AUTH PLAIN " + b64(b"\xc2\xad\0user1\0secret1")],               [535]),
    ([b"AUTH PLAIN " + b64(b"\0user1\0wrong")],                         [535]),
    ([b"AUTH PLAIN " + b64(b"\0user1\0")],                              [535]),
    ([b"AUTH PLAIN " + b64(b"\0nobody\0secret1")],                      [535]),
    ([b"AUTH PLAIN " + b64(b"\0\0")],                                   [535]),
    ([b"AUTH PLAIN " + b64(b"user1 secret1")],                          [535]),
    ([b"AUTH PLAIN " + b64(b"\0user1\0secret1\0")],                     [535]),
    ([b"AUTH PLAIN " + b64(b"\0\xff\0secret1")],                        [535]),
    ([b"AUTH PLAIN " + b64(b"a" * 255 + b"\0" + b"b" * 255 + b"\0" + b"c" * 255)], [535]),
    ([b"AUTH PLAIN ="],                                                 [535]),
    ([b"AUTH PLAIN", b"*"],                                             [334, 501]),
    ([b"AUTH PLAIN", b""],                                              [334, 535]),
    ([b"AUTH PLAIN", b"QUIT"],                                          [334, 535]),
    ([b"AUTH PLAIN", b"!!!!"],                                          [334, 501]),
    ([b"AUTH PLAIN", b"=AAA"],                                          [334, 501]),
    ([b"AUTH PLAIN", b"AAA=BBBB"],                                      [334, 501]),
    ([b"AUTH PLAIN", b"A"],                                             [334, 501]),
    ([b"AUTH PLAIN !!!!"],                                              [501]),
    ([b"AUTH PLAIN " + PLAIN + b" x"],                                  [501]),
    ([b"AUTH PLAIN", b"A" * 20_000],                                    [334, 500]),
    ([b"AUTH LOGIN", b64(b"user1"), b64(b"secret1")],                   [334, 334, 235]),
    ([b"AUTH LOGIN " + b64(b"user1"), b64(b"secret1")],                 [334, 235]),
    ([b"AUTH LOGIN", b64(b"user1"), b"*"],                              [334, 334, 501]),
    ([b"AUTH LOGIN", b64(b"user1"), b64(b"secret2")],                   [334, 334, 535]),
    ([b"AUTH CRAM-MD5 " + b64(b"x")],                                   [501]),
    ([b"AUTH CRAM-MD5", b64(b"user1 0123")],                            [334, 535]),
    ([b"AUTH CRAM-MD5", b64(b"user1")],                                 [334, 535]),
    ([b"AUTH X-NONE"],                                                  [504]),
    ([b"AUTH"],                                                         [501]),
]


@pytest.mark.parametrize(("lines", "expected"), EXCHANGES)
def test_an_exchange_ends_as_its_last_line_deserves_and_the_session_goes_on(
    bench: Bench, lines: list[bytes], expected: list[int]
) -> None:
    session = bench.smtp()
    assert [codes(session.receive(line + b"\r\n"))[0] for line in lines] == expected
    assert codes(session.receive(b"NOOP\r\n" + MAIL)) == [250, 250]


def test_the_challenge_of_plain_is_empty_but_its_space_is_sent(bench: Bench) -> None:
    assert bench.smtp().receive(b"AUTH PLAIN\r\n") == b"334 \r\n"


def test_cram_md5_takes_the_right_digest_of_a_challenge_that_never_repeats(bench: Bench) -> None:
    session = bench.smtp()
    first = session.receive(b"AUTH CRAM-MD5\r\n*\r\n").split(b"\r\n")[0]
    second = session.receive(b"AUTH CRAM-MD5\r\n")
    assert first != second.strip()
    challenge = base64.b64decode(second[4:])
    assert challenge.startswith(b"<")
    assert challenge.endswith(b"@mail.example.test>")
    digest = hmac.new(b"secret1", challenge, "md5").hexdigest().encode()
    assert codes(session.receive(b64(b"user1 " + digest) + b"\r\n")) == [235]


def test_scram_proves_both_sides_to_each_other(bench: Bench) -> None:
    session = bench.smtp()
    client = ScramSha256("user1", "secret1", nonce="c0ffee")
    first = session.receive(b"AUTH SCRAM-SHA-256 " + b64(client.initial()) + b"\r\n")
    signature = session.receive(b64(client.answer(base64.b64decode(first[4:]))) + b"\r\n")
    assert client.answer(base64.b64decode(signature[4:])) == b""
    assert codes(session.receive(b"\r\n")) == [235]


@pytest.mark.parametrize(("login", "password"), [("user1", "secret2"), ("nobody", "secret1")])
def test_scram_lets_nobody_in_who_cannot_prove_it(bench: Bench, login: str, password: str) -> None:
    session = bench.smtp()
    client = ScramSha256(login, password, nonce="c0ffee")
    assert codes(session.receive(b"AUTH SCRAM-SHA-256\r\n")) == [334]
    first = session.receive(b64(client.initial()) + b"\r\n")
    assert codes(session.receive(b64(client.answer(base64.b64decode(first[4:]))) + b"\r\n")) == [535]


@pytest.mark.parametrize(
    "message",
    [b"x,,n=user1,r=a", b"n,,m=1,n=user1,r=a", b"p=tls-unique,,n=user1,r=a", b"n,,n=user1=,r=a", b"n,,n=user1", b""],
)
def test_scram_takes_no_other_first_message(bench: Bench, message: bytes) -> None:
    session = bench.smtp()
    session.receive(b"AUTH SCRAM-SHA-256\r\n")
    assert codes(session.receive(b64(message) + b"\r\n"))[0] in {501, 535}


def test_a_server_may_want_a_login_before_mail(make_bench: MakeBench) -> None:
    session = make_bench(Behaviour(login_required=True)).smtp()
    login = b"AUTH PLAIN " + PLAIN + b"\r\n"
    assert codes(session.receive(MAIL + b"NOOP\r\n" + login + MAIL)) == [530, 250, 235, 250]


def test_auth_works_once_and_survives_rset_and_ehlo(bench: Bench) -> None:
    session = bench.smtp()
    again = b"AUTH PLAIN " + PLAIN + b"\r\n"
    assert codes(session.receive(again + again + b"RSET\r\nEHLO c.example\r\n" + again)) == [235, 503, 250, 250, 503]


def test_unknown_login_and_wrong_password_read_the_same(bench: Bench) -> None:
    session = bench.smtp()
    unknown = session.receive(b"AUTH PLAIN " + b64(b"\0nobody\0x") + b"\r\n")
    wrong = session.receive(b"AUTH PLAIN " + b64(b"\0user1\0x") + b"\r\n")
    assert unknown == wrong


def test_ten_failed_logins_end_the_session(bench: Bench) -> None:
    session = bench.smtp()
    answers = session.receive((b"AUTH PLAIN " + b64(b"\0user1\0x") + b"\r\n") * 12)
    assert codes(answers) == [535] * 9 + [421]


def test_a_server_may_want_tls_before_it_takes_a_password(make_bench: MakeBench) -> None:
    bench = make_bench(Behaviour(clear_text_passwords=False))
    session = bench.smtp(hello=False)
    assert b"AUTH CRAM-MD5 SCRAM-SHA-256\r\n" in session.receive(b"EHLO c.example\r\n")
    assert codes(session.receive(b"AUTH PLAIN " + PLAIN + b"\r\n")) == [538]
    inside = bench.smtp(cipher="TLS_X")
    assert codes(inside.receive(b"AUTH PLAIN " + PLAIN + b"\r\n")) == [235]


# STARTTLS (RFC 3207)


def test_starttls_forgets_all_that_was_said_and_all_that_was_pipelined(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(b"AUTH PLAIN " + PLAIN + b"\r\n" + MAIL + RCPT)
    assert codes(session.receive(b"STARTTLS\r\nNOOP\r\nRSET\r\nEHLO in")) == [220]
    before_and_after = [session.after]
    session.tls_started("TLS_X")
    before_and_after.append(session.after)
    assert before_and_after == [After.START_TLS, After.GO_ON]
    assert codes(session.receive(b"jected.example\r\n" + MAIL + b"DATA\r\n")) == [500, 503, 503]
    listed = session.receive(b"EHLO other.example\r\n")
    assert b"STARTTLS" not in listed
    assert codes(session.receive(b"STARTTLS\r\nDATA\r\nAUTH PLAIN " + PLAIN + b"\r\n")) == [503, 503, 235]


def test_without_a_certificate_starttls_is_neither_offered_nor_done(make_bench: MakeBench) -> None:
    session = make_bench(tls_available=False).smtp(hello=False)
    assert b"STARTTLS" not in session.receive(b"EHLO c.example\r\n")
    assert codes(session.receive(b"STARTTLS\r\n")) == [502]


def test_a_binary_body_comes_by_bdat_and_keeps_every_octet(bench: Bench) -> None:
    session = bench.smtp()
    session.receive(MAIL.replace(b">", b"> BODY=BINARYMIME") + RCPT)
    assert codes(session.receive(b"DATA\r\n")) == [503]
    assert codes(session.receive(b"BDAT 10 LAST\r\nA: b\r\n\r\n\n\0")) == [250]
    assert bench.stored()[0].endswith(b"A: b\r\n\r\n\n\0\r\n")


def test_binarymime_is_not_offered_without_chunking(make_bench: MakeBench) -> None:
    bench = make_bench(Behaviour(extensions=frozenset({Extension.BINARYMIME, Extension.SIZE})))
    session = bench.smtp(hello=False)
    assert b"BINARYMIME" not in session.receive(b"EHLO c.example\r\n")
