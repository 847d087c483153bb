"""Does `mailproof compare` alarm when it should, on real runs of the reference server, and only then?

A session thinks for 400 ms, and for 440 ms in the slower set: a known slow-down by a tenth, with all the noise that the
machine and the server really have.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.comparison import Tell
from benchmarks.place import CHECKOUT

DIRECTORY = CHECKOUT / ".bench" / "alarm"
SCENARIO = """target = "embedded"
[scenario]
name = "{name}"
[accounts]
count = 50
[load]
model = "open"
arrivals = [{{shape = "poisson", rate = 25, for = "4s"}}]
pause_max = "1s"
[[session]]
kind = "steps"
steps = [
    {{expect = "220"}},
    {{send = "EHLO {{hello}}", expect = "250"}},
    {{think = "{think_ms}ms"}},
    {{send = "QUIT", expect = "221"}},
]
"""
MAILPROOF = (sys.executable, "-m", "mailproof")


def alarm(runs: int, tell: Tell) -> dict[str, int]:
    """Run a set against itself, and against one that is slower by a tenth; return what each comparison ended with."""
    return {name: _compare(name, think_ms, runs, tell) for name, think_ms in (("nothing", 400), ("a tenth", 440))}


def _compare(name: str, think_ms: int, runs: int, tell: Tell) -> int:
    of_set = DIRECTORY / name.replace(" ", "-")
    shutil.rmtree(of_set, ignore_errors=True)
    of_set.mkdir(parents=True)
    files = _written(of_set / "base.toml", 400), _written(of_set / "new.toml", think_ms)
    tell(f"{name} slower: {runs} runs a side, in turn, about {12 * runs} s")
    set_of = of_set / "runs"
    _mailproof("run", files[0], "--against", files[1], "--repeat", runs, "--no-monitors", "--out", set_of)
    done = _mailproof("compare", set_of / "base", "--", set_of / "new", "--worse-than", "smtp.session.response:p50=2%")
    tell("\n".join(line for line in done.stdout.splitlines() if line.startswith(("fast enough", "believable", "exit"))))
    return done.returncode


def _written(path: Path, think_ms: int) -> Path:
    path.write_text(SCENARIO.format(name=path.stem, think_ms=think_ms), encoding="utf-8")
    return path


def _mailproof(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAILPROOF, *map(str, arguments)], capture_output=True, text=True, timeout=1_800, check=False,
        stdin=subprocess.DEVNULL,
    )
