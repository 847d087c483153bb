"""What was put off is tried again, first attempts and final outcomes are counted apart, and nothing is lost."""

import pickle
from collections import Counter

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from loadgen.clock import NS_PER_S
from loadgen.engine.closed_loop import closed_loop
from loadgen.engine.open_loop import open_loop
from loadgen.engine.recorder import Recorder
from loadgen.engine.window import Window
from loadgen.scenario.distributions import Durations
from loadgen.scenario.model import Retry
from loadgen.scenario.quantities import Duration
from loadgen.session.outcome import ACCEPTED, OutcomeKind
from tests.engine.retry_stage import BROKEN, FOR_GOOD, PUT_OFF, REFUSED, SESSION, TAKEN, Post, Said
from tests.engine.stage import seconds, virtually


def retry(attempts: int = 4, give_up: str = "1h") -> Retry:
    return Retry(attempts=attempts, give_up=Duration.parse(give_up), after=Durations.parse("1s"), factor=1)


async def play(
    post: Post, *instants: float, in_flight_max: int = 1000, end_s: float = 10, drain_s: float = 3600
) -> None:
    await open_loop(
        post.enter(), seconds(*instants), in_flight_max=in_flight_max, end_ns=round(end_s * NS_PER_S),
        drain_s=drain_s, stop=trio.Event(),
    )  # fmt: skip


def after(*words: str, **rest: float) -> Post:
    """A post that says these words, attempt after attempt, and the last of them for ever."""
    return Post(lambda _, attempt: Said(words[min(attempt, len(words)) - 1], **rest), retry(), (len(words[0]),))  # type: ignore[arg-type]


async def test_what_is_put_off_comes_again_after_its_back_off_until_it_is_taken(autojump_clock: MockClock) -> None:
    post = after("-", "-", "y", length_s=0.25)
    post.back_off = lambda k, attempt, _: (k + 1) * attempt * NS_PER_S
    await play(post, 0, 5)
    assert [at for k, at in post.began if k == 0] == [0, 1.25, 3.5]
    assert [at for k, at in post.began if k == 1] == [5, 7.25, 11.5]
    assert post.finals() == ({"accepted_later": 2}, {"accepted_later": 2})
    assert post.recorder.retries[SESSION].first == Counter(deferred=2)
    assert post.recorder.retries[SESSION].attempts == {3: 2}
    assert post.recorder.retries[SESSION].tried_again == 4


async def test_what_is_due_first_comes_first_whenever_it_was_put_off(autojump_clock: MockClock) -> None:
    post = after("-", "y")
    post.back_off = lambda k, *_: (10, 1, 4)[k] * NS_PER_S
    await play(post, 0, 1, 2.5)
    assert post.began == [(0, 0.0), (1, 1.0), (1, 2.0), (2, 2.5), (2, 6.5), (0, 10.0)]


async def test_only_those_who_were_put_off_are_asked_again(autojump_clock: MockClock) -> None:
    post = Post(lambda _, attempt: Said(("y-n--", "--y-y", "yynnn")[attempt - 1]), shape=(2, 3))
    await play(post, 0)
    one, two = (f"user{n}@example.test" for n in (1, 2))
    assert post.asked[0][1:] == [(f"0/{one}", f"1/{one}", f"1/{two}"), (f"0/{one}", f"1/{one}")]
    assert post.finals()[0] == {"accepted_first": 1, "accepted_later": 2, "bounced": 2}
    assert post.recorder.retries[SESSION].first == Counter(accepted=1, deferred=3, bounced=1)
    assert post.recorder.retries[SESSION].attempts == {1: 2, 2: 1, 3: 2}


async def test_what_was_refused_for_good_is_never_tried_again(autojump_clock: MockClock) -> None:
    post = after("nn")
    await play(post, 0, 1)
    assert len(post.began) == 2
    assert post.finals() == ({"bounced": 4}, {"bounced": 2})


async def test_a_bounce_at_the_first_attempt_marks_the_session_whatever_comes_later(autojump_clock: MockClock) -> None:
    post = after("n-", "nn", "yy")
    post.said = lambda _, attempt: Said(("n-", "-y")[attempt - 1])
    await play(post, 0)
    assert post.finals() == ({"bounced": 1, "accepted_later": 1}, {"bounced": 1})


async def test_a_session_that_broke_is_tried_again(autojump_clock: MockClock) -> None:
    post = Post(lambda _, attempt: Said(PUT_OFF, BROKEN) if attempt == 1 else Said(TAKEN))
    await play(post, 0)
    assert post.finals()[0] == {"accepted_later": 1}
    assert post.recorder.outcomes[SESSION] == {OutcomeKind.FAILED: 1}, "the first attempt's outcome stays"


async def test_a_session_that_outlived_its_limit_is_tried_again(autojump_clock: MockClock) -> None:
    post = Post(lambda _, attempt: Said(TAKEN, length_s=100 if attempt == 1 else 1), session_limit_s=20)
    await play(post, 0)
    assert [at for _, at in post.began] == [0, 21]
    assert post.recorder.outcomes[SESSION] == {OutcomeKind.TIMED_OUT: 1}
    assert post.finals()[0] == {"accepted_later": 1}


async def test_the_sender_gives_up_after_so_many_attempts(autojump_clock: MockClock) -> None:
    post = after("-y")
    post.retry = retry(attempts=3)
    await play(post, 0)
    assert [at for _, at in post.began] == [0, 1, 2]
    assert post.finals() == ({"accepted_first": 1, "given_up": 1}, {"given_up": 1})
    assert post.recorder.retries[SESSION].attempts == {1: 1, 3: 1}


async def test_no_attempt_starts_later_than_the_sender_gives_up(autojump_clock: MockClock) -> None:
    post = after("-")
    post.retry = retry(attempts=100, give_up="3s")
    await play(post, 5)
    assert [at for _, at in post.began] == [5, 6, 7, 8]
    assert trio.current_time() == 10, "giving up waits for nothing"
    assert post.finals()[0] == {"given_up": 1}


async def test_a_message_that_waits_is_not_in_flight(autojump_clock: MockClock) -> None:
    post = after("-", "y", length_s=0.5)
    await play(post, 0, 0.6, 1.2, in_flight_max=1)
    assert sorted(post.began) == [(0, 0.0), (0, 1.7), (1, 0.6), (1, 2.2), (2, 1.2), (2, 2.7)]
    assert post.recorder.outcomes[SESSION] == {OutcomeKind.ACCEPTED: 3}, "nobody was dropped for those who waited"
    assert post.recorder.in_flight_peak == post.open_max == 1


async def test_what_waits_is_counted_while_it_does(autojump_clock: MockClock) -> None:
    post, seen = after("-", "y", length_s=0.5), []

    async def look() -> None:
        await trio.sleep(0.25)
        for _ in range(6):
            seen.append((post.recorder.in_flight, post.recorder.waiting))
            await trio.sleep(0.5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await play(post, 0, 0.5)
    assert seen == [(1, 0), (1, 1), (0, 2), (1, 1), (1, 0), (0, 0)]


async def test_past_the_in_flight_limit_a_retry_waits_for_a_place_and_is_not_dropped(autojump_clock: MockClock) -> None:
    post = Post(lambda k, attempt: Said(PUT_OFF if attempt == 1 else TAKEN, length_s=4 if k == 1 else 0.5))
    await play(post, 0, 1, 2, in_flight_max=1)
    assert post.began == [(0, 0.0), (1, 1.0), (0, 5.0), (1, 6.0)]
    assert post.recorder.outcomes[SESSION] == {OutcomeKind.ACCEPTED: 2, OutcomeKind.DROPPED: 1}
    assert post.finals()[1] == {"accepted_later": 2}, "a dropped arrival has nothing that could be put off"


async def test_what_comes_due_in_the_drain_is_tried_and_what_waits_at_its_end_is_unfinished(
    autojump_clock: MockClock,
) -> None:
    post = after("-", "y")
    post.back_off = lambda k, _, __: (2 if k == 0 else 60) * NS_PER_S
    await play(post, 9, 9, end_s=10, drain_s=5)
    assert trio.current_time() == 15
    assert post.finals() == ({"accepted_later": 1, "unfinished": 1}, {"accepted_later": 1, "unfinished": 1})
    assert (post.recorder.in_flight, post.recorder.retrying) == (0, 0)


async def test_an_attempt_that_the_run_cut_short_is_unfinished_and_nobody_put_it_off(autojump_clock: MockClock) -> None:
    post = Post(lambda k, attempt: Said(PUT_OFF if k + attempt == 1 else TAKEN, length_s=100 * (k + attempt - 1)))
    await play(post, 0, 9, end_s=10, drain_s=5)
    assert post.finals()[0] == {"unfinished": 2}
    assert post.recorder.retries[SESSION].first == Counter(deferred=1, interrupted=1)
    assert post.recorder.outcomes[SESSION] == {OutcomeKind.ACCEPTED: 1, OutcomeKind.INTERRUPTED: 1}


async def test_the_delay_counts_from_the_intended_instant_to_each_acceptance(autojump_clock: MockClock) -> None:
    post = after("y-", "yy", length_s=0.5)
    post.window = Window(NS_PER_S, 1 << 62)
    await play(post, 0, 2)
    for _ in post.recorder.close_seconds(60):
        pass
    delay = post.recorder.retries[SESSION].delay
    assert delay.count == 2, "of the steady phase's arrivals only"
    quantiles = delay.quantiles()
    assert (quantiles.min, quantiles.max) == (NS_PER_S // 2, 2 * NS_PER_S)


async def test_a_retry_has_service_times_and_no_response_from_the_first_intended_instant(
    autojump_clock: MockClock,
) -> None:
    post = after("-", "y", length_s=0.5)
    await play(post, 0)
    for _ in post.recorder.close_seconds(60):
        pass
    for times in (post.recorder.phases["smtp.connect"], post.recorder.phases["smtp.session"],
                  post.recorder.session_times[SESSION]):
        assert times.response_histogram.count == times.service_histogram.count == 2
        assert times.response_histogram.quantiles() == times.service_histogram.quantiles()
        assert times.response_histogram.quantiles().max == NS_PER_S // 2
    assert post.recorder.lag_histogram.count == 1, "a retry is no arrival"
    timeline = post.recorder.seconds.timeline()
    assert (sum(timeline.arrived), sum(timeline.accepted)) == (1, 1)
    assert timeline.in_flight[:2] == (1, 1)


async def test_a_virtual_user_waits_for_the_fate_of_its_message(autojump_clock: MockClock) -> None:
    post = after("-", "-", "y", length_s=0.5)
    await closed_loop(
        post.enter(), virtual_users=1, users=[0], think_ns=lambda u, i: NS_PER_S, sessions=2, end_ns=None, drain_s=60,
        stop=trio.Event(),
    )  # fmt: skip
    assert post.began == [(0, 1.0), (0, 2.5), (0, 4.0), (1, 5.5), (1, 7.0), (1, 8.5)]
    assert post.recorder.in_flight_peak == 1
    assert post.finals()[0] == {"accepted_later": 2}


async def test_a_virtual_user_who_waits_at_the_end_leaves_its_message_unfinished(autojump_clock: MockClock) -> None:
    post = after("-")
    post.back_off = lambda *_: 100 * NS_PER_S
    await closed_loop(
        post.enter(), virtual_users=2, users=[0, 1], think_ns=lambda u, i: 0, sessions=None, end_ns=10 * NS_PER_S,
        drain_s=5, stop=trio.Event(),
    )  # fmt: skip
    assert trio.current_time() == 15
    assert post.finals() == ({"unfinished": 2}, {"unfinished": 2})


async def test_two_workers_books_add_up_to_the_books_of_one(autojump_clock: MockClock) -> None:
    def post() -> Post:
        return Post(lambda k, attempt: Said(("y-", "-n", "--", "yy")[(k + attempt) % 4]), shape=(1, 1))

    schedule = seconds(*(0.25 * k for k in range(20)))
    books = []
    for part in (schedule, schedule[::2], schedule[1::2]):
        each = post()
        await open_loop(
            each.enter(), part, in_flight_max=99, end_ns=10 * NS_PER_S, drain_s=60, stop=trio.Event()
        )
        for _ in each.recorder.close_seconds(80):
            pass
        books.append(each.recorder)
    alone, merged, other = (pickle.loads(pickle.dumps(each)) for each in books)
    merged.merge(other)
    assert isinstance(merged, Recorder)
    one, both = alone.retries[SESSION], merged.retries[SESSION]
    for name in ("deliveries", "sessions", "first", "attempts", "tried_again"):
        assert getattr(one, name) == getattr(both, name), name
    assert (one.delay.quantiles(), one.delay.count) == (both.delay.quantiles(), both.delay.count)
    assert one.delay.count > merged.arrived
    assert merged.balanced()


WORDS = st.text("yn-", min_size=3, max_size=3)
SAYINGS = st.builds(
    Said, WORDS, st.sampled_from([ACCEPTED, REFUSED, BROKEN]), st.integers(0, 20).map(lambda tenths: tenths / 10)
)
SCRIPTS = st.lists(SAYINGS, min_size=1, max_size=5)


def fate_of(script: list[Said], place: int, attempts: int) -> tuple[str, int]:
    """The model: what becomes of one delivery, and after how many attempts."""
    for attempt in range(1, attempts + 1):
        word = script[min(attempt, len(script)) - 1].words[place]
        if word != PUT_OFF:
            taken = "accepted_first" if attempt == 1 else "accepted_later"
            return "bounced" if word == FOR_GOOD else taken, attempt
    return "given_up", attempts


@settings(deadline=None, max_examples=200)
@given(
    scripts=st.lists(SCRIPTS, min_size=1, max_size=6), attempts=st.integers(2, 5), in_flight_max=st.integers(1, 3),
    drain_s=st.sampled_from([0.0, 1.0, 5.0, 10_000.0]),
)  # fmt: skip
def test_every_delivery_and_every_arrival_has_one_final_outcome(
    scripts: list[list[Said]], attempts: int, in_flight_max: int, drain_s: float
) -> None:
    post = Post(lambda k, a: scripts[k][min(a, len(scripts[k])) - 1], retry(attempts, "720h"), shape=(1, 2))
    virtually(lambda: play(post, *(0.3 * k for k in range(len(scripts))), in_flight_max=in_flight_max, end_s=2,
                           drain_s=drain_s))
    recorder = post.recorder
    book = recorder.retries[SESSION]
    started = {arrival for arrival, _ in post.began}
    assert recorder.balanced()
    assert recorder.in_flight == recorder.retrying == 0
    assert post.open_max <= in_flight_max
    assert recorder.arrived == len(scripts) == sum(recorder.outcomes[SESSION].values())
    assert book.sessions.total() == len(started) == recorder.arrived - recorder.outcomes[SESSION][OutcomeKind.DROPPED]
    assert book.deliveries.total() == 3 * len(started) == book.first.total()
    assert min((*book.deliveries.values(), *book.sessions.values()), default=0) >= 0
    assert book.tried_again == len(post.began) - len(started)
    assert book.attempts.total() == book.deliveries.total() - book.deliveries["unfinished"]
    for arrival in started:
        asked = post.asked[arrival]
        settled = [fate_of(scripts[arrival], place, attempts) for place in range(3)]
        for attempt, whom in enumerate(asked, start=1):
            due = [f"{i}/{n}" for (i, n), (_, until) in zip(post.deliveries, settled, strict=True) if until >= attempt]
            assert list(whom) == due, "whoever is settled is not asked again, and nobody else is left out"
    if drain_s > 1000:
        fates = [fate_of(scripts[arrival], place, attempts) for arrival in started for place in range(3)]
        assert +book.deliveries == Counter(fate for fate, _ in fates)
        assert +book.attempts == Counter(attempt for _, attempt in fates)
