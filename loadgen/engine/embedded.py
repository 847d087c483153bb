"""The embedded target: the reference server, in a process of its own.

It is started as the command it is, `mailproof serve`, and found by the line it prints when it is ready.
It never shares the generator's event loop, and ends when its standard input closes: also when we die.
"""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio

from loadgen.scenario.accounts import AccountBook
from loadgen.scenario.model import Accounts
from reports.errors import PreconditionFailed

START_LIMIT_S = 30.0
END_LIMIT_S = 5.0
SERVE = (sys.executable, "-m", "mailproof", "serve")


class Ready(msgspec.Struct, frozen=True):
    """The line `mailproof serve` prints: where each protocol listens, and whom to trust."""

    smtp: str | None = None
    lmtp: str | None = None
    pop3: str | None = None
    smtps: str | None = None
    pop3s: str | None = None
    ca_file: str | None = None


@asynccontextmanager
async def embedded_server(accounts: Accounts, book: AccountBook) -> AsyncIterator[Ready]:
    """Run the reference server with a scenario's accounts. Raises PreconditionFailed if it does not come up."""
    process = await trio.lowlevel.open_process(
        [*SERVE, *_options(accounts, book)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,       # Ctrl-C is for the generator, which drains; the server must outlive that
    )
    try:
        yield await _ready(process)
    finally:
        await _end(process)


def _options(accounts: Accounts, book: AccountBook) -> list[str]:
    """Return the options that make the reference server serve these accounts, on ports of its choice."""
    domains = sorted({book.address(number).rpartition("@")[2] for number in range(1, book.count + 1)})
    ports = [f"--{protocol}=0" for protocol in ("smtp", "lmtp", "pop3", "smtps", "pop3s")]
    return [
        *ports, "--tls", "--until-eof", *(f"--domain={domain}" for domain in domains),
        f"--accounts={accounts.pattern}", f"--account-count={book.count}", f"--password={accounts.password}",
    ]


async def _ready(process: trio.Process) -> Ready:
    assert process.stdout is not None
    line = b""
    with trio.move_on_after(START_LIMIT_S):
        while not line.endswith(b"\n") and (octets := await process.stdout.receive_some()):
            line += octets
    try:
        return msgspec.json.decode(line, type=Ready)
    except msgspec.DecodeError:
        raise PreconditionFailed("the embedded reference server did not start; `mailproof serve` says why") from None


async def _end(process: trio.Process) -> None:
    """End the server by closing its standard input; by force if it does not go."""
    with trio.move_on_after(END_LIMIT_S, shield=True):
        assert process.stdin is not None
        assert process.stdout is not None
        await process.stdin.aclose()
        await process.wait()
        await process.stdout.aclose()
        return
    process.kill()
