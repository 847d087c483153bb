"""Sessions as well-known servers hold them. None of these may be called a departure."""

import pytest

from conformance.monitors.monitor import Tally
from tests.conformance.monitors.listening import watched

# Lawful, and for the operator to weigh: a SHOULD, a MAY, hardening.
POSTFIX = r"""
S: 220 mail.example.test ESMTP Postfix
C: EHLO client.example.test
S: 250-mail.example.test
S: 250-PIPELINING
S: 250-SIZE 10240000
S: 250-VRFY
S: 250-ETRN
S: 250-STARTTLS
S: 250-AUTH PLAIN LOGIN
S: 250-AUTH=PLAIN LOGIN
S: 250-ENHANCEDSTATUSCODES
S: 250-8BITMIME
S: 250-DSN
S: 250-SMTPUTF8
S: 250 CHUNKING
C: VRFY user1@example.test
S: 252 2.0.0 user1@example.test
C: EXPN list
S: 502 5.5.2 Error: command not recognized
C: XYZZY
S: 500 5.5.2 Error: command not recognized
C: MAIL FROM:<a@example.org> SIZE=99999999
S: 552 5.3.4 Message size exceeds fixed limit
C: MAIL FROM:<a@example.org>
C: RCPT TO:<nobody@example.test>
C: RCPT TO:<user1@example.test>
C: DATA
S: 250 2.1.0 Ok
S: 550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown in local recipient table
S: 250 2.1.5 Ok
S: 354 End data with <CR><LF>.<CR><LF>
C: text
C: .
S: 250 2.0.0 Ok: queued as 4F2B31C0
C: ETRN example.test
S: 459 4.7.1 <example.test>: ETRN is not served
C: NOOP
S: 421 4.4.2 mail.example.test Error: timeout exceeded
CLOSED
"""
POSTSCREEN = """
S: 220-mail.example.test ESMTP Postfix
S: 220 mail.example.test ESMTP Postfix
C: EHLO x
S: 521 5.7.1 Blocked by DNSBL
CLOSED
"""
EXIM = r"""
S: 220 mail.example.test ESMTP Exim 4.96 Mon, 05 May 2025 10:00:00 +0000
C: EHLO client.example.test
S: 250-mail.example.test Hello client.example.test [192.0.2.7]
S: 250-SIZE 52428800
S: 250-8BITMIME
S: 250-PIPELINING
S: 250-PIPECONNECT
S: 250-CHUNKING
S: 250-STARTTLS
S: 250-PRDR
S: 250 HELP
C: HELP
S: 214-Commands supported:
S: 214 AUTH STARTTLS HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP
C: VRFY user1
S: 252 Administrative prohibition
C: RCPT TO:<a@b>
S: 503 sender not yet given
C: MAIL FROM:<a@example.org>
S: 250 OK
C: RCPT TO:<user1@example.test>
S: 250 Accepted
C: DATA
S: 354 Enter message, ending with "." on a line by itself
C: .
S: 250 OK id=1uBxyz-000123-AB
C: QUIT
S: 221 mail.example.test closing connection
CLOSED
"""
SENDMAIL = r"""
S: 220 mail.example.test ESMTP Sendmail 8.18.1/8.18.1; Mon, 5 May 2025 10:00:00 GMT
C: EHLO client.example.test
S: 250-mail.example.test Hello client.example.test [192.0.2.7], pleased to meet you
S: 250-ENHANCEDSTATUSCODES
S: 250-PIPELINING
S: 250-EXPN
S: 250-VERB
S: 250-8BITMIME
S: 250-SIZE
S: 250-DSN
S: 250-ETRN
S: 250-DELIVERBY
S: 250 HELP
C: HELP
S: 214-2.0.0 This is sendmail version 8.18.1
S: 214-2.0.0 Topics:
S: 214-2.0.0 	HELO	EHLO	MAIL	RCPT	DATA
S: 214 2.0.0 End of HELP info
C: VRFY user1
S: 250 2.1.5 User One <user1@example.test>
C: MAIL FROM:<a@example.org>
S: 250 2.1.0 <a@example.org>... Sender ok
C: RCPT TO:<nobody@example.test>
S: 550 5.1.1 <nobody@example.test>... User unknown
C: DATA
S: 503 5.0.0 Need RCPT (recipient)
C: QUIT
S: 221 2.0.0 mail.example.test closing connection
CLOSED
"""
QMAIL = r"""
S: 220 mail.example.test ESMTP
C: EHLO client.example.test
S: 250-mail.example.test
S: 250-PIPELINING
S: 250 8BITMIME
C: VRFY a
S: 252 send some mail, i'll try my best
C: HELP
S: 214 qmail home page: http://pobox.com/~djb/qmail.html
C: NOOP
S: 250 ok
C: XYZZY
S: 502 unimplemented (#5.5.1)
C: MAIL FROM:<a@example.org>
S: 250 ok
C: RCPT TO:<a@elsewhere.invalid>
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
C: QUIT
S: 221 mail.example.test
CLOSED
"""
EXCHANGE = r"""
S: 220 MAIL01.example.test Microsoft ESMTP MAIL Service ready at Mon, 5 May 2025 10:00:00 +0000
C: EHLO client.example.test
S: 250-MAIL01.example.test Hello [192.0.2.7]
S: 250-SIZE 37748736
S: 250-PIPELINING
S: 250-DSN
S: 250-ENHANCEDSTATUSCODES
S: 250-STARTTLS
S: 250-X-ANONYMOUSTLS
S: 250-AUTH NTLM
S: 250-X-EXPS GSSAPI NTLM
S: 250-8BITMIME
S: 250-BINARYMIME
S: 250-CHUNKING
S: 250 XRDST
C: STARTTLS
S: 220 2.0.0 SMTP server ready
TLS
C: EHLO client.example.test
S: 250-MAIL01.example.test Hello [192.0.2.7]
S: 250-ENHANCEDSTATUSCODES
S: 250 AUTH NTLM LOGIN
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: dXNlcjE=
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0MQ==
S: 235 2.7.0 Authentication successful
C: MAIL FROM:<a@example.org>
S: 250 2.1.0 Sender OK
C: RCPT TO:<user1@example.test>
S: 250 2.1.5 Recipient OK
C: DATA
S: 354 Start mail input; end with <CRLF>.<CRLF>
C: .
S: 250 2.6.0 <1@example.org> [InternalId=1, Hostname=MAIL01.example.test] Queued mail for delivery
C: QUIT
S: 221 2.0.0 Service closing transmission channel
CLOSED
"""
AIOSMTPD = r"""
S: 220 mail.example.test Python SMTP 1.4.6
C: EHLO client.example.test
S: 250-mail.example.test
S: 250-SIZE 33554432
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250 HELP
C: HELP
S: 250 Supported commands: AUTH DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY
C: MAIL FROM:<j\xc3\xb6rg@example.test> SMTPUTF8
S: 250 OK
C: RCPT TO:<user1@example.test>
S: 250 OK
C: DATA
S: 354 End data with <CR><LF>.<CR><LF>
C: .
S: 250 OK
C: QUIT
S: 221 Bye
CLOSED
"""
DOVECOT_LMTP = r"""
S: 220 mail.example.test Dovecot ready.
C: LHLO client.example.test
S: 250-mail.example.test
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-ENHANCEDSTATUSCODES
S: 250-PIPELINING
S: 250 STARTTLS
C: MAIL FROM:<a@example.org>
S: 250 2.1.0 OK
C: RCPT TO:<user1@example.test>
S: 250 2.1.5 OK
C: RCPT TO:<nobody@example.test>
S: 550 5.1.1 <nobody@example.test> User doesn't exist: nobody@example.test
C: RCPT TO:<user2@example.test>
S: 250 2.1.5 OK
C: DATA
S: 354 OK
C: text
C: .
S: 250 2.0.0 <user1@example.test> 8Hs0Iq Saved
S: 552 5.2.2 <user2@example.test> Quota exceeded (mailbox for user is full)
C: QUIT
S: 221 2.0.0 Bye
CLOSED
"""
HARAKA = r"""
S: 220 mail.example.test ESMTP Haraka ready
C: EHLO client.example.test
S: 250-mail.example.test Hello client.example.test [192.0.2.7]Haraka is at your service.
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250 SIZE 26214400
C: MAIL FROM:<a@example.org>
S: 250 sender <a@example.org> OK
C: RCPT TO:<a@elsewhere.invalid>
S: 550 I cannot deliver mail for <a@elsewhere.invalid>
C: QUIT
S: 221 mail.example.test closing connection. Have a jolly good day.
CLOSED
"""
OPENSMTPD = r"""
S: 220 mail.example.test ESMTP OpenSMTPD
C: EHLO client.example.test
S: 250-mail.example.test Hello client.example.test [192.0.2.7], pleased to meet you
S: 250-8BITMIME
S: 250-ENHANCEDSTATUSCODES
S: 250-SIZE 36700160
S: 250-DSN
S: 250-STARTTLS
S: 250 HELP
C: HELP
S: 214-2.0.0 This is OpenSMTPD
S: 214-2.0.0 To report bugs in the implementation, please contact bugs@openbsd.org
S: 214-2.0.0 with full details
S: 214 2.0.0 End of HELP info
C: MAIL FROM:<a@example.org>
S: 250 2.0.0 Ok
C: RCPT TO:<a@elsewhere.invalid>
S: 550 Invalid recipient: <a@elsewhere.invalid>
C: QUIT
S: 221 2.0.0 Bye
CLOSED
"""
GMAIL = r"""
S: 220 mx.example.test ESMTP 5b1f17b1804b1-441ae3c3d2dsi1.1 - gsmtp
C: EHLO client.example.test
S: 250-mx.example.test at your service, [192.0.2.7]
S: 250-SIZE 157286400
S: 250-8BITMIME
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250-PIPELINING
S: 250-CHUNKING
S: 250 SMTPUTF8
C: MAIL FROM:<a@example.org>
S: 250 2.1.0 OK 5b1f17b1804b1-441ae3c3d2dsi1.1 - gsmtp
C: RCPT TO:<nobody@example.test>
S: 550-5.1.1 The email account that you tried to reach does not exist. Please try
S: 550-5.1.1 double-checking the recipient's email address for typos or
S: 550-5.1.1 unnecessary spaces. For more information, go to
S: 550 5.1.1  https://support.example.test/mail/?p=NoSuchUser - gsmtp
C: QUIT
S: 221 2.0.0 closing connection 5b1f17b1804b1-441ae3c3d2dsi1.1 - gsmtp
CLOSED
"""
ADVICE = {"smtp.reply.known-codes", "smtp.reply.command-table", "smtp.reply.text-present", "smtp.esc.registered"}


def flagged(tally: Tally) -> dict[str, list[str]]:
    return {requirement: got for requirement, got in tally.examples.items() if requirement not in ADVICE}


@pytest.mark.parametrize(
    "session",
    [POSTFIX, POSTSCREEN, EXIM, SENDMAIL, QMAIL, EXCHANGE, AIOSMTPD, HARAKA, GMAIL],
    ids=["postfix", "postscreen", "exim", "sendmail", "qmail", "exchange", "aiosmtpd", "haraka", "gmail"],
)
def test_a_well_known_server_is_not_accused(session: str) -> None:
    tally = watched(session)
    assert flagged(tally) == {}
    replies = [line for line in session.splitlines() if line.startswith("S: ") and line[6] == " "]
    assert tally.looked["smtp.reply.crlf"] == len(replies)
    assert tally.looked["smtp.reply.command-table"] >= 2


def test_dovecots_lmtp_is_not_accused() -> None:
    tally = watched(DOVECOT_LMTP, lmtp=True)
    assert tally.examples == {}
    assert tally.looked["smtp.esc.present"] >= 7


def test_opensmtpds_missing_code_is_told_and_nothing_else() -> None:
    """It is on record: some refusals of OpenSMTPD lack the enhanced code that EHLO offered (RFC 2034 §4)."""
    assert flagged(watched(OPENSMTPD)) == {
        "smtp.esc.present": ['no enhanced status code: "550 Invalid recipient: <a@elsewhere.invalid>"']
    }


def test_what_is_advice_is_told_as_such() -> None:
    assert watched(AIOSMTPD).examples == {"smtp.reply.command-table": ["250 to HELP"]}
