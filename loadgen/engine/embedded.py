"""The embedded target: the reference server, in a process of its own.

It is started as the command it is, `mailproof serve`, and found by the line it prints when it is ready.
It never shares the generator's event loop, and ends when its standard input closes: also when we die.
"""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import IO

import msgspec
import trio

from loadgen.engine.limits import connections_at_once
from loadgen.scenario.accounts import AccountBook, PatternAccounts
from loadgen.scenario.model import Scenario
from loadgen.wire.printable import printable
from reports.errors import PreconditionFailed, UserError
from reports.exit_codes import ExitCode

START_LIMIT_S = 30.0
END_LIMIT_S = 5.0
SERVE = (sys.executable, "-m", "mailproof", "serve")
LAST_WORDS_OCTETS = 4096
CONNECTIONS_BESIDE = 1000     # to look at it before the load, and to read the maildrops after it


class Ready(msgspec.Struct, frozen=True):
    """The line `mailproof serve` prints: where each protocol listens, and whom to trust."""

    smtp: str | None = None
    lmtp: str | None = None
    pop3: str | None = None
    smtps: str | None = None
    pop3s: str | None = None
    ca_file: str | None = None


    @property
    def ports(self) -> dict[str, str]:
        """Return the port of each protocol, as an option takes it."""
        urls = {"smtp": self.smtp, "lmtp": self.lmtp, "pop3": self.pop3, "smtps": self.smtps, "pop3s": self.pop3s}
        return {name: url.rpartition(":")[2] for name, url in urls.items() if url is not None}


@dataclass(slots=True)
class EmbeddedServer:
    """A reference server that runs, and answered."""

    ready: Ready
    process: trio.Process
    errors: IO[bytes]             # what it writes to standard error
    arguments: Sequence[str] = ()

    async def restart(self) -> str | None:
        """Kill it (SIGKILL) and start it again where it was; return how that failed, None if it did not."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.kill()
        await self.process.wait()
        await self.process.stdin.aclose()
        await self.process.stdout.aclose()
        self.process = await _started(_at_ports(self.arguments, self.ready.ports), self.errors)
        try:
            await _ready(self.process, self.errors)
        except UserError as error:
            return str(error)
        return None

    def complaint(self) -> str | None:
        """Return a sentence if the server has ended, though nobody asked it to; None while it runs."""
        if self.process.poll() is None:
            return None
        return f"the embedded server ended during the run{_last_words(self.errors)}"


@asynccontextmanager
async def embedded_server(
    scenario: Scenario, book: AccountBook, *, command: Sequence[str] = SERVE
) -> AsyncIterator[EmbeddedServer]:
    """Run the reference server with a scenario's accounts.

    Raises PreconditionFailed if it does not come up, and UserError for accounts it cannot be given.
    """
    with ExitStack() as kept:
        options = _options(scenario, book)
        if scenario.target.store == "maildir":
            options.append(f"--maildir={kept.enter_context(tempfile.TemporaryDirectory(prefix='mailproof-'))}")
        async with own_server([*command, *options]) as server:
            yield server


@asynccontextmanager
async def own_server(arguments: Sequence[str]) -> AsyncIterator[EmbeddedServer]:
    """Run a server of ours: a command that says where it listens, and ends when its standard input does.

    Raises PreconditionFailed if it does not come up.
    """
    with tempfile.TemporaryFile() as errors:
        server = EmbeddedServer(Ready(), await _started(arguments, errors), errors, arguments)
        try:
            server.ready = await _ready(server.process, errors)
            yield server
        finally:
            await _end(server.process)


async def _started(arguments: Sequence[str], errors: IO[bytes]) -> trio.Process:
    try:
        return await trio.lowlevel.open_process(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,                # a file, so that it never has to wait for a reader
            start_new_session=True,       # Ctrl-C is for the generator, which drains; the server must outlive that
        )
    except OSError as error:
        raise PreconditionFailed(f"the embedded server cannot be started: {error.strerror}") from None


def _at_ports(arguments: Sequence[str], ports: Mapping[str, str]) -> list[str]:
    """Return a command that asked for any free ports, asking for these."""
    return [f"{name}={ports[name[2:]]}" if port == "0" and name[2:] in ports else argument
            for argument in arguments for name, _, port in [argument.partition("=")]]


def _options(scenario: Scenario, book: AccountBook) -> list[str]:
    """Return the options that make the reference server serve these accounts, on ports of its choice."""
    assert isinstance(book, PatternAccounts), "the scenario's check refuses a list of accounts here"
    if book.password != scenario.accounts.password:
        raise UserError(
            "a password from the environment is for a server of your own: the embedded server would show it in the "
            "list of processes; write one of no worth in accounts.password"
        )
    tls = scenario.target.tls
    protocols = ("smtps", "pop3s") if tls == "implicit" else ("smtp", "lmtp", "pop3")
    numbers = range(1, book.count + 1 if "{n}" in book.pattern.rpartition("@")[2] else 2)
    domains = sorted({book.address(number).rpartition("@")[2] for number in numbers})
    return [
        *(f"--{protocol}=0" for protocol in protocols), *(["--tls"] if tls != "none" else []), "--until-eof",
        *(f"--domain={domain}" for domain in domains),
        *(f"--variant={variant}" for variant in scenario.target.variants),
        f"--max-connections={connections_at_once(scenario) + CONNECTIONS_BESIDE}",
        f"--accounts={book.pattern}", f"--account-count={book.count}", f"--password={book.password}",
    ]


async def _ready(process: trio.Process, errors: IO[bytes]) -> Ready:
    """Wait for the line that says where the server listens. UserError if it says that it was asked for nonsense."""
    assert process.stdout is not None
    line = b""
    with trio.move_on_after(START_LIMIT_S):
        while not line.endswith(b"\n") and (octets := await process.stdout.receive_some()):
            line += octets
    try:
        return msgspec.json.decode(line, type=Ready)
    except msgspec.DecodeError:
        with trio.move_on_after(END_LIMIT_S):
            if await process.wait() == ExitCode.OPERATOR_ERROR:
                raise UserError(f"the embedded server will not start{_last_words(errors)}") from None
        raise PreconditionFailed(f"the embedded server did not start{_last_words(errors)}") from None


async def _end(process: trio.Process) -> None:
    """End the server by closing its standard input; by force if it does not go."""
    assert process.stdin is not None
    assert process.stdout is not None
    with trio.CancelScope(shield=True):       # bounded: a killed process is gone
        await process.stdin.aclose()
        with trio.move_on_after(END_LIMIT_S):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.stdout.aclose()


def _last_words(errors: IO[bytes]) -> str:
    """Return the last line of standard error, as the end of a sentence."""
    errors.seek(max(0, errors.seek(0, 2) - LAST_WORDS_OCTETS))
    lines = errors.read().split(b"\n")
    last = next((line for line in reversed(lines) if line.strip()), b"")
    return f": {printable(last.strip().removeprefix(b'mailproof: '))}" if last else ""
