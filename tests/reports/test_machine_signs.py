"""What the report says of the machine: told with its doubtful parts, and never zero where nothing is known."""

from reports.health import Health
from reports.machine import Machine, Ports, Processors, TcpCounters
from reports.machine_signs import machine_signs
from reports.sign import Sign

TOLD = Machine(
    processors=Processors(cpus=4, busy=2.5, steal=0.25),
    tcp=TcpCounters(
        listen_overflows=0, listen_drops=3, request_queue_full_drops=0, segments_sent=200_000,
        segments_retransmitted=10, timeouts=2, resets_sent=0, connections_reset=1, connects_failed=0,
    ),
    ports=Ports(low=32_768, high=60_999, used_max=1_020, source="127.0.0.1", destination="127.0.0.1:2525"),
)   # fmt: skip


def signs(machine: Machine) -> dict[str, Sign]:
    return {sign.name: sign for sign in machine_signs(machine, [Health(cpu_share=0.5), Health(cpu_share=0.75)])}


def test_everything_that_is_told_is_shown() -> None:
    found = signs(TOLD)
    assert found["machine"].measured == "2.50 of 4 processors busy"
    assert found["machine"].note == "the generator's share of that was 1.25; a hypervisor withheld 0.25"
    assert found["ephemeral ports"].measured == "1,020 of 28,232"
    assert found["ephemeral ports"].note.startswith("from 127.0.0.1 to 127.0.0.1:2525, TIME-WAIT included")
    assert found["listening sockets"].measured == "0 accept queue overflows, 0 SYN queue overflows, 3 drops in all"
    assert found["retransmitted"].measured == "10 segments (0.01 % of 200,000), 2 timeouts"
    assert found["broken connections"].measured == "0 resets sent, 1 connections reset, 0 connects failed"


def test_what_the_system_does_not_tell_is_not_known() -> None:
    assert {sign.measured for sign in signs(Machine()).values()} == {"not known"}
    partly = signs(Machine(tcp=TcpCounters(listen_drops=1)))
    assert partly["listening sockets"].measured == (
        "unknown accept queue overflows, unknown SYN queue overflows, 1 drops in all"
    )


def test_none_of_it_is_judged_because_others_have_their_part_in_it() -> None:
    assert all(sign.doubt is None and not sign.allowed for sign in signs(TOLD).values())
