"""The front door: the one command, composed from the three packages' sub-commands. Nothing else lives here."""

import sys
import traceback
from importlib import metadata
from typing import Annotated

import typer

from reports.errors import UserError
from reports.exit_codes import ExitCode

EPILOG = (
    "To begin with: mailproof run quickstart. "
    "Exit status: 0 all held, 1 something failed, 2 what was typed or given is wrong, 3 inconclusive, "
    "4 a bug of mailproof's, 130 interrupted."
)


def build_app() -> typer.Typer:
    """Return the command with every sub-command."""
    # Imported here because it takes a second or two, in which Ctrl-C must find `main` awake.
    import conformance.cli  # noqa: PLC0415
    import loadgen.calibrate.cli  # noqa: PLC0415
    import loadgen.capacity.cli  # noqa: PLC0415
    import loadgen.cli  # noqa: PLC0415
    import loadgen.routing.cli  # noqa: PLC0415
    import reports.cli  # noqa: PLC0415

    app = typer.Typer(
        name="mailproof",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(no_args_is_help=True, epilog=EPILOG)(_options)
    for package in (
        loadgen.cli, loadgen.calibrate.cli, loadgen.capacity.cli, loadgen.routing.cli, conformance.cli, reports.cli,
    ):   # fmt: skip
        package.register(app)
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
    from conformance.load_monitors import LoadMonitors  # noqa: PLC0415

    context.obj = LoadMonitors       # loadgen knows nobody who could judge what its sessions hear


def main() -> None:
    """Run the command line; what ends it is an exit code of `reports.exit_codes`."""
    try:
        build_app()()
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
