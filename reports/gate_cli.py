"""`mailproof gate RESULT…`: hold gates against any results, of loads, conformance runs, searches and comparisons."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reports.annotate_cli import Annotations, AnnotationsOption, annotate
from reports.compare_files import runs_at
from reports.conclude import judged_again
from reports.document import Document
from reports.errors import UserError
from reports.exit_codes import ExitCode
from reports.gate import Gate
from reports.gate_spelt import gates_spelt
from reports.junit import junit_of_gates
from reports.metric_list import metric_list
from reports.phases import PROTOCOLS
from reports.preset import gates_of_preset
from reports.safe import inert
from reports.text import as_plain, exit_meaning, judgement
from reports.verdict import Verdict
from reports.write import write_text


def gate_command(
    results: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RESULT", help="result.json files, their directories, or directories of such."),
    ] = None,
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", metavar="GATE", help='One more gate: "smtp.body.response:p99 < 500ms"; repeatable.'),
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Gates known by a name: specmail2001.")] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML, a test case for each gate.")
    ] = None,
    annotations: AnnotationsOption = Annotations.AUTO,
    show: Annotated[bool, typer.Option("--list", help="List every metric there is, and the presets.")] = False,
) -> None:
    """Judge results again, each by itself: by its own gates and these; 1 if any fails."""
    if show:
        typer.echo(metric_list(), nl=False)
        return
    if not results:
        raise UserError("no result: give at least one result.json, or a directory of one; --list needs none")
    if preset is not None:
        gates_of_preset(preset)
    runs = [run for path in results for run in runs_at(path)]
    judged = [(run.result, _judged(run.result, run.document, gates or (), preset)) for run in runs]
    if junit_file is not None:
        write_text(junit_file, junit_of_gates(judged))
    code = code_of_all(document for _, document in judged)
    _tell(judged, code)
    annotate(*(document for _, document in judged), wanted=annotations)
    raise typer.Exit(code)


def code_of_all(documents: Iterable[Document]) -> ExitCode:
    """Return what several results come to: a failure is a fact, and one that is undecided leaves something unsaid."""
    codes = {document.exit_code for document in documents}
    for code in (ExitCode.FAILED, ExitCode.INCONCLUSIVE):
        if code in codes:
            return code
    return ExitCode.HELD


def _judged(name: str, document: Document, texts: Sequence[str], preset: str | None) -> Document:
    """Hold a result against more gates. UserError, also where nothing at all is asked of it."""
    judged = judged_again(document, _gates(texts, document), preset=preset)
    if judged.verdicts.correct is judged.verdicts.fast_enough is Verdict.NOT_APPLICABLE and not judged.gates:
        raise UserError(
            f"{name}: nothing is asked of it: it has no gate, no ledger and no case; give --gate or --preset"
        )
    return judged


def _gates(texts: Sequence[str], document: Document) -> list[Gate]:
    """Read gates; the times of whole sessions, "p95(response)", are of each protocol that the load spoke."""
    phases = () if document.load is None else document.load.phases
    spoken = [protocol for protocol in PROTOCOLS if f"{protocol}.session" in phases] or PROTOCOLS
    return [gate for text in texts for gate in gates_spelt(text, protocols=spoken)]


def _tell(judged: Sequence[tuple[str, Document]], code: ExitCode) -> None:
    console = Console()
    for name, document in judged:
        if console.is_terminal:
            console.print(judgement(document, name))
        else:
            typer.echo(as_plain(judgement(document, name)), nl=False)
    if len(judged) > 1:
        for name, document in judged:
            typer.echo(f"exit {document.exit_code}  {inert(name)}")
        typer.echo(f"all   {code:d}  {exit_meaning(code)}")
