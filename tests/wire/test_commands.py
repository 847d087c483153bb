"""Commands as values: one line each, and no argument makes two."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.wire import commands as c
from loadgen.wire import pop3_commands as p
from loadgen.wire.errors import LocalProtocolError

VECTORS: list[tuple[c.SmtpCommand | p.Pop3Command, bytes]] = [
    (c.Helo("client.example"), b"HELO client.example\r\n"),
    (c.Ehlo("[IPv6:::1]"), b"EHLO [IPv6:::1]\r\n"),
    (c.Lhlo("client.example"), b"LHLO client.example\r\n"),
    (c.Mail("a@example.test"), b"MAIL FROM:<a@example.test>\r\n"),
    (c.Mail(""), b"MAIL FROM:<>\r\n"),
    (c.Mail("", ("SIZE=10", "BODY=8BITMIME")), b"MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n"),
    (c.Mail("gr\u00fc\u00df@example.test", ("SMTPUTF8",)), b"MAIL FROM:<gr\xc3\xbc\xc3\x9f@example.test> SMTPUTF8\r\n"),
    (c.Rcpt("b@example.test"), b"RCPT TO:<b@example.test>\r\n"),
    (c.Rcpt("b@example.test", ("NOTIFY=NEVER",)), b"RCPT TO:<b@example.test> NOTIFY=NEVER\r\n"),
    (c.Data(), b"DATA\r\n"),
    (c.MailData(b".\r\n"), b".\r\n"),
    (c.MailData(b"a\r\n.\r\n"), b"a\r\n.\r\n"),
    (c.Bdat(b"abc", last=False), b"BDAT 3\r\nabc"),
    (c.Bdat(b"", last=True), b"BDAT 0 LAST\r\n"),
    (c.Rset(), b"RSET\r\n"),
    (c.Noop(), b"NOOP\r\n"),
    (c.Noop("hello there"), b"NOOP hello there\r\n"),
    (c.Quit(), b"QUIT\r\n"),
    (c.Vrfy("smith"), b"VRFY smith\r\n"),
    (c.Expn("staff"), b"EXPN staff\r\n"),
    (c.Help(), b"HELP\r\n"),
    (c.Help("MAIL"), b"HELP MAIL\r\n"),
    (c.Etrn("@example.test"), b"ETRN @example.test\r\n"),
    (c.StartTls(), b"STARTTLS\r\n"),
    (c.Auth("LOGIN"), b"AUTH LOGIN\r\n"),
    (c.Auth("PLAIN", b"\0test\x001234"), b"AUTH PLAIN AHRlc3QAMTIzNA==\r\n"),
    (c.Auth("EXTERNAL", b""), b"AUTH EXTERNAL =\r\n"),  # RFC 4954 §4
    (c.AuthResponse(b"test"), b"dGVzdA==\r\n"),
    (c.AuthResponse(b""), b"\r\n"),
    (c.AuthCancel(), b"*\r\n"),
    (c.RawLine(b"anything\n\0at all"), b"anything\n\0at all"),
    (p.User("mrose"), b"USER mrose\r\n"),
    (p.Pass("two words"), b"PASS two words\r\n"),
    (p.Apop("mrose", "c4c9"), b"APOP mrose c4c9\r\n"),
    (p.Pop3Auth("LOGIN"), b"AUTH LOGIN\r\n"),
    (p.Pop3Auth("PLAIN", b"\0test\x001234"), b"AUTH PLAIN AHRlc3QAMTIzNA==\r\n"),
    (p.Pop3Auth("EXTERNAL", b""), b"AUTH EXTERNAL =\r\n"),
    (p.Stat(), b"STAT\r\n"),
    (p.List(), b"LIST\r\n"),
    (p.List(2), b"LIST 2\r\n"),
    (p.Uidl(), b"UIDL\r\n"),
    (p.Uidl(2), b"UIDL 2\r\n"),
    (p.Retr(1), b"RETR 1\r\n"),
    (p.Top(1, 0), b"TOP 1 0\r\n"),
    (p.Dele(1), b"DELE 1\r\n"),
    (p.Pop3Noop(), b"NOOP\r\n"),
    (p.Pop3Rset(), b"RSET\r\n"),
    (p.Capa(), b"CAPA\r\n"),
    (p.Stls(), b"STLS\r\n"),
    (p.Pop3Quit(), b"QUIT\r\n"),
    (p.Pop3RawLine(b"\x00"), b"\x00"),
]


@pytest.mark.parametrize(("command", "octets"), VECTORS)
def test_a_command_is_written_as_the_rfc_writes_it(command: c.SmtpCommand | p.Pop3Command, octets: bytes) -> None:
    assert command.to_bytes() == octets


def test_every_command_has_a_vector() -> None:
    assert {type(command) for command, _ in VECTORS} == set(c.SmtpCommand.__args__) | set(p.Pop3Command.__args__)


arguments = st.text(max_size=30) | st.text(st.sampled_from("a\r\n\0 <>\u2028\x85\x0b"), max_size=8)
octets = st.binary(max_size=30)
numbers = st.integers(0, 10**9)

one_liners: st.SearchStrategy[c.SmtpCommand | p.Pop3Command] = st.one_of(
    *[st.builds(kind, arguments) for kind in (c.Helo, c.Ehlo, c.Lhlo, c.Vrfy, c.Expn, c.Etrn, p.User, p.Pass)],
    *[st.builds(kind, st.none() | arguments) for kind in (c.Noop, c.Help)],
    *[st.builds(kind, arguments, st.lists(arguments, max_size=3).map(tuple)) for kind in (c.Mail, c.Rcpt)],
    *[st.builds(kind, arguments, st.none() | octets) for kind in (c.Auth, p.Pop3Auth)],
    st.builds(p.Apop, arguments, arguments),
    st.builds(c.AuthResponse, octets),
    *[st.builds(kind, st.none() | numbers) for kind in (p.List, p.Uidl)],
    *[st.builds(kind, numbers) for kind in (p.Retr, p.Dele)],
    st.builds(p.Top, numbers, numbers),
)


@given(one_liners)
def test_a_command_is_exactly_one_line_or_is_refused(command: c.SmtpCommand | p.Pop3Command) -> None:
    try:
        line = command.to_bytes()
    except LocalProtocolError:
        assert any(character in repr(vars_of(command)) for character in ("\\r", "\\n", "\\x00", "\\ud"))
        return
    assert line.endswith(b"\r\n")
    assert not any(octet in line[:-2] for octet in b"\r\n\x00")


def vars_of(command: c.SmtpCommand | p.Pop3Command) -> list[object]:
    return [getattr(command, name) for name in command.__dataclass_fields__]


@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r", "\0"])
@pytest.mark.parametrize(
    "make",
    [c.Helo, c.Ehlo, c.Lhlo, c.Mail, c.Rcpt, c.Noop, c.Vrfy, c.Expn, c.Help, c.Etrn, c.Auth, p.User, p.Pass],
)
def test_an_argument_does_not_smuggle_in_a_command(make: type[c.Helo], ends: str) -> None:
    with pytest.raises(LocalProtocolError, match="never sent"):
        make(f"a{ends}RSET").to_bytes()


def test_a_parameter_does_not_smuggle_in_a_command_either() -> None:
    for command in (c.Mail("a", ("SIZE=1\r\nRSET",)), c.Rcpt("a", ("X\nRSET",)), p.Apop("a", "b\r\nDELE 1")):
        with pytest.raises(LocalProtocolError, match="never sent"):
            command.to_bytes()


def test_what_utf8_cannot_say_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="UTF-8"):
        c.Mail("\ud800@example.test").to_bytes()


@pytest.mark.parametrize(
    "octets",
    [b"", b"a", b"abcd", b"x.\r\n", b"a\r\n", b"a\n.\r\n", b"a\r\n.\n", b"a\r\n.\r\nRSET\r\n", b".\r\nMAIL\r\n.\r\n",
     b"a\r\n.\r\nb\r\n.\r\n", b"\r\n.\r\n.\r\n"],
)  # fmt: skip
def test_mail_data_that_ends_nowhere_or_too_early_is_refused(octets: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="stuff it first"):
        c.MailData(octets).to_bytes()


def test_an_auth_response_is_base64_on_the_wire() -> None:
    assert b64decode(c.AuthResponse(bytes(range(256))).to_bytes()) == bytes(range(256))


def test_a_password_is_not_shown() -> None:
    secrets = (
        p.Pass("hunter2"),
        c.Auth("PLAIN", b"hunter2"),
        p.Pop3Auth("PLAIN", b"hunter2"),
        c.AuthResponse(b"hunter2"),
    )
    assert not any("hunter2" in repr(command) for command in secrets)
