"""What the page of a capacity search shows, made ready for its template."""

from reports import capacity_plots
from reports.capacity_text import MARKS, figures_of, held_figures_of, law_of
from reports.capacity_words import coefficient, level_in_words, most_in_words
from reports.document import Document

# outcome -> the class of the style sheet that is coloured so
_CLASSES = {"sustained": "pass", "broke": "fail", "inconclusive": "inconclusive", "void": "inconclusive"}


def capacity_values(document: Document) -> dict[str, object]:
    """Return the names that `capacity.html.j2` knows; none when nothing was searched."""
    capacity = document.capacity
    if capacity is None:
        return {"capacity": None}
    holds = capacity.of == "sessions"
    return {
        "capacity": capacity,
        "capacity_holds": holds,
        "capacity_curve": None if holds else capacity_plots.curve(capacity),
        "capacity_search": capacity_plots.search(capacity),
        "capacity_law": law_of(capacity),
        "coefficient": coefficient,
        "level_of": lambda level: level_in_words(level, capacity.of),
        "stage_figures": held_figures_of if holds else figures_of,
        "stage_word": lambda outcome: MARKS[outcome][0],
        "stage_class": lambda outcome: _CLASSES[outcome],
    }


def capacity_headline(document: Document) -> tuple[str, str] | None:
    """Return the verdict's mark and the one sentence; None when nothing was searched."""
    capacity = document.capacity
    if capacity is None:
        return None
    good = most_in_words(capacity)
    match capacity.finding:
        case "found":
            mark, said = "pass", f"Capacity: {good}"
        case "at least":
            mark, said = "pass", f"Capacity: at least {good}"
        case "below":
            mark, said = "fail", "Capacity: below the lowest level"
        case "not load":
            mark, said = "inconclusive", "No capacity: the target fails alike at every level"
        case "generator":
            mark, said = "inconclusive", f"The generator was the limit{f'; {good} was sustained' if good else ''}"
        case "interrupted":
            mark, said = "inconclusive", "Interrupted: the search did not come to its end"
        case "unconfirmed":
            mark, said = "inconclusive", f"Capacity: perhaps {good}, the search did not come to its end"
    return ("fail" if document.exit_code == 1 else mark), said
