"""The operator's command that kills a server and starts it again, run in a shell as it was typed."""

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Final

import trio

from loadgen.wire.printable import printable

OUTPUT_OCTETS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Struck:
    """What came of one attempt to crash the server."""

    exit_code: int | None = None      # None: there was no command to end, or it did not
    output: str = ""                  # the end of what it wrote, made printable line by line
    trouble: str | None = None        # how it failed: the end of a sentence


async def run_command(command: str, limit_s: float) -> Struck:
    """Run a command in a shell until it ends, or for `limit_s`; then it is killed with all it started.

    It is in a session of its own: Ctrl-C is for the generator, and what it leaves running in the background stays.
    Its output goes to a file, since a server that it starts may hold on to it for ever. If this is cancelled, the
    command is killed too.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = await trio.lowlevel.open_process(      # noqa: S604  as the operator typed it on our command line
                command, shell=True, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return Struck(trouble=f"the command cannot be started: {error.strerror}")
        try:
            with trio.move_on_after(limit_s):
                await process.wait()
        finally:
            ended = process.returncode is not None
            if not ended:
                await _kill(process)
        output = _end_of(said)
    if not ended:
        hint = "one that starts a server must leave it in the background (&)"
        return Struck(None, output, f"the command had not ended after {limit_s:g} s, and was killed; {hint}")
    status = process.returncode
    assert status is not None
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return Struck(status, output, f"the command {how}")
    return Struck(status, output)


async def _kill(process: trio.Process) -> None:
    """Kill a command and what it started that is still of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with trio.CancelScope(shield=True):       # bounded: a killed process is gone
        await process.wait()


def _end_of(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - OUTPUT_OCTETS_MAX))
    return "\n".join(printable(line, limit=OUTPUT_OCTETS_MAX) for line in said.read().splitlines()).strip()
