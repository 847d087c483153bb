"""How mail is handed over and fetched is a choice; the mail is the same. Against the reference server's machines."""


import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from conformance.refserver.behaviour import Behaviour
from loadgen.ledger.ledger import Ledger
from loadgen.session.outcome import ACCEPTED
from loadgen.session.retrieve import GROUP_MESSAGES
from tests.session.test_reference_server import ACCOUNTS, NAMES, delivery, retrieval, server
from tests.session.theatre import Tls


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
@pytest.mark.parametrize("pipelining", ["never", "if-offered"])
@pytest.mark.parametrize("chunk_octets", [1000, 300_000])
async def test_mail_in_chunks_and_maildrops_in_groups_are_whole(
    lmtp: bool, pipelining: str, chunk_octets: int, tls: Tls, autojump_clock: MockClock
) -> None:
    ledger = Ledger("c0ffee00")
    fetch = replace(retrieval(ACCOUNTS[0], delete=True), pipelining=pipelining)
    async with server(tls) as target:
        plan = replace(delivery(lmtp=lmtp, pipelining=pipelining), chunk_octets=chunk_octets)
        outcome, sent = await target.run(plan)
        assert outcome == ACCEPTED
        assert "smtp.data" not in {name for name, _, _ in sent.timings}
        ledger.add(sent)
        for account in ACCOUNTS:
            outcome, read = await target.run(replace(fetch, account=account))
            assert outcome == ACCEPTED
            ledger.add(read)
        _, empty = await target.run(fetch)
        assert empty.retrieved == [], "deleted by the QUIT before"
    books = ledger.result(NAMES)
    assert (books.accepted, books.delivered_once) == (9, 9)


async def test_a_group_is_bounded(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls) as target:
        await target.run(delivery(recipients=NAMES[:1], sizes=[0] * (GROUP_MESSAGES + 3)))
        outcome, read = await target.run(replace(retrieval(ACCOUNTS[0], delete=True), pipelining="if-offered"))
    assert outcome == ACCEPTED
    parts = [name.partition(".")[2] for name, _, _ in read.timings if name in {"pop3.retr", "pop3.dele"}]
    first, rest = [part for part in ("retr", "dele") for _ in range(GROUP_MESSAGES)], ["retr"] * 3 + ["dele"] * 3
    assert parts == first + rest
    assert len({each.unique_id for each in read.retrieved}) == GROUP_MESSAGES + 3


async def test_a_server_without_extensions_takes_the_mail_all_the_same(tls: Tls, autojump_clock: MockClock) -> None:
    async with server(tls, Behaviour(extensions=frozenset())) as target:
        outcome, sent = await target.run(replace(delivery(), chunk_octets=1000))
    assert (outcome, sent.messages_accepted) == (ACCEPTED, 3)
    assert "smtp.data" in {name for name, _, _ in sent.timings}
