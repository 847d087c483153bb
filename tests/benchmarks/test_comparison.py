"""How turns become a record: in turn, and nobody left out in silence."""

from pathlib import Path

import pytest

from benchmarks.comparison import Comparison, Contender, Taken, duration, measure
from benchmarks.comparisons import all_comparisons
from benchmarks.figures import OURS, Record, Side, Spread
from benchmarks.machine import Machine
from benchmarks.store import Store
from benchmarks.turn import CannotRunError, TurnFailedError


def comparison(*contenders: Contender, rounds_max: int = 3) -> Comparison:
    return Comparison(
        name="example", group="source", title="an example", contenders=contenders, round_s=10, quick_s=2,
        rounds_max=rounds_max,
    )  # fmt: skip


def measured(found: Comparison, rounds: int = 3) -> Record:
    return measure(found, rounds, quick=False, tell=lambda _: None)


def test_the_sides_take_turns_and_the_order_alternates() -> None:
    seen: list[str] = []

    def side(name: str) -> Contender:
        def take(_: bool) -> Taken:
            seen.append(name)
            return Taken({"messages/s": 1.0}, f"run {name}")

        return Contender(name, take)

    record = measured(comparison(side("A"), side("B")))
    assert seen == ["A", "B", "B", "A", "A", "B"]
    assert [each.command for each in record.sides] == ["run A", "run B"]
    assert len(record.rounds) == 3


def test_a_missing_peer_is_named_with_its_reason_and_the_others_go_on() -> None:
    asked: list[int] = []

    def missing(_: bool) -> Taken:
        asked.append(1)
        raise CannotRunError("postal is not here")

    ours = Contender(OURS, lambda _: Taken({"messages/s": 5.0}, ""))
    record = measured(comparison(ours, Contender("postal", missing)))
    assert record.sides[1] == Side(name="postal", not_run="postal is not here")
    assert record.values(OURS, "messages/s") == [5.0, 5.0, 5.0]
    assert asked == [1]


def test_a_failed_turn_is_named_and_the_next_round_tries_again() -> None:
    turns = iter([TurnFailedError("took longer than 120 s and was ended"), None, None])

    def flaky(_: bool) -> Taken:
        trouble = next(turns)
        if trouble is not None:
            raise trouble
        return Taken({"messages/s": 2.0}, "flaky")

    record = measured(comparison(Contender("flaky", flaky)))
    assert record.failures == ("round 1, flaky: took longer than 120 s and was ended",)
    assert record.values("flaky", "messages/s") == [2.0, 2.0]
    assert record.sides[0].not_run is None


def test_whoever_fails_twice_in_a_row_is_not_waited_for_again() -> None:
    asked: list[int] = []

    def broken(_: bool) -> Taken:
        asked.append(1)
        raise TurnFailedError("hangs")

    record = measured(comparison(Contender("broken", broken)), rounds=5)
    assert len(asked) == 2
    assert record.sides[0].not_run == "failed: hangs"


def test_names_are_unique_and_every_comparison_has_us_in_it() -> None:
    names = [each.name for each in all_comparisons()]
    assert len(names) == len(set(names))
    assert all(each.contenders[0].name == OURS for each in all_comparisons())


def test_a_quick_look_takes_about_four_minutes_and_all_of_it_under_half_an_hour() -> None:
    """By its own estimate, which is a promise to whoever waits; no clock is looked at."""
    everything = all_comparisons()
    quick = [each for each in everything if each.in_quick]
    assert sum(each.estimate_s(None, quick=True) for each in quick) < 4.5 * 60
    assert sum(each.estimate_s(None, quick=False) for each in everything) < 30 * 60


def test_an_estimate_is_said_in_words() -> None:
    example = comparison(Contender(OURS, lambda _: Taken({}, "")))
    assert duration([example], None, quick=False) == "about 30 s"
    assert duration([example], 60, quick=False) == "about 10 minutes"
    assert duration([example], None, quick=True) == "about 2 s"


def test_what_is_kept_can_be_read_again_by_the_next_invocation(tmp_path: Path) -> None:
    record = measured(comparison(Contender(OURS, lambda _: Taken({"messages/s": 5.0}, "run"))))
    store = Store(tmp_path / "figures")
    store.keep(record)
    assert Store(tmp_path / "figures").record("example") == record
    machine = Machine(taken="now", facts=(("processor", "one"),))
    store.keep_machine(machine)
    assert store.machine() == machine


@pytest.mark.parametrize("content", ["", "{}", '{"name": 5}', "[1, 2"])
def test_a_record_of_another_version_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "example.json").write_text(content)
    assert Store(tmp_path).record("example") is None
    assert Store(tmp_path).record("never measured") is None
    assert Store(tmp_path).soak() is None


def test_a_spread_of_one_round_is_that_round() -> None:
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0, 1)
