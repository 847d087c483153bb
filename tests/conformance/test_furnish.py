"""Seeing to it that a maildrop holds what a case is about."""

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import trio
from msgspec import structs
from trio.testing import MockClock

from conformance.declared import Allow
from conformance.furnish import deliver, look_until
from conformance.judgement import NotApplicable, Undetermined
from conformance.maildrops import Lying
from conformance.message import MARK
from conformance.pop3_peer import Pop3Peer
from conformance.refserver.behaviour import Behaviour
from conformance.samples import DOTTED, OTHER, PLAIN
from conformance.subject import Subject
from tests.conformance.pop3_stage import Answers, Script, staged
from tests.matrix.laboratory import reference_subject
from tests.session.theatre import Tls

IN: Answers = {
    b"USER user1": b"+OK\r\n", b"PASS secret1": b"+OK\r\n", b"LIST": b"+OK\r\n.\r\n",
}  # fmt: skip


def message(token: str) -> bytes:
    return b"+OK\r\n" + MARK + b": " + token.encode() + b"\r\n\r\nbody\r\n.\r\n"


async def looked(answers: Answers, before: Lying | None = None, tokens: tuple[str, ...] = ()) -> Lying:
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        subject = staged(nursery, Script({**IN, **answers}))
        subject.found = replace(subject.found, pop3=replace(subject.found.pop3, way_in="USER"))
        peer = Pop3Peer(subject, "t", stack)
        lying = await look_until(peer.another, subject.maildrops.every[0], before, tokens)
        nursery.cancel_scope.cancel()
    return lying


async def test_messages_are_known_by_the_token_in_their_header(autojump_clock: MockClock) -> None:
    lying = await looked({b"STAT": b"+OK 2 99\r\n", b"RETR 1": message("one"), b"RETR 2": message("two")})
    assert lying == Lying(2, {"one": 1, "two": 2})


async def test_messages_of_others_are_counted_and_left(autojump_clock: MockClock) -> None:
    other = b"+OK\r\nSubject: x\r\n\r\n" + MARK + b": in a body\r\n.\r\n"
    assert await looked({b"STAT": b"+OK 1 9\r\n", b"RETR 1": other}) == Lying(1, {})


async def test_a_message_is_waited_for(autojump_clock: MockClock) -> None:
    stat: list[bytes | None] = [b"+OK 0 0\r\n", b"+OK 0 0\r\n", b"+OK 1 9\r\n"]
    lying = await looked({b"STAT": stat, b"RETR 1": message("mine")}, Lying(0, {}), ("mine",))
    assert lying.numbers == {"mine": 1}
    assert trio.current_time() == pytest.approx(0.02 + 0.03)


async def test_a_message_that_does_not_come_tells_nothing_of_the_reader(autojump_clock: MockClock) -> None:
    with pytest.RaisesGroup(Undetermined):
        await looked({b"STAT": b"+OK 0 0\r\n"}, Lying(0, {}), ("mine",))
    assert trio.current_time() == pytest.approx(5.0)


async def test_where_tokens_cannot_be_read_those_that_came_last_are_meant(autojump_clock: MockClock) -> None:
    bare = b"+OK\r\n\r\nbody alone\r\n.\r\n"
    answers = {b"STAT": b"+OK 3 9\r\n", **{b"RETR %d" % number: bare for number in (1, 2, 3)}}
    lying = await looked(answers, Lying(1, {}), ("first", "second"))
    assert lying.numbers == {"first": 2, "second": 3}


async def test_a_server_that_breaks_off_amid_a_message_has_shown_what_it_showed(autojump_clock: MockClock) -> None:
    answers: dict[bytes, bytes | None] = {b"STAT": b"+OK 2 9\r\n", b"RETR 1": message("one"), b"RETR 2": None}
    assert await looked(answers) == Lying(2, {"one": 1})


async def handed_in(subject: Subject, *, address: str | None = "user1@example.test") -> None:
    maildrop = subject.maildrops.every[0]
    maildrop.place = replace(maildrop.place, address=address)
    await deliver(subject, maildrop, "c0ffee", PLAIN)


async def test_what_is_missing_for_a_delivery_is_named(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject:
        with pytest.raises(NotApplicable, match=r"addresses\.accepted"):
            await handed_in(subject, address=None)
        subject.declared = structs.replace(subject.declared, allow=Allow(leave_mail=False))
        with pytest.raises(NotApplicable, match=r"allow\.leave_mail"):
            await handed_in(subject)
        subject.deliverer = None
        with pytest.raises(NotApplicable, match="smtp:// or lmtp://"):
            await handed_in(subject)


async def test_a_maildrop_is_furnished_once_and_its_numbers_are_known(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject, AsyncExitStack() as stack:
        first = Pop3Peer(subject, "first", stack)
        await first.open(PLAIN, DOTTED)
        numbers = first.number_of(PLAIN), first.number_of(DOTTED)
        second = first.another()
        await first.quit()
        await second.open(DOTTED, PLAIN, least=2)
        assert (second.number_of(PLAIN), second.number_of(DOTTED)) == numbers == (1, 2)
        assert await second.count() == 2


async def test_any_messages_do_where_only_their_number_matters(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject, AsyncExitStack() as stack:
        peer = Pop3Peer(subject, "first", stack)
        await peer.open(OTHER, least=3)
        assert await peer.count() == 3
        with pytest.raises(Undetermined, match="plain"):
            peer.number_of(replace(PLAIN, name="plain-nowhere"))
        assert peer.number_of(OTHER) in {1, 2, 3}


async def test_an_emptied_maildrop_is_empty_and_filled_again(tls: Tls, autojump_clock: MockClock) -> None:
    async with reference_subject(tls, Behaviour(), protocol="pop3") as subject, AsyncExitStack() as stack:
        peer = Pop3Peer(subject, "first", stack)
        await peer.prepare(least=2)
        await peer.empty()
        await peer.open(PLAIN)
        assert (await peer.count(), peer.number_of(PLAIN)) == (1, 1)
