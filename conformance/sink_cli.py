"""`mailproof sink`: a target that costs next to nothing, to measure clients with."""

import gc
import json
import os
import sys
from typing import Annotated

import typer

from conformance.refserver.errors import ServerSetupError
from conformance.refserver.listener.null_sink import NullSink
from conformance.refserver.listener.sockets import allow_descriptors, listen_tcp
from reports.errors import UserError

DESCRIPTORS = 65_536


def sink_command(
    port: Annotated[int, typer.Option(help="Port for SMTP; 0 chooses a free one.", min=0, max=65535)] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="End when standard input closes; a line of it asks for the accounts.")
    ] = False,
) -> None:
    """Run a null sink: it grants all an SMTP client says, and keeps nothing.

    Prints one JSON line when it is ready; Ctrl-C ends it.
    """
    try:
        with listen_tcp(host, port) as listening:
            allow_descriptors(DESCRIPTORS)
            sink = NullSink(listening)
            if until_eof:
                sink.close_with(sys.stdin.fileno(), lambda: typer.echo(json.dumps(sink.used())))
            shown = f"[{host}]" if ":" in host else host
            url = f"smtp://{shown}:{listening.getsockname()[1]}"
            typer.echo(json.dumps({"ready": True, "pid": os.getpid(), "smtp": url}))
            gc.disable()      # nothing here refers to itself
            sink.serve()
    except ServerSetupError as error:
        raise UserError(str(error)) from error
