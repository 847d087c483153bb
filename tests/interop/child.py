"""Start a server as a child, wait until it answers, end it by its process id, and keep what it said."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
# Below the ports the kernel hands to outgoing connections: no client of a large load can take one first.
PORTS = range(20000, 32000)


class DidNotStand(Exception):
    """The server ended, or never answered, while a test waited for it. The message ends with its log."""


@dataclass(frozen=True, slots=True)
class Child:
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_it_answers(self, port: int) -> None:
        """Return when the child has said something to a connection on 127.0.0.1:port."""
        until_s = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until_s:
            if self.process.poll() is not None:
                raise DidNotStand(f"ended with status {self.process.returncode}\n{self.log_tail()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as probe:
                if probe.recv(512):
                    return
            time.sleep(0.02)
        raise DidNotStand(f"did not answer on port {port} within {START_LIMIT_S:.0f} s\n{self.log_tail()}")

    def log_tail(self, lines: int = 60) -> str:
        text = self.log.read_text(errors="backslashreplace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End the child politely, then whatever is left of its session by force."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_LIMIT_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def child(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command in a session of its own until the block ends; its output is appended to the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else {**os.environ, **environment},
            start_new_session=True,  # its process id names its group, so all of it can be ended
        )
    standing = Child(process, log)
    try:
        yield standing
    finally:
        standing.stop()


@contextlib.contextmanager
def home(name: str) -> Iterator[Path]:
    """Yield a fresh directory open to a server's other users; short, for a unix socket's 108 octets."""
    directory = Path(tempfile.mkdtemp(prefix=f"mailproof-{name}-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Return ports nobody listens on. Held together while choosing, so they differ from each other."""
    start = os.getpid() * 16 % len(PORTS)
    with contextlib.ExitStack() as held:
        chosen: list[int] = []
        for port in (*PORTS[start:], *PORTS[:start]):
            trial = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with contextlib.suppress(OSError):
                trial.bind(("127.0.0.1", port))
                chosen.append(port)
            if len(chosen) == count:
                return chosen
    raise DidNotStand(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")
