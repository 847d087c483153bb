"""A search carried out by runs, of a target that is counted out; and what a person is shown of it."""

import re
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs

from conformance.refserver.workers import Work
from loadgen.capacity.driver import Driver
from loadgen.capacity.search import Bounds, Search
from loadgen.capacity.stages import Stages
from loadgen.scenario.load import scenario_from
from reports.capacity import concluded
from reports.capacity_result import Backlog
from reports.capacity_stage import with_always
from reports.child import Child
from reports.document import Document, decode, encode
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.histogram import HlogWriter
from reports.html import html
from reports.junit import junit
from reports.text import plain
from reports.verdict import Verdict
from reports.write import HLOG, RESULT
from tests.capacity.simulated import Run, Target
from tests.capacity.test_stages import OPEN

BOUNDS = Bounds(start=20, stage_s=40, confirm_s=80, resolution=0.1, stages_max=20)
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
Start = Callable[[Sequence[str]], int]


def running(target: Target, codes: dict[int, int] | None = None) -> tuple[Start, list[str]]:
    """Return what runs a stage and leaves its result where it was told to; with a code, it leaves none."""
    said: list[str] = []

    def start(arguments: Sequence[str]) -> int:
        given = " ".join(arguments)
        [directory] = re.findall(r"--out=(\S+)", given)
        [rate] = re.findall(r"rate = ([0-9.]+)", given)
        [milliseconds] = re.findall(r'for = "([0-9]+)ms"', given)
        number = int(Path(directory).name)
        if (code := (codes or {}).get(number)) is not None:
            said.append("mailproof: the embedded server did not start")
            return code
        made = target.run(float(rate), int(milliseconds) / 1000 - 10, number)
        leave(Path(directory), made)
        return int(ExitCode.HELD)

    return start, said


def leave(directory: Path, made: Run) -> None:
    """Leave of a run what a search reads; its page would take a second each."""
    directory.mkdir(parents=True)
    (directory / RESULT).write_bytes(encode(made.document))
    with (directory / HLOG).open("w", encoding="ascii") as stream:
        log = HlogWriter(stream, STARTED)
        for interval in made.intervals():
            log.write(interval)


def driven(
    tmp_path: Path, target: Target, *, bounds: Bounds = BOUNDS, codes: dict[int, int] | None = None
) -> tuple[Driver, list[str]]:
    scenario = scenario_from(tomllib.loads(OPEN), name="staged", directory=Path(), environ={})
    start, said = running(target, codes)
    told = list[str]()
    stages = Stages(scenario, "staged.toml", (), tmp_path)
    return Driver(Search(bounds), stages, with_always(()), start, told.append, said), told


def document_of(driver: Driver, at_least: float | None = None) -> Document:
    driver.run()
    made = driver.document(run_id="a-capacity", version="0", started=STARTED, at_least=at_least)
    assert decode(encode(made)) == made
    return made


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A search that came to its end, on two workers that do a hundred a second."""
    driver, _ = driven(tmp_path_factory.mktemp("search"), Target(Work(0.02, 2)))
    return document_of(driver, at_least=60)


def test_the_answer_is_in_the_document_with_what_broke_and_every_stage(found: Document) -> None:
    capacity = found.capacity
    assert capacity is not None
    assert (found.kind, found.exit_code, capacity.finding) == ("capacity", 0, "found")
    assert capacity.good == pytest.approx(100, rel=0.1)
    messages = next(each.messages_per_s for each in reversed(capacity.stages) if each.level == capacity.good)
    assert messages == pytest.approx(capacity.good, rel=0.1), "one in each session"
    assert capacity.sentence.startswith(f"the target sustains {capacity.good:.4g} sessions/s (")
    assert capacity.sentence.partition(")")[0].endswith("/s messages")
    assert {broke.what for broke in capacity.broke_first} <= {"backlog", "steady state"}
    assert [stage.result for stage in capacity.stages][:2] == ["stages/01/result.json", "stages/02/result.json"]
    assert found.verdicts.fast_enough is found.verdicts.valid is Verdict.PASS
    assert [gate.sentence for gate in found.gates] == [
        f"the capacity that was shown is {capacity.good:g}/s, the gate allows at least 60/s"
    ]


def test_it_can_be_read_on_a_terminal(found: Document) -> None:
    capacity = found.capacity
    assert capacity is not None
    said = plain(found)
    assert all(len(line) <= 80 for line in said.splitlines())
    for part in ("double", "bisect", "confirm", "held", "broke", "warm-up", f"{capacity.good:g}/s", "p99"):
        assert part in said
    assert "capacity  the target sustains" in " ".join(said.split(" "))


def test_however_long_its_figures_are_every_stage_says_what_it_came_to(found: Document) -> None:
    capacity = found.capacity
    assert capacity is not None
    longest = structs.replace(
        capacity.stages[0], number=20, purpose="confirm", outcome="inconclusive", level=12345.6,
        throughput_per_s=12345.6, in_flight=1234.5, response_ns_p50=123_456_789.0, response_ns_p99=123_456_789.0,
        warm_up_detected_s=120, backlog=Backlog(per_s=-12.34, p=0.5, grows=False),
    )   # fmt: skip
    said = plain(structs.replace(found, capacity=structs.replace(capacity, stages=(longest,))))
    [row] = [line for line in said.splitlines() if line.startswith("20 ")]
    assert row.endswith(" unclear")
    assert len(row) <= 80


def test_where_no_level_was_sustained_it_says_so_of_the_mail_too(tmp_path: Path) -> None:
    driver, _ = driven(tmp_path, Target(Work(60.0, 1)), bounds=Bounds(20, 40, 40, 0.5, 3))
    made = document_of(driver)
    assert made.capacity is not None
    verified = tuple(structs.replace(stage, correct=Verdict.PASS) for stage in made.capacity.stages)
    again = concluded(structs.replace(made, capacity=structs.replace(made.capacity, stages=verified)))
    assert made.reasons[0].sentence == "deliveries were not verified"
    assert again.reasons[0].sentence == "no level was sustained at which deliveries were verified"


def test_it_has_a_page_with_its_curve_and_its_search(found: Document) -> None:
    page = html(found)
    for part in ("Capacity: ", "How much can it take?", "What does more in flight bring?", "Every stage"):
        assert part in page
    assert page.count("<svg") == 4, "two pictures, each for desk and phone"


def test_it_has_a_junit_form_with_a_case_for_the_answer_and_for_the_gate(found: Document) -> None:
    root = ET.fromstring(junit(found))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert {"a capacity was found", "capacity at least 60/s"} <= set(cases)
    assert not list(root.iter("failure"))


def test_a_capacity_below_what_was_asked_for_fails(tmp_path: Path) -> None:
    driver, _ = driven(tmp_path, Target(Work(0.02, 2)), bounds=Bounds(70, 40, 40, 0.5, 8))
    made = document_of(driver, at_least=1000)
    assert (made.exit_code, made.verdicts.fast_enough) == (1, Verdict.FAIL)
    assert b'<failure message="the capacity that was shown is' in junit(made)


def test_a_target_that_takes_nothing_fails(tmp_path: Path) -> None:
    driver, _ = driven(tmp_path, Target(Work(60.0, 1)), bounds=Bounds(20, 40, 40, 0.5, 3))
    made = document_of(driver)
    assert made.capacity is not None
    assert (made.exit_code, made.capacity.finding) == (1, "below")
    assert "Capacity: below the lowest level" in html(made)


def test_a_generator_that_cannot_go_on_ends_the_search_with_what_is_known(tmp_path: Path) -> None:
    codes = {3: int(ExitCode.INCONCLUSIVE), 4: int(ExitCode.INCONCLUSIVE)}
    driver, told = driven(tmp_path, Target(Work(0.02, 2)), codes=codes)
    made = document_of(driver)
    assert made.capacity is not None
    assert (made.exit_code, made.capacity.finding, made.capacity.good) == (3, "generator", 40)
    assert "generator was the limit at 80/s" in made.capacity.sentence
    assert "40/s was the most that was sustained" in made.capacity.sentence
    assert told[-1] == "    void: the embedded server did not start"
    assert "The generator was the limit; 40 sessions/s (" in html(made)


def test_an_interrupted_search_keeps_what_it_has(tmp_path: Path) -> None:
    driver, _ = driven(tmp_path, Target(Work(0.02, 2)), codes={3: int(ExitCode.INTERRUPTED)})
    made = document_of(driver)
    assert made.capacity is not None
    assert (made.exit_code, made.interrupted, made.capacity.good) == (130, "load", 40)
    assert len(made.capacity.stages) == 2
    nothing = structs.replace(made, capacity=structs.replace(made.capacity, stages=()))
    assert "p50" in plain(made)
    assert "p50" not in plain(nothing), "no table of nothing"


@pytest.mark.parametrize("code", [ExitCode.OPERATOR_ERROR, ExitCode.INCONCLUSIVE, ExitCode.OUR_BUG])
def test_a_first_stage_that_cannot_be_run_is_one_sentence(code: ExitCode, tmp_path: Path) -> None:
    driver, _ = driven(tmp_path, Target(Work(0.02, 2)), codes={1: int(code)})
    with pytest.raises(UserError, match=r"stage 1 could not be run .* the embedded server did not start"):
        driver.run()


def test_a_child_hands_its_last_words_over() -> None:
    heard = list[str]()
    child = Child(("sh", "-c"), quiet=True, hear=heard.append)
    assert child.start(["echo one >&2; echo two >&2; exit 3"]) == 3
    assert heard == ["one", "two"]
