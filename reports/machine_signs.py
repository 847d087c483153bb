"""What is told of the machine that generated the load. Others have their part in it, so none of it is judged."""

from collections.abc import Iterator

from reports import units
from reports.health import Health
from reports.machine import Machine, Ports, Processors, TcpCounters
from reports.sign import NOT_KNOWN, Sign

EVERYBODYS = "of all connections of this machine"


def machine_signs(machine: Machine, processes: list[Health]) -> Iterator[Sign]:
    """Yield what the system tells, beside what the generator's processes used themselves."""
    yield _processors(machine.processors, sum(health.cpu_share for health in processes))
    yield _ports(machine.ports)
    yield from _tcp(machine.tcp)


def _processors(found: Processors | None, own: float) -> Sign:
    if found is None:
        return Sign("machine", NOT_KNOWN)
    busy = f"{found.busy:.2f} of {units.processors(found.cpus)} busy"
    stolen = f"; a hypervisor withheld {found.steal:.2f}" if found.steal >= 0.005 else ""
    return Sign("machine", busy, note=f"the generator's share of that was {own:.2f}{stolen}")


def _ports(found: Ports | None) -> Sign:
    name = "ephemeral ports"
    if found is None:
        return Sign(name, NOT_KNOWN)
    whom = f"from {found.source} to {found.destination}" if found.used_max else "between any two addresses"
    note = f"{whom}, TIME-WAIT included; looked at as they became more"
    return Sign(name, f"{units.count(found.used_max)} of {units.count(found.available)}", note=note)


def _tcp(found: TcpCounters) -> Iterator[Sign]:
    drops = (
        (found.listen_overflows, "accept queue overflows"),
        (found.request_queue_full_drops, "SYN queue overflows"),
        (found.listen_drops, "drops in all"),
    )
    listening = f"{EVERYBODYS}; where the server is local they are its own"
    yield Sign("listening sockets", _counts(drops), note=listening)
    sent, again = found.segments_sent, found.segments_retransmitted
    share = f" ({units.share(again / sent)} of {units.count(sent)})" if sent and again is not None else ""
    resent = f"{_count(again)} segments{share}, {_count(found.timeouts)} timeouts"
    yield Sign("retransmitted", NOT_KNOWN if again is None and found.timeouts is None else resent, note=EVERYBODYS)
    ends = (
        (found.resets_sent, "resets sent"),
        (found.connections_reset, "connections reset"),
        (found.connects_failed, "connects failed"),
    )
    yield Sign("broken connections", _counts(ends), note=EVERYBODYS)


def _counts(found: tuple[tuple[int | None, str], ...]) -> str:
    if all(number is None for number, _ in found):
        return NOT_KNOWN
    return ", ".join(f"{_count(number)} {what}" for number, what in found)


def _count(number: int | None) -> str:
    return "unknown" if number is None else units.count(number)
