"""The line a person watches."""

import io
from dataclasses import replace

from rich.console import Console

from loadgen.engine.progress import Progress
from loadgen.live import JsonView, LiveView, PlainView, line_of
from reports.progress import progress_in
from tests.engine.house import scenario_of
from tests.engine.test_embedded import LOAD

PROGRESS = Progress(
    stage="steady", elapsed_s=5.0, in_flight=1098, arrived=1615, messages_accepted=366, messages_accepted_per_s=38,
    errors=0, refused=0, p50_ns=7_710_000, p99_ns=49_800_000,
)


def test_the_line_says_elapsed_in_flight_arrivals_rate_errors_and_times() -> None:
    assert line_of(PROGRESS) == (
        "   5 s  steady   1,098 in flight  1,615 arrived  38 accepted/s  0 errors  p50 7.71 ms p99 49.8 ms"
    )


def test_a_log_gets_a_line_every_five_seconds() -> None:
    log = io.StringIO()
    with PlainView(log) as view:
        for second in range(1, 12):
            view.show(replace(PROGRESS, elapsed_s=float(second)))
    assert [line.split()[0] for line in log.getvalue().splitlines()] == ["5", "10"]


def test_a_program_gets_a_line_of_json_every_second() -> None:
    log = io.StringIO()
    with JsonView(log) as view:
        view.note("a corpus was changed")
        view.show(PROGRESS)
        view.interrupted(30.0)
    note, shown, interrupted = log.getvalue().encode().splitlines()
    assert note == b'{"note":"a corpus was changed"}'
    progress = progress_in(shown)
    assert progress is not None
    assert (progress.stage, progress.elapsed_s, progress.messages_accepted) == ("steady", 5.0, 366)
    assert b"draining for up to 30 s" in interrupted
    assert progress_in(note) is None
    assert progress_in(b"mailproof: no such scenario") is None


def test_an_interrupted_run_says_what_it_gives_up() -> None:
    log = io.StringIO()
    view = PlainView(log)
    view.interrupted(30.0)
    view.show(replace(PROGRESS, elapsed_s=17.0, stage="audit"))
    view.interrupted(30.0)
    assert log.getvalue().splitlines() == [
        "interrupted: draining for up to 30 s; once more stops at once",
        "  17 s  audit    looking for 366 accepted messages in the maildrops",
        "interrupted: the maildrops are read no further; once more stops at once",
    ]


def test_on_a_terminal_the_line_says_so_at_once_though_nothing_new_is_to_be_shown() -> None:
    screen = io.StringIO()
    scenario = scenario_of(LOAD)
    with LiveView(Console(file=screen, force_terminal=True, width=100), scenario) as view:
        view.show(replace(PROGRESS, stage="audit"))
        view.interrupted(30.0)
        assert "the maildrops are read no further; Ctrl-C again stops at once" in screen.getvalue()


def test_workers_that_are_lost_or_silent_are_counted_on_the_line() -> None:
    line = line_of(replace(PROGRESS, workers_lost=1, workers_silent=2))
    assert "1 worker lost  2 workers silent" in line
    assert "worker" not in line_of(PROGRESS)


def test_a_note_stays_above_the_line_and_in_the_log() -> None:
    log, screen = io.StringIO(), io.StringIO()
    with PlainView(log) as plain:
        plain.note("3 line ends were made CRLF")
    assert log.getvalue() == "3 line ends were made CRLF\n"
    with LiveView(Console(file=screen, force_terminal=True, width=100), scenario_of(LOAD)) as live:
        live.note("3 line ends [were] made CRLF")
    assert "3 line ends [were] made CRLF" in screen.getvalue()


def test_mail_that_waits_to_be_tried_again_is_counted_on_the_line() -> None:
    assert "3 refused  1,234 waiting  p50" in line_of(replace(PROGRESS, refused=3, waiting=1234))
    assert "waiting" not in line_of(PROGRESS)
