"""The lists of what real servers are accused of, each accusation with its reason.

`python -m tests.interop.golden_lists postfix out/result.json` prints what has changed, `--write` writes it down; what
is new waits there for its reason, without which the test fails.
"""

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from reports.document import read

LISTS: Final = Path(__file__).parent / "golden"
ACCUSING: Final = ("fail", "divergence", "weak", "latitude", "error")


class Accusation(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cases that accuse a server of the same, and why that is right."""

    verdict: str
    cases: tuple[str, ...]
    at_times: bool = False       # it hangs on how busy the machine is, or on the second; not every run has it
    why: str                     # what the server does, and where it or its documentation says so


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    accusation: tuple[Accusation, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a run says otherwise than the list. Each by case id."""

    new: Mapping[str, str]                   # verdicts
    gone: Mapping[str, str]
    other: Mapping[str, tuple[str, str]]     # the list's verdict, and the run's

    def lines(self) -> Iterator[str]:
        """Give it for people."""
        yield from (f"+ {verdict} {id_}" for id_, verdict in self.new.items())
        yield from (f"- {verdict} {id_}" for id_, verdict in self.gone.items())
        yield from (f"~ {id_}: {before}, now {now}" for id_, (before, now) in self.other.items())


def golden(name: str) -> tuple[Accusation, ...]:
    """Return a server's list."""
    path = LISTS / f"{name}.toml"
    return msgspec.toml.decode(path.read_bytes(), type=_File).accusation if path.exists() else ()


def change(
    known: tuple[Accusation, ...], found: Mapping[str, str], undecided: Collection[str] = frozenset()
) -> Change:
    """Hold the accusations of a run, verdicts by case id, against a list.

    What a run could not decide (a server that was too slow, or said 4yz) is not gone.
    """
    listed = {id_: each.verdict for each in known for id_ in each.cases}
    at_times = {id_ for each in known if each.at_times for id_ in each.cases}
    return Change(
        new={id_: verdict for id_, verdict in found.items() if id_ not in listed},
        gone={id_: verdict for id_, verdict in listed.items() if id_ not in {*found, *at_times, *undecided}},
        other={id_: (listed[id_], now) for id_, now in found.items() if listed.get(id_, now) != now},
    )


def accusations(result: Path) -> dict[str, str]:
    """Return the verdicts of a result that accuse, by case id."""
    conformance = read(result).conformance
    assert conformance is not None
    return {case.id: case.verdict for case in conformance.cases if case.verdict in ACCUSING}


def undecided(result: Path) -> frozenset[str]:
    """Return the cases of a result that came to no judgement."""
    conformance = read(result).conformance
    assert conformance is not None
    return frozenset(case.id for case in conformance.cases if case.verdict == "inconclusive")


def text(known: tuple[Accusation, ...], found: Mapping[str, str]) -> str:
    """Return the list's file for a run: what stays keeps its reason, and what is new has none yet."""
    stays = [
        (each, tuple(id_ for id_ in each.cases if each.at_times or found.get(id_) == each.verdict)) for each in known
    ]
    kept = [msgspec.structs.replace(each, cases=cases) for each, cases in stays if cases]
    placed = {id_ for each in kept for id_ in each.cases}
    groups: dict[tuple[str, str], list[str]] = {}
    for id_, verdict in found.items():
        if id_ not in placed:
            groups.setdefault((verdict, id_.partition("#")[0]), []).append(id_)
    kept += [Accusation(verdict=verdict, cases=tuple(ids), why="") for (verdict, _), ids in groups.items()]
    kept.sort(key=lambda each: (ACCUSING.index(each.verdict), each.cases))
    return "\n".join(_entry(each) for each in kept)


def _entry(each: Accusation) -> str:
    cases = "".join(f'    "{id_}",\n' for id_ in sorted(each.cases))
    why = json.dumps(each.why, ensure_ascii=False)
    at_times = "at_times = true\n" if each.at_times else ""
    return f'[[accusation]]\nverdict = "{each.verdict}"\n{at_times}cases = [\n{cases}]\nwhy = {why}\n'


def main(name: str, result: str, *options: str) -> None:
    """Print what a run changes, and with `--write` write it down."""
    known, found = golden(name), accusations(Path(result))
    sys.stdout.writelines(f"{line}\n" for line in change(known, found).lines())
    if "--write" in options:
        (LISTS / f"{name}.toml").write_text(text(known, found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
