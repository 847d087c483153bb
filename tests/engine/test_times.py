"""The times of every phase: where each is kept, and what is folded out of it."""

import pickle

from loadgen.engine.times import PhaseTable
from reports.histogram import Histogram, Interval

MS = 1_000_000
TIMINGS = [("smtp.connect", 0, MS), ("smtp.mail", MS, 3 * MS), ("smtp.mail", 3 * MS, 7 * MS)]


def response_times(interval: Interval) -> Histogram:
    times = Histogram()
    times.merge_encoded(interval.encoded, interval.max_ns)
    return times


def folded(table: PhaseTable) -> dict[str, Interval | None]:
    return {phase: table.fold(phase, 0) for phase in table}


def test_only_what_is_due_at_an_instant_answers_for_the_lag() -> None:
    table = PhaseTable()
    for _ in range(2):                        # the first time of a phase goes another way than all that follow
        table.keep(TIMINGS, 5 * MS, steady=True)
    folded(table)
    connect, mail = table["smtp.connect"], table["smtp.mail"]
    assert connect.service_histogram.value_at(100) == MS
    assert connect.response_histogram.quantiles().max == 6 * MS
    assert mail.service_histogram is mail.response_histogram
    assert (mail.service_histogram.count, mail.service_histogram.quantiles().max) == (4, 4 * MS)


def test_what_is_outside_the_steady_phase_is_in_its_second_and_in_no_histogram_of_the_run() -> None:
    table = PhaseTable()
    table.keep(TIMINGS, 0, steady=False)
    table.keep(TIMINGS, 0, steady=True)
    table.keep(TIMINGS, 0, steady=False)
    intervals = folded(table)
    counts = {phase: response_times(each).count for phase, each in intervals.items() if each is not None}
    assert counts == {"smtp.connect": 3, "smtp.mail": 6}
    assert {phase: times.service_histogram.count for phase, times in table.items()} == {
        "smtp.connect": 1, "smtp.mail": 2,
    }  # fmt: skip
    assert table.outside_steady() == {"smtp.connect": 2, "smtp.mail": 4}


def test_what_was_folded_is_not_folded_again() -> None:
    table = PhaseTable()
    table.keep(TIMINGS, 0, steady=True)
    folded(table)
    assert set(folded(table).values()) == {None}
    table.keep(TIMINGS, 0, steady=True)
    folded(table)
    assert table["smtp.mail"].service_histogram.count == 4


def test_a_table_that_has_crossed_to_another_process_still_loses_nothing() -> None:
    table = PhaseTable()
    table.keep(TIMINGS, 0, steady=True)
    folded(table)
    there: PhaseTable = pickle.loads(pickle.dumps(table))
    there.keep(TIMINGS, 0, steady=True)
    folded(there)
    assert there["smtp.mail"].service_histogram.count == 4
