"""What a host lets a run have: from what numbers, and in what words it says no."""

import resource
import sys
from pathlib import Path

import pytest

from loadgen.endpoint import parse_endpoint
from loadgen.engine import limits
from loadgen.engine.health.process import raise_open_files_limit
from loadgen.engine.limits import (
    check_ports,
    connections_at_once,
    ephemeral_ports,
    raise_descriptors,
    shortages,
    sources_of,
)
from loadgen.scenario.model import Scenario
from loadgen.session.route import Route
from loadgen.transport.addresses import Address, numeric_address
from loadgen.transport.limits import PhaseLimits
from reports.errors import PreconditionFailed
from tests.engine.house import scenario_of

OPEN = '[load]\nmodel = "open"\narrivals = [{shape = "constant", rate = 1, for = "1s"}]\nin_flight_max = 9000\n'
CLOSED = '[load]\nmodel = "closed"\nvirtual_users = 20000\nsessions = 20000\n'
IDLE = '[[session]]\nkind = "idle-hold"\n'
THEIRS = 'target = {smtp = "smtp://127.0.0.1:25", pop3 = "pop3://127.0.0.1:110"}'
PORTS = 28_232


def staged(load: str, sessions: str = IDLE, head: str = THEIRS) -> Scenario:
    return scenario_of(load + sessions, head=head)


class Machine:
    """A machine whose hard limit of open files is this, and whose user is root or not."""

    def __init__(self, hard: int, *, root: bool) -> None:
        self.soft, self.hard, self.root = min(1024, hard), hard, root

    def getrlimit(self, which: int) -> tuple[int, int]:
        assert which == resource.RLIMIT_NOFILE
        return self.soft, self.hard

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        if limits[1] > self.hard and not self.root:
            raise ValueError("not allowed to raise maximum limit")
        self.soft, self.hard = limits


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(4096, root=False)
    monkeypatch.setattr(resource, "getrlimit", made.getrlimit)
    monkeypatch.setattr(resource, "setrlimit", made.setrlimit)
    return made


def test_the_limit_of_open_files_is_raised_to_the_hard_one_and_by_root_beyond(machine: Machine) -> None:
    assert raise_open_files_limit(9000) == 4096
    machine.root = True
    assert raise_open_files_limit(9000) == 9000
    assert raise_open_files_limit(100) == 9000


def test_a_closed_load_that_cannot_have_its_descriptors_says_so_before_it_begins(machine: Machine) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        raise_descriptors(staged(CLOSED), workers=2)
    assert str(caught.value) == (
        "load.virtual_users = 20000 have 20,000 connections at once, for which a process must open 10,064 files, and "
        "RLIMIT_NOFILE lets it open 4,096: run `ulimit -n 10064` first, as root if need be"
    )


def test_workers_share_the_descriptors_but_the_embedded_server_has_them_all(machine: Machine) -> None:
    assert raise_descriptors(staged(CLOSED), workers=5) == 4096
    with pytest.raises(PreconditionFailed, match=r"must open 20,064 files"):
        raise_descriptors(staged(CLOSED, head='target = "embedded"'), workers=5)


def test_an_open_load_may_never_come_so_far_and_is_not_refused(machine: Machine) -> None:
    assert raise_descriptors(staged(OPEN), workers=1) == 4096


def test_two_sessions_that_contend_for_a_maildrop_have_two_connections() -> None:
    contend = '[[session]]\nkind = "pop3-contend"\n'
    assert connections_at_once(staged(OPEN)) == 9000
    assert connections_at_once(staged(OPEN, contend)) == 18_000


def addresses(*hosts: str) -> tuple[Address, ...]:
    return tuple([address for host in hosts if (address := numeric_address(host, 25)) is not None])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of the machine")
@pytest.mark.parametrize(
    ("at_once", "sources"),
    [
        (4000, ()),
        (PORTS // 2, ()),
        (PORTS // 2 + 1, ("127.0.0.1", "127.0.0.2")),
        (PORTS + 1, ("127.0.0.1", "127.0.0.2", "127.0.0.3")),
    ],
)
def test_on_loopback_many_sessions_come_from_several_addresses(at_once: int, sources: tuple[str, ...]) -> None:
    assert sources_of((), addresses("127.0.0.1"), at_once, PORTS) == sources


@pytest.mark.parametrize("hosts", [("192.0.2.1",), ("::1",), ("127.0.0.1", "::1"), ("127.0.0.1", "192.0.2.1"), ()])
def test_beyond_ipv4_loopback_the_system_chooses(hosts: tuple[str, ...]) -> None:
    assert sources_of((), addresses(*hosts), 1_000_000, PORTS) == ()


def test_what_the_scenario_says_goes() -> None:
    assert sources_of(("127.9.9.9",), addresses("127.0.0.1"), 1_000_000, PORTS) == ("127.9.9.9",)


def route(url: str, sources: tuple[str, ...] = ()) -> Route:
    return Route(parse_endpoint(url), PhaseLimits(), sources=sources)


def test_a_closed_load_that_cannot_have_its_ports_says_so_before_it_begins() -> None:
    load = CLOSED.replace("20000", "60000")
    with pytest.raises(PreconditionFailed) as caught:
        check_ports(staged(load), {"smtp": route("smtp://192.0.2.1:25")}, PORTS)
    assert str(caught.value) == (
        "load.virtual_users = 60000 have 60,000 connections at once, 60,000 of them to smtp://192.0.2.1:25, and 1 "
        "source can have 28,232, one for each ephemeral port: name 3 target.source_addresses, or run `sysctl -w "
        'net.ipv4.ip_local_port_range="1024 65535"` as root'
    )
    check_ports(staged(load), {"smtp": route("smtp://192.0.2.1:25", ("192.0.2.7", "192.0.2.8", "192.0.2.9"))}, PORTS)
    check_ports(staged(load), {"smtp": route("smtp+unix:///run/smtp")}, PORTS)
    check_ports(staged(OPEN.replace("9000", "60000")), {"smtp": route("smtp://192.0.2.1:25")}, PORTS)
    check_ports(staged(load), {"smtp": route("smtp://192.0.2.1:25")}, None)


def test_each_server_has_the_ports_of_every_source_to_itself() -> None:
    both = IDLE + '[[session]]\nkind = "pop3-retrieve"\n'
    routes = {"smtp": route("smtp://192.0.2.1:25"), "pop3": route("pop3://192.0.2.1:110")}
    check_ports(staged(CLOSED.replace("20000", "50000"), both), routes, PORTS)  # type: ignore[arg-type]
    with pytest.raises(PreconditionFailed, match=r"30,000 of them to"):
        check_ports(staged(CLOSED.replace("20000", "60000"), both), routes, PORTS)  # type: ignore[arg-type]


def test_the_number_of_ports_is_read_where_the_system_tells_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "range"
    monkeypatch.setattr(limits, "PORT_RANGE", told)
    assert ephemeral_ports() is None
    told.write_text("32768\t60999\n")
    assert ephemeral_ports() == PORTS
    told.write_text("nonsense")
    assert ephemeral_ports() is None


def test_a_limit_met_in_a_run_is_one_sentence_with_what_is_needed() -> None:
    assert [*shortages(staged(OPEN), {"This process may open only 4,096 files": 17}, 4032, 4096)] == [
        "17 sessions met a limit of this host: This process may open only 4,096 files; 4,032 sessions were open at "
        "once, and load.in_flight_max = 9000 allows 9,000 connections"
    ]


def test_an_embedded_server_that_had_no_descriptors_left_is_told_apart_from_one_that_refuses() -> None:
    embedded = staged(OPEN, head='target = "embedded"')
    assert [*shortages(embedded, {}, 4031, 4096)] == []
    assert [*shortages(embedded, {}, 4032, 4096)] == [
        "the embedded server can open 4,096 files (RLIMIT_NOFILE), which is too few: 4,032 sessions were open at once, "
        "and load.in_flight_max = 9000 allows 9,000 connections; run `ulimit -n 9064` first, as root if need be"
    ]
