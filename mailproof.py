"""The front door: the one command, composed from the three packages' sub-commands. Nothing else lives here."""

import sys
import traceback
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Annotated, Final

import typer

from reports.errors import UserError
from reports.exit_codes import ExitCode

EPILOG = (
    "To begin with: mailproof run quickstart. "
    "Exit status: 0 all held, 1 something failed, 2 what was typed or given is wrong, 3 inconclusive, "
    "4 a bug of mailproof's, 130 interrupted."
)


# Where each sub-command is. Only the module of the one that is typed is imported: all of them take half a second.
HOMES: Final[Mapping[str, str]] = {
    "run": "loadgen.cli",
    "schema": "loadgen.cli",
    "calibrate": "loadgen.calibrate.cli",
    "capacity": "loadgen.capacity.cli",
    "route": "loadgen.routing.cli",
    "serve": "conformance.serve_cli",
    "conform": "conformance.conform_cli",
    "doctor": "conformance.doctor_cli",
    "sink": "conformance.sink_cli",
    "trace": "conformance.trace_cli",
    "matrix": "conformance.matrix_cli",
    "report": "reports.cli",
    "gate": "reports.cli",
    "compare": "reports.cli",
    "trend": "reports.cli",
    "ci": "reports.cli",
}


def build_app(typed: str = "") -> typer.Typer:
    """Return the command with every sub-command, or with those of the module of the one that is typed."""
    app = typer.Typer(
        name="mailproof",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(no_args_is_help=True, epilog=EPILOG)(_options)
    for module in [HOMES[typed]] if typed in HOMES else dict.fromkeys(HOMES.values()):
        # Here because it takes its time, in which Ctrl-C must find `main` awake.
        import_module(module).register(app)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mailproof {metadata.version('mailproof')}")
        raise typer.Exit


def _options(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Prove mail servers: load, conformance and reports for SMTP, LMTP and POP3."""
    if context.invoked_subcommand == "run":
        from conformance.load_monitors import LoadMonitors  # noqa: PLC0415

        context.obj = LoadMonitors       # loadgen knows nobody who could judge what its sessions hear


def main() -> None:
    """Run the command line; what ends it is an exit code of `reports.exit_codes`."""
    try:
        build_app(*sys.argv[1:2])()
    except UserError as error:
        sys.stderr.write(f"mailproof: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except Exception:
        traceback.print_exc()
        sys.stderr.write("mailproof: this is a bug in mailproof; please report it with the lines above\n")
        sys.exit(ExitCode.OUR_BUG)


if __name__ == "__main__":
    main()
