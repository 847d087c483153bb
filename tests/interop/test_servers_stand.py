"""The fixtures, proved with the standard library's clients before ours meet the same servers."""

import email
import email.policy
import poplib
import smtplib
import ssl
import time
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest

from tests.interop.mail_system import MailSystem

ARRIVAL_LIMIT_S = 20.0


def address_of(url: str | None) -> tuple[str, int]:
    assert url is not None
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def trusting(system: MailSystem) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(system.ca_file))


def a_message(subject: str) -> EmailMessage:
    message = EmailMessage(email.policy.SMTP)
    message["From"] = "load@example.test"
    message["To"] = "someone@example.test"
    message["Subject"] = subject
    message.set_content("one line\n.a line that begins with a dot\n")
    return message


def take_one(system: MailSystem, n: int, subject: str, *, implicit_tls: bool = False) -> EmailMessage:
    """Poll user n's maildrop until a message with the subject is there; delete it and return it."""
    until_s = time.monotonic() + ARRIVAL_LIMIT_S
    while time.monotonic() < until_s:
        pop = log_in(system, n, implicit_tls=implicit_tls)
        try:
            for number in range(1, pop.stat()[0] + 1):
                octets = b"\n".join([*pop.retr(number)[1], b""])
                message = email.message_from_bytes(octets, policy=email.policy.default)
                if message["Subject"] == subject:
                    pop.dele(number)
                    return message
        finally:
            pop.quit()
        time.sleep(0.05)
    pytest.fail(f"{subject!r} did not arrive within {ARRIVAL_LIMIT_S:.0f} s")


def log_in(system: MailSystem, n: int, *, implicit_tls: bool) -> poplib.POP3:
    pop: poplib.POP3
    if implicit_tls:
        pop = poplib.POP3_SSL(*address_of(system.pop3s), context=trusting(system), timeout=10)
    else:
        pop = poplib.POP3(*address_of(system.pop3), timeout=10)
        pop.stls(trusting(system))
    pop.user(system.accounts.address(n))
    pop.pass_(system.accounts.password(n))
    return pop


@pytest.fixture(params=["postfix", "exim"])
def mail_system(request: pytest.FixtureRequest) -> MailSystem:
    system: MailSystem = request.getfixturevalue(request.param)
    return system


def test_what_smtp_takes_in_comes_out_of_the_maildrop(mail_system: MailSystem) -> None:
    subject = f"clear text by {mail_system.name}"
    with smtplib.SMTP(*address_of(mail_system.smtp), timeout=10) as smtp:
        smtp.send_message(a_message(subject), to_addrs=[mail_system.accounts.address(1)])
    received = take_one(mail_system, 1, subject)
    assert received.get_content() == "one line\n.a line that begins with a dot\n"


def test_starttls_is_verified_against_our_authority(mail_system: MailSystem) -> None:
    subject = f"starttls by {mail_system.name}"
    with smtplib.SMTP(*address_of(mail_system.smtp), timeout=10) as smtp:
        smtp.starttls(context=trusting(mail_system))
        smtp.send_message(a_message(subject), to_addrs=[mail_system.accounts.address(2)])
    assert take_one(mail_system, 2, subject, implicit_tls=True)["Subject"] == subject


def test_implicit_tls_answers_on_its_own_port(mail_system: MailSystem) -> None:
    with smtplib.SMTP_SSL(*address_of(mail_system.smtps), context=trusting(mail_system), timeout=10) as smtp:
        assert smtp.noop()[0] == 250


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_right_password_is_taken_and_a_wrong_one_is_not(mail_system: MailSystem, mechanism: str) -> None:
    with smtplib.SMTP(*address_of(mail_system.smtp), timeout=10) as smtp:
        smtp.ehlo()
        assert mechanism in smtp.esmtp_features["auth"].split()
        smtp.esmtp_features["auth"] = mechanism  # the only one `login` may then choose
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(mail_system.accounts.address(3), "wrong")
        assert smtp.login(mail_system.accounts.address(3), mail_system.accounts.password(3))[0] == 235


def test_the_extensions_our_scenarios_use_are_offered(mail_system: MailSystem) -> None:
    with smtplib.SMTP(*address_of(mail_system.smtp), timeout=10) as smtp:
        smtp.ehlo()
        for extension in ("pipelining", "size", "8bitmime", "starttls", "auth", "chunking", "smtputf8"):
            assert smtp.has_extn(extension), extension


def test_a_stranger_and_a_foreign_domain_are_refused(mail_system: MailSystem) -> None:
    with smtplib.SMTP(*address_of(mail_system.smtp), timeout=10) as smtp:
        smtp.ehlo()
        smtp.mail("load@example.test")
        assert smtp.rcpt("nobody@example.test")[0] == 550
        assert smtp.rcpt("someone@elsewhere.invalid")[0] in {550, 554}


def test_dovecot_takes_lmtp_and_answers_once_per_recipient(dovecot: MailSystem) -> None:
    with smtplib.LMTP(*address_of(dovecot.lmtp)) as lmtp:
        lmtp.ehlo()
        lmtp.mail("load@example.test")
        assert lmtp.rcpt(dovecot.accounts.address(4))[0] == 250
        assert lmtp.rcpt(dovecot.accounts.address(5))[0] == 250
        assert lmtp.rcpt("nobody@example.test")[0] == 550
        assert lmtp.data(a_message("lmtp").as_bytes())[0] == 250
        assert lmtp.getreply()[0] == 250
    for n in (4, 5):
        assert take_one(dovecot, n, "lmtp")["Subject"] == "lmtp"


def test_dovecot_offers_apop(dovecot: MailSystem) -> None:
    pop = poplib.POP3(*address_of(dovecot.pop3), timeout=10)
    assert pop.apop(dovecot.accounts.address(6), dovecot.accounts.password(6)).startswith(b"+OK")
    pop.quit()


def test_aiosmtpd_keeps_what_it_takes_in(aiosmtpd: MailSystem) -> None:
    assert aiosmtpd.maildrops is not None
    with smtplib.SMTP(*address_of(aiosmtpd.smtp), timeout=10) as smtp:
        smtp.starttls(context=trusting(aiosmtpd))
        smtp.send_message(a_message("to aiosmtpd"), to_addrs=[aiosmtpd.accounts.address(1)])
    kept = [path.read_bytes() for path in (aiosmtpd.maildrops / "everyone" / "new").iterdir()]
    assert any(b"Subject: to aiosmtpd" in octets for octets in kept)
