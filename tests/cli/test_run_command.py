"""`mailproof run` as a person or a CI job types it: what it writes, what it says, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.document import Document, read
from reports.exit_codes import ExitCode
from reports.verdict import Verdict

pytestmark = pytest.mark.timeout(90)     # real processes: an interpreter, a server and a load each

SCENARIO = """
target = "embedded"
[scenario]
name = "small"
[accounts]
count = 20
[load]
model = "open"
arrivals = [{shape = "constant", rate = 20, for = "2s"}]
drain = "10s"
[[session]]
kind = "smtp-deliver"
weight = 2
[[session]]
kind = "pop3-retrieve"
delete = true
[ledger]
verify = true
[[gate]]
metric = "errors.share"
at_most = 0
[[gate]]
metric = "ledger.lost"
equals = 0
"""


def mailproof(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, away from the checkout, as an installed one is."""
    return subprocess.run(
        [sys.executable, "-m", "mailproof", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=80, check=False, stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port nothing listens on, kept from others for the length of a test."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: ExitCode, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    [said] = done.stderr.strip().split("mailproof: ")[1:]
    assert said


def assert_code(done: subprocess.CompletedProcess[str], document: Document, code: ExitCode) -> None:
    """Hold a run to its exit code. A machine too busy to be believed is no failure here, but must then say so."""
    believed = document.verdicts.valid is Verdict.PASS
    assert done.returncode == document.exit_code == (code if believed else ExitCode.INCONCLUSIVE), done.stderr
    assert believed or "INCONCLUSIVE" in done.stdout


def test_a_run_writes_its_report_and_says_where(scenario: Path, tmp_path: Path) -> None:
    done = mailproof("run", scenario, cwd=tmp_path)
    [directory] = (tmp_path / "out").iterdir()
    document = read(directory / "result.json")
    assert_code(done, document, ExitCode.HELD)
    assert document.load is not None
    assert document.load.sessions.arrived == document.load.sessions.accepted == 40
    assert document.ledger is not None
    assert document.ledger.delivered_once == document.ledger.accepted == document.load.messages.accepted > 0
    assert document.verdicts.correct is document.verdicts.fast_enough is Verdict.PASS
    assert (directory / "run.hlog").stat().st_size
    assert (directory / "histograms" / "smtp.body.response.hgrm").stat().st_size
    assert (directory / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert "report.html" in done.stdout
    assert "secret" not in (directory / "result.json").read_text()


def test_two_workers_share_a_run_and_say_so(scenario: Path, tmp_path: Path) -> None:
    done = mailproof(
        "run", scenario, "--workers", 2, "--out", "x", "--gate", "goodput > 1", "--junit", "x/gates.xml", cwd=tmp_path
    )
    document = read(tmp_path / "x" / "result.json")
    assert [gate.metric for gate in document.gates] == ["errors.share", "ledger.lost", "goodput"]
    assert (tmp_path / "x" / "gates.xml").read_text().count('classname="mailproof.gates"') == 3
    assert document.load is not None
    assert [(each.worker, each.arrived, each.lost) for each in document.load.workers] == [(1, 20, None), (2, 20, None)]
    assert document.load.sessions.arrived == 40
    assert document.ledger is not None
    assert document.ledger.delivered_once == document.ledger.accepted == document.load.messages.accepted > 0
    assert done.returncode in {ExitCode.HELD, ExitCode.INCONCLUSIVE}, done.stderr


@pytest.mark.parametrize("asked", ["0", "-1", "two", ""])
def test_workers_are_a_number_or_auto(asked: str, scenario: Path, tmp_path: Path) -> None:
    done = mailproof("run", scenario, "--workers", asked, cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "--workers", "auto")


def test_out_names_the_directory_of_the_run(scenario: Path, tmp_path: Path) -> None:
    mailproof("run", scenario, "--out", "here/today", "--set", "load.arrivals.0.for=1s", cwd=tmp_path)
    assert (tmp_path / "here" / "today" / "result.json").is_file()


def test_a_failed_gate_is_exit_code_1(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO + '[[gate]]\nmetric = "sessions.accepted"\nat_least = 1000000\n')
    done = mailproof("run", scenario, "--out", "x", "--set", "load.arrivals.0.for=1s", cwd=tmp_path)
    document = read(tmp_path / "x" / "result.json")
    assert_code(done, document, ExitCode.FAILED)
    assert document.verdicts.fast_enough is Verdict.FAIL
    assert "sessions.accepted" in done.stdout


def test_the_seed_of_the_command_line_is_the_run_s(scenario: Path, tmp_path: Path) -> None:
    mailproof("run", scenario, "--seed", 99, "--out", "x", "--set", "load.arrivals.0.for=1s", cwd=tmp_path)
    assert read(tmp_path / "x" / "result.json").seed == 99


def test_every_mistake_of_a_scenario_is_listed_at_once(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO.replace("delete", "delte").replace("at_most = 0", 'at_most = "lots"'))
    done = mailproof("run", scenario, cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "2 problems", "session[1].delte", "did you mean `delete`?",
                        "gate[0]")


def test_a_missing_file_names_the_shipped_scenarios(tmp_path: Path) -> None:
    done = mailproof("run", "nowhere.toml", cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "nowhere.toml", "no such file", "quickstart")


def test_a_host_beyond_loopback_must_be_permitted(scenario: Path, tmp_path: Path) -> None:
    urls = ("--smtp", "smtp://mail.example.com:25", "--pop3", "pop3://127.0.0.1")
    done = mailproof("run", scenario, *urls, cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "mail.example.com", "permitted_hosts")


def test_an_unreachable_server_is_inconclusive(scenario: Path, tmp_path: Path, silent_port: int) -> None:
    url = f"127.0.0.1:{silent_port}"
    done = mailproof("run", scenario, "--smtp", f"smtp://{url}", "--pop3", f"pop3://{url}", cwd=tmp_path)
    assert_one_sentence(done, ExitCode.INCONCLUSIVE, f"smtp://{url}", "refused")


def test_an_unwritable_out_is_found_before_the_load(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = mailproof("run", scenario, "--out", "file/below", cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "cannot write to file/below")


class Served:
    """The reference server as a process of its own, for what the embedded one cannot be asked to be."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mailproof", "serve", "--smtp=0", "--pop3=0", "--until-eof", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        assert self._process.stdout is not None
        self.ready = json.loads(self._process.stdout.readline())

    def __enter__(self) -> list[str]:
        return ["--smtp", self.ready["smtp"], "--pop3", self.ready["pop3"]]

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def test_a_wrong_password_is_the_operator_s_to_mend(scenario: Path, tmp_path: Path) -> None:
    with Served("--password=another{n}") as urls:
        done = mailproof("run", scenario, *urls, cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "user1@example.test", "refused", "[accounts]")


def test_starttls_that_is_not_offered_is_a_failed_precondition(scenario: Path, tmp_path: Path) -> None:
    with Served() as urls:
        done = mailproof("run", scenario, *urls, "--set", "target.tls=starttls", cwd=tmp_path)
    assert_one_sentence(done, ExitCode.INCONCLUSIVE, "STARTTLS is not offered")


def test_an_untrusted_certificate_is_the_operator_s_to_mend(scenario: Path, tmp_path: Path) -> None:
    with Served("--tls") as urls:
        done = mailproof("run", scenario, *urls, "--set", "target.tls=starttls", cwd=tmp_path)
    assert_one_sentence(done, ExitCode.OPERATOR_ERROR, "not trusted", "target.ca_file")


def test_an_unverified_certificate_is_said_so_in_the_result(scenario: Path, tmp_path: Path) -> None:
    with Served("--tls") as urls:
        done = mailproof(
            "run", scenario, *urls, "--set", "target.tls=starttls", "--set", "target.verify=false", "--out", "x",
            cwd=tmp_path,
        )
    document = read(tmp_path / "x" / "result.json")
    assert_code(done, document, ExitCode.HELD)
    facts = document.target
    assert [each.tls is not None and not each.tls.verified for each in facts] == [True, True]
    assert "not verified" in done.stdout.lower()


def test_a_tls_port_spoken_to_by_a_clear_text_server_is_inconclusive(scenario: Path, tmp_path: Path) -> None:
    with Served() as urls:
        smtps, pop3s = (url.replace("://", "s://") for url in (urls[1], urls[3]))
        done = mailproof("run", scenario, "--smtp", smtps, "--pop3", pop3s, cwd=tmp_path)
    assert_one_sentence(done, ExitCode.INCONCLUSIVE, "clear-text port")


def interrupted(scenario: Path, cwd: Path, times: int) -> tuple[int, str]:
    """Run a load that would take minutes, and press Ctrl-C once it is under way, or once and again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mailproof", "run", str(scenario), "--out", "x", "--set", "load.arrivals.0.for=5m"],
        cwd=cwd, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, "CI": "true"},
    )
    assert process.stderr is not None
    said = process.stderr.readline()                      # the first progress line: sessions are running
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        said += process.stderr.readline()
    said += process.stderr.read()
    process.stderr.close()
    return process.wait(60), said


def test_ctrl_c_drains_and_still_writes_the_report(scenario: Path, tmp_path: Path) -> None:
    code, said = interrupted(scenario, tmp_path, times=1)
    assert code == ExitCode.INTERRUPTED
    assert "draining" in said
    document = read(tmp_path / "x" / "result.json")
    assert document.interrupted == "load"
    assert document.exit_code == ExitCode.INTERRUPTED
    assert document.load is not None
    assert document.load.sessions.accepted == document.load.sessions.arrived > 0


def test_a_second_ctrl_c_stops_at_once(scenario: Path, tmp_path: Path) -> None:
    scenario.write_text(SCENARIO + '[[session]]\nkind = "idle-hold"\nhold = "9m"\nweight = 9\n')
    code, said = interrupted(scenario, tmp_path, times=2)
    assert code == ExitCode.INTERRUPTED
    assert "stopped at once" in said
    assert not (tmp_path / "x" / "result.json").exists()


class Writing:
    """A run that has written its result, and stands in the making of its report until somebody reads its `.hlog`."""

    def __init__(self, scenario: Path, cwd: Path, *options: str) -> None:
        self.out = cwd / "x"
        self._passed = self.out / "histograms" / "smtp.connect.service.hgrm"
        self._passed.parent.mkdir(parents=True)
        for each in (self._passed, self.out / "run.hlog"):
            os.mkfifo(each)
        (self.out / "report.html").write_text("of an earlier run")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mailproof", "run", str(scenario), "--out", "x", *options],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "CI": "true"},
        )

    def press_ctrl_c(self) -> str:
        """Press it, and return what is said to it."""
        assert self.process.stderr is not None
        self.process.send_signal(signal.SIGINT)
        while "interrupted" not in (said := self.process.stderr.readline()):
            assert said, "it has ended"
        return said

    def wait_for_the_making(self) -> None:
        """Return when the result is written, and the report is not."""
        self._passed.read_text()              # opened by both ends, or by neither

    def end(self, *, let_it_go_on: bool) -> tuple[int, str, str]:
        """Return the exit code, and what was said on both streams."""
        if let_it_go_on:
            (self.out / "run.hlog").read_text()
        out, err = self.process.communicate()
        return self.process.returncode, out, err


def test_ctrl_c_in_the_making_of_the_report_lets_it_be_made(scenario: Path, tmp_path: Path) -> None:
    run = Writing(scenario, tmp_path)
    run.wait_for_the_making()
    assert run.press_ctrl_c() == "interrupted: the report is still made; once more stops at once\n"
    code, out, _ = run.end(let_it_go_on=True)
    document = read(tmp_path / "x" / "result.json")
    assert (document.interrupted, document.exit_code) == (None, code)
    assert "x/report.html" in out
    assert "<!doctype html>" in (run.out / "report.html").read_text().lower()


@pytest.mark.parametrize("amid_the_load", [True, False], ids=["the first amid the load", "both in the making"])
def test_a_second_ctrl_c_ends_the_making_of_the_report_and_what_is_known_is_told(
    amid_the_load: bool, scenario: Path, tmp_path: Path
) -> None:
    run = Writing(scenario, tmp_path, *(["--set", "load.arrivals.0.for=5m"] if amid_the_load else []))
    if amid_the_load:
        assert run.process.stderr is not None
        run.process.stderr.readline()                     # the first progress line: sessions are running
        run.press_ctrl_c()
    run.wait_for_the_making()
    if not amid_the_load:
        run.press_ctrl_c()
    run.process.send_signal(signal.SIGINT)
    code, out, err = run.end(let_it_go_on=False)
    assert code == ExitCode.INTERRUPTED
    assert "believable" in out
    assert "report  " not in out
    assert err.splitlines()[-1] == (
        "mailproof: stopped at once; the result is whole, and mailproof report x/result.json --format html "
        "--out x/report.html makes its report"
    )
    assert read(run.out / "result.json").interrupted == ("load" if amid_the_load else None)
    assert not (run.out / "report.html").exists(), "it was of another run"


@pytest.mark.parametrize("of", ["scenario", "result", "calibration"])
def test_the_schemas_are_published(of: str, tmp_path: Path) -> None:
    done = mailproof("schema", of, cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


def test_an_unknown_option_is_the_operator_s_error(tmp_path: Path) -> None:
    done = mailproof("run", "quickstart", "--sned", "3", cwd=tmp_path)
    assert done.returncode == ExitCode.OPERATOR_ERROR
    assert "--sned" in done.stderr


def test_what_cannot_be_written_is_told_all_the_same(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "run.hlog").mkdir(parents=True)
    done = mailproof("run", scenario, "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        ExitCode.OPERATOR_ERROR, "mailproof: cannot write to out: Is a directory (out/run.hlog)",
    )   # fmt: skip
    assert "believable" in done.stdout
    assert "report  " not in done.stdout
    assert (tmp_path / "out" / "result.json").is_file()
