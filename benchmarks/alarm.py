"""Does `mailproof compare` alarm when it should, on real runs of the reference server, and only then?

A session delivers 40 messages, and 44 in the slower set: it takes a tenth longer, with all the noise that machine and
server really have.
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
arrivals = [{{shape = "poisson", rate = 10, for = "5s"}}]
pause_max = "1s"
[[session]]
kind = "smtp-deliver"
messages = {messages}
"""
MAILPROOF = (sys.executable, "-m", "mailproof")


def alarm(runs: int, tell: Tell) -> dict[str, int]:
    """Run a set against itself, and against one that is slower by a tenth; return what each comparison ended with."""
    return {name: _compare(name, messages, runs, tell) for name, messages in (("nothing", 40), ("a tenth", 44))}


def _compare(name: str, messages: int, runs: int, tell: Tell) -> int:
    of_set = DIRECTORY / name.replace(" ", "-")
    shutil.rmtree(of_set, ignore_errors=True)
    of_set.mkdir(parents=True)
    files = _written(of_set / "base.toml", 40), _written(of_set / "new.toml", messages)
    tell(f"{name} slower: {runs} runs a side, in turn, about {12 * runs} s")
    set_of = of_set / "runs"
    _mailproof("run", files[0], "--against", files[1], "--repeat", runs, "--no-monitors", "--out", set_of)
    done = _mailproof("compare", set_of / "base", "--", set_of / "new", "--worse-than", "smtp.session.response:p50=0%")
    tell("\n".join(line for line in done.stdout.splitlines() if line.startswith(("fast enough", "believable", "exit"))))
    return done.returncode


def _written(path: Path, messages: int) -> Path:
    path.write_text(SCENARIO.format(name=path.stem, messages=messages), encoding="utf-8")
    return path


def _mailproof(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAILPROOF, *map(str, arguments)], capture_output=True, text=True, timeout=1_800, check=False,
        stdin=subprocess.DEVNULL,
    )
