"""The GitHub action: its file fits the published schema, inputs never become shell, and its steps do what they say.

The steps are run as the runner would, with the environment that `action.yml` gives them, against the reference server.
"""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from reports.ci_cli import ci_command
from tests.packaging.published import CHECKOUT, Node, complaints, lint, parsed

pytestmark = pytest.mark.timeout(120)     # real processes

TEXT = (CHECKOUT / "action.yml").read_text(encoding="utf-8")
ACTION = parsed(TEXT)
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
MAILPROOF = [sys.executable, "-m", "mailproof"]
# The same server with a fault: `serve` has none to offer.
FAULTY = """
import functools, conformance.serve_cli
from conformance.refserver.behaviour import Behaviour
from conformance.refserver.faults import FAULTS
import mailproof
conformance.serve_cli.Behaviour = functools.partial(Behaviour, faults=(FAULTS["rset-220"],))
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


def table(node: Node) -> dict[str, Node]:
    assert isinstance(node, dict)
    return node


def steps() -> list[dict[str, Node]]:
    found = table(ACTION["runs"])["steps"]
    assert isinstance(found, list)
    return [table(step) for step in found]


def step_called(name: str) -> dict[str, Node]:
    [step] = [step for step in steps() if step["name"] == name]
    return step


@dataclass
class Job:
    """A job that uses the action: what the runner hands to the steps, and what they leave."""

    inputs: Mapping[str, str]
    directory: Path
    said: str = ""

    def value_of(self, expression: str) -> str:
        """Return what an expression of the action stands for. Steps before `ci` are stood in for."""
        scope, *path = expression.strip().split(".")
        if scope == "inputs":
            return self.inputs.get(path[0], str(table(table(ACTION["inputs"])[path[0]]).get("default", "")))
        if path[0] == "install":
            return str(self.directory / "mailproof")
        assert path[:2] == ["ci", "outputs"], expression
        return self.outputs().get(path[2], "")

    def outputs(self) -> dict[str, str]:
        lines = (self.directory / "output").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def run(self, step: dict[str, Node]) -> int:
        """Run a step's lines as the runner does, and return its exit status."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "MAILPROOF"))}
        given = {
            name: EXPRESSION.sub(lambda found: self.value_of(found[1]), str(value))
            for name, value in table(step["env"]).items()
        }
        told = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
        done = subprocess.run(
            [*bash, str(step["run"])], cwd=self.directory, check=False, env={**kept, **told, **given}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
        )  # fmt: skip
        self.said += done.stdout
        return done.returncode

    def judged(self) -> int:
        """Run the steps that judge, and return the status that the job ends with."""
        assert self.run(step_called("Judge the server")) == 0, self.said
        return self.run(step_called("Verdict"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job whose installed command is this checkout's."""
    command = tmp_path / "mailproof"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mailproof "$@"\n')
    command.chmod(0o755)
    (tmp_path / "output").touch()
    (tmp_path / "small.toml").write_text(SMALL)
    return Job({}, tmp_path)


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Run a reference server, and yield its URLs."""
    arguments = ["serve", "--smtp", "0", "--pop3", "0", "--account-count", "5", "--until-eof"]
    with subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        ready = json.loads(server.stdout.readline())
        yield f"{ready['smtp']}\n{ready['pop3']}"
        server.stdin.close()


def test_the_action_fits_the_published_schema() -> None:
    assert complaints(TEXT, "vendor.github-actions") == []


def test_the_schema_is_one_that_can_be_broken() -> None:
    assert complaints(TEXT.replace("shell: bash", "shel: bash"), "vendor.github-actions") != []


def test_no_input_becomes_text_of_a_shell() -> None:
    for step in steps():
        assert not EXPRESSION.search(str(step.get("run", "")))


def test_every_expression_names_something_that_there_is() -> None:
    ids = {str(step["id"]) for step in steps() if "id" in step}
    for expression in EXPRESSION.findall(TEXT):
        scope, name = expression.strip().split(".")[:2]
        assert name in (table(ACTION["inputs"]) if scope == "inputs" else ids), expression


def test_every_input_is_used_and_every_variable_is_one_that_the_command_reads() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", TEXT.partition("\nruns:")[2]))
    assert used == set(table(ACTION["inputs"]))
    source = Path(ci_command.__code__.co_filename).read_text(encoding="utf-8")
    known = set(re.findall(r'"(MAILPROOF_[A-Z_]+)"', source))
    assert {name for name in table(step_called("Judge the server")["env"]) if name != "MAILPROOF"} == known


def test_results_are_uploaded_and_the_verdict_is_given_whatever_happened() -> None:
    names = [step["name"] for step in steps()]
    assert names[-2:] == ["Upload the results", "Verdict"]
    assert all(str(step["if"]).startswith("always()") for step in steps()[-2:])


@pytest.mark.parametrize("step", [step for step in steps() if "run" in step], ids=lambda step: step["name"])
def test_the_lines_of_a_step_are_sound_shell(step: dict[str, Node], tmp_path: Path) -> None:
    script = tmp_path / "step"
    script.write_text(f"#!/bin/bash\n{step['run']}\n")
    subprocess.run(["bash", "-n", script], check=True)
    assert lint("shellcheck", script) == ""


def test_a_server_that_conforms_holds_and_a_baseline_that_is_missing_is_said(job: Job) -> None:
    with serving(*MAILPROOF) as target:
        job.inputs = {
            "target": target, "only": "smtp.rset.*\npop3.noop.*", "scenario": "small.toml", "baseline": "gone",
            "settings": 'session.0.messages=2\n\nload.pause_max="5s"\n', "repeat": "1",
            "gates": "messages.accepted >= 12",
        }  # fmt: skip
        status = job.judged()
    told = job.outputs()
    # The machine may be too busy for a load that can be believed; then that is the verdict.
    assert (status, told["valid"]) in {(0, "pass"), (3, "inconclusive")}, job.said
    assert (told["exit-code"], told["correct"], told["results"]) == (str(status), "pass", "mailproof-results")
    assert "nothing was compared: there is no baseline at gone yet" in (job.directory / "summary").read_text()
    results = job.directory / "mailproof-results"
    load = json.loads((results / "load/result.json").read_text())
    assert load["ledger"]["delivered_once"] == 12
    assert [(gate["metric"], gate["verdict"]) for gate in load["gates"]] == [("messages.accepted", "pass")]
    suites = sorted((results / "junit").iterdir())
    assert [(path.name, ET.parse(path).getroot().tag) for path in suites] == [
        ("conformance.xml", "testsuites"), ("load.xml", "testsuites"),
    ]  # fmt: skip
    # What the commands print is not obeyed: it may hold a server's words.
    stops = re.findall(r"^::stop-commands::(\w{32})$", job.said, re.MULTILINE)
    assert len(set(stops)) == 2
    assert all(f"\n::{token}::\n" in job.said for token in stops)


def test_a_fault_fails_the_job_and_is_named(job: Job) -> None:
    with serving(sys.executable, "-c", FAULTY) as target:
        job.inputs = {"target": target, "only": "smtp.rset.*"}
        assert job.judged() == 1, job.said
    assert job.outputs()["correct"] == "fail"
    assert re.search(r"^::error title=mailproof%3A smtp\.rset\.\S+ failed::", job.said, re.MULTILINE)
    summary = (job.directory / "summary").read_text()
    assert summary.startswith("## ❌ mailproof: a gate, a delivery or a case failed (exit 1)")
    assert "| FAIL | smtp.rset." in summary
    failures = ET.parse(job.directory / "mailproof-results/junit/conformance.xml").getroot().get("failures")
    assert failures is not None
    assert int(failures) > 0


def test_a_server_that_is_not_there_is_no_pass(job: Job) -> None:
    job.inputs = {"target": "smtp://127.0.0.1:9", "only": "smtp.rset.*"}
    assert job.judged() == 3, job.said
    assert job.outputs()["exit-code"] == "3"


def test_a_verdict_that_was_never_come_to_is_no_pass(job: Job) -> None:
    assert job.run(step_called("Verdict")) == 4


def stub(path: Path, lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("version", "installed"),
    [
        ("", ["--constraint", f"{CHECKOUT}/constraints.txt", f"{CHECKOUT}"]),
        ("0.1.0", ["mailproof==0.1.0"]),
        ("$(touch x) `touch x` ; touch x", ["mailproof==$(touch x) `touch x` ; touch x"]),
    ],
)
def test_what_is_installed_is_this_checkout_or_a_release(tmp_path: Path, version: str, installed: list[str]) -> None:
    venv = tmp_path / "with a blank" / "venv"
    pip = stub(tmp_path / "pip", f'printf "%s\\n" "$@" >"{tmp_path}/asked"')
    stub(tmp_path / "version", "echo mailproof 0.1.0")
    python = stub(
        tmp_path / "python",
        f'mkdir -p "$3/bin"; cp "{pip}" "$3/bin/python"; cp "{tmp_path}/version" "$3/bin/mailproof"',
    )
    environment = {**os.environ, "PYTHON": str(python), "VERSION": version, "GITHUB_OUTPUT": str(tmp_path / "output")}
    command = [CHECKOUT / ".ci/install-for-action", venv]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["-m", "pip", "--disable-pip-version-check", "--quiet", "install", *installed]
    assert (tmp_path / "output").read_text() == f"mailproof={venv}/bin/mailproof\n"
    assert not (tmp_path / "x").exists()
