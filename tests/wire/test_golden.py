"""The RFCs' own example dialogues, played against the machines: every octet said, every answer paired."""

import pytest

from loadgen.wire.commands import MailData
from loadgen.wire.pop3 import Pop3Client, Pop3State, parse_scan_listing, parse_stat
from loadgen.wire.sasl import apop_digest
from loadgen.wire.smtp import LMTP, SMTP, Answer, Phase, SmtpClient
from tests.wire.transcript import GOLDEN, pop3_command, smtp_command, turns_of

# What the transcript's replies answer, in order: who is asked, what was answered.
SMTP_DIALOGUES = {
    "rfc5321-d1-typical.txt": "220 EHLO 250 MAIL 250 RCPT 250 RCPT 550 RCPT 250 DATA 354 . 250 QUIT 221",
    "rfc5321-d2-aborted.txt": "220 EHLO 250 MAIL 250 RCPT 250 RCPT 550 RSET 250 QUIT 221",
    "rfc5321-d3-relayed.txt": "220 EHLO 250 MAIL 250 RCPT 250 DATA 354 . 250 QUIT 221",
    "rfc5321-d4-verifying.txt": "220 EHLO 250 VRFY 250 MAIL 250 RCPT 250 DATA 354 . 250 QUIT 221",
    "rfc2033-4.2-lmtp.txt": (
        "220 LHLO 250 MAIL 250 RCPT 250 RCPT 550 RCPT 250 DATA 354 .pat@foo.edu 250 .green@foo.edu 452 QUIT 221"
    ),
    "rfc2920-4-pipelined.txt": "220 EHLO 250 MAIL 250 RCPT 250 RCPT 250 RCPT 250 DATA 354 . 250 QUIT 221",
    "rfc2920-4-all-refused.txt": "220 EHLO 250 MAIL 250 RCPT 550 RCPT 550 DATA 554 QUIT 221",
    "rfc2920-4-lone-dot.txt": "220 EHLO 250 MAIL 250 RCPT 550 RCPT 550 DATA 354 . 554 QUIT 221",
    "rfc4954-4.1-plain-under-tls.txt": "220 EHLO 250 STARTTLS 220 EHLO 250 AUTH 235",
    "rfc4954-4.1-cram-md5.txt": "220 EHLO 250 AUTH 334 235",
    "rfc4954-4.1-external.txt": "220 EHLO 250 STARTTLS 220 EHLO 250 AUTH 235",
    "rfc2034-6-enhanced-codes.txt": "220 EHLO 250 MAIL 250 RCPT 250 RCPT 550 RCPT 551 DATA 354 . 250 QUIT 221",
}
POP3_DIALOGUES = ["rfc1939-10-session.txt", "rfc2449-5-capa.txt"]


def play_smtp(name: str) -> tuple[SmtpClient, list[Answer]]:
    client = SmtpClient(LMTP if "lmtp" in name else SMTP)
    answered: list[Answer] = []
    mail_data = b""
    for turn in turns_of(name):
        line = turn.text.encode("ascii") + b"\r\n"
        if turn.who == "-":
            client.tls_started()
        elif turn.who == "S":
            client.receive(line)
            while (answer := client.next_answer()) is not None:
                assert answer.reply.deviations == ()
                answered.append(answer)
        elif client.phase is Phase.BODY and client.owed == 0:
            mail_data += line
            if turn.text == ".":
                assert client.send(MailData(mail_data)) == mail_data
                mail_data = b""
        else:
            assert client.send(smtp_command(turn.text)) == line
    return client, answered


@pytest.mark.parametrize("name", SMTP_DIALOGUES)
def test_an_smtp_dialogue_is_said_and_understood_as_the_rfc_has_it(name: str) -> None:
    client, answered = play_smtp(name)
    words = [
        f"{answer.command.verb if answer.command else ''}{answer.recipient or ''} {answer.reply.code}"
        for answer in answered
    ]
    assert " ".join(" ".join(words).split()) == SMTP_DIALOGUES[name]
    assert client.owed == 0
    assert client.phase == (Phase.CLOSED if words[-1] == "QUIT 221" else Phase.MAIL)


def test_the_extensions_of_appendix_d_are_found() -> None:
    client, _ = play_smtp("rfc5321-d4-verifying.txt")
    assert client.extensions.greeting_name == b"foo.com"
    assert set(client.extensions.keywords) == {"8BITMIME", "SIZE", "DSN", "VRFY", "HELP"}


def test_tls_changes_what_is_offered_as_in_rfc_4954() -> None:
    client, _ = play_smtp("rfc4954-4.1-plain-under-tls.txt")
    assert client.extensions.auth == {"GSSAPI", "DIGEST-MD5", "PLAIN"}
    assert client.authenticated
    assert not client.extensions.starttls


def test_the_enhanced_codes_of_rfc_2034_are_read() -> None:
    _, answered = play_smtp("rfc2034-6-enhanced-codes.txt")
    enhanced = [str(answer.reply.enhanced) for answer in answered if answer.reply.enhanced]
    assert enhanced == ["2.1.0", "2.1.5", "5.1.1", "5.7.1", "2.6.0", "2.0.0"]


@pytest.mark.parametrize("name", POP3_DIALOGUES)
def test_a_pop3_dialogue_is_said_and_understood_as_the_rfc_has_it(name: str) -> None:
    client = Pop3Client()
    told: list[str] = []  # what the status lines and bodies said, for comparison with the transcript
    for turn in turns_of(name):
        line = turn.text.encode("ascii") + b"\r\n"
        if turn.who == "C":
            assert client.send(pop3_command(turn.text)) == line
            continue
        client.receive(line)
        while (answer := client.next_answer()) is not None:
            response = answer.response
            assert response.ok
            assert response.deviations == ()
            told.append("+OK " + response.text.decode("ascii"))
            if response.body is not None:
                told += [*response.body.decode("ascii").splitlines(), "."]
            if answer.command is not None and answer.command.verb == "STAT":
                assert parse_stat(response) == (2, 320)
            if answer.command is not None and answer.command.verb == "LIST":
                assert parse_scan_listing(response) == ((1, 120), (2, 200))
    assert told == [turn.text for turn in turns_of(name) if turn.who == "S"]
    assert client.owed == 0
    if name == "rfc1939-10-session.txt":
        assert client.state is Pop3State.CLOSED
        assert client.timestamp is not None
        assert apop_digest(client.timestamp, "tanstaaf") == "c4c9334bac560ecc979e58001b3e22fb"
    else:
        assert client.capabilities["SASL"] == ("CRAM-MD5", "KERBEROS_V4")
        assert len(client.capabilities) == 9


def test_every_transcript_is_played() -> None:
    assert {path.name for path in GOLDEN.glob("rfc*.txt")} == {*SMTP_DIALOGUES, *POP3_DIALOGUES}
