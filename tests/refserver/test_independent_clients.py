"""smtplib, poplib and aiosmtplib, none of which share a line with the server, talk to it over loopback."""

import asyncio
import poplib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8 as SMTPUTF8_POLICY
from typing import TypeVar, TypeVarTuple

import aiosmtplib
import pytest
import trio

from conformance.refserver.directory import Account, Directory
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.sockets import Bind, listening_on
from conformance.refserver.listener.tls import self_made_context, start_tls_with
from conformance.refserver.server import serve
from tests.refserver.bench import Bench, make_bench

BODY = b"Subject: hello\r\n\r\n.dot\r\n..\r\nlast\r\n"
LOCALHOST = "127.0.0.1"
BothEnds = tuple[StartTls, ssl.SSLContext]
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> BothEnds:
    """Return the server's side and the client's side of one certificate."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    start_tls = start_tls_with(self_made_context(["localhost", LOCALHOST], ca_file))
    return start_tls, ssl.create_default_context(cafile=ca_file)


@asynccontextmanager
async def serving(bench: Bench, start_tls: StartTls | None = None) -> AsyncIterator[dict[str, int]]:
    """Serve everything and yield {protocol: port}."""
    stop = trio.Event()
    with listening_on([Bind(p, 0) for p in ("smtp", "lmtp", "pop3", "smtps", "pop3s")], LOCALHOST) as listening:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: serve(bench.service, listening, start_tls, stop=stop))
            yield {one.protocol: int(one.url.rpartition(":")[2]) for one in listening}
            stop.set()


async def in_thread(talk: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
    with trio.fail_after(8):
        return await trio.to_thread.run_sync(talk, *args)


async def test_smtplib_delivers_to_two_and_learns_of_the_third(bench: Bench) -> None:
    def talk(port: int) -> tuple[dict[str, tuple[int, bytes]], dict[str, str], tuple[int, bytes]]:
        with smtplib.SMTP(LOCALHOST, port, local_hostname="client.example") as client:
            to = ["user1@example.test", "user2@example.test", "nobody@example.test"]
            refused = client.sendmail("a@client.example", to, BODY)
            return refused, client.esmtp_features, client.verify("user1")

    async with serving(bench) as ports:
        refused, features, verified = await in_thread(talk, ports["smtp"])
    assert list(refused) == ["nobody@example.test"]
    assert features["size"] == "33554432"
    assert verified[0] == 252
    assert bench.contents(1) == bench.contents(2) == [BODY]


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login", "auth_cram_md5"])
async def test_smtplib_logs_in_with_every_mechanism_in_clear_and_after_starttls(
    bench: Bench, tls: BothEnds, mechanism: str
) -> None:
    def talk(port: int, context: ssl.SSLContext | None) -> tuple[int, bytes]:
        with smtplib.SMTP(LOCALHOST, port, local_hostname="client.example") as client:
            client.ehlo()
            if context:
                client.starttls(context=context)
                client.ehlo()
            client.user, client.password = "user1", "secret1"
            return client.auth(mechanism.removeprefix("auth_").replace("_", "-"), getattr(client, mechanism))

    async with serving(bench, tls[0]) as ports:
        for context in (None, tls[1]):
            assert (await in_thread(talk, ports["smtp"], context))[0] == 235


async def test_smtplib_is_told_of_a_wrong_password(bench: Bench) -> None:
    def talk(port: int) -> None:
        with smtplib.SMTP(LOCALHOST, port, local_hostname="client.example") as client:
            client.login("user1", "wrong")

    async with serving(bench) as ports:
        with pytest.raises(smtplib.SMTPAuthenticationError, match=r"5\.7\.8"):
            await in_thread(talk, ports["smtp"])


async def test_smtplib_over_implicit_tls_leaves_esmtpsa_and_the_suite_in_the_trace(bench: Bench, tls: BothEnds) -> None:
    def talk(port: int) -> None:
        with smtplib.SMTP_SSL("localhost", port, local_hostname="client.example", context=tls[1]) as client:
            client.login("user1", "secret1")
            client.sendmail("a@client.example", ["user1@example.test"], BODY)

    async with serving(bench, tls[0]) as ports:
        await in_thread(talk, ports["smtps"])
    assert b" with ESMTPSA id " in bench.stored()[0]
    assert b"\r\n\tfor <user1@example.test>\r\n\ttls TLS_" in bench.stored()[0]


async def test_smtplibs_lmtp_class_has_its_replies_per_recipient(bench: Bench) -> None:
    def talk(port: int) -> None:
        with smtplib.LMTP(LOCALHOST, port, local_hostname="client.example") as client:
            client.sendmail("a@client.example", ["user1@example.test"], BODY)
            client.sendmail("a@client.example", ["user2@example.test"], BODY)

    async with serving(bench) as ports:
        await in_thread(talk, ports["lmtp"])
    assert bench.contents(1) == bench.contents(2) == [BODY]


async def test_smtplib_sends_utf8_and_poplib_gets_the_same_octets(tls: BothEnds) -> None:
    accounts = [Account("jürgen@example.test", "geheim"), Account("user1@example.test", "secret1")]
    bench = make_bench(directory=Directory(["example.test"], accounts))
    message = EmailMessage(policy=SMTPUTF8_POLICY)
    message["From"], message["To"], message["Subject"] = "ä@client.example", "jürgen@example.test", "Grüße"
    message.set_content("Straße\n")

    def talk(smtp_port: int, pop3_port: int) -> bytes:
        with smtplib.SMTP(LOCALHOST, smtp_port, local_hostname="client.example") as client:
            client.send_message(message)
        reader = poplib.POP3(LOCALHOST, pop3_port)
        reader.encoding = "utf-8"
        reader.user("jürgen")
        reader.pass_("geheim")
        lines = reader.retr(1)[1]
        reader.quit()
        return b"\r\n".join(lines) + b"\r\n"

    async with serving(bench, tls[0]) as ports:
        octets = await in_thread(talk, ports["smtp"], ports["pop3"])
    trace, _, content = octets.partition(b" +0000\r\n")
    assert content == message.as_bytes()
    assert "Return-Path: <ä@client.example>\r\n".encode() in trace
    assert b"with UTF8SMTP id" in trace
    assert "for <jürgen@example.test>;".encode() in trace


async def test_poplib_reads_deletes_and_finds_it_gone(bench: Bench, tls: BothEnds) -> None:
    for n in range(3):
        bench.deliver(b"N: %d\r\n\r\n.dot\r\n" % n, 1)
    sizes = [len(octets) for octets in bench.stored()]

    def first(port: int) -> list[bytes]:
        client = poplib.POP3(LOCALHOST, port)
        assert {"TOP", "UIDL", "USER", "SASL", "STLS"} <= set(client.capa())
        client.stls(tls[1])
        client.apop("user1", "secret1")
        assert client.stat() == (3, sum(sizes))
        assert client.list()[1] == [b"%d %d" % (n + 1, size) for n, size in enumerate(sizes)]
        assert client.retr(2)[1][-3:] == [b"N: 1", b"", b".dot"]
        assert client.top(1, 0)[1][-2:] == [b"N: 0", b""]
        ids = client.uidl()[1]
        client.dele(2)
        client.quit()
        return ids

    def second(port: int) -> list[bytes]:
        client = poplib.POP3_SSL("localhost", port, context=tls[1])
        client.user("user1@example.test")
        client.pass_("secret1")
        ids = client.uidl()[1]
        client.dele(1)
        client.rset()
        client.noop()
        client.close()
        return ids

    async with serving(bench, tls[0]) as ports:
        before = await in_thread(first, ports["pop3"])
        after = await in_thread(second, ports["pop3s"])
    assert [one.split()[1] for one in after] == [before[0].split()[1], before[2].split()[1]]
    assert len(bench.stored()) == 2


async def test_poplib_is_told_of_a_wrong_password_and_of_a_lock(bench: Bench) -> None:
    def wrong(port: int) -> None:
        client = poplib.POP3(LOCALHOST, port)
        client.user("user1")
        try:
            client.pass_("wrong")
        finally:
            client.close()

    def locked(port: int) -> None:
        holder, other = poplib.POP3(LOCALHOST, port), poplib.POP3(LOCALHOST, port)
        holder.apop("user1", "secret1")
        try:
            other.apop("user1", "secret1")
        finally:
            holder.quit()
            other.close()

    async with serving(bench) as ports:
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            await in_thread(wrong, ports["pop3"])
        with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
            await in_thread(locked, ports["pop3"])


async def test_aiosmtplib_delivers_in_clear_and_in_tls(bench: Bench, tls: BothEnds) -> None:
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"], message["To"], message["Subject"] = "a@client.example", "user1@example.test", "hello"
    message.set_content(".\n..\nend\n")

    def talk(port: int, tls_port: int) -> None:
        async def send(to: int, *, start_tls: bool | None = None, use_tls: bool = False) -> None:
            await aiosmtplib.send(
                message, hostname="localhost", port=to, username="user1", password="secret1", tls_context=tls[1],
                start_tls=start_tls, use_tls=use_tls,
            )

        async def all_ways() -> None:
            await send(port, start_tls=False)
            await send(port, start_tls=True)
            await send(tls_port, use_tls=True)

        asyncio.run(all_ways())

    async with serving(bench, tls[0]) as ports:
        await in_thread(talk, ports["smtp"], ports["smtps"])
    assert bench.contents() == [message.as_bytes()] * 3
    assert [octets.split(b" with ")[1].split()[0] for octets in bench.stored()] == [b"ESMTPA", b"ESMTPSA", b"ESMTPSA"]
