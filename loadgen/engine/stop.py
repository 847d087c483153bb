"""Giving up early: what the first Ctrl-C does to whatever is no load."""

import trio


async def cancel_when(stop: trio.Event, scope: trio.CancelScope) -> None:
    """Cancel a scope as soon as `stop` is set. Run it beside the work, in a nursery of its own."""
    await stop.wait()
    scope.cancel()
