"""`run --crash`: what was answered 250 outlives a kill -9 of all of Postfix, and not one of a server in memory."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.interop.child import child, free_ports
from tests.interop.conftest import or_skip
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import Certificate
from tests.interop.postfix import running_postfix
from tests.interop.test_run import CHECKOUT, HELD, INCONCLUSIVE, Document

FAILED = 1
DELIVER = """
[scenario]
name = "crash"

[accounts]
count = 100

[load]
model = "open"
arrivals = [{shape = "constant", rate = 25, for = "4s"}]
drain = "30s"

[crash]
at = "33%"

[[session]]
kind = "smtp-deliver"
messages = {uniform = [1, 2]}
recipients = {uniform = [1, 3]}
pipelining = "if-offered"

[ledger]
verify = true
settle = "SETTLE"

[[gate]]
metric = "errors.share"
equals = 0
"""


def crashed(smtp: str, pop3: str, command: str, directory: Path, *, settle: str) -> tuple[int, Document]:
    """Run the load as a person would, crash included; return the exit status and result.json."""
    (directory / "crash.toml").write_text(DELIVER.replace("SETTLE", settle))
    ran = subprocess.run(
        [sys.executable, "-m", "mailproof", "run", "crash.toml", "--smtp", smtp, "--pop3", pop3, "--crash", command,
         "--out", "out"],
        cwd=directory, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, timeout=100,
        check=False,
    )   # fmt: skip
    result = directory / "out" / "result.json"
    assert result.exists(), f"exit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    document: Document = json.loads(result.read_text())
    return ran.returncode, document


@contextlib.contextmanager
def ended(pid_file: Path) -> Iterator[None]:
    """End what the command has started when the block ends, by its process group."""
    try:
        yield
    finally:
        if pid_file.exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid_file.read_text()), signal.SIGKILL)


def outage_of(document: Document, protocol: str) -> Document:
    [moment] = document["load"]["crash"]["moments"]
    assert (moment["exit_code"], moment["trouble"]) == (0, None), moment
    [outage] = [each for each in moment["outages"] if each["protocol"] == protocol]
    seen: Document = outage
    return seen


def test_the_queue_of_postfix_survives_a_kill_of_all_its_processes(
    certificate: Certificate, dovecot_server: Dovecot, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    with or_skip(), running_postfix(certificate, dovecot_server, deliverers=1) as postfix, ended(pid_file):
        queues = " ".join(str(postfix.queue / name) for name in ("incoming", "active", "deferred"))
        command = (
            f"kill -9 -{postfix.pid}; echo in the queue: $(find {queues} -type f | wc -l); "
            f"rm -f {postfix.queue}/pid/master.pid; sleep 0.5; "
            f"setsid env {postfix.command} & echo $! >{pid_file}"
        )
        assert postfix.system.smtp is not None
        assert postfix.system.pop3 is not None
        status, document = crashed(postfix.system.smtp, postfix.system.pop3, command, tmp_path, settle="30s")
    outage = outage_of(document, "smtp")
    assert outage["refused"] >= 1
    assert outage["back_ns"] is not None
    output = document["load"]["crash"]["moments"][0]["output"]
    queued = re.search(r"in the queue: (\d+)", output)
    assert queued is not None, output
    assert int(queued[1]) >= 1, "else nothing had to survive"
    ledger = document["ledger"]
    assert ledger["accepted"] == ledger["delivered_once"] + ledger["duplicate_lawful"] > 60, ledger
    assert (ledger["lost"], ledger["corrupt"], ledger["misdelivered"], ledger["pending"]) == (0, 0, 0, 0)
    assert (document["verdicts"]["correct"], document["verdicts"]["fast_enough"]) == ("pass", "pass")
    assert status in {HELD, INCONCLUSIVE}, "inconclusive if this machine was too busy"


def test_a_server_in_memory_loses_all_it_had_said_250_to_and_is_caught(tmp_path: Path) -> None:
    smtp, pop3 = free_ports(2)
    pid_file, log = tmp_path / "pid", tmp_path / "log"
    serve = [sys.executable, "-m", "mailproof", "serve", f"--smtp={smtp}", f"--pop3={pop3}"]
    with child(serve, log=log, environment={"PYTHONPATH": str(CHECKOUT)}) as server, ended(pid_file):
        server.wait_until_it_answers(pop3)
        again = f"PYTHONPATH={CHECKOUT} {shlex.join(serve)} >>{log} 2>&1"
        command = f"kill -9 {server.process.pid}; setsid env {again} & echo $! >{pid_file}"
        urls = f"smtp://127.0.0.1:{smtp}", f"pop3://127.0.0.1:{pop3}"
        status, document = crashed(*urls, command, tmp_path, settle="1s")
    ledger, moment = document["ledger"], document["load"]["crash"]["moments"][0]
    assert outage_of(document, "smtp")["refused"] >= 1
    # Sessions are milliseconds long: what was accepted in the seconds before the kill is gone, to the last message.
    before = sum(document["load"]["timeline"]["messages_accepted"][: moment["at_ns"] // 1_000_000_000])
    assert before > 0
    assert ledger["lost"] >= before
    assert ledger["lost"] + ledger["delivered_once"] == ledger["accepted"]
    assert document["verdicts"]["correct"] == "fail"
    assert status in {FAILED, INCONCLUSIVE}, "inconclusive if this machine was too busy"
