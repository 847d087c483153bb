"""`abort_on_breach`: the gates that are looked at while the load goes on, and the one that ends it."""

from collections.abc import Callable
from typing import Final

import trio

from loadgen.clock import NS_PER_S
from loadgen.engine.progress import Progress
from loadgen.scenario.model import Scenario
from reports import units
from reports.document import Document, GateResult
from reports.gate import AbortOnBreach, Gate, judge
from reports.load_result import Aborted, LoadResult
from reports.verdict import UNJUDGED, Verdict


class BreachWatch:
    """Looks at the gates once a second. Mutable: since when each has not held."""

    def __init__(self, scenario: Scenario, note: Callable[[str], None] = lambda _: None) -> None:
        self._gates: Final = [(gate, gate.abort_on_breach) for gate in scenario.gates if gate.abort_on_breach]
        self._warm_up_ns = scenario.load.warm_up.ns
        self._note = note
        self._since: dict[Gate, int] = {}
        self.aborted: Aborted | None = None      # once it is known, nothing is looked at any more
        self.event = trio.Event()                # set when it is

    def observing(self, observe: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """Return what observes a load and looks at the gates; the first breach sets `event`, and is said."""
        def observe_both(progress: Progress) -> None:
            observe(progress)
            if (aborted := self.look(progress)) is not None:
                self.event.set()
                self._note(aborted.sentence)

        return observe_both

    def look(self, progress: Progress) -> Aborted | None:
        """Return which gate ends the load now, if one does; only in the steady phase, and once.

        While a worker is silent or lost its part is missing in what is looked at: that is no fault of the server's.
        """
        if self.aborted is not None or progress.stage != "steady" or progress.load is None:
            return None
        if progress.workers_silent or progress.workers_lost:
            return None
        now_ns = round(progress.elapsed_s * NS_PER_S)
        for gate, abort in self._gates:
            if now_ns < self._warm_up_ns + abort.delay_ns:
                continue
            found = judge(gate, _so_far(progress.load))
            if found.verdict is not Verdict.FAIL:
                self._since.pop(gate, None)
            elif now_ns - self._since.setdefault(gate, now_ns) >= abort.hold_ns:
                self.aborted = _aborted(found, now_ns, now_ns - self._since[gate], abort)
                return self.aborted
        return None


def _aborted(found: GateResult, at_ns: int, held_ns: int, abort: AbortOnBreach) -> Aborted:
    for_how_long = f", and had not held for {units.duration(held_ns)}" if abort.hold_ns else ""
    return Aborted(
        metric=found.metric,
        condition=found.condition,
        measured=found.measured or "",
        question=found.question,
        at_s=at_ns / NS_PER_S,
        breached_s=held_ns / NS_PER_S,
        sentence=f"the load was ended {units.duration(at_ns)} after its start, because {found.sentence}{for_how_long} "
        "(abort_on_breach)",
    )


def _so_far(load: LoadResult) -> Document:
    return Document(kind="load", mailproof="", run_id="", started="", verdicts=UNJUDGED, exit_code=3, load=load)
