"""Sending on: who may have it done, what goes over the wire, and who is told when it fails."""

from dataclasses import replace
from functools import partial

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from conformance.refserver.bounce import tell
from conformance.refserver.parameters import MailParameters, RcptParameters
from conformance.refserver.relay import Outgoing, Relay
from conformance.sink import OFFERS, Sink
from tests.refserver.bench import Bench, MakeBench

ROUTES = {"sink.test": "127.0.0.1:2526"}
NEVER = RcptParameters(frozenset({b"NEVER"}))
LOGIN = b"AUTH PLAIN AHVzZXIxAHNlY3JldDE=\r\n"
ENVELOPE = b"MAIL FROM:<user1@example.test>\r\nRCPT TO:<a@Sink.test>\r\n"


async def nobody(hop: str) -> trio.abc.Stream:
    raise OSError("refused")


def bench_with_relay(make_bench: MakeBench) -> Bench:
    return make_bench(relay=Relay(ROUTES, "mail.example.test", nobody))


async def sent(
    bench: Bench, outgoing: Outgoing, *, answers: bool = True, offers: tuple[bytes, ...] = OFFERS
) -> Sink:
    """Have a message sent on to a sink, and return the sink once all is done."""
    sink = Sink("sink.test", offers)
    async with trio.open_nursery() as nursery:

        async def dial(hop: str) -> trio.abc.Stream:
            if not answers:
                raise OSError("refused")
            ours, theirs = memory_stream_pair()
            nursery.start_soon(sink.serve, theirs)
            return ours

        relay = Relay(ROUTES, "mail.example.test", dial)
        service = replace(bench.service, relay=relay)
        nursery.start_soon(relay.run, partial(tell, service))
        relay.send(outgoing)
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    return sink


def test_only_who_logged_in_may_send_on(make_bench: MakeBench) -> None:
    bench = bench_with_relay(make_bench)
    stranger, user = bench.smtp(), bench.smtp()
    assert stranger.receive(ENVELOPE).splitlines()[1].startswith(b"550 5.7.1")
    assert user.receive(LOGIN).startswith(b"235")
    assert user.receive(ENVELOPE).splitlines()[1].startswith(b"250")
    assert user.receive(b"RCPT TO:<a@elsewhere.test>\r\n").startswith(b"550 5.7.1")


async def test_what_goes_out_is_stuffed_and_has_a_trace_field(bench: Bench, autojump_clock: MockClock) -> None:
    sink = await sent(bench, Outgoing(b"a@b.test", (b"x@sink.test",), b"A: b\r\n\r\n.dot\r\nend\r\n"))
    (came,) = sink.transferred
    assert (came.reverse_path, came.recipients) == (b"a@b.test", (b"x@sink.test",))
    assert came.mail_data == b"A: b\r\n\r\n..dot\r\nend"


async def test_who_sent_what_was_refused_is_told(bench: Bench, autojump_clock: MockClock) -> None:
    sink = await sent(bench, Outgoing(b"b@sink.test", (b"refused-x@sink.test", b"y@sink.test"), b"A: b\r\n\r\nc\r\n"))
    message, notice = sink.transferred
    assert message.recipients == (b"y@sink.test",)
    assert (notice.reverse_path, notice.recipients) == (b"", (b"b@sink.test",))
    assert b"Final-Recipient: rfc822; refused-x@sink.test\r\nAction: failed\r\nStatus: 5.1.1" in notice.mail_data


async def test_a_user_of_our_own_is_told_in_his_maildrop(bench: Bench, autojump_clock: MockClock) -> None:
    await sent(bench, Outgoing(b"user1@example.test", (b"refused-x@sink.test",), b"A: b\r\n\r\nc\r\n"))
    (notice,) = bench.stored()
    assert notice.startswith(b"Return-Path: <>\r\n")


@pytest.mark.parametrize(
    "outgoing",
    [
        Outgoing(b"", (b"refused-x@sink.test",), b"A: b\r\n\r\nc\r\n"),
        Outgoing(b"b@sink.test", (b"refused-x@sink.test",), b"\r\n", asked={b"refused-x@sink.test": NEVER}),
        Outgoing(b"b@elsewhere.test", (b"refused-x@sink.test",), b"A: b\r\n\r\nc\r\n"),
    ],
    ids=["null", "never", "nowhere"],
)
async def test_nobody_is_told(outgoing: Outgoing, bench: Bench, autojump_clock: MockClock) -> None:
    sink = await sent(bench, outgoing)
    assert sink.transferred == []


async def test_a_next_hop_that_is_not_there_is_given_up(bench: Bench, autojump_clock: MockClock) -> None:
    await sent(bench, Outgoing(b"user1@example.test", (b"x@sink.test",), b"A: b\r\n\r\nc\r\n"), answers=False)
    (notice,) = bench.stored()
    assert b"Status: 4.4.1" in notice


TO = b"x@sink.test"
PARAMETERS = MailParameters(ret="FULL", envid=b"a+b")
SUCCESS = RcptParameters(frozenset({b"SUCCESS", b"FAILURE"}), b"rfc822;X+y@z")


async def test_what_dsn_asks_for_goes_on_to_who_knows_dsn(bench: Bench, autojump_clock: MockClock) -> None:
    asked = Outgoing(b"user1@example.test", (TO,), b"A: b\r\n\r\nc\r\n", PARAMETERS, {TO: SUCCESS})
    (came,) = (await sent(bench, asked)).transferred
    assert came.mail_parameters == b"RET=FULL ENVID=a+2Bb"
    assert came.rcpt_parameters == (b"NOTIFY=FAILURE,SUCCESS ORCPT=rfc822;X+2By@z",)
    assert bench.stored() == []


async def test_where_nobody_knows_dsn_the_relay_reports(bench: Bench, autojump_clock: MockClock) -> None:
    asked = Outgoing(b"user1@example.test", (TO,), b"A: b\r\n\r\nc\r\n", PARAMETERS, {TO: SUCCESS})
    (came,) = (await sent(bench, asked, offers=())).transferred
    assert (came.mail_parameters, came.rcpt_parameters) == (b"", (b"",))
    (report,) = bench.stored()
    assert b"Original-Envelope-Id: a+b\r\n\r\nOriginal-Recipient: rfc822;X+y@z\r\n" in report
    assert b"Action: relayed\r\nStatus: 2.0.0\r\nRemote-MTA: dns; sink.mailproof.invalid\r\n" in report


async def test_a_failure_returns_the_whole_message_to_who_asks_for_it(bench: Bench, autojump_clock: MockClock) -> None:
    for ret in ("FULL", "HDRS"):
        asked = MailParameters(ret=ret)
        await sent(bench, Outgoing(b"user1@example.test", (b"refused-x@sink.test",), b"A: b\r\n\r\nbody\r\n", asked))
    full, headers = bench.stored()
    assert (b"\r\nbody\r\n" in full, b"\r\nbody\r\n" in headers) == (True, False)


@pytest.mark.parametrize(
    ("reverse_path", "message", "parameters", "status"),
    [
        (b"user1@example.test", b"A: b\r\n\r\n\xc3\xa9\r\n", b"BODY=8BITMIME", b"5.6.3"),
        (b"user1@example.test", b"A: \xc3\xa9\r\n\r\nc\r\n", b"BODY=8BITMIME SMTPUTF8", b"5.6.7"),
    ],
    ids=["eight-bits", "utf-8"],
)
async def test_what_the_next_hop_does_not_offer_is_not_sent(
    reverse_path: bytes, message: bytes, parameters: bytes, status: bytes, bench: Bench, autojump_clock: MockClock
) -> None:
    outgoing = Outgoing(reverse_path, (b"x@sink.test",), message)
    (came,) = (await sent(bench, outgoing)).transferred
    assert came.mail_parameters == parameters
    assert (await sent(bench, outgoing, offers=())).transferred == []
    (notice,) = bench.stored()
    assert b"Status: " + status + b"\r\n" in notice
    assert b"Remote-MTA" not in notice
