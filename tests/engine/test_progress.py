"""The live figures of a run in several processes: one line for all of them, second by second."""

from dataclasses import replace

from loadgen.engine.progress import NOTHING_YET, AcceptedRate, Overview, Progress

AT = replace(NOTHING_YET, stage="steady", elapsed_s=1.0, in_flight=3, arrived=10, messages_accepted=8,
             messages_accepted_per_s=8, errors=1, refused=1)   # fmt: skip


def at(elapsed_s: float, arrived: int, stage: str = "steady") -> Progress:
    return replace(AT, elapsed_s=elapsed_s, arrived=arrived, stage=stage)


def test_a_second_is_shown_once_when_all_have_told_of_it() -> None:
    shown: list[Progress] = []
    overview = Overview(2, shown.append)
    overview.told(0, at(1, 10))
    assert not shown
    overview.told(1, at(1, 11))
    overview.told(1, at(2, 21))
    overview.told(0, at(2, 20))
    assert [(each.elapsed_s, each.arrived) for each in shown] == [(1, 21), (2, 41)]
    assert (shown[0].in_flight, shown[0].messages_accepted, shown[0].errors, shown[0].refused) == (6, 16, 2, 2)
    assert (shown[0].workers_lost, shown[0].workers_silent) == (0, 0)


def test_what_a_worker_that_ended_had_counted_stays_and_its_sessions_are_over() -> None:
    shown: list[Progress] = []
    overview = Overview(2, shown.append)
    overview.told(0, at(1, 10))
    overview.told(1, at(1, 10))
    overview.ended(0, lost=False)
    overview.told(1, at(2, 20, stage="drain"))
    assert (shown[-1].arrived, shown[-1].in_flight, shown[-1].stage) == (30, 3, "drain")


def test_a_last_word_that_comes_after_the_result_counts_nothing_twice() -> None:
    shown: list[Progress] = []
    overview = Overview(2, shown.append)
    overview.told(0, at(1, 10))
    overview.ended(0, lost=False)
    overview.told(0, at(2, 20))
    overview.told(1, at(2, 20))
    assert [(each.arrived, each.workers_silent) for each in shown] == [(30, 0)]


def test_what_a_lost_worker_had_counted_is_in_no_number_any_more_and_it_is_said_so() -> None:
    shown: list[Progress] = []
    overview = Overview(2, shown.append)
    overview.told(0, at(1, 10))
    overview.told(1, at(1, 10))
    overview.ended(0, lost=True)
    overview.told(1, at(2, 20))
    assert (shown[-1].arrived, shown[-1].workers_lost) == (20, 1)


def test_a_silent_worker_does_not_hold_the_line_up_for_long() -> None:
    shown: list[Progress] = []
    overview = Overview(3, shown.append)
    for second in range(1, 6):
        for worker in (0, 1, 2) if second < 3 else (0, 2):
            overview.told(worker, at(second, 10 * second))
    assert [each.elapsed_s for each in shown] == [1, 2, 4, 5]
    assert (shown[-1].workers_silent, shown[-1].arrived, shown[-1].in_flight) == (1, 120, 6)
    overview.told(1, at(6, 60))
    overview.told(0, at(6, 60))
    overview.told(2, at(6, 60))
    assert (shown[-1].workers_silent, shown[-1].arrived) == (0, 180), "it was only late"


def test_the_rate_is_of_what_was_accepted_since_the_last_look() -> None:
    rate = AcceptedRate()
    assert rate.at(1_000_000_000, 30) == 30
    assert rate.at(3_000_000_000, 50) == 10
    assert rate.at(4_000_000_000, 45) == 0      # sessions under way turned out otherwise, and are told of when over
    assert rate.at(4_000_000_000, 46) == 0      # no time has passed
