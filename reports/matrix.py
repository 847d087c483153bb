"""Conformance results beside each other: servers across, requirements down."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.document import CaseResult, ConformanceResult, Document
from reports.errors import DocumentError

NOT_ASKED: Final = "not-asked"          # the result knows nothing of the requirement
NO_OCCASION: Final = "not-applicable"
# The variants of a requirement come down to the first of these that one of them has. One that passed is more than one
# for which there was no occasion.
WORST_FIRST: Final = (
    "fail", "error", "divergence", "weak", "inconclusive", "latitude", "observed", "pass", NO_OCCASION, NOT_ASKED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one requirement at one server: of its cases, the worst."""

    verdict: str
    count: int = 0                       # of its cases that came to this verdict
    cases: int = 0                       # of it in all
    known: bool = False                  # the baseline expected it
    got: str = ""                        # what the server did, in the first of these cases

    @property
    def share(self) -> str:
        """Return how many of several cases it is: "2/14"; "" if it is all of them."""
        return f"{self.count}/{self.cases}" if self.count < self.cases else ""


NOTHING: Final = Cell(NOT_ASKED)


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement."""

    requirement: str
    level: str
    title: str
    sources: tuple[str, ...]
    cells: tuple[Cell, ...]              # a server each

    @property
    def differs(self) -> bool:
        """Say whether the servers that were asked, and gave occasion, do not all come to the same."""
        return len({cell.verdict for cell in self.cells} - {NOT_ASKED, NO_OCCASION}) > 1

    @property
    def evidence(self) -> list[tuple[int, Cell]]:
        """Return the cells that say what their server did, each with the server's place."""
        dull = {"pass", NO_OCCASION, NOT_ASKED}
        return [(at, cell) for at, cell in enumerate(self.cells) if cell.verdict not in dull and cell.got]


@dataclass(frozen=True, slots=True)
class Group:
    """The requirements of one section."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """One result, and what must be known of it."""

    name: str
    targets: tuple[str, ...]
    greeting: str
    started: str
    version: str                         # of mailproof
    requirement_set: str
    profile: str
    strict: bool
    executed: int
    planned: int
    counts: Mapping[str, int]            # requirements by verdict


@dataclass(frozen=True, slots=True)
class Matrix:
    """The whole table."""

    servers: tuple[Server, ...]
    groups: tuple[Group, ...]
    differing: bool                      # only the rows in which somebody differs
    left_out: int                        # rows, for that
    unlike: tuple[str, ...]              # in what the results are not alike, a sentence each


def matrix(
    results: Sequence[tuple[str, Document]], sections: Iterable[tuple[str, Sequence[str]]], *, differing: bool = False
) -> Matrix:
    """Lay results beside each other. `sections` are titles with the ids of requirements, in their order.

    A requirement of no section stands in a group of its own, at the end. DocumentError: one is no conformance result.
    """
    cases = [_by_requirement(name, document) for name, document in results]
    rows = {id_: _row(id_, cases) for id_ in dict.fromkeys(id_ for each in cases for id_ in each)}
    grouped = [*_grouped(rows, sections)]
    shown = [
        Group(group.title, kept) for group in grouped
        if (kept := tuple(row for row in group.rows if row.differs or not differing))
    ]
    servers = tuple(_server(name, document, rows, at) for at, (name, document) in enumerate(results))
    left_out = len(rows) - sum(len(group.rows) for group in shown)
    return Matrix(servers, tuple(shown), differing, left_out, tuple(_unlike(servers)))


def _conformance(name: str, document: Document) -> ConformanceResult:
    if document.conformance is None:
        raise DocumentError(f"{name} is the result of a load: a matrix is made of conformance results")
    return document.conformance


def _by_requirement(name: str, document: Document) -> dict[str, list[CaseResult]]:
    found: dict[str, list[CaseResult]] = {}
    for case in _conformance(name, document).cases:
        found.setdefault(case.id.partition("#")[0], []).append(case)
    return found


def _row(id_: str, results: Sequence[Mapping[str, Sequence[CaseResult]]]) -> Row:
    about = next(each[id_][0] for each in results if id_ in each)
    cells = tuple(_cell(each.get(id_, ())) for each in results)
    return Row(id_, about.level, about.title, about.sources, cells)


def _cell(cases: Sequence[CaseResult]) -> Cell:
    if not cases:
        return NOTHING
    worst = min((case.verdict for case in cases), key=WORST_FIRST.index)
    those = [case for case in cases if case.verdict == worst]
    return Cell(worst, len(those), len(cases), all(case.known is not None for case in those), those[0].got)


def _grouped(rows: Mapping[str, Row], sections: Iterable[tuple[str, Sequence[str]]]) -> Iterator[Group]:
    placed = set[str]()
    for title, ids in sections:
        found = tuple(rows[id_] for id_ in ids if id_ in rows)
        placed.update(row.requirement for row in found)
        yield Group(title, found)
    yield Group("Of no section of this catalogue", tuple(row for id_, row in rows.items() if id_ not in placed))


def _server(name: str, document: Document, rows: Mapping[str, Row], at: int) -> Server:
    result = _conformance(name, document)
    verdicts = Counter(row.cells[at].verdict for row in rows.values())
    return Server(
        name=name,
        targets=tuple(endpoint.url for endpoint in document.target),
        greeting=next((endpoint.greeting for endpoint in document.target if endpoint.greeting), ""),
        started=document.started,
        version=document.mailproof,
        requirement_set=result.requirement_set or "all",
        profile=result.profile or "none",
        strict=result.strict,
        executed=result.executed,
        planned=result.planned,
        counts={verdict: verdicts[verdict] for verdict in WORST_FIRST if verdicts[verdict]},
    )


def _unlike(servers: Sequence[Server]) -> Iterator[str]:
    """Say in what the results are not alike, so that nobody compares what cannot be compared."""
    for what, values in (
        ("requirement sets", [server.requirement_set for server in servers]),
        ("profiles", [server.profile for server in servers]),
        ("versions of mailproof", [server.version for server in servers]),
        ("strictness", ["strict" if server.strict else "not strict" for server in servers]),
    ):
        if len(set(values)) > 1:
            told = ", ".join(f"{server.name} {value}" for server, value in zip(servers, values, strict=True))
            yield f"These results are of different {what}: {told}."
