"""`--gate` and `--preset`: what the command line asks beyond what the scenario does."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from loadgen.scenario.problems import Problem
from reports.errors import UserError
from reports.gate_spelt import gate_of


@dataclass(slots=True)
class Marks:
    """Where in the scenario's data it was put, and what is no gate at all."""

    paths: dict[str, str] = field(default_factory=dict)     # path in the data -> how the command line has it
    problems: list[Problem] = field(default_factory=list)

    def marked(self, problem: Problem) -> Problem:
        """Say of a problem that it came from the command line, not from the file."""
        for path, option in self.paths.items():
            if problem.path == path or problem.path.startswith((f"{path}.", f"{path}[")):
                return replace(problem, path=option)
        return problem


@dataclass(frozen=True, slots=True)
class Asked:
    """Gates in one line each, and the name of a preset, which takes the place of the scenario's."""

    gates: Sequence[str] = ()
    preset: str | None = None

    def put_into(self, data: dict[str, object]) -> Marks:
        """Add it to a scenario's plain data, and say where."""
        marks = Marks()
        about, gates = data.get("scenario"), data.setdefault("gate", [])
        if self.preset is not None and isinstance(about, dict):
            about["preset"] = self.preset
            marks.paths["scenario.preset"] = "--preset"
        if not isinstance(gates, list):      # the file's mistake, and told as one
            return marks
        for text in self.gates:
            try:
                gate = gate_of(text)
            except UserError as error:
                marks.problems.append(Problem("--gate", what=str(error)))
                continue
            plain = msgspec.to_builtins(gate)
            marks.paths[f"gate[{len(gates)}]"] = f'--gate "{text}"'
            gates.append({key: value for key, value in plain.items() if value is not None})
        return marks


NOTHING_ASKED: Final = Asked()
