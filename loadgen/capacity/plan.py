"""What a search would do, and how long it may take, before anything is measured."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from loadgen.capacity.search import Asked, Bounds, Search
from loadgen.capacity.stages import Stages
from reports import units
from reports.capacity_result import CapacityStage
from reports.capacity_words import level_in_words
from reports.gate import Gate
from reports.gate_spelt import text_of

LIMIT: Final = 12         # times the start, where the plan supposes the limit to be


def plan_of(bounds: Bounds, stages: Stages, gates: Sequence[Gate]) -> Iterator[str]:
    """Yield the plan, line by line."""
    of = stages.of
    top = "" if math.isinf(bounds.top) else f", to {level_in_words(bounds.top, of)} at the most"
    close = units.share(bounds.resolution)
    yield f"levels   from {level_in_words(bounds.start, of)}, doubled{top}; then bisected to {close}"
    behind = "in which all are held" if stages.hold else f"behind a warm-up of {stages.warm_up_s:g} s"
    yield f"stages   at most {bounds.stages_max}, of {bounds.stage_s:g} s {behind}"
    yield f"confirm  last good and first bad, in {bounds.confirm_s:g} s; if either turns out otherwise, all others too"
    for gate in gates:
        yield f"gate     {text_of(gate)}"
    if of == "rate":
        yield "backlog  must not grow"
    if not stages.hold or not math.isinf(bounds.top):
        longest_s = bounds.stages_max * stages.longest_s(bounds.confirm_s, bounds.top)
        yield f"time     at most {units.duration(longest_s * units.NS_PER_S)}, if every stage allowed is a long one"
    straight = list(_straight(bounds))
    likely_s = sum(stages.longest_s(asked.seconds, asked.level) for asked in straight)
    yield (
        f"likely   about {units.duration(likely_s * units.NS_PER_S)} in {len(straight)} stages, if the limit is at "
        f"{level_in_words(bounds.level(bounds.start * LIMIT), of)} and nothing is made twice"
    )


def _straight(bounds: Bounds) -> Iterator[Asked]:
    """Yield the stages of a search that goes as hoped."""
    search = Search(bounds)
    for asked in search:
        yield asked
        search.tell(CapacityStage(
            number=asked.number, purpose=asked.purpose, level=asked.level, seconds=asked.seconds,
            outcome="sustained" if asked.level <= bounds.start * LIMIT else "broke",
        ))   # fmt: skip
