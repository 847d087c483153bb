"""Giving up early: what the first Ctrl-C does to whatever is no load."""

import trio


async def cancel_when(stop: trio.Event, scope: trio.CancelScope) -> None:
    """Cancel a scope as soon as `stop` is set. Run it beside the work, in a nursery of its own."""
    await stop.wait()
    scope.cancel()


async def pass_on(from_one: trio.Event, to_another: trio.Event) -> None:
    """Set one event when another is set. Runs until then, or until cancelled."""
    await from_one.wait()
    to_another.set()
