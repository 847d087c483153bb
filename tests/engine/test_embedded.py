"""The embedded server's process: it starts, it ends when we do, and what it says before its time is one sentence."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import trio
from msgspec import structs

from loadgen.engine import embedded
from loadgen.engine.embedded import embedded_server
from loadgen.scenario.accounts import AccountBook, open_accounts
from loadgen.scenario.model import Scenario
from reports.errors import PreconditionFailed, UserError
from reports.exit_codes import ExitCode
from tests.engine.house import scenario_of

LOAD = '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n[[session]]\nkind = "smtp-deliver"\n'
EMBEDDED = '[target]\nsmtp = "embedded"\nvariants = ["greylistin=5s"]'
READY = "import sys; print('{\"smtp\": \"smtp://127.0.0.1:2525\"}', flush=True); "
ROOT = Path(__file__).parents[2]


def given() -> tuple[Scenario, AccountBook]:
    scenario = scenario_of(LOAD)
    return scenario, open_accounts(scenario.accounts, environ={})


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_it_is_ready_when_it_says_so_and_ends_with_the_run() -> None:
    async with embedded_server(*given(), command=python(READY + "sys.stdin.read()")) as server:
        assert server.ready.smtp == "smtp://127.0.0.1:2525"
        assert server.complaint() is None
        assert os.getsid(server.process.pid) != os.getsid(0), "Ctrl-C is sent to our session, and must not reach it"
    assert server.process.returncode == 0


async def test_it_is_made_to_end_if_it_does_not_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "END_LIMIT_S", 0.05)
    async with embedded_server(*given(), command=python(READY + "import time; time.sleep(60)")) as server:
        pass
    assert server.process.returncode == -signal.SIGKILL


async def test_it_ends_though_the_run_is_cancelled() -> None:
    with trio.CancelScope() as run:
        async with embedded_server(*given(), command=python(READY + "sys.stdin.read()")) as server:
            run.cancel()
            await trio.sleep_forever()
    assert server.process.returncode == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.stderr.write('mailproof: port 25 is not ours\\n'); sys.exit(3)", ": port 25 is not ours"),
        ("raise OSError('a traceback\\x1b[2J')", ": OSError: a traceback"),
        ("pass", ""),
        ("print('hello')", ""),
    ],
)
async def test_a_server_that_does_not_start_is_one_sentence(code: str, words: str) -> None:
    with pytest.raises(PreconditionFailed) as raised:
        async with embedded_server(*given(), command=python(code)):
            pytest.fail("it did not start")
    assert str(raised.value).startswith(f"the embedded server did not start{words}")
    assert str(raised.value).isprintable()
    assert raised.value.exit_code is ExitCode.INCONCLUSIVE


async def test_a_server_that_was_asked_for_nonsense_is_the_operators_to_put_right() -> None:
    scenario = scenario_of(LOAD, head=EMBEDDED)
    with pytest.raises(UserError) as raised:
        async with embedded_server(scenario, open_accounts(scenario.accounts, environ={})):
            pytest.fail("it did not start")
    assert "the embedded server will not start: --variant 'greylistin=5s': there is no variant" in str(raised.value)
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


async def test_a_server_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_LIMIT_S", 0.05)
    with pytest.raises(PreconditionFailed, match="did not start"):
        async with embedded_server(*given(), command=python("import sys; sys.stdin.read()")):
            pytest.fail("it never said that it was ready")


async def test_a_command_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed, match=r"^the embedded server cannot be started: No such file"):
        async with embedded_server(*given(), command=[str(tmp_path / "none")]):
            pytest.fail("there is nothing to start")


async def test_a_server_that_dies_during_the_run_is_complained_of() -> None:
    code = READY + "sys.stdin.readline(); sys.exit('out of maildrops')"
    async with embedded_server(*given(), command=python(code)) as server:
        assert server.process.stdin is not None
        await server.process.stdin.send_all(b"die\n")
        await server.process.wait()
        assert server.complaint() == "the embedded server ended during the run: out of maildrops"


async def test_a_secret_of_the_environment_does_not_get_into_the_list_of_processes() -> None:
    accounts = scenario_of(LOAD).accounts
    secret = open_accounts(structs.replace(accounts, password="env:SECRET"), environ={"SECRET": "s"})
    with pytest.raises(UserError, match=r"accounts\.password") as raised:
        async with embedded_server(scenario_of(LOAD), secret):
            pytest.fail("it must not start")
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


def test_it_ends_when_we_are_killed() -> None:
    generator = textwrap.dedent(f"""
        import sys, trio
        from loadgen.engine.embedded import embedded_server
        from tests.engine.test_embedded import READY, given, python

        async def main():
            async with embedded_server(*given(), command=python({READY + "sys.stdin.read()"!r})) as server:
                print(server.process.pid, flush=True)
                await trio.sleep_forever()

        trio.run(main)
    """)
    with subprocess.Popen([sys.executable, "-c", generator], stdout=subprocess.PIPE, cwd=ROOT) as ours:
        assert ours.stdout is not None
        server = int(ours.stdout.readline())
        assert not is_gone(server)
        ours.kill()
    while not is_gone(server):      # the test's own time limit ends this if it is an orphan for good
        os.sched_yield()


ITS_PORT = 'import sys; port = next(each for each in sys.argv if each.startswith("--smtp=")).partition("=")[2]\n'
SERVES_THERE = """print('{"smtp": "smtp://127.0.0.1:%s"}' % (port if port != "0" else 2599), flush=True)\n"""


async def test_killed_and_started_again_it_is_where_it_was() -> None:
    async with embedded_server(*given(), command=python(f"{ITS_PORT}{SERVES_THERE}sys.stdin.read()")) as server:
        before, ready = server.process, server.ready
        assert await server.restart() is None
        assert before.returncode == -9
        assert server.process.pid != before.pid
        assert server.ready == ready
        assert isinstance(server.process.args, list)
        assert "--smtp=2599" in server.process.args
        assert server.complaint() is None
    assert server.process.returncode == 0


async def test_one_that_does_not_come_back_says_why() -> None:
    dies = f"{ITS_PORT}if port != '0': sys.exit('its port is taken')\n{SERVES_THERE}sys.stdin.read()"
    async with embedded_server(*given(), command=python(dies)) as server:
        assert await server.restart() == "the embedded server did not start: its port is taken"


async def test_maildrops_that_are_to_outlive_it_are_in_a_directory_of_the_run() -> None:
    scenario, book = given()
    kept = structs.replace(scenario, target=structs.replace(scenario.target, store="maildir"))
    async with embedded_server(kept, book, command=python(READY + "sys.stdin.read()")) as server:
        [option] = [each for each in server.arguments if each.startswith("--maildir=")]
        directory = trio.Path(option.partition("=")[2])
        assert await directory.is_dir()
    assert not await directory.exists()
