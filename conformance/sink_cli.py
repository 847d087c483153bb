"""`mailproof sink`: a target that costs next to nothing, to measure clients with; or one that keeps what it gets."""

import gc
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import trio
import typer

from conformance.keeping_sink import KeepingSink
from conformance.refserver.errors import ServerSetupError
from conformance.refserver.listener.null_sink import NullSink
from conformance.refserver.listener.sockets import allow_descriptors, listen_tcp
from conformance.sink_faults import misfortunes_of
from reports.errors import UserError

DESCRIPTORS = 65_536


def register(app: typer.Typer) -> None:
    """Add the sub-command."""
    app.command("sink", short_help="Run a null sink: it takes whatever mail comes.")(sink_command)


def sink_command(
    port: Annotated[int, typer.Option(help="Port for SMTP; 0 chooses a free one.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input closes; a line of it asks for the accounts.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Add a line for each copy that comes, for [ledger] sink; speaks LMTP too."),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="With --keep: do wrong by every N-th message.")
    ] = None,
) -> None:
    """Run a null sink: it grants all an SMTP client says, and keeps nothing, unless it is told where.

    Prints one JSON line when it is ready; Ctrl-C ends it.
    """
    if keep is not None:
        trio.run(partial(_keep, KeepingSink(keep, misfortunes_of(fault or ())), host, port, until_eof=until_eof))
        return
    if fault:
        raise UserError("--fault is of a sink that keeps what it gets: add --keep FILE")
    try:
        with listen_tcp(host, port) as listening:
            allow_descriptors(DESCRIPTORS)
            sink = NullSink(listening)
            if until_eof:
                sink.close_with(sys.stdin.fileno(), lambda: typer.echo(json.dumps(sink.used())))
            port = listening.getsockname()[1]
            typer.echo(json.dumps({"ready": True, "pid": os.getpid(), "smtp": f"smtp://{_shown(host)}:{port}"}))
            gc.disable()      # nothing here refers to itself
            sink.serve()
    except ServerSetupError as error:
        raise UserError(str(error)) from error


async def _keep(sink: KeepingSink, host: str, port: int, *, until_eof: bool) -> None:
    """Serve a sink that keeps what it gets until standard input closes, if that is wanted, and tell of it."""
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        raise UserError(f"no sink can listen on {_shown(host)}:{port}: {error.strerror}") from None
    allow_descriptors(DESCRIPTORS)
    port = listeners[0].socket.getsockname()[1]
    urls = {protocol: f"{protocol}://{_shown(host)}:{port}" for protocol in ("smtp", "lmtp")}
    typer.echo(json.dumps({"ready": True, "pid": os.getpid(), **urls}))
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, sink.serve, listeners)
            if until_eof:
                while await trio.to_thread.run_sync(partial(os.read, sys.stdin.fileno(), 4096), abandon_on_cancel=True):
                    typer.echo(json.dumps(sink.told()))
                nursery.cancel_scope.cancel()
    finally:
        sink.close()
        typer.echo(json.dumps(sink.told()))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
