"""The table of conformance results as Markdown: legible as it is, and where it is rendered."""

from collections.abc import Iterator

from reports.cases import MEANINGS
from reports.matrix import NOT_ASKED, Cell, Matrix, Row
from reports.page import CASE_MARKS
from reports.safe import inert


def markdown(table: Matrix, title: str) -> str:
    """Return the whole table."""
    return "\n".join([*_head(table, title), *_legend(table), *_counts(table), *_groups(table)]) + "\n"


def cell_text(cell: Cell) -> str:
    """Return a cell as it is read: sign, word, and how many of several cases it is."""
    word, sign = CASE_MARKS[cell.verdict]
    return " ".join(filter(None, (sign, f"known {word}" if cell.known else word, cell.share)))


def _head(table: Matrix, title: str) -> Iterator[str]:
    yield f"# {_plain(title)}"
    yield ""
    for sentence in table.unlike:
        yield f"**{_plain(sentence)}**"
        yield ""
    yield "| server | what was judged | when | mailproof | set | profile | cases |"
    yield "|---|---|---|---|---|---|---|"
    for server in table.servers:
        strict = ", strict" if server.strict else ""
        cells = (
            server.name, " ".join(server.targets), server.started, server.version, server.requirement_set,
            server.profile + strict, f"{server.executed} of {server.planned} put",
        )  # fmt: skip
        yield _line(cells)
    yield ""


def _legend(table: Matrix) -> Iterator[str]:
    used = {verdict for server in table.servers for verdict in server.counts}
    for verdict, (word, sign) in CASE_MARKS.items():
        if verdict in used:
            yield f"- {sign} **{word}**: {_meaning(verdict)}"
    yield ""
    yield "Of several cases of a requirement the worst is shown, and how many came to it: `fail 2/14`."
    if table.differing:
        yield f"Only the rows in which somebody differs are here; {table.left_out} others are left out."
    yield ""


def _meaning(verdict: str) -> str:
    return "this run did not ask" if verdict == NOT_ASKED else MEANINGS[verdict]


def _counts(table: Matrix) -> Iterator[str]:
    yield _line(("requirements", *(server.name for server in table.servers)))
    yield "|---|" + "---:|" * len(table.servers)
    for verdict, (word, sign) in CASE_MARKS.items():
        if any(verdict in server.counts for server in table.servers):
            counts = (str(server.counts.get(verdict, 0)) for server in table.servers)
            yield _line((f"{sign} {word}", *counts))
    yield ""


def _groups(table: Matrix) -> Iterator[str]:
    for group in table.groups:
        yield f"## {_plain(group.title)}"
        yield ""
        yield _line(("requirement", "level", *(server.name for server in table.servers)))
        yield "|---|---|" + "---|" * len(table.servers)
        yield from (_row(row) for row in group.rows)
        yield ""


def _row(row: Row) -> str:
    return _line((f"`{row.requirement}` {row.title}", row.level, *map(cell_text, row.cells)))


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_plain, cells)) + " |"


def _plain(text: str) -> str:
    """Make a text harmless in a table: one line, no column of its own, no markup."""
    return inert(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
