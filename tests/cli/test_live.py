"""The line a person watches."""

import io
from dataclasses import replace

from loadgen.engine.progress import Progress
from loadgen.live import PlainView, line_of

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


def test_an_interrupted_run_says_that_it_drains() -> None:
    log = io.StringIO()
    PlainView(log).draining(30.0)
    assert "draining for up to 30 s" in log.getvalue()
