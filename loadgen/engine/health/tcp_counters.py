"""What TCP counted on this machine while the load was driven (/proc/net/snmp, /proc/net/netstat)."""

from pathlib import Path
from typing import Final

from loadgen.engine.health.proc import read_proc
from reports.machine import TcpCounters

# our name, the table and the column that has it (RFC 4022's names, and Linux's own)
_COUNTERS: Final = (
    ("listen_overflows", "TcpExt", "ListenOverflows"),
    ("listen_drops", "TcpExt", "ListenDrops"),
    ("request_queue_full_drops", "TcpExt", "TCPReqQFullDrop"),
    ("timeouts", "TcpExt", "TCPTimeouts"),
    ("segments_sent", "Tcp", "OutSegs"),
    ("segments_retransmitted", "Tcp", "RetransSegs"),
    ("resets_sent", "Tcp", "OutRsts"),
    ("connections_reset", "Tcp", "EstabResets"),
    ("connects_failed", "Tcp", "AttemptFails"),
)

Tables = dict[str, dict[str, int]]


def tcp_tables(root: Path) -> Tables:
    """Return what the system's counters stand at now; a table it does not show is not there."""
    return counters_of(read_proc(root, "net/snmp") or "") | counters_of(read_proc(root, "net/netstat") or "")


def counters_of(text: str) -> Tables:
    """Return the tables of a text in which each has a line of names and, below it, one of values."""
    tables: Tables = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        table, _, columns = names.partition(":")
        same, _, numbers = values.partition(":")
        if table == same:
            pairs = zip(columns.split(), numbers.split(), strict=False)
            tables[table] = {name: int(number) for name, number in pairs if number.lstrip("-").isdigit()}
    return tables


def counted(before: Tables, after: Tables) -> TcpCounters:
    """Return what was counted in between; what either look does not tell is not known."""
    found: dict[str, int | None] = {}
    for ours, table, name in _COUNTERS:
        first, last = before.get(table, {}).get(name), after.get(table, {}).get(name)
        # A counter of 32 bits may have begun again from 0.
        found[ours] = None if first is None or last is None else last - first if last >= first else None
    return TcpCounters(**found)
