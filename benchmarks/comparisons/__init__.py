"""Every comparison there is, in the order in which they are run and shown."""

from benchmarks.comparison import Comparison
from benchmarks.comparisons import clients, costs, maildrops, memory, source


def all_comparisons() -> tuple[Comparison, ...]:
    """Return every comparison."""
    return (
        *source.comparisons(), *clients.comparisons(), *maildrops.comparisons(), *memory.comparisons(),
        *costs.comparisons(),
    )  # fmt: skip
