"""Driving an SmtpClient by hand: what the tests of the machine share."""

from loadgen.wire.commands import (
    Auth,
    AuthCancel,
    AuthResponse,
    Bdat,
    Data,
    Ehlo,
    Etrn,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    MailData,
    Noop,
    Quit,
    RawLine,
    Rcpt,
    Rset,
    SmtpCommand,
    StartTls,
    Vrfy,
)
from loadgen.wire.smtp import Answer, SmtpClient

EHLO_OK = b"250-mx.example.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH PLAIN LOGIN\r\n"
BODY = MailData(b"hello\r\n.\r\n")
ONE_OF_EACH: list[SmtpCommand] = [
    Helo("c"), Ehlo("c"), Lhlo("c"), Mail("a"), Rcpt("b"), Data(), BODY, Bdat(b"", last=False), Rset(), Noop(), Quit(),
    Vrfy("a"), Expn("a"), Help(), Etrn("a"), StartTls(), Auth("PLAIN"), AuthResponse(b""), AuthCancel(), RawLine(b""),
]  # fmt: skip


def answers(client: SmtpClient, octets: bytes) -> list[Answer]:
    client.receive(octets)
    taken: list[Answer] = []
    while (answer := client.next_answer()) is not None:
        taken.append(answer)
    return taken


def exchange(client: SmtpClient, command: SmtpCommand, octets: bytes) -> Answer:
    client.send(command)
    [answer] = answers(client, octets)
    assert answer.command is command
    return answer


def greeted(ehlo: bytes = EHLO_OK) -> SmtpClient:
    client = SmtpClient()
    answers(client, b"220 mx.example.test\r\n")
    exchange(client, Ehlo("client.example"), ehlo)
    return client


def with_recipients(*replies: bytes) -> SmtpClient:
    client = greeted()
    exchange(client, Mail("a@example.test"), b"250 OK\r\n")
    for n, reply in enumerate(replies):
        exchange(client, Rcpt(f"user{n}@example.test"), reply)
    return client


def permitted(client: SmtpClient) -> set[str]:
    return {type(command).__name__ for command in ONE_OF_EACH if client.permits(command)} - {"RawLine"}
