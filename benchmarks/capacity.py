"""Does `mailproof capacity` find a capacity that is known, on the wall clock?

The reference server works at so many messages side by side, each for an exponential time (M/M/c): it can do
workers / mean, and not more. The search is the command itself, every stage a run of its own. The searches go on beside
each other: one takes a tenth of a core, and a quarter of an hour.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from typing import Final

from benchmarks.capacity_record import CapacityRecord, CapacitySearch
from benchmarks.comparison import Tell, revision
from benchmarks.place import KEPT, mailproof
from reports.document import read
from reports.errors import UserError

DIRECTORY: Final = KEPT / "capacity"
CEILING_PER_S: Final = 50.0          # few enough that neither client nor server is what limits
RESOLUTION: Final = "2%"
TRIES: Final = 12                    # on a busy machine a person would try again
START_SHARE: Final = 0.23            # of the ceiling; no power of two, or the search would only have to double
SCENARIO: Final = """
[scenario]
name = "known-capacity"
seed = {workers}
[target]
smtp = "embedded"
variants = ["service-time={service_ms:g}ms", "workers={workers}"]
[load]
model = "open"
arrivals = [{{shape = "poisson", rate = {ceiling:g}, for = "1m"}}]
in_flight_max = 10000
warm_up = "10s"
drain = "10s"
pause_max = "10s"
[[session]]
kind = "smtp-deliver"
size = 1024
"""


def capacity(workers: Sequence[int], stage_s: float, confirm_s: float, tell: Tell) -> Iterator[CapacityRecord]:
    """Search targets of each number of workers, all at once, and yield the record as it grows."""
    found: list[CapacitySearch] = []
    with ThreadPoolExecutor(len(workers)) as pool:
        searches = [pool.submit(_searched, number, stage_s, confirm_s, tell) for number in workers]
        for search in as_completed(searches):
            found.append(search.result())
            so_far = tuple(sorted(found, key=lambda each: each.workers))
            yield CapacityRecord(stage_s=stage_s, confirm_s=confirm_s, searches=so_far)


def _searched(workers: int, stage_s: float, confirm_s: float, tell: Tell) -> CapacitySearch:
    out = DIRECTORY / f"workers-{workers}"
    shutil.rmtree(out, ignore_errors=True)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    service_ms = 1000 * workers / CEILING_PER_S
    file = DIRECTORY / f"workers-{workers}.toml"
    file.write_text(SCENARIO.format(workers=workers, service_ms=service_ms, ceiling=CEILING_PER_S), encoding="utf-8")
    load_average = os.getloadavg()[0]
    tell(f"{workers} workers, {service_ms:g} ms each: {CEILING_PER_S:g} a second is what it can do")
    done = subprocess.run(
        [*mailproof(), "capacity", str(file), f"--start={START_SHARE * CEILING_PER_S:g}", f"--stage={stage_s:g}s",
         f"--confirm={confirm_s:g}s", f"--resolution={RESOLUTION}", f"--tries={TRIES}",
         "--max-stages=60", f"--out={out}"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=7_200, check=False,
    )   # fmt: skip
    if not (out / "result.json").is_file():
        raise UserError(f"the search left no result (exit {done.returncode}): {done.stderr.strip().splitlines()[-1:]}")
    document = read(out / "result.json")
    assert document.capacity is not None, "a search's document"
    made = document.capacity
    tell(made.sentence)
    return CapacitySearch(
        taken=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", revision=revision(),
        workers=workers, service_ms=service_ms, ceiling_per_s=CEILING_PER_S,
        finding=made.finding, good=made.good,
        bad=made.bad, stages=len(made.stages), void=sum(stage.outcome == "void" for stage in made.stages),
        minutes=document.duration_s / 60, load_average=load_average, sentence=made.sentence,
    )   # fmt: skip
