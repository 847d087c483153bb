"""What the system tells of the machine, read from texts as Linux writes them; what it does not tell is not known."""

import math
import sys
import time
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from loadgen.engine.health import machine
from loadgen.engine.health.machine import MORE_SOCKETS, PORTS_EVERY_S, PORTS_SHARE, SOCKET_S, MachineWatch
from loadgen.engine.health.ports import ports_in_use, sockets_there
from loadgen.engine.health.process import open_files
from loadgen.engine.health.processors import ProcessorTimes, between, processor_times
from loadgen.engine.health.tcp_counters import counted, counters_of
from loadgen.engine.progress import Progress
from reports.machine import Machine, Ports, TcpCounters

little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the texts were written by such a machine")

STAT = """\
cpu  938883 35066 138361 1647227 5929 0 22555 709 41 0
cpu0 392735 14644 64360 906964 1723 0 12449 375 20 0
cpu1 546148 20422 74000 740263 4206 0 10106 334 21 0
intr 81712345 0 9 0
ctxt 152345678
"""
LATER_STAT = """\
cpu  939083 35066 138461 1647327 5929 0 22655 809 41 0
cpu0 392835 14644 64410 907014 1723 0 12499 425 20 0
cpu1 546248 20422 74050 740313 4206 0 10156 384 21 0
"""
NETSTAT = """\
TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts TCPReqQFullDrop
TcpExt: 3899 43 411 7437 12
IpExt: InNoRoutes InTruncatedPkts
IpExt: 0 0
"""
SNMP = """\
Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens AttemptFails EstabResets OutSegs RetransSegs OutRsts
Tcp: 1 200 120000 -1 2333269 3931 859456 60064196 347309 796805
"""
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = "00000000:00000000 00:00000000 00000000     0        0 1664 1 000000003c58f0a4 100 0 0 10 0\n"


def sockets(*rows: tuple[str, str, str]) -> str:
    """Return a table of sockets: (local, other end, state)."""
    lines = (f"{number:4d}: {local} {other} {state} {TAIL}" for number, (local, other, state) in enumerate(rows))
    return HEAD + "".join(lines)


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return root


def test_processors_are_told_as_how_many_were_busy_on_the_average() -> None:
    first, later = processor_times(STAT), processor_times(LATER_STAT)
    assert first == ProcessorTimes(cpus=2, busy=1_134_865, steal=709, total=2_788_730)
    found = between(first, later)
    assert found is not None
    # 600 ticks of two processors: 400 busy, 100 idle, 100 stolen.
    assert [found.cpus, found.busy, found.steal] == pytest.approx([2, 4 / 3, 1 / 3])


@pytest.mark.parametrize("text", [None, "", "intr 1 2 3\n", "cpu  1 2 3\n", "cpu  a b c d e f g h\n"])
def test_a_system_that_does_not_tell_of_processors_leaves_them_unknown(text: str | None) -> None:
    assert processor_times(text) is None
    assert between(processor_times(text), processor_times(STAT)) is None
    assert between(processor_times(STAT), processor_times(STAT)) is None, "no time has passed"


def test_tcp_counters_are_what_was_counted_in_between() -> None:
    before = counters_of(NETSTAT) | counters_of(SNMP)
    after = counters_of(NETSTAT.replace("43 411 7437 12", "45 420 7437 12")) | counters_of(
        SNMP.replace("60064196 347309 796805", "60065196 347312 796805")
    )
    assert counted(before, after) == TcpCounters(
        listen_overflows=2, listen_drops=9, request_queue_full_drops=0, timeouts=0, segments_sent=1000,
        segments_retransmitted=3, resets_sent=0, connections_reset=0, connects_failed=0,
    )   # fmt: skip


def test_a_counter_that_is_not_there_or_began_again_is_not_known_and_never_zero() -> None:
    nothing = counted({}, {})
    assert nothing == TcpCounters()
    assert nothing.listen_drops is None
    assert counted({}, counters_of(NETSTAT)).listen_drops is None
    assert counted({"TcpExt": {"ListenDrops": 4_294_967_290}}, {"TcpExt": {"ListenDrops": 4}}).listen_drops is None


@pytest.mark.parametrize("text", ["TcpExt: A B\n", "TcpExt: A\nIpExt: 1\n", "nonsense\nmore\n"])
def test_a_table_that_is_not_whole_tells_nothing(text: str) -> None:
    assert all(not numbers for numbers in counters_of(text).values())


@little_endian
def test_the_busiest_pair_of_addresses_decides_how_many_ports_are_left(tmp_path: Path) -> None:
    rows = [
        ("0100007F:0A10", "00000000:0000", "0A"),                                   # the server listens
        *((f"0100007F:{port:04X}", "0100007F:09DD", "06") for port in range(40_000, 40_005)),     # TIME-WAIT
        *((f"0100007F:{port:04X}", "0100007F:09DD", "01") for port in range(40_010, 40_013)),
        *((f"0200007F:{port:04X}", "0100007F:09DD", "01") for port in range(40_000, 40_004)),     # another source
        *(("0100007F:09DD", f"0100007F:{port:04X}", "01") for port in range(40_010, 40_030)),     # the server's ends
    ]
    text = sockets(*rows)
    root = write(tmp_path, sys__net__ipv4__ip_local_port_range="32768\t60999\n", net__tcp=text, net__tcp6=HEAD)
    found = ports_in_use(root)
    assert found is not None
    assert (found.used_max, found.available) == (8, 28_232)
    assert (found.source, found.destination) == ("127.0.0.1", "127.0.0.1:2525")


@little_endian
def test_ipv6_addresses_are_read_too(tmp_path: Path) -> None:
    loopback, mapped = "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"
    rows = [(f"{loopback}:{port:04X}", f"{loopback}:09DD", "01") for port in (40_000, 40_001)]
    write(tmp_path, sys__net__ipv4__ip_local_port_range="32768 60999\n")
    found = ports_in_use(write(tmp_path, net__tcp6=sockets(*rows)))
    assert found is not None
    assert (found.used_max, found.source, found.destination) == (2, "::1", "[::1]:2525")
    found = ports_in_use(write(tmp_path, net__tcp6=sockets((f"{mapped}:9C40", f"{mapped}:09DD", "01"))))
    assert found is not None
    assert found.destination == "127.0.0.1:2525"


@little_endian
def test_a_long_table_is_read_in_pieces_and_no_row_is_lost(tmp_path: Path) -> None:
    rows = [(f"0100007F:{port:04X}", "0100007F:09DD", "06") for port in range(32_768, 61_000)]
    root = write(tmp_path, sys__net__ipv4__ip_local_port_range="32768\t60999\n", net__tcp=sockets(*rows))
    found = ports_in_use(root)
    assert found is not None
    assert found.used_max == found.available == len(rows)


def test_ports_are_not_known_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert ports_in_use(tmp_path) is None
    assert ports_in_use(write(tmp_path, sys__net__ipv4__ip_local_port_range="32768 60999\n")) is None
    assert ports_in_use(write(tmp_path, net__tcp=HEAD, sys__net__ipv4__ip_local_port_range="what\n")) is None


def test_open_files_are_counted_or_not_known(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    assert open_files(tmp_path) == 3
    assert open_files(tmp_path / "nowhere") is None
    before = open_files()
    with (tmp_path / "a").open():
        assert before is None or open_files() == before + 1


def second(stage: str, elapsed_s: float) -> Progress:
    return Progress(stage, elapsed_s, 0, 0, 0, 0, 0, 0, None, None)


def test_the_watch_tells_the_processors_of_the_steady_phase_alone(tmp_path: Path) -> None:
    watch = MachineWatch(write(tmp_path, stat=STAT, net__snmp=SNMP, net__netstat=NETSTAT))
    watch.observe(second("warm-up", 1.0))
    write(tmp_path, stat=LATER_STAT)
    watch.observe(second("steady", 2.0))
    write(tmp_path, stat=STAT, net__netstat=NETSTAT.replace("43", "44"))
    watch.observe(second("drain", 3.0))
    found = watch.result()
    assert found.processors is not None
    assert found.processors.busy == pytest.approx(4 / 3)
    assert found.tcp.listen_overflows == 1


async def test_a_system_without_accounts_leaves_all_of_it_unknown(tmp_path: Path) -> None:
    watch = MachineWatch(tmp_path)
    for elapsed_s in (1.0, 2.0, 3.0):
        watch.observe(second("steady", elapsed_s))
    await watch.look_at_ports()
    assert watch.result() == Machine()


@little_endian
async def test_of_the_looks_at_the_ports_the_one_with_the_most_in_use_is_kept(tmp_path: Path) -> None:
    write(tmp_path, sys__net__ipv4__ip_local_port_range="32768 60999\n")
    watch = MachineWatch(tmp_path)
    for ports in (3, 7, 2):
        rows = [(f"0100007F:{40_000 + port:04X}", "0100007F:09DD", "01") for port in range(ports)]
        write(tmp_path, net__tcp=sockets(*rows))
        await watch.look_at_ports()
    found = watch.result().ports
    assert found is not None
    assert found.used_max == 7


SOCKSTAT = """\
sockets: used 251
TCP: inuse {0} orphan 1 tw {1} alloc 229 mem 38
UDP: inuse 7 mem 0
"""


def test_the_sockets_there_are_are_those_in_use_and_those_in_time_wait(tmp_path: Path) -> None:
    write(tmp_path, net__sockstat=SOCKSTAT.format(229, 27_913))
    assert sockets_there(tmp_path) == 28_142
    write(tmp_path, net__sockstat6="TCP6: inuse 8\nUDP6: inuse 900\n")
    assert sockets_there(tmp_path) == 28_150
    assert sockets_there(tmp_path / "nowhere") is None


class LooksAtPorts(MachineWatch):
    """Notes when it looks; each look takes some processor time."""

    def __init__(self, root: Path, took_s: float = 0.001) -> None:
        super().__init__(root)
        self.took_s = took_s
        self.at_s: list[float] = []

    async def look_at_ports(self) -> float:
        self.at_s.append(trio.current_time())
        return self.took_s


async def looks_at(watch: LooksAtPorts, *sockets_now: int | None) -> list[float]:
    """When it looks, while the machine has so many sockets before each time that it may."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.watch_ports)
        for number, there in enumerate(sockets_now):
            await trio.sleep_until(PORTS_EVERY_S * number + 1)
            if there is not None:
                write(watch._root, net__sockstat=SOCKSTAT.format(9, there - 9))
        await trio.sleep_until(PORTS_EVERY_S * len(sockets_now) + 1)
        nursery.cancel_scope.cancel()
    return [at_s / PORTS_EVERY_S for at_s in watch.at_s]


async def test_the_ports_are_looked_at_again_when_there_may_be_more_in_use(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    grown = 100 + MORE_SOCKETS
    looks = await looks_at(LooksAtPorts(tmp_path), 100, grown - 1, grown, grown + 1, 50, grown - 51, grown - 50)
    #                                              1st       -       3rd       -     -       -          7th
    assert looks == [1, 3, 7]


async def test_the_first_look_at_very_many_sockets_waits_until_it_may_take_so_long(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    many = math.ceil(2.5 * PORTS_EVERY_S * PORTS_SHARE / SOCKET_S)
    assert await looks_at(LooksAtPorts(tmp_path), many, many, many, many) == [pytest.approx(2.5, abs=0.01)]


async def test_where_the_system_does_not_count_sockets_the_ports_are_looked_at_every_time(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    assert await looks_at(LooksAtPorts(tmp_path), None, None, None) == [1, 2, 3]


async def test_to_look_at_the_ports_takes_no_more_than_its_share_of_the_time(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    took_s = 0.06
    growing = [MORE_SOCKETS * number for number in range(1, 30)]
    looks = await looks_at(LooksAtPorts(tmp_path, took_s), *growing)
    assert looks == [1, 7, 13, 19, 25]
    assert took_s / (6 * PORTS_EVERY_S) <= PORTS_SHARE


async def test_what_a_look_at_the_ports_takes_is_the_time_it_was_at_work(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(root: Path) -> Ports | None:
        began_s = time.thread_time()
        while time.thread_time() < began_s + 0.002:
            pass
        return None

    monkeypatch.setattr(machine, "ports_in_use", look)
    assert await MachineWatch(tmp_path).look_at_ports() >= 0.002
