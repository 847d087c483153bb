"""`mailproof conform --list` as text: every requirement, how it is looked into, and how many are."""

from collections.abc import Iterator, Sequence

from conformance.catalogue.listing import Counts, Group, How, count, count_by_family


def listed(groups: Sequence[Group]) -> str:
    """Return the table, section by section, then the counts by family; lines end with a line feed."""
    return "".join(f"{line}\n" for line in _lines(groups))


def _lines(groups: Sequence[Group]) -> Iterator[str]:
    width = max((len(entry.requirement.id) for group in groups for entry in group.entries), default=0)
    for group in groups:
        yield f"{group.number}. {group.title}: {_in_words(group.counts)}"
        for entry in group.entries:
            row = entry.requirement
            reason = f": {row.why_not_executed}" if entry.how is How.REASON else ""
            yield f"  {row.id:<{width}}  {row.level.value:<8}  {', '.join(row.sources)}  [{entry.how.value}{reason}]"
        yield ""
    for family, counts in count_by_family(groups).items():
        yield f"{family:<8} {_in_words(counts)}"
    yield f"{'all':<8} {_in_words(count(entry for group in groups for entry in group.entries))}"


def _in_words(counts: Counts) -> str:
    parts = [f"{counts.executed} of {counts.planned} executed"]
    parts += [f"{counts.with_reason} with a reason why not"] if counts.with_reason else []
    parts += [f"{counts.without} without a case yet"] if counts.without else []
    return ", ".join(parts)
