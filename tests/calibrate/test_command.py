"""`mailproof calibrate` as it is typed."""

import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
from typer.testing import CliRunner

from loadgen.calibrate.cli import FILE, levels_of
from mailproof import build_app
from reports.calibration import Calibration, Level, encode
from reports.calibration_text import plain_calibration
from reports.document import HostFacts
from reports.errors import UserError
from reports.schema import calibration_json_schema

COMMAND = [sys.executable, "-m", "mailproof", "calibrate"]
pytestmark = pytest.mark.timeout(60)      # a command that starts commands


def level(sessions: str, in_flight: int, client: float, sink: float) -> Level:
    return Level(
        sessions=sessions,  # type: ignore[arg-type]
        in_flight=in_flight, seconds=2.0, messages_per_s=4_321.0, client_cpu_share=client, sink_cpu_share=sink,
        client_cpu_ns_per_message=212_000, sink_cpu_ns_per_message=41_000, loop_lag_ns_p99=3_100_000,
    )   # fmt: skip


def calibration(*levels: Level) -> Calibration:
    host = HostFacts(python="3.11.7", trio="0.30", platform="Linux", cpus=2)
    return Calibration(
        mailproof="0.1.0", started="2026-01-01T00:00:00Z", workers=2, message_octets=1024, host=host, levels=levels
    )


WHOLE = calibration(
    level("fresh", 2, 0.5, 0.2), level("fresh", 100, 0.97, 0.3), level("reused", 100, 0.85, 0.99),
    level("reused", 1000, 0.4, 0.2),
)   # fmt: skip


def test_the_table_fits_a_terminal_and_says_what_each_rate_is_worth() -> None:
    text = plain_calibration(WHOLE)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    assert "2 workers, messages of 1 KiB, 2 processors, loopback" in words
    assert "fresh 100 4,321 212 µs 4,717/s 3.1 ms 97 % 30 %" in words
    assert "At fresh 100 the client was the busier: its rate there is its ceiling." in words
    assert "At reused 100 the sink was the busier: the client could have done more." in words
    assert "At reused 1,000 neither had a processor for itself, so these rates are no ceilings" in words
    assert "Where each worker has one session, it waits for every reply" in words


def test_on_a_busy_machine_no_rate_is_called_a_ceiling() -> None:
    busy = calibration(level("fresh", 100, 0.2, 0.1), level("reused", 100, 0.3, 0.2))
    words = " ".join(plain_calibration(busy).split())
    assert "At no level had either a processor for itself, so these rates are no ceilings" in words
    assert "its ceiling" not in words


def test_what_is_written_is_read_again_and_fits_the_published_schema() -> None:
    octets = encode(WHOLE)
    assert msgspec.json.decode(octets, type=Calibration) == WHOLE
    jsonschema.validate(msgspec.json.decode(octets), calibration_json_schema())


@pytest.mark.parametrize("given", ["", "many", "0", "10,,20", "1,20001", "-5"])
def test_levels_that_make_no_sense_are_refused_in_a_sentence(given: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(build_app(), ["calibrate", f"--in-flight={given}", "--out", str(tmp_path)])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith(f'--in-flight: got "{given}", expected numbers from 1 to 20,000')


@pytest.mark.parametrize(("workers", "levels"), [(1, [1, 100, 1000]), (2, [2, 100, 1000]), (200, [200, 1000])])
def test_levels_not_given_leave_no_worker_without_a_session(workers: int, levels: list[int]) -> None:
    assert levels_of(None, workers) == levels


def test_no_worker_is_left_without_a_session(tmp_path: Path) -> None:
    result = CliRunner().invoke(build_app(), ["calibrate", "--workers=4", "--in-flight=2", "--out", str(tmp_path)])
    assert isinstance(result.exception, UserError)
    assert "expected numbers from 4 to 20,000" in str(result.exception)


def test_a_short_calibration_measures_both_kinds_of_session(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--seconds=0.5", "--in-flight=5", "--out", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )   # fmt: skip
    assert (done.returncode, done.stderr.splitlines()) == (
        0, ["fresh sessions, 5 in flight …", "reused sessions, 5 in flight …"],
    )   # fmt: skip
    found = msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Calibration)
    assert [each.sessions for each in found.levels] == ["fresh", "reused"]
    assert all(each.client_cpu_ns_per_message > 0 and each.sink_cpu_ns_per_message > 0 for each in found.levels)
    assert done.stdout.startswith("calibration  1 worker, messages of 1 KiB")
    assert done.stdout.endswith(f"calibration  {tmp_path / FILE}\n")


def test_ctrl_c_ends_it_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--seconds=60", "--in-flight=5", "--out", str(tmp_path)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "in flight" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        last = process.stderr.read()
        assert process.wait(20) == 130
    assert last == "mailproof: stopped; nothing was written\n"
    assert list(tmp_path.iterdir()) == []
