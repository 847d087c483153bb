"""Who has which maildrop."""

from functools import partial

import trio
from trio.testing import MockClock

from conformance.declared import Place
from conformance.maildrops import Maildrop, Maildrops


def maildrops(count: int) -> Maildrops:
    return Maildrops([Maildrop(Place(f"user{n}", "", None)) for n in range(1, count + 1)])


class Diary:
    """Who had what, and when."""

    def __init__(self, every: Maildrops) -> None:
        self._every = every
        self.began: dict[str, float] = {}
        self.had: dict[str, list[str]] = {}

    async def use(self, name: str, count: int = 1, *, at: float = 0.0, for_s: float = 1.0, slow: bool = False) -> None:
        await trio.sleep(at)
        async with self._every.taken(count, slow=slow) as mine:
            self.began[name] = trio.current_time()
            self.had[name] = [one.place.login for one in mine]
            await trio.sleep(for_s)


async def test_no_two_have_the_same_at_once(autojump_clock: MockClock) -> None:
    diary = Diary(maildrops(2))
    async with trio.open_nursery() as nursery:
        for at, name in enumerate("abcd"):
            nursery.start_soon(partial(diary.use, name, at=at / 100))
    assert diary.began == {"a": 0.0, "b": 0.01, "c": 1.0, "d": 1.01}
    assert diary.had["a"] != diary.had["b"]


async def test_who_wants_two_is_not_passed_over_by_those_who_want_one(autojump_clock: MockClock) -> None:
    diary = Diary(maildrops(2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(diary.use, "first"))
        nursery.start_soon(partial(diary.use, "both", 2, at=0.1))
        for at in range(5):
            nursery.start_soon(partial(diary.use, f"later {at}", at=0.2 + at / 100))
    assert diary.began["both"] == 1.0
    assert min(began for name, began in diary.began.items() if name.startswith("later")) == 2.0


async def test_a_slow_one_leaves_the_last_to_those_in_a_hurry(autojump_clock: MockClock) -> None:
    diary = Diary(maildrops(2))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(diary.use, "slow", for_s=600.0, slow=True))
        for at in range(3):
            nursery.start_soon(partial(diary.use, f"hurried {at}", at=1.0 + at / 100))
    assert [diary.began[f"hurried {at}"] for at in range(3)] == [1.0, 2.0, 3.0]
    assert diary.had["slow"] != diary.had["hurried 0"]


async def test_a_slow_one_with_the_only_maildrop_waits_for_those_in_a_hurry(autojump_clock: MockClock) -> None:
    diary = Diary(maildrops(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(diary.use, "hurried"))
        nursery.start_soon(partial(diary.use, "slow", at=0.1, slow=True))
        nursery.start_soon(partial(diary.use, "hurried too", at=0.2))
    assert diary.began == {"hurried": 0.0, "hurried too": 1.0, "slow": 2.0}


async def test_who_gives_up_while_he_waits_holds_nobody_up(autojump_clock: MockClock) -> None:
    diary = Diary(maildrops(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(diary.use, "first", for_s=2.0))
        nursery.start_soon(partial(diary.use, "second", at=0.2))
        with trio.move_on_after(1.0):
            await trio.sleep(0.1)
            await diary.use("impatient")
    assert diary.began == {"first": 0.0, "second": 2.0}


async def test_a_maildrop_comes_back_from_who_is_cancelled(autojump_clock: MockClock) -> None:
    every = maildrops(1)
    with trio.move_on_after(1.0):
        async with every.taken(1):
            await trio.sleep_forever()
    with trio.fail_after(1.0):
        async with every.taken(1) as mine:
            assert mine == tuple(every.every)
