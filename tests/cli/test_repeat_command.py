"""`mailproof run --repeat`: which runs are made, in which order, and how a set ends."""

import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import loadgen.cli
from loadgen.repeat import Order, Turn, turns
from loadgen.repeat_cli import repeat_command
from reports.document import encode, read
from reports.errors import UserError
from reports.exit_codes import ExitCode
from tests.reports.noisy_runs import Server, noisy_run

ORDER = Order("a.toml", "b.toml", ("--workers=1",), ("--set=load.rate=9",), first_seed=7)


def runner(codes: dict[int, int] | None = None) -> tuple[list[list[str]], Callable[[Sequence[str]], int]]:
    """Something that leaves a result where it was told to, as a run does; and the commands it was given."""
    drawn, given = random.Random(1), list[list[str]]()

    def start(arguments: Sequence[str]) -> int:
        given.append(list(arguments))
        code = (codes or {}).get(len(given), 0)
        if code in {ExitCode.HELD, ExitCode.FAILED}:
            [out] = [Path(each.removeprefix("--out=")) for each in arguments if each.startswith("--out=")]
            out.mkdir(parents=True)
            slower = 1.5 if arguments[0] == "b.toml" else 1.0
            made = noisy_run(str(out), len(given), drawn, Server(slower=slower))
            (out / "result.json").write_bytes(encode(made.document))
        return code

    return given, start


def test_two_sides_take_turns_and_neither_is_always_first() -> None:
    assert [turn.side for turn in turns(3, two=True)] == ["base", "new", "new", "base", "base", "new"]
    assert list(turns(2, two=False)) == [Turn("", 1), Turn("", 2)]


def test_both_sides_have_the_same_seeds_and_each_repetition_another(tmp_path: Path) -> None:
    assert ORDER.command(Turn("base", 2), tmp_path) == [
        "a.toml", "--workers=1", "--seed=8", f"--out={tmp_path}/base/run-02", "--until-eof",
    ]   # fmt: skip
    assert ORDER.command(Turn("new", 2), tmp_path) == [
        "b.toml", "--workers=1", "--set=load.rate=9", "--seed=8", f"--out={tmp_path}/new/run-02", "--until-eof",
    ]   # fmt: skip


def test_a_set_leaves_every_run_and_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, start = runner()
    assert repeat_command(ORDER, 3, tmp_path / "s", two=False, start=start) is ExitCode.HELD
    assert len(given) == 3
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["run-01", "run-02", "run-03", "summary.txt"]
    said = capsys.readouterr()
    assert "run 2 of 3" in said.err
    assert "in 3 runs" in said.out
    assert said.out.startswith((tmp_path / "s" / "summary.txt").read_text())


def test_two_sets_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, start = runner()
    assert repeat_command(ORDER, 6, tmp_path / "s", two=True, start=start) is ExitCode.HELD
    assert read(tmp_path / "s" / "result.json").comparison is not None
    assert (tmp_path / "s" / "report.html").is_file()
    assert "worse" in capsys.readouterr().out


@pytest.mark.parametrize(("code", "kept"), [(ExitCode.INTERRUPTED, 1), (ExitCode.OPERATOR_ERROR, 1), (-9, 1)])
def test_a_run_that_is_interrupted_or_leaves_nothing_ends_the_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, kept: int
) -> None:
    given, start = runner({2: code})
    ended = repeat_command(ORDER, 6, tmp_path / "s", two=False, start=start)
    assert ended == (code if code > 0 else ExitCode.OUR_BUG)
    assert len(given) == 2
    assert f"{kept} results are kept" in capsys.readouterr().err


def test_a_failed_run_does_not_end_the_set(tmp_path: Path) -> None:
    given, start = runner({1: 1})
    repeat_command(ORDER, 3, tmp_path / "s", two=False, start=start)
    assert len(given) == 3


def test_a_set_does_not_mix_with_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "run-01").mkdir()
    with pytest.raises(UserError, match="a directory of its own"):
        repeat_command(ORDER, 3, tmp_path, two=False, start=runner()[1])


def test_signals_are_as_before_when_the_set_is_over(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    repeat_command(ORDER, 1, tmp_path / "s", two=False, start=runner()[1])
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--against", "quickstart"], "six are the least"),
        (["--repeat", "6", "--until-eof"], "of one run"),
        (["--repeat", "6", "--junit", "x.xml"], "mailproof gate makes one of all results"),
        (["--repeat", "6", "--gate", "goodputt > 1"], "did you mean goodput"),
        (["--repeat", "6", "--preset", "specmail2009"], "specmail2001"),
        (["--repeat", "6", "--against", "no-such-scenario"], "no-such-scenario"),
        (["--repeat", "6", "--against-set", "load.rat=5"], "load.rat"),
    ],
)
def test_a_set_that_cannot_be_is_refused_before_any_run(arguments: list[str], words: str) -> None:
    app = typer.Typer()
    loadgen.cli.register(app)
    ran = CliRunner().invoke(app, ["run", "quickstart", *arguments])
    assert isinstance(ran.exception, UserError)
    assert words in str(ran.exception)


def test_the_gates_of_the_command_line_are_passed_on_to_every_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered: list[Order] = []

    def remember(order: Order, *_: object, two: bool) -> ExitCode:
        ordered.append(order)
        return ExitCode.HELD

    monkeypatch.setattr(loadgen.cli, "repeat_command", remember)
    app = typer.Typer()
    loadgen.cli.register(app)
    gates = ["--gate", "smtp.body.response:p99 < 1s", "--preset", "specmail2001"]
    ran = CliRunner().invoke(app, ["run", "specmail-like", "--repeat", "6", "--out", str(tmp_path / "s"), *gates])
    assert ran.exit_code == 0, ran.output
    [order] = ordered
    assert {"--gate=smtp.body.response:p99 < 1s", "--preset=specmail2001"} <= set(order.arguments)
