"""The operator's hand on the server: the command that was declared to restart it (claims.restart)."""

import shlex
import subprocess
from typing import TYPE_CHECKING, Final

import trio

from conformance.judgement import NotApplicable, Undetermined

if TYPE_CHECKING:
    from conformance.pop3_peer import Pop3Peer

LOOK_S: Final = 0.2          # between two looks whether it is back
TAKES_S: Final = 60.0        # a restart that takes longer is none


async def run_command(command: str) -> str | None:
    """Run the operator's command; return how it failed, None if it did not."""
    try:
        with trio.move_on_after(TAKES_S) as limit:
            # No pipes: the server it starts would keep them open, and we would wait for their end.
            done = await trio.run_process(shlex.split(command), check=False, stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, ValueError) as error:
        return str(error)
    if limit.cancelled_caught:
        return f"it took more than {TAKES_S:.0f} s"
    return f"it ended with {done.returncode}" if done.returncode else None


async def restart(peer: "Pop3Peer") -> None:
    """Restart the server, and return once it greets again. Undetermined if that fails."""
    command = peer.subject.declared.claims.restart
    if command is None:
        raise NotApplicable("needs an operator's hand on the server (claims.restart)")
    trouble = await peer.subject.run_command(command)
    if trouble is not None:
        raise Undetermined(f"claims.restart: {trouble}")
    with trio.move_on_after(TAKES_S):
        while True:
            session = peer.another()
            try:
                await session.greet()
            except Undetermined:
                await peer.pause(LOOK_S)
                continue
            await session.quit()
            return
    raise Undetermined("claims.restart: the server does not greet again")
