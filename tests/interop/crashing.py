"""What kills a server amid a load and starts it again, as an operator would type it, and the load around it."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.interop.child import child, free_ports
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import Certificate
from tests.interop.postfix import running_postfix
from tests.interop.test_run import CHECKOUT, Document

OURS = {"PYTHONPATH": str(CHECKOUT)}
SCENARIO = """
[scenario]
name = "crash"

[accounts]
count = 100

[load]
model = "open"
arrivals = [{{shape = "constant", rate = {rate}, for = "{seconds}s"}}]
drain = "60s"

[crash]
at = "{at}"

[[session]]
kind = "smtp-deliver"
messages = {{uniform = [1, 2]}}
recipients = {{uniform = [1, 3]}}
pipelining = "if-offered"

[ledger]
verify = true
settle = "{settle}"

[[gate]]
metric = "errors.share"
equals = 0
"""


class Target:
    """A server on loopback, and the command that kills all of it and starts it again."""

    def __init__(self, smtp: str, pop3: str, command: str) -> None:
        self.smtp = smtp
        self.pop3 = pop3
        self.command = command


@contextlib.contextmanager
def postfix_to_kill(certificate: Certificate, dovecot: Dovecot, directory: Path) -> Iterator[Target]:
    """Give a Postfix that takes mail faster than it delivers it, so that its queue is not empty when it is killed."""
    pid = directory / "pid"
    with running_postfix(certificate, dovecot, deliverers=1) as postfix, _ended(pid):
        pid.write_text(str(postfix.pid))
        queues = " ".join(str(postfix.queue / name) for name in ("incoming", "active", "deferred"))
        command = (
            f"kill -9 -$(cat {pid}); echo in the queue: $(find {queues} -type f | wc -l); sleep 0.5; "
            f"setsid env {postfix.command} & echo $! >{pid}"
        )
        assert postfix.system.smtp is not None
        assert postfix.system.pop3 is not None
        yield Target(postfix.system.smtp, postfix.system.pop3, command)


@contextlib.contextmanager
def ours_in_memory(directory: Path) -> Iterator[Target]:
    """Give a reference server that keeps mail in memory."""
    smtp, pop3 = free_ports(2)
    pid, log = directory / "pid", directory / "log"
    serve = [sys.executable, "-m", "mailproof", "serve", f"--smtp={smtp}", f"--pop3={pop3}"]
    with child(serve, log=log, environment=OURS) as server, _ended(pid):
        server.wait_until_it_answers(pop3)
        pid.write_text(str(server.process.pid))
        again = f"PYTHONPATH={CHECKOUT} {shlex.join(serve)} >>{log} 2>&1"
        command = f"kill -9 $(cat {pid}); setsid env {again} & echo $! >{pid}"
        yield Target(f"smtp://127.0.0.1:{smtp}", f"pop3://127.0.0.1:{pop3}", command)


@contextlib.contextmanager
def _ended(pid: Path) -> Iterator[None]:
    """End what the command has started when the block ends, by its process group."""
    try:
        yield
    finally:
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid.read_text()), signal.SIGKILL)


def crashed(
    target: Target, directory: Path, *, settle: str, seconds: int = 4, rate: int = 25, at: str = "33%",
    options: Sequence[str] = (),
) -> tuple[int, Document]:   # fmt: skip
    """Run a load as a person would, crash included; return the exit status and result.json."""
    (directory / "crash.toml").write_text(SCENARIO.format(settle=settle, seconds=seconds, rate=rate, at=at))
    ran = subprocess.run(
        [sys.executable, "-m", "mailproof", "run", "crash.toml", "--smtp", target.smtp, "--pop3", target.pop3,
         "--crash", target.command, "--out", "out", *options],
        cwd=directory, env={**os.environ, **OURS}, capture_output=True, text=True, timeout=seconds + 200, check=False,
    )   # fmt: skip
    result = directory / "out" / "result.json"
    assert result.exists(), f"exit code {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    document: Document = json.loads(result.read_text())
    return ran.returncode, document
