"""Codes for commands, and what some codes promise."""

import pytest

from conformance.monitors import codes
from conformance.monitors.exchange import Asked
from tests.conformance.monitors.listening import broken, heard

TABLE, KNOWN = "smtp.reply.command-table", "smtp.reply.known-codes"


@pytest.mark.parametrize(
    ("command", "listed", "not_listed"),
    [
        # RFC 5321 §4.3.2, and what extensions add
        (b"EHLO x", [250, 504, 550, 502], [220, 354, 553]),
        (b"HELO x", [250, 504, 550, 502], [251]),
        (b"MAIL FROM:<>", [250, 552, 451, 452, 550, 553, 503, 455, 555, 530], [251, 354, 551, 450]),
        (b"RCPT TO:<a@b>", [250, 251, 550, 551, 552, 553, 450, 451, 452, 503, 455, 555, 556], [252, 354]),
        (b"DATA", [354, 503, 554, 451, 450, 550], [250, 551]),
        (b"RSET", [250], [252, 550]),
        (b"VRFY a", [250, 251, 252, 550, 551, 553, 502, 504], [214, 552]),
        (b"EXPN a", [250, 252, 550, 500, 502, 504], [251, 551]),
        (b"HELP", [211, 214, 502, 504], [250]),
        (b"noop", [250], [251, 550]),
        (b"QUIT", [221], [250]),
        (b"STARTTLS", [220, 454, 501], [250]),
        (b"AUTH PLAIN", [235, 334, 432, 454, 504, 534, 535, 538], [250]),
        (b"ETRN a", [250, 251, 252, 253, 458, 459], [220]),
        (b"BDAT 1", [250, 503, 552, 554], [354]),
    ],
)
def test_the_table_knows_what_answers_a_command(command: bytes, listed: list[int], not_listed: list[int]) -> None:
    for code in (*listed, 421, 500, 501):
        assert TABLE not in broken([heard(b"%d <a@b> text\r\n" % code, command)]), code
    for code in not_listed:
        assert TABLE in broken([heard(b"%d text\r\n" % code, command)]), code


def test_a_verb_the_table_does_not_know_is_not_held_against_it() -> None:
    assert TABLE not in broken([heard(b"252 text\r\n", b"XYZZY")])
    assert TABLE not in broken([heard(b"252 text\r\n", asked=Asked.UNKNOWN)])


@pytest.mark.parametrize("code", [235, 253, 334, 432, 454, 458, 459, 521, 530, 534, 535, 538, 551, 252, 555, 556])
def test_the_codes_of_extensions_are_known(code: int) -> None:
    assert KNOWN not in broken([heard(b"%d text\r\n" % code, b"XYZZY")])


@pytest.mark.parametrize("code", [200, 299, 420, 599, 350])
def test_other_codes_are_not(code: int) -> None:
    assert KNOWN in broken([heard(b"%d text\r\n" % code, b"XYZZY")])


def test_every_code_of_the_tables_names_its_source() -> None:
    tables = [codes.ANYWHERE, codes.GREETING, codes.MAIL_DATA, codes.LMTP_MAIL_DATA, *codes.COMMANDS.values()]
    assert all("RFC " in source and "§" in source for table in tables for source in table.values())


@pytest.mark.parametrize("code", [450, 421, 503, 530, 552])
def test_mail_may_be_refused_with_4yz_and_5yz(code: int) -> None:
    assert "smtp.mail.class-of-refusal" not in broken([heard(b"%d no\r\n" % code, b"MAIL FROM:<a@b>")])


@pytest.mark.parametrize("octets", [b"354 no\r\n", b"150 no\r\n", b"999 no\r\n", b"no\r\n"])
def test_mail_may_not_be_refused_with_anything_else(octets: bytes) -> None:
    assert "smtp.mail.class-of-refusal" in broken([heard(octets, b"MAIL FROM:<a@b>")])


@pytest.mark.parametrize(
    ("octets", "flagged"),
    [
        (b"251 User not local; will forward to <a@b.example>\r\n", False),
        (b"551 User not local; please try <a@b.example>\r\n", False),
        (b"551-5.1.6 moved\r\n551 5.1.6 try <a@b.example>\r\n", False),
        (b"551 User not local\r\n", True),
        (b"251 <>\r\n", True),
        (b"550 User not local\r\n", False),
    ],
)
def test_251_and_551_give_an_address(octets: bytes, flagged: bool) -> None:
    assert ("smtp.rcpt.251-551-text" in broken([heard(octets, b"RCPT TO:<a@c>")])) == flagged


@pytest.mark.parametrize(
    ("lines", "flagged"),
    [
        (b"250-x\r\n250-SIZE 10\r\n250-AUTH PLAIN\r\n250-AUTH=PLAIN\r\n250 DSN\r\n", False),
        (b"250-x\r\n250-AUTH PLAIN\r\n250-DSN\r\n250 auth LOGIN\r\n", True),
        (b"250 x\r\n", False),
        (b"501-x\r\n501-x\r\n501 x\r\n", False),
    ],
)
def test_a_keyword_is_listed_once(lines: bytes, flagged: bool) -> None:
    assert ("smtp.ehlo.param-only-once" in broken([heard(lines, b"EHLO x")])) == flagged


@pytest.mark.parametrize(
    ("greeting", "ehlo", "flagged"),
    [
        ("mail.example.test ESMTP", "mail.example.test", False),
        ("xn--mller-kva.example ESMTP", "xn--mller-kva.example", False),
        ("[192.0.2.1] ESMTP", "[192.0.2.1]", False),
        ("m\xfcller.example ESMTP", "mail.example.test", True),
        ("mail.example.test", "m\xfcller.example greets", True),
        ("mail.example.test gr\xfc\xdft", "mail.example.test", False),      # the name is at stake, and no more
    ],
)
def test_a_server_that_knows_smtputf8_names_itself_in_ascii(greeting: str, ehlo: str, flagged: bool) -> None:
    first = heard(f"220 {greeting}\r\n".encode())
    for keyword, expected in ((b"SMTPUTF8", flagged), (b"DSN", False)):
        second = heard(f"250-{ehlo}\r\n250 ".encode() + keyword + b"\r\n", b"EHLO x")
        assert ("smtp.utf8.ehlo-reply-domain" in broken([first, second])) == expected
