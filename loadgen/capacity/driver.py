"""A search carried out: stage after stage as runs of their own, and the document that comes of them."""

import os
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from loadgen.capacity.search import Asked, Search
from loadgen.capacity.stages import Stages
from loadgen.scenario.resolve import resolved
from reports.after_warm_up import read_intervals
from reports.capacity import completed, concluded
from reports.capacity_hold import held_stage
from reports.capacity_result import Broke, Capacity, CapacityStage
from reports.capacity_stage import Measured, judged_stage
from reports.capacity_words import level_in_words
from reports.document import Document, read
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.gate import Gate
from reports.gate_spelt import text_of
from reports.verdict import UNJUDGED
from reports.write import HLOG, RESULT


@dataclass
class Driver:
    """Carries a search out. `start` runs `mailproof run` with some arguments; `tell` takes what a person may read."""

    search: Search
    stages: Stages
    gates: tuple[Gate, ...]
    start: Callable[[Sequence[str]], int]
    tell: Callable[[str], None]
    last_words: MutableSequence[str]      # what a run said on standard error, at least its last line
    _last: Document | None = None

    def run(self) -> None:
        """Measure stage after stage, until the search or the operator ends it. UserError."""
        of = self.stages.of
        for asked in self.search:
            self.tell(
                f"stage {asked.number}: {asked.purpose} {level_in_words(asked.level, of)} for {asked.seconds:g} s"
            )
            stage = self._measured(asked)
            if stage is None:
                self.search.interrupt()
                return
            why = f": {stage.broke[0].sentence}" if stage.broke else ""
            self.tell(f"    {stage.outcome}{why}")
            self.search.tell(stage)

    def document(self, *, run_id: str, version: str, started: datetime, at_least: float | None) -> Document:
        """Return what was found."""
        search, stages, bounds = self.search, self.stages, self.search.bounds
        assert search.ended is not None, "the search is over"
        capacity = completed(Capacity(
            of=stages.of, finding=search.ended, sentence="", good=search.good, confirmed=search.confirmed,
            bad=search.bad, gates=tuple(map(text_of, self.gates)), resolution=bounds.resolution,
            stages_max=bounds.stages_max, stage_s=bounds.stage_s, confirm_s=bounds.confirm_s, notes=self._notes(),
            stages=tuple(search.stages),
        ))   # fmt: skip
        last = self._last
        document = Document(
            kind="capacity", mailproof=version, run_id=run_id, started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
            duration_s=(datetime.now(UTC) - started).total_seconds(), seed=stages.scenario.about.seed,
            interrupted="load" if search.ended == "interrupted" else None, verdicts=UNJUDGED,
            exit_code=int(ExitCode.INCONCLUSIVE), capacity=capacity, scenario=resolved(stages.scenario),
            target=() if last is None else last.target, host=None if last is None else last.host,
        )   # fmt: skip
        return concluded(document, at_least=at_least)

    def _measured(self, asked: Asked) -> CapacityStage | None:
        """Return what a level came to; None: the operator ended it. UserError if it could not be run at all."""
        self.last_words.clear()
        directory = self.stages.directory_of(asked.number)
        code = self.start(self.stages.command(asked.number, asked.level, asked.seconds))
        if code == ExitCode.INTERRUPTED:
            return None
        result = os.path.relpath(directory / RESULT, self.stages.directory)
        measured = Measured(asked.number, asked.purpose, asked.level, asked.seconds, result)
        if not (directory / RESULT).is_file():
            said = (self.last_words[-1] if self.last_words else "it said nothing").removeprefix("mailproof: ")
            if code != ExitCode.INCONCLUSIVE or not self.search.stages:
                raise UserError(f"stage {asked.number} could not be run (exit {code}): {said}")
            # What the first stages could do: this host has no room for a level as high as that.
            return CapacityStage(
                number=asked.number, purpose=asked.purpose, level=asked.level, seconds=asked.seconds, outcome="void",
                broke=(Broke("this host", said),),
            )   # fmt: skip
        self._last = read(directory / RESULT)
        if self.stages.hold:
            return held_stage(self._last, measured)
        return judged_stage(self._last, self.gates, measured, read_intervals(directory / HLOG))

    def _notes(self) -> tuple[str, ...]:
        match self.stages.of:
            case "rate":
                return (
                    "an open load is scaled by its rate: every stage offers one rate throughout, its arrivals spaced "
                    "as the scenario's are",
                )
            case "users":
                return (
                    "a closed load is scaled by its users: they wait for the target, so that no backlog can grow; what "
                    "limits it are the gates",
                )
            case "sessions":
                return ("sessions are opened one by one, and then all held at once for the length of the stage",)

