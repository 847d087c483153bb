"""What the server lawfully does otherwise when it is asked to."""

from dataclasses import replace

import pytest

from conformance.refserver.behaviour import Behaviour
from conformance.refserver.errors import ServerSetupError
from conformance.refserver.greylist import Greylist
from conformance.refserver.trouble import Trouble
from conformance.refserver.variants import VARIANTS, behaving
from conformance.refserver.workers import Work
from tests.refserver.bench import Bench, make_bench

MAIL = b"MAIL FROM:<a@client.example>\r\n"
CONTENT = b"Subject: x\r\n\r\nx\r\n"


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def greylisting_bench(delay_s: float = 5) -> tuple[Bench, Clock]:
    clock = Clock()
    return make_bench(Behaviour(greylisting_s=delay_s), clock=clock), clock


def rcpt(bench: Bench, sender: str = "a@client.example", user: int = 1) -> bytes:
    """The reply to RCPT in a session of its own."""
    session = bench.smtp()
    session.receive(f"MAIL FROM:<{sender}>\r\n".encode())
    return session.receive(f"RCPT TO:<user{user}@example.test>\r\n".encode())


def test_who_is_new_comes_again_after_the_delay_and_is_known_from_then_on() -> None:
    bench, clock = greylisting_bench()
    assert rcpt(bench).startswith(b"450 4.7.1 ")
    clock.now_s += 4.9
    assert rcpt(bench).startswith(b"450 4.7.1 "), "coming too early does not start the time anew"
    clock.now_s += 0.1
    assert rcpt(bench).startswith(b"250 2.1.5 ")
    clock.now_s += 1000
    assert rcpt(bench).startswith(b"250 2.1.5 ")


def test_the_triplet_is_what_is_known_and_no_part_of_it() -> None:
    bench, clock = greylisting_bench()
    rcpt(bench)
    clock.now_s += 5
    assert rcpt(bench).startswith(b"250 ")
    assert rcpt(bench, sender="b@client.example").startswith(b"450 ")
    assert rcpt(bench, user=2).startswith(b"450 ")
    assert rcpt(bench, sender="").startswith(b"450 "), "the null reverse-path is one like any other"


def test_a_greylisted_recipient_does_not_spoil_the_others_of_its_transaction() -> None:
    bench, clock = greylisting_bench()
    rcpt(bench, user=1)
    clock.now_s += 5
    session = bench.smtp()
    session.receive(MAIL)
    assert session.receive(b"RCPT TO:<user2@example.test>\r\n").startswith(b"450 ")
    assert session.receive(b"RCPT TO:<user1@example.test>\r\n").startswith(b"250 ")
    assert session.receive(b"BDAT %d LAST\r\n" % len(CONTENT) + CONTENT).startswith(b"250 ")
    assert (len(bench.stored(1)), len(bench.stored(2))) == (1, 0)


def test_nobody_is_greylisted_whose_mail_could_never_be_taken() -> None:
    bench, _ = greylisting_bench()
    session = bench.smtp()
    session.receive(MAIL)
    assert session.receive(b"RCPT TO:<nobody@example.test>\r\n").startswith(b"550 ")


def test_who_logged_in_is_no_stranger() -> None:
    bench, _ = greylisting_bench()
    session = bench.smtp()
    assert session.receive(b"AUTH PLAIN AHVzZXIxAHNlY3JldDE=\r\n").startswith(b"235 ")
    session.receive(MAIL)
    assert session.receive(b"RCPT TO:<user1@example.test>\r\n").startswith(b"250 ")


def test_lmtp_is_not_greylisted() -> None:
    bench, _ = greylisting_bench()
    session = bench.lmtp()
    session.receive(MAIL)
    assert session.receive(b"RCPT TO:<user1@example.test>\r\n").startswith(b"250 ")


def test_a_greylist_forgets_the_oldest_before_it_grows_too_large() -> None:
    greylist = Greylist(remembered=2)
    for second, name in enumerate((b"a", b"b", b"c")):
        greylist.must_wait(("x", b"", name), delay_s=1, now_s=second)
    assert greylist.must_wait(("x", b"", b"a"), delay_s=1, now_s=9), "forgotten, and so new"
    assert not greylist.must_wait(("x", b"", b"c"), delay_s=1, now_s=9)


@pytest.mark.parametrize(
    ("share", "struck"), [(0.25, "x...x...x..."), (1, "xxxxxxxxxxxx"), (0.5, "x.x.x.x.x.x."), (0.1, "x.........x.")]
)
def test_trouble_strikes_an_even_share(share: float, struck: str) -> None:
    trouble = Trouble()
    assert "".join("x" if trouble.strikes(share) else "." for _ in range(12)) == struck


def test_a_message_that_is_put_off_is_not_stored_and_the_next_is() -> None:
    bench = make_bench(Behaviour(tempfail=0.5))
    session = bench.smtp()
    for reply, stored in ((b"451 4.3.0 ", 0), (b"250 ", 1)):
        session.receive(MAIL + b"RCPT TO:<user1@example.test>\r\n")
        assert session.receive(b"BDAT %d LAST\r\n" % len(CONTENT) + CONTENT).startswith(reply)
        assert len(bench.stored(1)) == stored


def test_in_lmtp_a_message_is_put_off_for_one_and_taken_for_the_other() -> None:
    bench = make_bench(Behaviour(tempfail=0.5))
    session = bench.lmtp()
    session.receive(MAIL + b"RCPT TO:<user1@example.test>\r\nRCPT TO:<user2@example.test>\r\nDATA\r\n")
    first, second, _ = session.receive(CONTENT + b".\r\n").split(b"\r\n")
    assert (first[:4], second[:4]) == (b"451 ", b"250 ")
    assert (len(bench.stored(1)), len(bench.stored(2))) == (0, 1)


@pytest.mark.parametrize(
    ("chosen", "changed"),
    [
        ("greylisting", {"greylisting_s": 300.0}),
        ("greylisting=5s", {"greylisting_s": 5.0}),
        ("greylisting=0.5m", {"greylisting_s": 30.0}),
        ("tempfail", {"tempfail": 0.1}),
        ("tempfail=.25", {"tempfail": 0.25}),
        ("tempfail=1", {"tempfail": 1.0}),
        ("service-time=250ms", {"work": Work(service_s=0.25)}),
        ("service-time=1s,constant", {"work": Work(service_s=1.0, constant=True)}),
        ("workers=4", {"work": Work(workers=4)}),
        ("workers=unlimited", {"work": Work(workers=None)}),
        ("contention=0.05", {"work": Work(contention=0.05)}),
        ("coherency=.002", {"work": Work(coherency=0.002)}),
    ],
)
def test_a_variant_is_chosen_by_its_name(chosen: str, changed: dict[str, object]) -> None:
    assert behaving(Behaviour(), [chosen]) == replace(Behaviour(), **changed)  # type: ignore[arg-type]


def test_several_variants_add_up_and_each_has_a_default() -> None:
    behaviour = behaving(Behaviour(), VARIANTS)
    assert (behaviour.greylisting_s, behaviour.tempfail) == (300.0, 0.1)
    assert behaviour.work == Work(service_s=0.02, workers=1, contention=0.02, coherency=0.001)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("greylist", "there is no variant of this name; there are greylisting[=5m], tempfail[=0.1], no-service"),
        ("greylisting=", "it takes the time a new sender has to wait"),
        ("greylisting=5", "it takes the time a new sender has to wait"),
        ("tempfail=2", "it takes the share of the final dots answered 451"),
        ("tempfail=10%", "it takes the share"),
        ("service-time=20", "it takes the mean time a message costs"),
        ("service-time=0ms", "it takes the mean time a message costs"),
        ("service-time=20ms,normal", "it takes the mean time a message costs"),
        ("workers=0", "it takes how many messages are worked at side by side"),
        ("coherency=-1", "it takes a coefficient of the Universal Scalability Law"),
    ],
)
def test_what_is_no_variant_is_refused_in_a_sentence(chosen: str, sentence: str) -> None:
    with pytest.raises(ServerSetupError) as caught:
        behaving(Behaviour(), [chosen])
    assert sentence in str(caught.value)
    assert repr(chosen) in str(caught.value)
