"""`mailproof conform` as a person or a CI job types it: what it says, what it writes, how it ends."""

import json
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
