"""`mailproof conform --under-load`: the part of the command that goes on while a load does."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import trio

from conformance.beside import LoadOrder, Told
from conformance.conform import Order
from conformance.under_load import LOAD_DIRECTORY
from reports.document import Document
from reports.errors import UserError
from reports.progress import LoadProgress


class Judge(Protocol):
    """Puts the cases to the server while a load goes on."""

    async def __call__(self, *, told: Told, stop: trio.Event) -> Document:
        """Return the document. UserError."""


def load_order(
    scenario: str | None, directory: Path, settings: Sequence[str], workers: str, *, authorized: bool
) -> LoadOrder | None:
    """Return the load that the options ask for, its results below those of the judging; None: none."""
    if scenario is None:
        return None
    return LoadOrder(scenario, directory / LOAD_DIRECTORY, tuple(settings), workers, authorized=authorized)


def check_load(order: Order) -> None:
    """Raise UserError if the load cannot be on all the servers that are judged."""
    protocols = [endpoint.protocol for endpoint in order.endpoints]
    if order.load is not None and len(set(protocols)) < len(protocols):
        raise UserError("--under-load: a load goes to one server of each protocol; give one URL for each")



def say_load(progress: LoadProgress) -> None:
    """Show how the load stands before it is steady, on a terminal."""
    if sys.stderr.isatty() and progress.stage == "warm-up":
        sys.stderr.write(f"\rthe load warms up: {progress.elapsed_s:.0f} s \x1b[K")
        sys.stderr.flush()


async def until_interrupted(judge: Judge) -> Document | None:
    """Judge; the first Ctrl-C (or SIGTERM) ends the judging and has the load drain, the second stops at once: None."""
    stop = trio.Event()
    document: Document | None = None
    complaint: UserError | None = None

    async def listen(scope: trio.CancelScope) -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if stop.is_set():
                    scope.cancel()
                    return
                stop.set()
                sys.stderr.write("interrupted: no more cases are put, and the load drains; once more stops at once\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, nursery.cancel_scope)
        try:
            document = await judge(told=say_load, stop=stop)
        except UserError as error:      # not through the nursery: it would come out as a group
            complaint = error
        nursery.cancel_scope.cancel()
    if complaint is not None:
        raise complaint
    return document
