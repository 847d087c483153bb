"""`mailproof conform` as a person or a CI job types it: what it says, what it writes, how it ends."""

import json
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.document import read
from reports.exit_codes import ExitCode

pytestmark = pytest.mark.timeout(90)     # real processes

MAILPROOF = [sys.executable, "-m", "mailproof"]


def conform(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAILPROOF, "conform", *arguments], capture_output=True, text=True, check=False, cwd=cwd, timeout=80
    )


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """A reference server's URL."""
    command = [*MAILPROOF, "serve", "--smtp", "0", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield json.loads(server.stdout.readline())["smtp"]
        server.stdin.close()


def test_a_lawful_server_holds_and_its_result_is_written(target: str, tmp_path: Path) -> None:
    done = conform(target, "--only", "smtp.rset.*", "--junit", "junit.xml", "--out", "result", cwd=tmp_path)
    assert done.returncode == ExitCode.HELD, done.stdout + done.stderr
    document = read(tmp_path / "result" / "result.json")
    assert document.conformance is not None
    assert {case.verdict for case in document.conformance.cases} <= {"pass", "not-applicable"}
    assert (tmp_path / "result" / "report.html").exists()
    assert ET.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"


def test_what_could_not_be_put_to_the_server_says_why(target: str, tmp_path: Path) -> None:
    done = conform(target, "--only", "smtp.vrfy.no-false-250#declared", "--out", "result", cwd=tmp_path)
    assert done.returncode == ExitCode.INCONCLUSIVE, done.stdout
    document = read(tmp_path / "result" / "result.json")
    assert document.conformance is not None
    assert document.conformance.cases[0].got == (
        "needs an address that the server rejects in the session (addresses.rejected)"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no target: give at least one URL"),
        (["http://x"], "expected a URL such as smtp://"),
        (["smtp://127.0.0.1:9", "--only", "nothing.*"], '--only "nothing.*" matches no case'),
        (["smtp://127.0.0.1:9", "--profile", "nobody"], "there is no profile nobody"),
        (["smtp://127.0.0.1:9", "--set", "1999.1"], "there is no requirement set 1999.1"),
        (["smtp://127.0.0.1:9", "--options", "nowhere.toml"], "cannot read nowhere.toml"),
        (["smtp://127.0.0.1:9", "--accepted", "a>b"], "--accepted"),
        (["smtp://127.0.0.1:9", "--baseline", "nowhere.toml"], "cannot read nowhere.toml"),
    ],
)
def test_an_operators_mistake_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    done = conform(*arguments, cwd=tmp_path)
    assert done.returncode == ExitCode.OPERATOR_ERROR, done.stderr
    assert sentence in done.stderr
    assert done.stderr.startswith("mailproof: ")
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_cannot_be_judged(tmp_path: Path) -> None:
    done = conform("smtp://127.0.0.1:9", "--only", "smtp.rset.*", cwd=tmp_path)
    assert done.returncode == ExitCode.INCONCLUSIVE
    assert "cannot be judged" in done.stderr


def test_the_list_needs_no_server(tmp_path: Path) -> None:
    done = conform("--list", "--profile", "smtp-mx", cwd=tmp_path)
    assert done.returncode == ExitCode.HELD
    assert "smtp.rset.clears-envelope" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("all ")


def test_a_passive_requirement_can_be_asked_for_alone_and_json_written(target: str, tmp_path: Path) -> None:
    chosen = ["--only", "smtp.reply.crlf", "--skip", "smuggle.*"]
    done = conform(target, *chosen, "--json", "a/result.json", "--out", "o", cwd=tmp_path)
    assert done.returncode == ExitCode.HELD, done.stdout + done.stderr
    result = read(tmp_path / "a" / "result.json").conformance
    assert result is not None
    assert (result.planned, [(case.id, case.verdict) for case in result.cases]) == (1, [("smtp.reply.crlf", "pass")])


def test_only_with_its_profile_a_server_is_asked_as_over_x25(target: str, tmp_path: Path) -> None:
    verdicts = {}
    for profile, given in (("rfc1090", ("--profile", "rfc1090")), ("none", ())):
        conform(target, "--only", "smtp.x25.after-quit", *given, "--out", profile, cwd=tmp_path)
        document = read(tmp_path / profile / "result.json")
        assert document.conformance is not None
        verdicts[profile] = [case.verdict for case in document.conformance.cases]
    assert verdicts == {"rfc1090": ["observed"], "none": ["not-applicable"]}


def test_a_known_failure_that_is_gone_is_told(target: str, tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(
        '[[known]]\nid = "smtp.rset.replies-250"\nreason = "the next release"\nexpires = 9999-01-01\n'
    )
    done = conform(target, "--only", "smtp.rset.*", "--baseline", "known.toml", "--out", "o", cwd=tmp_path)
    assert done.returncode == ExitCode.HELD, done.stdout + done.stderr
    assert "smtp.rset.replies-250 fails no more (pass)" in " ".join(done.stdout.split())


def test_the_doctor_says_what_is_missing_and_what_it_would_unlock(target: str, tmp_path: Path) -> None:
    command = [*MAILPROOF, "doctor", target, "--accepted", "user1@example.test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=80)
    assert done.returncode == ExitCode.HELD, done.stderr
    assert "an address that the server rejects in the session (addresses.rejected): would unlock" in done.stdout
    assert "is the server's own choice:\n" in done.stdout
    assert "\nis there:\n  an address that the server accepts (" in done.stdout


def test_what_a_server_sends_on_is_seen_at_the_sink(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        sink = f"127.0.0.1:{free.getsockname()[1]}"
    (tmp_path / "options.toml").write_text(
        '[addresses]\naccepted = ["user1@example.test"]\n[accounts]\nsmtp = [["user1", "secret1"]]\n'
        f'[allow]\nleave_mail = true\n[sink]\nsmtp = "{sink}"\ndomain = "sink.test"\n'
    )
    command = [*MAILPROOF, "serve", "--smtp", "0", "--route", f"sink.test={sink}", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        url = json.loads(server.stdout.readline())["smtp"]
        only = ["--only", "relay.plain#[!t]*", "--only", "smuggle.out.*", "--only", "bounce.[!n]*"]
        done = conform(url, "--options", "options.toml", *only, "--out", "o", cwd=tmp_path)
        server.stdin.close()
    assert done.returncode == ExitCode.HELD, done.stdout + done.stderr
    document = read(tmp_path / "o" / "result.json")
    assert document.conformance is not None
    assert {case.verdict for case in document.conformance.cases} == {"pass"}
