"""Replies are nearly all alike and looked at once: what is remembered is what would have been seen."""

import pickle
from collections.abc import Sequence
from itertools import product
from random import Random

import pytest

from conformance.load_monitors import LoadMonitors
from conformance.monitors import memo, watch, watch_pop3
from conformance.monitors.exchange import Asked, Exchange, SmtpState
from conformance.monitors.memo import KEPT
from conformance.monitors.monitor import E, Look, Looks, Monitor, Monitors, S
from conformance.monitors.pop3_exchange import Pop3Exchange, Pop3State
from conformance.monitors.watch import SmtpMemo
from conformance.monitors.watch_pop3 import Pop3Memo
from loadgen.transport.overheard import Happening
from loadgen.wire.reply import USUAL_OCTETS, Reply
from loadgen.wire.response import ResponseReader
from tests.conformance.monitors.listening import heard

C, S_ = Happening.SENT, Happening.RECEIVED


def seen_by_each(monitors: Sequence[Monitor[E, S]], exchange: E, state: S) -> Looks:
    """What monitors see that are asked one after another, whatever they look at."""
    looks = [
        Look(monitor.requirement, monitor.broken(exchange, state))
        for monitor in monitors if monitor.applies(exchange, state)
    ]
    return Looks(
        tuple(look.requirement for look in looks), tuple(look for look in looks if look.got is not None)
    )


def reply(octets: bytes) -> Reply:
    made = heard(octets).reply
    assert made is not None
    return made


REPLIES = [
    b"220 mail.example.test\r\n", b"220 m\xc3\xa4il.example.test 2.0.0\r\n", b"250 2.1.0 Ok\r\n", b"250 ok\r\n",
    b"250 3.1.0 ok\r\n", b"250 2.01.0 \xe9\r\n", b"250 ok\n", b"250\r\n", b"251 no\r\n", b"354 2.0.0 go on\r\n",
    b"150 ok\r\n", b"699 ok\r\n", b"ok\r\n", b"421 4.3.2 bye\r\n", b"550 /var/mail/user1 is full\r\n",
    b"500 Traceback (most recent call last\r\n", b"550 no such user secret-word\r\n", b"235 2.7.0 dj1hYmNk\r\n",
    b"334 what?\r\n", b"250 a\x00b\r\n", b"250 " + b"x" * USUAL_OCTETS + b"\r\n", b"250-a\r\n251 b\r\n",
    b"250-mail.example.test\r\n250-SMTPUTF8\r\n250-DSN\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n",
    b"250-2.0.0 mail.example.test\r\n250 2.0.0 ENHANCEDSTATUSCODES\r\n",
]
SAID = [
    b"EHLO x", b"LHLO x", b"HELO x", b"MAIL FROM:<a@b>", b"MAIL FROM:<a@b> SMTPUTF8", b"RCPT TO:<c@b>", b"DATA",
    b"VRFY /var/mail/user1", b"NOOP Traceback (most recent call last", b"STARTTLS", b"AUTH PLAIN AGEAc2VjcmV0LXdvcmQ=",
    b"AUTH LOGIN", b"c2VjcmV0LXdvcmQ=", b"QUIT", b"XYZZY",
]
ANSWERED = [(Asked.COMMAND, said) for said in SAID] + [(asked, SAID[12]) for asked in Asked]
GREETINGS = [None, *map(reply, REPLIES[:2])]
OFFERED = [None, *map(frozenset, ([], ["DSN"], ["ENHANCEDSTATUSCODES"], ["ENHANCEDSTATUSCODES", "SMTPUTF8"]))]


def some_state(draw: Random) -> SmtpState:
    return SmtpState(
        lmtp=draw.random() < 0.5, greeting=draw.choice(GREETINGS), offered=draw.choice(OFFERED),
        utf8=draw.random() < 0.2, accepted=draw.randrange(3), logged_in=draw.random() < 0.5,
        secrets=draw.choice([(), (), (b"secret-word",)]), said=(draw.choice(SAID),),
    )


def test_of_replies_what_is_remembered_is_what_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "KEPT", 1 << 20)
    draw, remembered = Random(7), SmtpMemo()
    for octets, (asked, said), _ in product(REPLIES, ANSWERED, range(25)):
        state, rest = some_state(draw), draw.choice([b"", b"", b"", b"250-x\r\n"])
        exchange = Exchange(reply(octets), asked, said, draw.random() < 0.5, draw.choice([None, True]), rest)
        assert remembered.look_at(exchange, state) == seen_by_each(watch.MONITORS, exchange, state)
    nothing = Exchange(None, Asked.GREETING, rest=b"250")
    assert remembered.look_at(nothing, SmtpState()) == seen_by_each(watch.MONITORS, nothing, SmtpState())


ASKED = [(Asked.GREETING, b""), (Asked.RESPONSE, b"c2VjcmV0MQ=="), (Asked.UNKNOWN, b"?")] + [
    (Asked.COMMAND, line) for line in (
        b"USER user1", b"PASS secret1", b"PASS user1", b"STAT", b"LIST", b"LIST 1", b"UIDL", b"UIDL 1", b"RETR 1",
        b"TOP 1 0", b"CAPA", b"AUTH", b"AUTH PLAIN AHUAc2VjcmV0MQ==", b"LANG", b"UTF8", b"XYZZY",
    )
]
RESPONSES = [
    b"+OK\r\n", b"+ok\r\n", b"-ERR no\r\n", b"+OK no\r\n", b"+ no\r\n", b"+OK ready secret1\r\n", b"+OK user1\r\n",
    b"+ Y2hhbGxlbmdl\r\n", b"+OK\n", b"+OK\tok\r\n", b"-ERR [IN-USE] wait\r\n", b"-ERR [what\r\n", b"+OK [X] ok\r\n",
    b"+OK 1 u\xe9\r\n", b"+OK dj1hYmNk\r\n", b"+OK " + b"x" * USUAL_OCTETS + b"\r\n",
]
BODIES = [b".\r\n", b"1 a b\r\n.\r\n", b"a\nb\r\n.\r\n", b"RESP-CODES\r\nWHAT\r\n.\r\n", b"\x00" * 600 + b"\r\n.\r\n"]


def pop3_exchange(
    asked: tuple[Asked, bytes], octets: bytes | None, body: bytes, extra: bytes | None, rest: bytes
) -> Pop3Exchange:
    question = Pop3Exchange(None, *asked, rest=rest)
    if octets is None:
        return question
    reader = ResponseReader()
    reader.feed(octets + body)
    response = reader.next_response(multi_line=question.wants_lines)
    assert response is not None
    return Pop3Exchange(response, *asked, False, extra, rest)


def test_of_responses_what_is_remembered_is_what_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "KEPT", 1 << 20)
    draw, remembered = Random(7), Pop3Memo()
    for octets, asked, _ in product([None, *RESPONSES], ASKED, range(40)):
        state = Pop3State(
            tags=draw.choice([None, frozenset(), frozenset({"RESP-CODES"})]), utf8=draw.random() < 0.5,
            names=draw.choice([(), (b"user1",)]), passwords=draw.choice([(), (b"secret1",), (b"user1",)]),
        )
        extra, rest = draw.choice([None, b"", b"", b"+OK\r\n"]), draw.choice([b"", b"", b"\r\n.\n", b"+OK"])
        exchange = pop3_exchange(asked, octets, draw.choice(BODIES), extra, rest)
        assert remembered.look_at(exchange, state) == seen_by_each(watch_pop3.MONITORS, exchange, state)


@pytest.mark.parametrize("octets", [b"250 ok\r\n", b"550 /var/mail/x\r\n", b"250 " + b"x" * USUAL_OCTETS + b"\r\n"])
def test_of_two_replies_alike_only_the_first_is_looked_at_if_it_is_an_ordinary_one(octets: bytes) -> None:
    asked = 0

    def applies(_exchange: Exchange, _state: SmtpState) -> bool:
        nonlocal asked
        asked += 1
        return True

    class Counting(SmtpMemo):
        monitors = Monitors([Monitor("smtp.reply.crlf", applies, lambda _exchange, _state: None)])

    remembered = Counting()
    for recipient in (b"RCPT TO:<a@b>", b"RCPT TO:<c@d>"):
        assert remembered.look_at(heard(octets, recipient), SmtpState()) == Looks(("smtp.reply.crlf",), ())
    assert asked == (1 if octets == b"250 ok\r\n" else 2)


def test_no_more_than_a_few_hundred_are_remembered() -> None:
    remembered = SmtpMemo()
    for number in range(3 * KEPT):
        remembered.look_at(heard(b"250 queued as %d\r\n" % number, b"QUIT"), SmtpState())
        assert len(remembered) <= KEPT


def test_a_memo_stays_where_it_is_when_what_was_seen_crosses_processes() -> None:
    monitors = LoadMonitors()
    for _ in monitors.judge("smtp", [(S_, b"220 a\r\n"), (C, b"QUIT\r\n"), (S_, b"221 a-reply-to-remember\r\n")]):
        pass
    crossed = pickle.dumps(monitors)
    assert b"smtp.reply.crlf" in crossed
    assert b"a-reply-to-remember" not in crossed
    assert pickle.loads(crossed).overheard["smtp"].replies == 2
