"""The watch over the machine while the load is driven: one for a run, however many processes generate it.

Whatever it reads is the machine's, and so partly the doing of others: told, and not judged.
"""

import time
from pathlib import Path
from typing import Final

import trio

from loadgen.engine.health.ports import ports_in_use, sockets_there
from loadgen.engine.health.proc import PROC, read_proc
from loadgen.engine.health.processors import ProcessorTimes, between, processor_times
from loadgen.engine.health.tcp_counters import counted, tcp_tables
from loadgen.engine.progress import Progress
from reports.machine import Machine, Ports

# To list the sockets takes some 3 µs for each: of 28,000, a tenth of a second of processor time. So it is not done for
# a few more of them, and for no more than so much of the time.
SOCKET_S: Final = 3e-6
PORTS_EVERY_S: Final = 5.0
PORTS_SHARE: Final = 0.002
MORE_SOCKETS: Final = 250            # a hundredth of the ports that Linux has to give


class MachineWatch:
    """Looks at the machine from now on."""

    def __init__(self, root: Path = PROC) -> None:
        self._root = root
        self._tcp = tcp_tables(root)
        self._newest = self._processors()
        self._steady: list[ProcessorTimes | None] = []  # as the steady phase began, to within a second, and as it ended
        self._ports: Ports | None = None

    def observe(self, progress: Progress) -> None:
        """Look at the processors; to be called once a second, as the run goes on."""
        before, self._newest = self._newest, self._processors()
        if progress.stage == "steady":
            self._steady = [self._steady[0] if self._steady else before, self._newest]

    async def watch_ports(self) -> None:
        """Look at the ports now and then, in a thread, as long as there may be more of them in use.

        No pair of addresses can have come to MORE_SOCKETS more ports while the machine has fewer more sockets, unless
        others gave up as many meanwhile. Runs until cancelled.
        """
        rest_s, least = PORTS_EVERY_S, -MORE_SOCKETS     # the fewest sockets there were at, or after, the newest look
        began_s, known = trio.current_time(), False
        while True:
            await trio.sleep(rest_s)
            there = sockets_there(self._root)
            rest_s, least = PORTS_EVERY_S, least if there is None else min(least, there)
            if there is None or there >= least + MORE_SOCKETS:
                early_s = began_s + (there or 0) * SOCKET_S / PORTS_SHARE - trio.current_time()
                if early_s > 0 and not known:
                    rest_s = early_s
                else:
                    known = True                         # what it takes
                    rest_s, least = max(rest_s, await self.look_at_ports() / PORTS_SHARE), there or 0

    async def look_at_ports(self) -> float:
        """Look at the ports now; the most that was ever in use is kept. Return the processor time it took, seconds."""
        found, took_s = await trio.to_thread.run_sync(_timed_look, self._root, abandon_on_cancel=True)
        if found is not None and (self._ports is None or found.used_max > self._ports.used_max):
            self._ports = found
        return took_s

    def result(self) -> Machine:
        """Return what the machine did since this watch was made."""
        return Machine(
            processors=between(*self._steady) if self._steady else None,
            tcp=counted(self._tcp, tcp_tables(self._root)),
            ports=self._ports,
        )

    def _processors(self) -> ProcessorTimes | None:
        return processor_times(read_proc(self._root, "stat"))


def _timed_look(root: Path) -> tuple[Ports | None, float]:
    began_s = time.thread_time()
    return ports_in_use(root), time.thread_time() - began_s
