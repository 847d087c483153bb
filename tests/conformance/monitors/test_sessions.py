"""What only a whole session, or a run of them, shows."""

from dataclasses import replace

import pytest

from conformance.monitors.exchange import Asked, Exchange
from conformance.monitors.follow import exchanges_of
from conformance.monitors.monitor import Tally
from conformance.monitors.sessions import Banners
from conformance.monitors.watch import watch_smtp
from tests.conformance.monitors.listening import conversation, heard, watched

SHUTS_DOWN, COUNTS_ONCE = "smtp.reply.421-then-close", "lmtp.data.multiline-counts-once"
CLOSING = heard(b"421 closing\r\n", b"NOOP")


@pytest.mark.parametrize(
    "later",
    [
        [],
        [heard(b"250 ok\r\n", b"RCPT TO:<a@b>")],                # it may have been on its way
        [heard(b"250 ok\r\n", b"MAIL FROM:<a@b>")],
        [heard(b"421 closing\r\n", b"MAIL FROM:<a@b>"), heard(b"221 bye\r\n", b"QUIT")],
        [heard(b"503 closing\r\n", b"MAIL FROM:<a@b>")],
    ],
)
def test_a_421_before_a_close_is_lawful(later: list[Exchange]) -> None:
    last = replace([CLOSING, *later][-1], closed_after=True)
    tally = watch_smtp([*[CLOSING, *later][:-1], last])
    assert tally.looked[SHUTS_DOWN] >= 1
    assert tally.broken[SHUTS_DOWN] == 0


def test_a_transaction_behind_a_421_is_flagged() -> None:
    later = [heard(b"250 ok\r\n", b"MAIL FROM:<a@b>"), heard(b"250 ok\r\n", b"RCPT TO:<a@b>")]
    tally = watch_smtp([CLOSING, *later, heard(b"354 go on\r\n", b"DATA")])
    assert tally.broken[SHUTS_DOWN] == 1
    assert tally.examples[SHUTS_DOWN] == ["354 to DATA after a 421"]


def test_a_421_of_which_nobody_saw_the_end_is_not_looked_at() -> None:
    assert watch_smtp([CLOSING]).looked[SHUTS_DOWN] == 0


LMTP = r"""
    S: 220 mail.example.test LMTP
    C: LHLO x
    S: 250 mail.example.test
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<a@b>
    S: 250 ok
    C: RCPT TO:<nobody@b>
    S: 550 no
    C: RCPT TO:<c@b>
    S: 250 ok
    C: DATA
    S: 354 go on
    C: text
    C: .
    {replies}
    C: QUIT
    S: 221 bye
"""


def lmtp(*replies: str) -> Tally:
    return watched(LMTP.format(replies="\n".join(replies)), lmtp=True)


def test_a_reply_of_several_lines_stands_for_one_recipient() -> None:
    tally = lmtp("S: 250-a has it", "S: 250 really", "S: 450-c has not", "S: 450 yet")
    assert (tally.looked[COUNTS_ONCE], tally.broken[COUNTS_ONCE]) == (1, 0)


def test_a_reply_whose_lines_stand_for_the_recipients_is_flagged() -> None:
    exchanges = list(exchanges_of(conversation(LMTP.format(replies="S: 250 one\nS: 250 two")), lmtp=True))
    number = next(i for i, exchange in enumerate(exchanges) if exchange.asked is Asked.MAIL_DATA)
    both = heard(b"250-a has it\r\n250 c has it\r\n", asked=Asked.MAIL_DATA)
    tally = watch_smtp([*exchanges[:number], both, *exchanges[number + 2 :]], lmtp=True)
    assert tally.broken[COUNTS_ONCE] == 1
    assert tally.examples[COUNTS_ONCE] == ["1 replies to 2 recipients"]


def test_single_lines_tell_nothing_of_how_lines_are_counted() -> None:
    assert lmtp("S: 250 a", "S: 250 c").looked[COUNTS_ONCE] == 0


SESSION = r"""
    S: 220 {host} ESMTP
    C: EHLO x
    S: 250-{host}
    S: 250-STARTTLS
    S: 250 {keyword}
    C: STARTTLS
    S: 220 go
    TLS
    C: EHLO x
    S: 250-{host}
    S: 250 AUTH PLAIN
"""


def banners(*sessions: tuple[str, str]) -> Banners:
    total = Banners()
    for host, keyword in sessions:
        one = Banners()
        watch_smtp(exchanges_of(conversation(SESSION.format(host=host, keyword=keyword))), banners=one)
        total.merge(one)
    return total


def test_sessions_that_are_greeted_alike_are_not_flagged_though_tls_changes_the_list() -> None:
    assert [look.got for look in banners(("a.example", "DSN"), ("a.example", "DSN")).look()] == [None]


def test_another_name_or_another_list_is_told() -> None:
    assert [look.got for look in banners(("a.example", "DSN"), ("b.example", "DSN")).look()] == [
        "it calls itself a.example, b.example"
    ]
    assert [look.got for look in banners(("a.example", "DSN"), ("a.example", "SIZE")).look()] == [
        "EHLO lists DSN, SIZE at times"
    ]


def test_one_session_has_nothing_to_be_compared_with() -> None:
    assert list(banners(("a.example", "DSN")).look()) == []
