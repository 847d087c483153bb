"""[crash]: when a server is crashed, and the wishes that cannot be had."""

import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from loadgen.clock import NS_PER_S
from loadgen.scenario.crash import Crash, CrashAt
from loadgen.scenario.load import load_scenario, scenario_from
from loadgen.scenario.model import Scenario
from loadgen.scenario.problems import ScenarioError, UnreadableError
from loadgen.scenario.quantities import Duration

OPEN = 'model = "open"\narrivals = [{shape = "constant", rate = 1, for = "40s"}]'
BY_COUNT = 'model = "closed"\nvirtual_users = 1\nsessions = 10'
EMBEDDED_TLS = '[target]\nsmtp = "embedded"\npop3 = "embedded"\ntls = "starttls"'
BY_TIME = 'model = "closed"\nvirtual_users = 1\nfor = "40s"'


def written(
    crash: str, load: str = OPEN, ledger: str = "verify = true", target: str = "", *, crashed: bool = False
) -> Scenario:
    head = f'[scenario]\nname = "x"\n{target}\n[load]\n{load}\n[[session]]\nkind = "smtp-deliver"\n'
    data = tomllib.loads(f"{head}[ledger]\n{ledger}\n{crash}")
    return scenario_from(data, name="x", directory=Path(), environ={}, crashed=crashed)


def instants_s(crash: str, load: str = OPEN) -> list[float]:
    scenario = written(f"[crash]\n{crash}", load)
    assert scenario.crash is not None
    length = None if load is BY_COUNT else 40 * NS_PER_S
    return [instant / NS_PER_S for instant in scenario.crash.instants_ns(length)]


@pytest.mark.parametrize(
    ("crash", "load", "expected"),
    [
        ("", OPEN, [20.0]),
        ('at = "25%"', OPEN, [10.0]),
        ('at = "12.5 %"', BY_TIME, [5.0]),
        ('at = "30s"', OPEN, [30.0]),
        ('at = "30s"', BY_COUNT, [30.0]),
        ('at = "10s"\nevery = "10s"\nlimit = "5s"', OPEN, [10.0, 20.0, 30.0]),
        ('at = "10s"\nevery = "15s"\nlimit = "15s"', OPEN, [10.0, 25.0]),
    ],
)
def test_it_is_crashed_at_a_share_of_the_load_or_so_long_after_its_start_and_again(
    crash: str, load: str, expected: list[float]
) -> None:
    assert instants_s(crash, load) == expected


@pytest.mark.parametrize("written_at", ["50%", "12.5%", "30s", "1m30s"])
def test_an_instant_reads_back_as_it_was_written(written_at: str) -> None:
    at = CrashAt.parse(written_at)
    assert CrashAt.parse(at.plain()) == at


@pytest.mark.parametrize("nonsense", ["0%", "100%", "150%", "-1%", "fifty %", 50, "%", "", True])
def test_what_is_no_instant_of_a_load_is_refused(nonsense: object) -> None:
    with pytest.raises(UnreadableError):
        CrashAt.parse(nonsense)


def test_a_third_is_exact() -> None:
    assert CrashAt.parse("33.333333%").ns(3 * NS_PER_S) == int(Fraction(33333333, 10**8) * 3 * NS_PER_S)


@pytest.mark.parametrize(
    ("crash", "changed", "problem"),
    [
        ("", {"ledger": "verify = false"}, "crash: what was answered 250 is to be looked for after it"),
        ('at = "40s"', {}, 'crash.at: got "40s", expected less than the load is long, "40s"'),
        ("", {"load": BY_COUNT}, "crash.at: a load that ends by its sessions has no length"),
        ('at = "1s"\nevery = "2m"', {"load": BY_COUNT}, "crash.every: a load that ends by its sessions"),
        ('every = "10s"', {}, 'crash.every: got "10s", expected at least crash.limit, "1m"'),
        ('limit = "0s"', {}, 'crash.limit: got "0s", expected more than zero'),
        ('recover_within = "0s"', {}, 'crash.recover_within: got "0s", expected more than zero'),
        ('at = "1ms"\nevery = "1ms"\nlimit = "1ms"', {}, 'crash.every: got "1ms", expected at most 1000 times'),
        ('command = "reboot"', {}, "crash.command: unknown key"),
        ("", {"target": EMBEDDED_TLS}, "crash: the embedded server has another certificate"),
    ],
)
def test_what_cannot_be_had_is_said(crash: str, changed: dict[str, str], problem: str) -> None:
    with pytest.raises(ScenarioError) as told:
        written(f"[crash]\n{crash}", **changed)     # type: ignore[arg-type]
    assert problem in str(told.value)


def test_the_command_line_has_any_scenario_crashed_and_keeps_what_the_scenario_says_of_it() -> None:
    assert written("").crash is None
    assert written("", crashed=True).crash == Crash()
    kept = written('[crash]\nat = "1s"', crashed=True).crash
    assert kept is not None
    assert kept.at == CrashAt(Duration.parse("1s"))


def test_where_the_embedded_server_keeps_mail_is_no_affair_of_another() -> None:
    urls = {"smtp": "smtp://127.0.0.1:2525", "pop3": "pop3://127.0.0.1:2110"}
    assert load_scenario("crash-durability").target.store == "maildir"
    assert load_scenario("crash-durability", urls=urls).target.store == "memory"     # type: ignore[arg-type]


def test_a_gate_on_recovery_needs_a_crash() -> None:
    gate = '[[gate]]\nmetric = "crash.recovery"\nbelow = "10s"'
    assert written(f"[crash]\n{gate}").gates
    assert written(gate, crashed=True).gates
    with pytest.raises(ScenarioError, match=r"can have no data without \[crash\]"):
        written(gate)
