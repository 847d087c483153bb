"""The load beside the judging, as it is heard: a process is played, and says what `mailproof run` would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, MockClock, memory_stream_one_way_pair

from conformance.beside import LoadBeside, LoadFailed, LoadOrder
from loadgen.endpoint import parse_endpoint
from reports.document import Document, encode
from reports.exit_codes import ExitCode
from reports.progress import LoadNote, LoadProgress, line_of
from reports.verdict import UNJUDGED

DOCUMENT = Document(
    kind="load", mailproof="0", run_id="r", started="2026-01-01T00:00:00Z", verdicts=UNJUDGED, exit_code=0
)


@dataclass
class Played:
    """A process as far as LoadBeside sees it."""

    stdin: MemorySendStream
    stderr: MemoryReceiveStream
    hears: MemoryReceiveStream
    says: MemorySendStream
    returncode: int | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    async def wait(self) -> int:
        await self.ended.wait()
        assert self.returncode is not None
        return self.returncode

    async def end(self, code: int, *last: bytes) -> None:
        for line in last:
            await self.says.send_all(line)
        await self.says.aclose()
        self.returncode = code
        self.ended.set()

    async def at(self, stage: str, elapsed_s: float = 1.0) -> None:
        await self.says.send_all(line_of(LoadProgress(stage=stage, elapsed_s=elapsed_s)).encode())


def played() -> Played:
    stdin, hears = memory_stream_one_way_pair()
    says, stderr = memory_stream_one_way_pair()
    return Played(stdin, stderr, hears, says)


def beside(process: Played, directory: Path, told: Callable[[LoadProgress], None] = lambda _: None) -> LoadBeside:
    return LoadBeside(cast(trio.Process, process), directory, told)


async def test_it_is_steady_when_it_says_so_and_ends_when_its_input_does(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    process, told = played(), list[str]()
    load = beside(process, tmp_path, lambda progress: told.append(progress.stage))
    (tmp_path / "result.json").write_bytes(encode(DOCUMENT))

    async def run() -> None:
        await process.says.send_all(line_of(LoadNote("a corpus was changed")).encode())
        await trio.sleep(1)
        await process.at("warm-up")
        await trio.sleep(1)
        await process.at("steady", 2.0)
        assert await process.hears.receive_some() == b"", "standard input was closed"
        await process.at("drain")
        await process.end(0)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.listen)
        nursery.start_soon(run)
        await load.until_steady()
        assert trio.current_time() == 2
        await trio.sleep(0.5)
        assert await load.end() == DOCUMENT
    assert told == ["warm-up", "steady", "drain"]
    assert (load.ended_by_us, load.steady_until_s) == (True, 2.5)


async def test_one_that_ends_by_itself_was_steady_until_it_last_said_so(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    process = played()
    load = beside(process, tmp_path)
    (tmp_path / "result.json").write_bytes(encode(DOCUMENT))

    async def run() -> None:
        for stage in ("steady", "steady", "drain"):
            await trio.sleep(1)
            await process.at(stage)
        await process.end(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.listen)
        nursery.start_soon(run)
        await load.until_steady()
        await trio.sleep(60)
        await load.end()
    assert (load.ended_by_us, load.steady_until_s) == (False, 2.0)


@pytest.mark.parametrize(
    ("code", "last", "status", "sentence"),
    [
        (2, b"mailproof: x.toml: no such scenario\n", ExitCode.OPERATOR_ERROR, "the load: x.toml: no such scenario"),
        (3, b"mailproof: nobody\x1blistens\n", ExitCode.INCONCLUSIVE, "the load: nobody\\x1blistens"),
        (0, b"", ExitCode.INCONCLUSIVE, "the load was over before it was steady (exit status 0)"),
        (-9, b"", ExitCode.INCONCLUSIVE, "the load was over before it was steady (exit status -9)"),
        (
            4, b"ValueError: odd\nmailproof: this is a bug\n", ExitCode.OUR_BUG,
            "the load was over before it was steady (exit status 4: this is a bug)",
        ),
    ],
)  # fmt: skip
async def test_one_that_never_gets_steady_is_one_sentence_with_its_exit_code(
    code: int, last: bytes, status: ExitCode, sentence: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    process = played()
    load = beside(process, tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.listen)
        nursery.start_soon(process.end, code, last)
        with pytest.raises(LoadFailed) as failed:
            await load.until_steady()
    assert str(failed.value) == sentence
    assert failed.value.exit_code is status


async def test_one_that_says_nothing_is_not_waited_for(tmp_path: Path, autojump_clock: MockClock) -> None:
    process = played()
    load = beside(process, tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.listen)
        with pytest.raises(LoadFailed, match="said nothing for 120 s"):
            await load.until_steady()
        nursery.cancel_scope.cancel()


async def test_one_that_leaves_no_result_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    process = played()
    load = beside(process, tmp_path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.listen)
        await process.at("steady")
        await load.until_steady()
        nursery.start_soon(process.end, -9)
        with pytest.raises(LoadFailed, match="the load left no result"):
            await load.end()


def test_the_load_is_the_command_a_person_would_type(tmp_path: Path) -> None:
    order = LoadOrder("busy.toml", tmp_path, ("load.rate=5",), "auto", authorized=True)
    endpoints = [parse_endpoint("smtp://127.0.0.1:2525"), parse_endpoint("pop3://127.0.0.1:2110")]
    assert order.arguments(endpoints) == [
        "busy.toml", "--smtp=smtp://127.0.0.1:2525", "--pop3=pop3://127.0.0.1:2110", "--set=load.rate=5",
        "--workers=auto", "--authorized", f"--out={tmp_path}", "--json-progress", "--until-eof",
    ]   # fmt: skip
