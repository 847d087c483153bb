"""Ephemeral ports in use, against the range the system gives them from (/proc/net/tcp, proc_net(5))."""

import re
import sys
from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from loadgen.engine.health.proc import read_proc
from reports.machine import Ports

RANGE: Final = "sys/net/ipv4/ip_local_port_range"      # IPv6 has the same
CHUNK_OCTETS: Final = 64 * 1024                        # between two chunks the event loop gets its turn
LISTENING: Final = b"0A"

# local address, local port, address and port of the other end, state
_SOCKET: Final = re.compile(rb"^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2}) ", re.MULTILINE)
# What stands behind TCP's name: those in use, and, of both families, those in TIME-WAIT.
_IN_USE: Final = re.compile(r"^TCP6?: inuse (\d+)", re.MULTILINE)
_TIME_WAIT: Final = re.compile(r"^TCP: .*\btw (\d+)", re.MULTILINE)

Pair = tuple[bytes, bytes]       # source address, destination with its port, as the system writes them


def sockets_there(root: Path) -> int | None:
    """Return how many TCP sockets there are, TIME-WAIT included: cheap, and never less than `ports_in_use` finds.

    None: it is not known (/proc/net/sockstat, proc_net(5)).
    """
    text = "".join(read_proc(root, f"net/{name}") or "" for name in ("sockstat", "sockstat6"))
    found = [*_IN_USE.findall(text), *_TIME_WAIT.findall(text)]
    return sum(map(int, found)) if found else None


def ports_in_use(root: Path) -> Ports | None:
    """Return the use of ports between the busiest source address and destination; None if it is not known.

    To be called off the event loop: the system takes its time to list ten thousands of sockets.
    """
    ends = (read_proc(root, RANGE) or "").split()
    if len(ends) != 2 or not all(end.isdigit() for end in ends):
        return None
    low, high = map(int, ends)
    pairs: Counter[Pair] = Counter()
    seen = [_count(root / name, low, high, pairs) for name in ("net/tcp", "net/tcp6")]
    if not any(seen):
        return None
    [((source, destination), used)] = pairs.most_common(1) or [((b"", b""), 0)]
    return Ports(low=low, high=high, used_max=used, source=_address(source), destination=_endpoint(destination))


def _count(path: Path, low: int, high: int, pairs: Counter[Pair]) -> bool:
    """Count the sockets of one table by the two ends they connect; say whether there is such a table."""
    try:
        with path.open("rb", buffering=0) as table:
            rest = b""
            while chunk := table.read(CHUNK_OCTETS):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                pairs.update(
                    (local, other)
                    for local, port, other, state in _SOCKET.findall(whole + newline)
                    if state != LISTENING and low <= int(port, 16) <= high
                )
    except OSError:
        return False
    return True


def _endpoint(written: bytes) -> str:
    address, _, port = written.partition(b":")
    if not port:
        return ""
    shown = _address(address)
    return f"[{shown}]:{int(port, 16)}" if ":" in shown else f"{shown}:{int(port, 16)}"


def _address(written: bytes) -> str:
    """Return an address that the system wrote as hexadecimal words of 32 bits in its own byte order."""
    octets = bytes.fromhex(written.decode())
    if sys.byteorder == "little":
        octets = b"".join(octets[i : i + 4][::-1] for i in range(0, len(octets), 4))
    match len(octets):
        case 4:
            return str(IPv4Address(octets))
        case 16:
            mapped = IPv6Address(octets).ipv4_mapped
            return str(mapped or IPv6Address(octets))
        case _:
            return ""
