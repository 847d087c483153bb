"""The first look at a POP3 server."""

import pytest
import trio
from trio.testing import MockClock

from conformance.pop3_sounding import sound_pop3
from conformance.subject import Found
from reports.errors import PreconditionFailed
from tests.conformance.pop3_stage import GREETING, Answers, Script, staged

IN: Answers = {
    b"USER user1": b"+OK\r\n", b"PASS secret1": b"+OK\r\n", b"STAT": b"+OK 3 120\r\n",
}  # fmt: skip
CAPA = b"+OK\r\nTOP\r\nUIDL\r\nSASL plain CRAM-MD5\r\n.\r\n"


async def sounded(script: Script, *, greeting: bytes = GREETING, maildrops: int = 1) -> Found:
    async with trio.open_nursery() as nursery:
        subject = staged(nursery, script, greeting=greeting, maildrops=maildrops)
        await sound_pop3(subject)
        nursery.cancel_scope.cancel()
    return subject.found


async def test_capabilities_way_in_and_what_lies_there_are_found(autojump_clock: MockClock) -> None:
    found = await sounded(Script({**IN, b"CAPA": CAPA}))
    assert found.pop3.capabilities == {"TOP": (), "UIDL": (), "SASL": ("plain", "CRAM-MD5")}
    assert (found.pop3.way_in, found.pop3.messages, found.pop3.timestamp) == (
        "USER", 3, b"<1896.697170952@dbc.test>",
    )  # fmt: skip
    assert (found.unwelcome, found.pop3.has_tls) == ("", False)


async def test_a_server_of_1939_has_no_capabilities(autojump_clock: MockClock) -> None:
    found = await sounded(Script({**IN}), greeting=b"+OK\r\n")
    assert (found.pop3.capabilities, found.pop3.way_in, found.pop3.timestamp) == (None, "USER", b"")


@pytest.mark.parametrize("answer", [b"", None, b"what?\r\n", b"+OK\r\nTOP\r\n"])
async def test_a_server_that_does_not_answer_capa_is_judged_all_the_same(
    answer: bytes | None, autojump_clock: MockClock
) -> None:
    found = await sounded(Script({**IN, b"CAPA": answer}))
    assert (found.pop3.capabilities, found.pop3.way_in) == (None, "USER")


async def test_where_user_is_refused_the_other_ways_are_tried(autojump_clock: MockClock) -> None:
    plain = {b"AUTH PLAIN": b"+ \r\n", b"AHVzZXIxAHNlY3JldDE=": b"+OK\r\n", b"CAPA": CAPA}
    found = await sounded(Script({**plain}), greeting=b"+OK\r\n")
    assert found.pop3.way_in == "PLAIN"


async def test_a_maildrop_that_is_in_use_just_now_is_tried_again(autojump_clock: MockClock) -> None:
    busy: list[bytes | None] = [b"-ERR [IN-USE] busy\r\n", b"-ERR [IN-USE] busy\r\n", b"+OK\r\n"]
    found = await sounded(Script({**IN, b"PASS secret1": busy}))
    assert found.pop3.way_in == "USER"


async def test_a_password_that_is_wrong_is_said_once_by_each_way(autojump_clock: MockClock) -> None:
    script = Script({b"USER user1": b"+OK\r\n", b"PASS secret1": b"-ERR no\r\n"})
    found = await sounded(script)
    assert found.pop3.way_in is None
    assert [line.partition(b" ")[0] for line in script.said if b"user1" in line or b"secret1" in line] == [
        b"USER", b"PASS", b"APOP",
    ]  # fmt: skip


async def test_nobody_logs_in_where_no_account_is_declared(autojump_clock: MockClock) -> None:
    script = Script({**IN, b"CAPA": CAPA})
    found = await sounded(script, maildrops=0)
    assert (found.pop3.way_in, b"USER user1" in script.said) == (None, False)


@pytest.mark.parametrize("greeting", [b"-ERR too busy\r\n", b"OK ready\r\n", b"+ ready\r\n", b"hello\r\n"])
async def test_what_is_no_welcome_is_left_to_the_cases_about_it(greeting: bytes, autojump_clock: MockClock) -> None:
    found = await sounded(Script({**IN}), greeting=greeting)
    assert found.unwelcome
    assert found.pop3.way_in is None


@pytest.mark.parametrize("greeting", [b"220 mail.example.test ESMTP\r\n", b"* OK IMAP4rev1\r\n", b"SSH-2.0-x\r\n"])
async def test_a_server_of_another_protocol_is_the_operators_error(
    greeting: bytes, autojump_clock: MockClock
) -> None:
    with pytest.RaisesGroup(PreconditionFailed):
        await sounded(Script({}), greeting=greeting)
