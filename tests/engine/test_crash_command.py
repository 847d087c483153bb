"""The operator's command: run as typed, bounded, and what it leaves behind."""

import os
import signal
from pathlib import Path

import pytest
import trio

from loadgen.engine.crash_command import OUTPUT_OCTETS_MAX, run_command

SOON_S = 30.0


async def test_it_is_run_in_a_shell_and_what_it_wrote_is_kept() -> None:
    struck = await run_command("echo one; echo two >&2; test -z \"$(cat)\" && printf 'tab\\there'", SOON_S)
    assert (struck.exit_code, struck.trouble) == (0, None)
    assert struck.output == "one\ntwo\ntab\\there"


async def test_one_that_fails_says_with_which_status() -> None:
    struck = await run_command("echo no such service; exit 3", SOON_S)
    assert (struck.exit_code, struck.trouble) == (3, "the command ended with status 3")
    assert struck.output == "no such service"


async def test_one_that_is_killed_says_by_what() -> None:
    struck = await run_command("kill -9 $$", SOON_S)
    assert struck.trouble == "the command was ended by signal 9"


async def test_of_long_output_the_end_is_kept() -> None:
    struck = await run_command("head -c 100000 /dev/zero | tr '\\0' x; echo; echo the end", SOON_S)
    assert struck.output.endswith("x\nthe end")
    assert len(struck.output) <= OUTPUT_OCTETS_MAX


async def test_a_server_that_it_leaves_in_the_background_lives_on_and_is_not_waited_for() -> None:
    struck = await run_command("sleep 60 & echo $!", SOON_S)      # which holds on to our output
    assert struck.trouble is None
    os.kill(int(struck.output), signal.SIGKILL)


async def test_one_that_never_ends_is_killed_with_what_it_started(tmp_path: Path) -> None:
    struck = await run_command(f"sleep 60 & echo $! > {tmp_path / 'pid'}; echo starting; wait", 1.0)
    assert struck.exit_code is None
    assert struck.output == "starting"
    assert struck.trouble is not None
    assert struck.trouble.startswith("the command had not ended after 1 s, and was killed")
    await until_gone(int((tmp_path / "pid").read_text()))


async def test_cancelled_it_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_command, f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 60", SOON_S)
        while not pid.exists():     # noqa: ASYNC110  another process's doing
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert not lives(int(pid.read_text()))


async def test_where_there_is_no_shell_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(trio.lowlevel, "open_process", fail)
    struck = await run_command("true", SOON_S)
    assert struck.trouble == "the command cannot be started: No such file or directory"


async def until_gone(pid: int) -> None:
    """Return when a process has ended that was killed; the test's own limit is the limit."""
    while lives(pid):     # noqa: ASYNC110  the kernel's doing
        await trio.sleep(0.01)


def lives(pid: int) -> bool:
    """Say whether a process is there; one that has ended and was not waited for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
