"""The summary on a terminal, which must also read well as plain lines of 80 columns in a CI log.

The verdict comes last: it is what stays on the screen.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import units
from reports.capacity_text import summary_of_capacity
from reports.cases import summary_of_cases
from reports.compare_text import summary_of_comparison
from reports.crash_text import crash_in_text
from reports.document import Document, Health, LoadResult, SessionCounts, Verdict
from reports.exit_codes import ExitCode
from reports.gate_words import windows
from reports.ledger_text import summary_of_ledger
from reports.load_result import PhaseResult
from reports.overheard import summary_of_monitors
from reports.phases import in_order
from reports.safe import inert

PLAIN_WIDTH: Final = 80
_FAILURES_SHOWN: Final = 5

# The word carries the meaning; colour only repeats it.
_WORDS: Final = {
    Verdict.PASS: ("pass", "green"),
    Verdict.FAIL: ("FAIL", "bold red"),
    Verdict.INCONCLUSIVE: ("INCONCLUSIVE", "bold yellow"),
    Verdict.NOT_APPLICABLE: ("not asked", "dim"),
}
_QUESTIONS: Final = (("correct", "correct"), ("fast_enough", "fast enough"), ("valid", "believable"))
_EXIT_MEANINGS: Final[dict[int, str]] = {
    ExitCode.HELD: "everything asked for held",
    ExitCode.FAILED: "a gate, a delivery or a case failed",
    ExitCode.OPERATOR_ERROR: "the operator must act",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.OUR_BUG: "an error of mailproof itself",
    ExitCode.INTERRUPTED: "interrupted",
}


def summary(document: Document, *, report: str | None = None) -> RenderableType:
    """Return the summary for rich to print; `report` is where the whole report lies."""
    parts: list[RenderableType] = [_head(document)]
    if document.load is not None:
        parts += _load(document.load)
    if document.comparison is not None:
        parts += summary_of_comparison(document.comparison)
    if document.capacity is not None:
        parts += summary_of_capacity(document.capacity)
    if document.ledger is not None:
        parts += [summary_of_ledger(document.ledger)]
    if document.conformance is not None:
        parts += summary_of_cases(document.conformance)
    if document.gates:
        parts += [_gates(document)]
    parts += _unverified(document)
    parts += [_verdicts(document)]
    if report is not None:
        parts += [Text.assemble(("report  ", "dim"), inert(report))]
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts[:-1]), parts[-1])


def judgement(document: Document, name: str) -> RenderableType:
    """Return what a result came to, and no more of it: its gates and its verdicts."""
    parts = [_head(document), Text.assemble(("result  ", "dim"), inert(name))]
    if document.gates:
        parts += [Text(), _gates(document)]
    return Group(*parts, Text(), _verdicts(document), Text())


def plain(document: Document, *, report: str | None = None, width: int = PLAIN_WIDTH) -> str:
    """Return the summary as plain text, no line longer than `width`, ending with a newline."""
    return as_plain(summary(document, report=report), width=width)


def as_plain(shown: RenderableType, *, width: int = PLAIN_WIDTH) -> str:
    """Return what rich would print as plain text, no line longer than `width`, ending with a newline."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(shown)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def exit_meaning(code: int) -> str:
    """Return what an exit status says, in a few words."""
    return _EXIT_MEANINGS.get(code, "unknown to this version")


def _head(document: Document) -> RenderableType:
    facts = [units.duration(document.duration_s * units.NS_PER_S)] if document.comparison is None else []
    if document.load is not None:
        facts.insert(0, f"{inert(document.load.model)} model")
    if document.seed is not None:
        facts.append(f"seed {document.seed}")
    return Text.assemble(
        (inert(document.run_id), "bold"),
        "  ",
        " · ".join(facts),
        "\n",
        (f"mailproof {inert(document.mailproof)}, started {inert(document.started)}", "dim"),
    )


def _load(load: LoadResult) -> Iterator[RenderableType]:
    yield _sessions(load)
    yield _flow(load)
    if load.retries:
        yield _retries(load)
    if any(phase.count for phase in load.phases.values()):
        yield _times("times in ms", [(name, load.phases[name]) for name in in_order(load.phases)])
    if len(load.kinds) > 1 and load.session_times:
        yield _times("whole sessions", load.session_times.items())
    if load.failures:
        yield _failures(load)
    if load.monitors is not None:
        yield from summary_of_monitors(load.monitors)
    if load.crash is not None:
        yield from crash_in_text(load.crash)
    for note in load.notes:
        yield Text(f"note      {inert(note)}")
    if len(load.workers) > 1:
        yield from _workers(load)


def _said(text: str) -> Text:
    """Return words that came from outside: inert, and never read as rich's own markup."""
    return Text(inert(text))


def _table(*headings: str, left: int = 1) -> Table:
    """Return an empty table; the first `left` columns are words, the rest numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for position, heading in enumerate(headings):
        if position < left:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def _sessions(load: LoadResult) -> Table:
    table = _table("sessions", "arrived", "accepted", "refused", "failed", "timed\nout", "dropped", "inter-\nrupted")
    for name, counts in load.kinds.items() if len(load.kinds) > 1 else ():
        table.add_row(_said(name), *_counts(counts))
    if table.row_count:
        table.add_section()
    table.add_row("all", *_counts(load.sessions))
    return table


def _counts(n: SessionCounts) -> list[Text]:
    numbers = (n.arrived, n.accepted, n.refused, n.failed, n.timed_out, n.dropped, n.interrupted)
    return [Text(units.count(number), style="" if number else "dim") for number in numbers]


def _flow(load: LoadResult) -> Table:
    """Say what went through: messages of the whole run, then rates of the steady phase."""
    table = Table.grid(padding=(0, 2))
    n = load.messages
    table.add_row(
        "messages",
        f"{units.count(n.offered)} offered, {units.count(n.accepted)} accepted, "
        f"{units.count(n.refused)} refused, {units.count(n.retrieved)} retrieved",
    )
    if (rates := load.throughput) is not None:
        steady = units.duration(load.steady_s * units.NS_PER_S)
        table.add_row(
            "steady",
            f"for {steady}: {units.rate(rates.sessions_arrived_per_s)} sessions offered, "
            f"{units.rate(rates.sessions_per_s)} ended; messages {units.rate(rates.messages_accepted_per_s)} accepted, "
            f"{units.rate(rates.messages_retrieved_per_s)} retrieved",
        )
    table.add_row("in flight", f"{units.count(load.in_flight_peak)} sessions at the peak{_on_average(load.health)}")
    if load.arrival_check is not None:
        table.add_row("arrivals", load.arrival_check.sentence)
    return table


def _retries(load: LoadResult) -> Group:
    """Show deliveries twice: as their first attempts left them, and as they ended. Then how long that took."""
    table = _table(
        "tried again", "at first\naccepted", "\nput off", "\nbounced", "in the end\naccepted", "\nbounced",
        "\ngiven up", "unfin-\nished",
    )  # fmt: skip
    below = Table.grid(padding=(0, 2))
    for name, result in load.retries.items():
        first, final = result.first, result.deliveries
        accepted = final.accepted_first + final.accepted_later
        numbers = (first.accepted, first.deferred, first.bounced, accepted, final.bounced, final.given_up,
                   final.unfinished)
        table.add_row(_said(name), *[Text(units.count(number), style="" if number else "dim") for number in numbers])
        delay = result.delay_ns
        after = (
            f"accepted after p50 {units.duration(delay.p50)}, p99 {units.duration(delay.p99)}, max "
            f"{units.duration(delay.max)}, counted from the intended instant"
        )
        tried_again = f"{units.count(result.tried_again)} sessions tried again"
        below.add_row(_said(name), f"{tried_again}; {after if delay.max else 'nothing was accepted'}")
    return Group(table, Text(), below)


def _on_average(health: Health) -> str:
    """Give both sides of Little's law: what was looked at, and what the books say."""
    found = health.in_flight
    if found is None:
        return ""
    return f"; {units.mean(found.seen)} on average, by the books {units.mean(found.recorded)} (Little's law)"


def _times(heading: str, timed: Iterable[tuple[str, PhaseResult]]) -> Table:
    table = _table(heading, "count", "service\np50", "\np99", "\nmax", "response\np50", "\np99", "\nmax")
    for name, result in timed:
        if result.count:
            times = [(q.p50, q.p99, q.max) for q in (result.service_ns, result.response_ns)]
            table.add_row(
                _said(name), units.count(result.count), *(units.milliseconds(ns) for each in times for ns in each)
            )
    return table


def _failures(load: LoadResult) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    by_count = sorted(load.failures, key=lambda failure: -failure.count)
    for failure in by_count[:_FAILURES_SHOWN]:
        table.add_row(units.count(failure.count), _said(failure.phase), _said(failure.in_words))
    if len(by_count) > _FAILURES_SHOWN:
        rest = sum(failure.count for failure in by_count[_FAILURES_SHOWN:])
        table.add_row(units.count(rest), "", "of other causes: see the report")
    return table


def _workers(load: LoadResult) -> Iterator[RenderableType]:
    """Show each generator process's share and condition; below it, why nothing is known of the lost ones."""
    table = _table(
        "workers", "arrived", "sessions\nper s", "of a\ncore", "loop\nlag, ms\np99", "schedule\nlag, ms\np99", "\n\nmax"
    )
    for worker in load.workers:
        if worker.lost is not None:
            table.add_row(str(worker.worker), Text("lost", style="bold yellow"), *["–"] * 5)
            continue
        health = worker.health
        table.add_row(
            str(worker.worker),
            units.count(worker.arrived),
            "–" if worker.sessions_per_s is None else units.rate(worker.sessions_per_s).removesuffix("/s"),
            units.share(health.cpu_share),
            units.milliseconds(health.loop_lag_ns.p99),
            units.milliseconds(health.schedule_lag_ns.p99),
            units.milliseconds(health.schedule_lag_ns.max),
        )
    yield table
    if lost := [worker for worker in load.workers if worker.lost is not None]:
        yield Text("\n".join(f"worker {worker.worker} lost: {inert(worker.lost or '')}" for worker in lost))


def _gates(document: Document) -> Group:
    table = _table("gate", "allowed", "measured", "", left=4)
    for gate in document.gates:
        word, style = _WORDS[gate.verdict]
        table.add_row(
            _said(gate.metric), _said(gate.condition), _said(gate.measured or "no data"), Text(word, style=style)
        )
    looked = windows(document.gates, document.load)
    return Group(table, Text(looked, style="dim")) if looked else Group(table)


def _unverified(document: Document) -> Iterator[Text]:
    for endpoint in document.target:
        if endpoint.tls is not None and not endpoint.tls.verified:
            yield Text(f"CERTIFICATE NOT VERIFIED: {inert(endpoint.url)}", style="bold yellow")


def _verdicts(document: Document) -> Table:
    table = Table.grid(padding=(0, 2))
    for question, label in _QUESTIONS:
        word, style = _WORDS[getattr(document.verdicts, question)]
        sentences = [inert(reason.sentence) for reason in document.reasons if reason.verdict == question]
        table.add_row(label, Text(word, style=style), Text("\n".join(sentences)))
    code = document.exit_code
    table.add_row("exit", str(code), exit_meaning(code))
    return table
