"""What a run leaves on disk: `result.json`, `report.html`, `run.hlog`, and a `.hgrm` file for every phase."""

import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from reports.document import Document, encode
from reports.errors import UserError
from reports.histogram import Histogram, HlogWriter, Interval
from reports.retry_metric import delays_of

RESULT, REPORT, HLOG, HISTOGRAMS = "result.json", "report.html", "run.hlog", "histograms"
LEDGER_DATABASE, LEDGER_LINES = "ledger.sqlite", "ledger.jsonl"


def check_writable(directory: Path) -> None:
    """Make the directory, parents too, and write to it, before a run is spent. UserError when that fails."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as exc:
        raise UserError(_cannot("write to", directory, exc)) from None


def write_run(
    directory: Path, document: Document, intervals: Iterable[Interval] = (), *, started: datetime | None = None
) -> Path:
    """Write everything into the directory, making it if need be, and return the path of the HTML report.

    The result itself comes first, so that it survives whatever goes wrong with its presentation. UserError when
    a file cannot be written.
    """
    write_result(directory, document)
    return write_reports(directory, document, intervals, started=started)


def write_result(directory: Path, document: Document) -> Path:
    """Write the result into the directory, making it if need be, and return its path. UserError when that fails."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / RESULT).write_bytes(encode(document))
    except OSError as exc:
        raise UserError(_cannot("write to", directory, exc)) from None
    return directory / RESULT


def write_reports(
    directory: Path, document: Document, intervals: Iterable[Interval] = (), *, started: datetime | None = None
) -> Path:
    """Write what is made of a result beside it, and return the path of the HTML report. UserError when that fails.

    `started` is the run's start when it is known more finely than the document says it, to the second.
    """
    try:
        _write_histograms(directory / HISTOGRAMS, document)
        with (directory / HLOG).open("w", encoding="ascii") as stream:
            log = HlogWriter(stream, started or datetime.fromisoformat(document.started))
            for interval in intervals:
                log.write(interval)
        (directory / REPORT).write_text(_page(document), encoding="utf-8")
    except OSError as exc:
        raise UserError(_cannot("write to", directory, exc)) from None
    return directory / REPORT


def write_text(path: Path, content: str | bytes) -> None:
    """Write one report to a file the operator named. UserError when that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    except OSError as exc:
        raise UserError(_cannot("write", path, exc)) from None


def _write_histograms(directory: Path, document: Document) -> None:
    directory.mkdir(exist_ok=True)
    for phase, result in document.load.phases.items() if document.load is not None else ():
        for kind, encoded in (("response", result.response_hdr), ("service", result.service_hdr)):
            if encoded:
                Histogram.decode(encoded).write_hgrm(directory / f"{phase}.{kind}.hgrm")
    if document.load is not None and (delays := delays_of(document.load)).count:
        delays.write_hgrm(directory / "retry.delay.hgrm")
    if document.ledger is not None and (timed := document.ledger.end_to_end) is not None and timed.count:
        Histogram.decode(timed.latency_hdr).write_hgrm(directory / "end_to_end.hgrm")
        Histogram.decode(timed.least_hdr).write_hgrm(directory / "end_to_end.least.hgrm")


def _page(document: Document) -> str:
    from reports.html import html  # noqa: PLC0415 - matplotlib takes half a second that no other command should pay

    return html(document)


def _cannot(what: str, path: Path, exc: OSError) -> str:
    where = exc.filename if isinstance(exc.filename, str) else path
    return f"cannot {what} {path}: {exc.strerror or exc}" + (f" ({where})" if str(where) != str(path) else "")
