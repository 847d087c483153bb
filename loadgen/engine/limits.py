"""What this host lets a run have: descriptors, and ephemeral ports. What cannot be had is said in one sentence.

Before the load where it can be known: a closed load has all of its users open a session at once. How many sessions an
open load will have in flight is for the server to say; it ends with exit code 3 if it meets a limit.
"""

import ipaddress
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Final

from loadgen.endpoint import Protocol
from loadgen.engine.health.process import raise_open_files_limit
from loadgen.scenario.check_sessions import protocol_of
from loadgen.scenario.model import ClosedLoad, OpenLoad, Scenario
from loadgen.scenario.sessions import Pop3Contend
from loadgen.scenario.sources import SOURCES_MAX
from loadgen.session.route import Route
from loadgen.transport.addresses import Address
from reports.errors import PreconditionFailed

DESCRIPTORS_BESIDE: Final = 64         # standard streams, pollers, the link to workers, files, a connection to look
PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")
# Of one source's ports: past it the kernel, which draws a port and tries its neighbours, needs more and more tries.
PORTS_SHARE_USED: Final = 0.5


def connections_at_once(scenario: Scenario) -> int:
    """Return the most connections a load may have open at once."""
    load = scenario.load
    sessions = load.in_flight_max if isinstance(load, OpenLoad) else load.virtual_users
    two_each = any(isinstance(session, Pop3Contend) and session.weight for session in scenario.sessions)
    return 2 * sessions if two_each else sessions


def raise_descriptors(scenario: Scenario, workers: int) -> int:
    """Make room for a load's connections, and return how many files a process may open now.

    The embedded server, which has them all, inherits it. Raises PreconditionFailed if a closed load has no room.
    """
    at_once = connections_at_once(scenario)
    shares = 1 if scenario.target.embedded else workers
    needed = ceil(at_once / shares) + DESCRIPTORS_BESIDE
    allowed = raise_open_files_limit(needed)
    if allowed < needed and isinstance(scenario.load, ClosedLoad):
        raise PreconditionFailed(
            f"{_wanted(scenario)}, for which a process must open {needed:,} files, and RLIMIT_NOFILE lets it open "
            f"{allowed:,}: run `ulimit -n {needed}` first, as root if need be"
        )
    return allowed


def ephemeral_ports() -> int | None:
    """Return how many ephemeral ports a source address has for each server; None where the system does not tell."""
    try:
        first, last = PORT_RANGE.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return int(last) - int(first) + 1


def sources_of(
    wanted: Sequence[str], addresses: Sequence[Address], at_once: int, ports: int | None
) -> tuple[str, ...]:
    """Return the source addresses of the connections to one server: those wanted, or none for the system's choice.

    To a server on loopback, where each of 127.0.0.0/8 is ours, as many as keep the ports of each half free. (Only on
    Linux: elsewhere they must be configured first.)
    """
    ours = addresses and all(map(_is_loopback, addresses))
    if wanted or not ours or ports is None or sys.platform != "linux":
        return tuple(wanted)
    count = ceil(at_once / (ports * PORTS_SHARE_USED))
    return tuple([str(LOOPBACK[i]) for i in range(1, min(count, SOURCES_MAX) + 1)]) if count > 1 else ()


def check_ports(scenario: Scenario, routes: Mapping[Protocol, Route], ports: int | None) -> None:
    """Raise PreconditionFailed if a closed load needs more ephemeral ports than there are."""
    if ports is None or not isinstance(scenario.load, ClosedLoad):
        return
    total = sum(session.weight for session in scenario.sessions)
    for protocol, route in routes.items():
        endpoint, sources = route.endpoint, len(route.sources) or 1
        share = sum(each.weight for each in scenario.sessions if protocol_of(each) == protocol) / total
        needed, there = int(connections_at_once(scenario) * share), sources * ports
        if endpoint.path is None and needed > there:
            raise PreconditionFailed(
                f"{_wanted(scenario)}, {needed:,} of them to {endpoint}, and {_counted(sources, 'source', 's')} "
                f"can have {there:,}, one for each ephemeral port: name {ceil(needed / ports)} target.source_addresses"
                ', or run `sysctl -w net.ipv4.ip_local_port_range="1024 65535"` as root'
            )


def shortages(
    scenario: Scenario, exhausted: Mapping[str, int], in_flight_peak: int, nofile: int
) -> Iterator[str]:
    """Say what this host ran out of in a run and how often, how far the run came, and what it may need."""
    so_far = f"{in_flight_peak:,} sessions were open at once, and {_wanted(scenario)}"
    for cause, sessions in exhausted.items():
        yield f"{_counted(sessions, 'session', 's')} met a limit of this host: {cause}; {so_far}"
    if scenario.target.embedded and in_flight_peak >= nofile - DESCRIPTORS_BESIDE:
        yield (
            f"the embedded server can open {nofile:,} files (RLIMIT_NOFILE), which is too few: {so_far}; "
            f"run `ulimit -n {connections_at_once(scenario) + DESCRIPTORS_BESIDE}` first, as root if need be"
        )


def _wanted(scenario: Scenario) -> str:
    load, at_once = scenario.load, connections_at_once(scenario)
    if isinstance(load, OpenLoad):
        return f"load.in_flight_max = {load.in_flight_max} allows {at_once:,} connections"
    return f"load.virtual_users = {load.virtual_users} have {at_once:,} connections at once"


def _is_loopback(address: Address) -> bool:
    """Say whether an address is IPv4 loopback; IPv6 has only one such address."""
    sockaddr = address.sockaddr
    return len(sockaddr) == 2 and ipaddress.IPv4Address(sockaddr[0]) in LOOPBACK


def _counted(count: int, noun: str, plural: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else plural}"
