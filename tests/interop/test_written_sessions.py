"""Sessions written step by step, and those that bother a server, against real mail software."""

from pathlib import Path

import pytest

from tests.interop.mail_system import MailSystem
from tests.interop.test_run import assert_nothing_is_lost, result_of_a_run

HEAD = """
[scenario]
name = "written"

[target]
tls = "{tls}"
ca_file = "{ca_file}"

[accounts]
count = {accounts}

[load]
model = "closed"
virtual_users = 4
sessions = {sessions}
drain = "30s"

[limits]
session = "20s"

[[gate]]
metric = "sessions.accepted.share"
equals = 1
"""
SUBMISSION = """
[[session]]
name = "by-hand"
kind = "steps"
size = "3 KiB"
steps = [
    {expect = "220", match = '^(?P<host>\\S+) '},
    {send = "EHLO {hello}", expect = "250"},
    STARTTLS
    {send = "NOOP {capture.host}", expect = "2yz"},
    {repeat = 2, steps = [
        {send = "MAIL FROM:<{reverse_path}>", expect = "250"},
        {send = "RCPT TO:<{recipient}>", expect = "250"},
        {send = "DATA", expect = "354"},
        {send_message = true, expect = "250"},
    ]},
    {send = "MAIL FROM:<{reverse_path}>"}, {send = "RCPT TO:<{recipient}>"}, {send = "RSET"},
    {expect = "250"}, {expect = "250"}, {expect = "250"},
    {send = "MAIL FROM:<{reverse_path}>", expect = "250", name = "again"},
    {send = "QUIT", expect = "221"},
]
"""
SECURE = '{starttls = true}, {send = "EHLO {hello}", expect = "250", name = "hello-again"},'
EMPTYING = """
[[session]]
name = "take-one"
kind = "steps"
protocol = "pop3"
steps = [
    {expect = "+OK"},
    {send = "USER {account.login}", expect = "+OK"},
    {send = "PASS {account.password}", expect = "+OK"},
    {send = "CAPA", expect = "+OK", match = '(?m)^UIDL$'},
    {send = "UIDL", expect = "+OK"},
    {send = "RETR 1", expect = ["+OK", "-ERR"]},
    {send = "DELE 1", expect = ["+OK", "-ERR"]},
    {send = "QUIT", expect = "+OK"},
]

[ledger]
verify = true
settle = "30s"
"""
BOTHERING = """
[[session]]
kind = "slow-reader"
protocol = "smtp"
auth = "none"
commands = 5                        # Exim drops whoever says ten that are no mail
pause = "5ms"

[[session]]
kind = "half-open"
after = "connect"
hold = "300ms"

[[session]]
kind = "half-open"
after = "AFTER"
hold = "300ms"
"""


def head(system: MailSystem, *, tls: str = "none", sessions: int = 40) -> str:
    return HEAD.format(tls=tls, ca_file=system.ca_file, accounts=system.accounts.count, sessions=sessions)


def submission(*, secured: bool) -> str:
    return SUBMISSION.replace("STARTTLS", SECURE if secured else "")


@pytest.mark.parametrize("server", ["postfix", "exim"])
@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_what_steps_submit_and_take_away_is_in_the_books(
    server: str, tls: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    emptying = EMPTYING
    if tls == "starttls":
        emptying = emptying.replace('{expect = "+OK"},', '{expect = "+OK"}, {starttls = true},', 1)
    written = head(system, tls=tls) + submission(secured=tls == "starttls") + emptying
    document = result_of_a_run(system, written, tmp_path)
    assert document["load"]["messages"]["accepted"] == 2 * document["load"]["kinds"]["by-hand"]["accepted"] > 0
    assert {"smtp.again", "smtp.rset", "pop3.uidl"} <= set(document["load"]["phases"])
    assert_nothing_is_lost(document)


def test_steps_are_taken_with_a_server_of_python_s(aiosmtpd: MailSystem, tmp_path: Path) -> None:
    document = result_of_a_run(aiosmtpd, head(aiosmtpd, tls="starttls") + submission(secured=True), tmp_path)
    assert document["load"]["messages"]["accepted"] == 80


def test_a_maildrop_read_slowly_is_read_whole(postfix: MailSystem, tmp_path: Path) -> None:
    everybody = f'[[session]]\nkind = "smtp-deliver"\nsize = "20 KiB"\nrecipients = {postfix.accounts.count}\n'
    verified = '[ledger]\nverify = true\nsettle = "30s"\n'      # waits until the mail is there, and leaves it
    result_of_a_run(postfix, head(postfix, sessions=4) + everybody + verified, tmp_path)
    slowly = '[[session]]\nkind = "slow-reader"\nread_octets = 4096\nwindow = "2 KiB"\npause = "5ms"\n'
    document = result_of_a_run(postfix, head(postfix, sessions=8) + slowly, tmp_path)
    assert document["load"]["messages"]["retrieved"] >= 4 * 8


@pytest.mark.parametrize("server", ["postfix", "exim", "aiosmtpd"])
def test_clients_that_bother_are_borne_or_cut_off(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    written = head(system, tls="starttls") + BOTHERING.replace("AFTER", "starttls")
    document = result_of_a_run(system, written, tmp_path)
    silent = {(each["phase"], each["code"]) for each in document["load"]["replies"]} & {
        (phase, code) for phase in ("smtp.greeting", "smtp.tls") for code in ("kept", "closed")
    }
    assert {phase for phase, _ in silent} == {"smtp.greeting", "smtp.tls"}


@pytest.mark.parametrize("server", ["postfix", "exim", "aiosmtpd"])
def test_the_next_envelope_may_come_with_the_end_of_the_mail_data(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    system: MailSystem = request.getfixturevalue(server)
    across = (
        '[[session]]\nkind = "smtp-deliver"\nmessages = 4\nrecipients = 2\nsize = {uniform = ["1 KiB", "300 KiB"]}\n'
        'pipelining = "across-messages"\n'
    )
    verified = "[ledger]\nverify = true\nsettle = \"30s\"\n" if system.pop3 is not None else ""
    document = result_of_a_run(system, head(system, sessions=20) + across + verified, tmp_path)
    assert document["load"]["messages"]["accepted"] == 80
    if system.pop3 is not None:
        assert_nothing_is_lost(document)
