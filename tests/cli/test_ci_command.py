"""`mailproof ci` as a CI job runs it, against a server: its exit status, what it leaves, and what GitHub reads."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reports.exit_codes import ExitCode

pytestmark = pytest.mark.timeout(90)     # real processes

MAILPROOF = [sys.executable, "-m", "mailproof"]
# The same server with a fault: `serve` has none to offer.
FAULTY = """
import functools, conformance.cli
from conformance.refserver.behaviour import Behaviour
from conformance.refserver.faults import FAULTS
import mailproof
conformance.cli.Behaviour = functools.partial(Behaviour, faults=(FAULTS["rset-220"],))
mailproof.main()
"""
SMALL = """
[scenario]
name = "small"
[accounts]
count = 5
[load]
model = "closed"
virtual_users = 2
sessions = 6
[[session]]
kind = "smtp-deliver"
[ledger]
verify = true
settle = "5s"
"""


@contextmanager
def serving(*command: str) -> Iterator[list[str]]:
    """Run a reference server, and yield its URLs."""
    arguments = ["serve", "--smtp", "0", "--pop3", "0", "--account-count", "5", "--until-eof"]
    with subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        ready = json.loads(server.stdout.readline())
        yield [ready["smtp"], ready["pop3"]]
        server.stdin.close()


def ci(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MAILPROOF_"))}
    return subprocess.run(
        [*MAILPROOF, "ci", *arguments], capture_output=True, text=True, check=False, cwd=cwd, timeout=80,
        env={**environment, **variables},
    )  # fmt: skip


def outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_a_server_that_conforms_holds_and_github_is_told(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    with serving(*MAILPROOF) as urls:
        done = ci(
            cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_OUTPUT=str(tmp_path / "output"),
            GITHUB_STEP_SUMMARY=str(tmp_path / "summary"), MAILPROOF_TARGET=" ".join(urls),
            MAILPROOF_ONLY="smtp.rset.*\npop3.noop.*\n", MAILPROOF_SCENARIO="small.toml", MAILPROOF_PROFILE="",
            MAILPROOF_SET="session.0.messages=2\n\nload.pause_max=\"5s\"\n", MAILPROOF_BASELINE="gone",
            MAILPROOF_REPEAT="1", MAILPROOF_OUT="here",
        )  # fmt: skip
    told = outputs(tmp_path / "output")
    assert {name: told[name] for name in ("exit-code", "correct", "results")} == {
        "exit-code": str(done.returncode), "correct": "pass", "results": "here",
    }  # fmt: skip
    # The machine may be too busy for a load that can be believed; then it is the load that says so.
    assert (done.returncode, told["valid"]) in {(ExitCode.HELD, "pass"), (ExitCode.INCONCLUSIVE, "inconclusive")}
    assert "nothing was compared: there is no baseline at gone yet" in (tmp_path / "summary").read_text()
    assert json.loads((tmp_path / "here/load/result.json").read_text())["ledger"]["delivered_once"] == 12
    suites = sorted((tmp_path / "here/junit").iterdir())
    assert [(path.name, ET.parse(path).getroot().tag) for path in suites] == [
        ("conformance.xml", "testsuites"), ("load.xml", "testsuites"),
    ]  # fmt: skip
    # What the commands print is not obeyed: it may hold a server's words.
    stops = re.findall(r"^::stop-commands::(\w{32})$", done.stdout, re.MULTILINE)
    assert len(set(stops)) == 2
    assert all(f"\n::{token}::\n" in done.stdout for token in stops)


def test_a_fault_fails_and_is_named(tmp_path: Path) -> None:
    with serving(sys.executable, "-c", FAULTY) as urls:
        done = ci(*urls, "--only", "smtp.rset.*", "--out", "here", cwd=tmp_path, GITHUB_ACTIONS="true")
    assert done.returncode == ExitCode.FAILED, done.stdout + done.stderr
    assert re.search(r"^::error title=mailproof%3A smtp\.rset\.\S+ failed::", done.stdout, re.MULTILINE)
    summary = (tmp_path / "here/summary.md").read_text()
    assert summary.startswith("## ❌ mailproof: a gate, a delivery or a case failed (exit 1)")
    assert "| FAIL | smtp.rset." in summary
    failures = ET.parse(tmp_path / "here/junit/conformance.xml").getroot().get("failures")
    assert failures is not None
    assert int(failures) > 0


def test_a_server_that_is_not_there_is_inconclusive_and_no_pass(tmp_path: Path) -> None:
    done = ci("smtp://127.0.0.1:9", "--only", "smtp.rset.*", "--out", "here", cwd=tmp_path)
    assert done.returncode == ExitCode.INCONCLUSIVE, done.stdout + done.stderr
    assert "exit 3: inconclusive" in done.stdout
