"""A capacity search as Markdown: the answer, what broke first, and every stage."""

from collections.abc import Iterator

from reports.capacity_result import Capacity
from reports.capacity_text import figures_of
from reports.capacity_words import level_in_words
from reports.markdown_parts import escaped, row

FIGURES = ("done", "in flight", "p50", "p99", "backlog")


def capacity_markdown(capacity: Capacity) -> Iterator[str]:
    """Give the lines."""
    yield f"**{escaped(capacity.sentence)}**"
    yield ""
    yield from (f"- broke first: {escaped(broke.sentence)}" for broke in capacity.broke_first)
    yield from (f"- {escaped(note)}" for note in capacity.notes)
    yield ""
    yield row("", "why", "level", *FIGURES, "", "")
    yield f"|--:|---|--:|{'--:|' * len(FIGURES)}---|---|"
    for stage in capacity.stages:
        figures = map(escaped, figures_of(stage)[: len(FIGURES)])
        why = escaped(stage.broke[0].sentence) if stage.broke else ""
        yield row(
            str(stage.number), stage.purpose, level_in_words(stage.level, capacity.of), *figures, stage.outcome, why
        )
    yield ""
