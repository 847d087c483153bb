"""The report a person opens: one HTML file, no script, nothing fetched, fit to be attached to a ticket."""

from typing import Final

from markupsafe import Markup

from reports import ledger_plot, plots
from reports.capacity_html import capacity_headline, capacity_values
from reports.cases import MEANINGS, by_area, lines_on_load, number_of, told, without_load
from reports.compare_html import comparison_title, comparison_values
from reports.document import Document, EndpointFacts, ReplyCount, Verdict
from reports.gate_words import goodput_in_words, part_of, windows
from reports.overheard import in_brief, times
from reports.page import CASE_MARKS, environment, style_of
from reports.phases import in_order, order_of
from reports.signs import signs
from reports.toml import to_toml

# verdict -> the word, and a mark that is told from the others without its colour
_MARKS: Final = {
    "pass": ("pass", "✓"),
    "fail": ("fail", "✕"),
    "inconclusive": ("inconclusive", "?"),
    "not-applicable": ("not asked", "–"),
}
_OUTCOMES: Final = ("arrived", "accepted", "refused", "failed", "timed_out", "dropped", "interrupted")


_CUT: Final = {
    "load": "this is not the whole run",
    "audit": "the load is whole, the reading of the maildrops is not",
    "cases": "not all cases were put to the server",
}


def html(document: Document) -> str:
    """Return the whole report as one HTML page."""
    pages = environment()
    load = document.load
    return pages.get_template("report.html.j2").render(
        document=document,
        load=load,
        title=_title(document),
        headline=capacity_headline(document) or _headline(document),
        style=Markup(style_of(pages)),  # noqa: S704 - our own file
        marks=_MARKS,
        questions=(
            ("correct", "Is it correct?"),
            ("fast_enough", "Is it fast enough?"),
            ("valid", "Can this run be believed?"),
        ),
        outcomes=_OUTCOMES,
        over_time=load and plots.over_time(load),
        ranges=load and plots.ranges(load),
        percentiles=load and plots.percentiles(load),
        backlog=document.ledger and ledger_plot.backlog(document.ledger, load),
        phases=[(name, load.phases[name]) for name in in_order(load.phases) if load.phases[name].count] if load else [],
        whole_sessions=list(load.session_times.items()) if load and len(load.kinds) > 1 else [],
        signs=list(signs(load, document.host.cpus if document.host else None)) if load else [],
        replies=_replies(document),
        failures=sorted(load.failures, key=lambda each: -each.count) if load else [],
        unverified=[endpoint for endpoint in document.target if _unverified(endpoint)],
        case_marks=CASE_MARKS,
        meanings=MEANINGS,
        number_of=number_of,
        lines_on_load=lines_on_load,
        replies_in_brief=in_brief,
        times=times,
        without_load=without_load,
        told=told(document.conformance) if document.conformance else [],
        areas=by_area(document.conformance) if document.conformance else {},
        windows=windows(document.gates, load),
        part_of=part_of,
        goodput=goodput_in_words(document),
        **comparison_values(document),
        **capacity_values(document),
        scenario=to_toml(document.scenario) if document.scenario else "",
    )


def _title(document: Document) -> str:
    if (compared := comparison_title(document)) is not None:
        return compared
    if document.conformance is not None and document.target:
        return ", ".join(endpoint.url for endpoint in document.target)
    about = document.scenario.get("scenario")
    name = about.get("name") if isinstance(about, dict) else None
    return str(name) if name else document.run_id


def _headline(document: Document) -> tuple[str, str]:
    """Return the verdict's mark for the whole, and the one sentence people repeat to each other."""
    verdicts = document.verdicts
    if document.interrupted is not None:
        return "inconclusive", f"Interrupted: {_CUT[document.interrupted]}"
    if verdicts.valid is not Verdict.PASS:
        return "inconclusive", "This run cannot be believed" if document.comparison is None else "Too few runs to tell"
    slow = "not fast enough" if document.comparison is None else "worse than its base by more than is allowed"
    failed = [
        what
        for verdict, what in ((verdicts.correct, "not correct"), (verdicts.fast_enough, slow))
        if verdict is Verdict.FAIL
    ]
    if failed:
        return "fail", f"Failed: {' and '.join(failed)}"
    if Verdict.INCONCLUSIVE in (verdicts.correct, verdicts.fast_enough):
        return "inconclusive", "Undecided: something asked for could not be judged"
    if verdicts.correct is verdicts.fast_enough is Verdict.NOT_APPLICABLE:
        return "not-applicable", "Measured, nothing judged: no gate and no check was asked for"
    return "pass", "Everything asked for held"


def _replies(document: Document) -> list[ReplyCount]:
    replies = document.load.replies if document.load else ()
    return sorted(replies, key=lambda each: (order_of(each.phase), each.code, each.enhanced or ""))


def _unverified(endpoint: EndpointFacts) -> bool:
    return endpoint.tls is not None and not endpoint.tls.verified
