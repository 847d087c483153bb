"""The command that restarts the server: how it fails is told, and a case goes on only when the server greets again."""

import os
import signal
from pathlib import Path

import pytest
from msgspec import structs
from trio.testing import MockClock

from conformance.case import CASES
from conformance.judgement import CaseVerdict, Force
from conformance.refserver.behaviour import Behaviour
from conformance.restart import run_command
from conformance.runner import Manner, Planned, run_cases
from tests.matrix.laboratory import DECLARED, reference_subject
from tests.session.theatre import Tls


@pytest.mark.parametrize(("command", "trouble"), [
    ("true", None),
    ("false", "it ended with 1"),
    ("mailproof-no-such-command", "[Errno 2] No such file or directory: 'mailproof-no-such-command'"),
    ("an 'open quote", "No closing quotation"),
])  # fmt: skip
async def test_how_a_command_failed_is_told(command: str, trouble: str | None) -> None:
    assert await run_command(command) == trouble


async def test_a_server_that_it_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """It may hold on for ever to whatever its starter wrote to."""
    pid = tmp_path / "pid"
    assert await run_command(f"sh -c 'sleep 60 & echo $! > {pid}'") is None
    os.kill(int(pid.read_text()), signal.SIGKILL)


async def test_a_restart_that_fails_accuses_nobody(tls: Tls, autojump_clock: MockClock) -> None:
    async def fails(command: str) -> str:
        return f"{command} is not permitted"

    declared = structs.replace(DECLARED, claims=structs.replace(DECLARED.claims, restart="to restart"))
    item = Planned(CASES["pop3.uidl.persistent-restart"], Force.BINDING)
    async with reference_subject(tls, Behaviour(), protocol="pop3", declared=declared) as subject:
        subject.run_command = fails
        finding, = await run_cases([item], subject, Manner())
    assert (finding.verdict, finding.got) == (CaseVerdict.INCONCLUSIVE, "claims.restart: to restart is not permitted")
