"""Every kind of content through the reference server: it arrives unchanged, or is not sent at all, with its reason."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from conformance.refserver.behaviour import Behaviour, Extension
from loadgen.scenario.content import Body, Multipart, Plain
from loadgen.scenario.corpus import Sample
from loadgen.schedule.plans import DeliveryPlan, MessagePlan
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from tests.session.test_reference_server import ACCOUNTS, NAMES, delivery, retrieval, server
from tests.session.theatre import Tls

EIGHT_BIT, IN_UTF8 = Plain("8bit"), Plain("smtputf8")
OF_A_CORPUS = Sample("/mails/theirs.eml", b"From: <a@b.test>\r\nBCC-like: stays\r\n", b".\r\nGr\xfc\xdfe\r\n..\r\n")
WITH_UTF8 = Sample("/mails/utf8.eml", "From: <a@b.test>\r\nSubject: Grüße\r\n".encode(), b"x\r\n")
BODIES: list[Body] = [Plain("text"), EIGHT_BIT, IN_UTF8, Multipart((0, 5000, 200_000)), OF_A_CORPUS, WITH_UTF8]


def delivering(bodies: Iterable[Body], *, lmtp: bool = False, hidden: int = 0) -> DeliveryPlan:
    messages = tuple(MessagePlan(index, NAMES, 20_000, hidden, body) for index, body in enumerate(bodies))
    return replace(delivery(lmtp=lmtp), messages=messages)


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
async def test_every_kind_is_retrieved_by_every_recipient_as_it_was_stamped(
    lmtp: bool, tls: Tls, autojump_clock: MockClock
) -> None:
    async with server(tls) as target:
        outcome, sent = await target.run(delivering(BODIES, lmtp=lmtp))
        assert (outcome, sent.messages_accepted) == (ACCEPTED, len(BODIES))
        for account in ACCOUNTS:
            outcome, trace = await target.run(retrieval(account))
            assert outcome == ACCEPTED
            assert [found.stamp for found in trace.retrieved] == [offered.stamp for offered in sent.begun]


@pytest.mark.parametrize(
    ("body", "extension", "named"),
    [
        (EIGHT_BIT, Extension.EIGHT_BIT_MIME, "8BITMIME"),
        (OF_A_CORPUS, Extension.EIGHT_BIT_MIME, "8BITMIME"),
        (IN_UTF8, Extension.EIGHT_BIT_MIME, "8BITMIME"),
        (IN_UTF8, Extension.SMTPUTF8, "SMTPUTF8"),
        (WITH_UTF8, Extension.SMTPUTF8, "SMTPUTF8"),
    ],
)
async def test_what_the_server_does_not_offer_is_neither_encoded_nor_sent_but_said(
    body: Body, extension: Extension, named: str, tls: Tls, autojump_clock: MockClock
) -> None:
    async with server(tls, Behaviour(extensions=frozenset(Extension) - {extension})) as target:
        outcome, trace = await target.run(delivering([body]))
        assert (outcome.kind, outcome.phase) == (OutcomeKind.FAILED, "smtp.mail")
        assert outcome.cause is not None
        assert f"{named} is not offered" in outcome.cause
        assert trace.begun == []
        _, trace = await target.run(retrieval(ACCOUNTS[0]))
        assert trace.retrieved == []


@pytest.mark.parametrize("body", [Plain("text"), Multipart((100,))])
async def test_seven_bits_need_no_extension(body: Body, tls: Tls, autojump_clock: MockClock) -> None:
    without = frozenset(Extension) - {Extension.EIGHT_BIT_MIME, Extension.SMTPUTF8}
    async with server(tls, Behaviour(extensions=without)) as target:
        assert (await target.run(delivering([body])))[0] == ACCEPTED


async def test_a_hidden_recipient_has_the_message_and_is_in_none_of_its_fields(
    tls: Tls, autojump_clock: MockClock
) -> None:
    async with server(tls) as target:
        outcome, sent = await target.run(delivering([Plain("text")], hidden=1))
        assert outcome == ACCEPTED
        assert sent.begun[0].recipients == NAMES
        for account in ACCOUNTS:
            drop = target.service.maildrops.maildrop(account.address)
            (listed,) = drop.listing()
            stored = drop.read(listed.unique_id)
            assert stored is not None
            ours = stored[stored.index(b"\r\nFrom: ") :]
            assert [ours.count(name.encode()) for name in NAMES] == [1, 1, 0]
            assert b"\r\nbcc:" not in stored.lower()
