"""The watch over the machine while the load is driven: one for a run, however many processes generate it.

Whatever it reads is the machine's, and so partly the doing of others: told, and not judged.
"""

from pathlib import Path
from typing import Final

import trio

from loadgen.engine.health.ports import ports_in_use
from loadgen.engine.health.proc import PROC, read_proc
from loadgen.engine.health.processors import ProcessorTimes, between, processor_times
from loadgen.engine.health.tcp_counters import counted, tcp_tables
from loadgen.engine.progress import Progress
from reports.machine import Machine, Ports

PORTS_EVERY_S: Final = 5.0


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
        """Look at the ports now and then, in a thread. Runs until cancelled."""
        while True:
            await trio.sleep(PORTS_EVERY_S)
            await self.look_at_ports()

    async def look_at_ports(self) -> None:
        """Look at the ports now; the most that was ever in use is kept."""
        found = await trio.to_thread.run_sync(ports_in_use, self._root, abandon_on_cancel=True)
        if found is not None and (self._ports is None or found.used_max > self._ports.used_max):
            self._ports = found

    def result(self) -> Machine:
        """Return what the machine did since this watch was made."""
        return Machine(
            processors=between(*self._steady) if self._steady else None,
            tcp=counted(self._tcp, tcp_tables(self._root)),
            ports=self._ports,
        )

    def _processors(self) -> ProcessorTimes | None:
        return processor_times(read_proc(self._root, "stat"))
