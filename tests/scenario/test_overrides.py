"""`--set path=value` and the shorthand for the rate."""

from fractions import Fraction
from pathlib import Path

import pytest

from loadgen.scenario.arrivals import Constant, Curve, Poisson, Ramp, Spike, Steps
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import ClosedLoad, OpenLoad, Scenario
from loadgen.scenario.overrides import apply_overrides
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.quantities import Factor, Rate

STAIRS = [
    {"shape": "ramp", "from": 0, "to": 100, "over": "10s"},
    {"shape": "constant", "rate": 100, "for": "10s"},
    {"shape": "poisson", "rate": 200, "for": "10s"},
]


def data() -> dict[str, object]:
    return {
        "scenario": {"name": "x"},
        "load": {"model": "open", "arrivals": [dict(each) for each in STAIRS]},
        "session": [{"kind": "smtp-deliver"}, {"kind": "pop3-retrieve"}],
    }


def loaded(*overrides: str) -> Scenario:
    return scenario_from(data(), name="x.toml", directory=Path("/nowhere"), environ={}, overrides=overrides)


def rates(scenario: Scenario) -> list[Fraction]:
    assert isinstance(scenario.load, OpenLoad)
    found: list[Fraction] = []
    for segment in scenario.load.arrivals:
        match segment:
            case Ramp():
                found += [segment.start.per_s, segment.end.per_s]
            case Constant() | Poisson():
                found.append(segment.rate.per_s)
    return found


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("scenario.seed=5",                     ("scenario", "seed"), 5),
        ("scenario.name=steady",                ("scenario", "name"), "steady"),
        ('scenario.name="with spaces"',         ("scenario", "name"), "with spaces"),
        ("scenario.name=a=b",                   ("scenario", "name"), "a=b"),
        ("ledger.verify=true",                  ("ledger", "verify"), True),
        ("session.1.delete=true",               ("session", 1, "delete"), True),
        ("session[1].delete=true",              ("session", 1, "delete"), True),
        ("load.arrivals.0.over=1m",             ("load", "arrivals", 0, "over"), "1m"),
        ("session[0].size={uniform=[1, 2]}",    ("session", 0, "size"), {"uniform": [1, 2]}),
        (" load.in_flight_max = 7 ",            ("load", "in_flight_max"), 7),
    ],
)   # fmt: skip
def test_an_override_sets_one_value(override: str, path: tuple[str | int, ...], value: object) -> None:
    tables = data()
    assert apply_overrides(tables, [override]).problems == []
    place: object = tables
    for step in path:
        place = place[step]   # type: ignore[index]
    assert place == value


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("nonsense",                  "--set nonsense: expected path=value, such as load.in_flight_max=500"),
        ("=3",                        "--set =3: expected path=value"),
        ("a..b=3",                    "--set a..b=3: expected path=value"),
        (".load=3",                   "--set .load=3: expected path=value"),
        ("session[x]=3",              "--set session[x]=3: expected path=value"),
        ("session[0].size={uniform",  "--set session[0].size: {uniform is no TOML value"),
        ("scenario.seed=",            "--set scenario.seed: nothing is no TOML value"),
        ("session[7].delete=true",    "session[7] does not exist: that list has 2 entries, counted from 0"),
        ("session[7]=3",              "session[7] does not exist: that list has 2 entries"),
        ("load[0]=3",                 "load[0] does not exist: a table has keys, not numbers"),
        ("scenario.name.first=x",     "scenario.name.first does not exist: its parent is a plain value"),
        ("load.in_flight_mx=500",     "--set load.in_flight_mx: unknown key; did you mean `in_flight_max`?"),
        ("laod.drain=1s",             "laod: unknown key; did you mean `load`?"),
        ("load.drain=5",              "--set load.drain: got 5, expected a duration"),
        ("session[0].size.uniform=3", "--set session[0].size.uniform: got 3, expected a list of two values"),
        ("load.rate=fast",            '--set load.rate: got "fast", expected a rate'),
    ],
)   # fmt: skip
def test_an_override_that_cannot_be_gets_its_sentence(override: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loaded(override)
    [problem] = caught.value.problems
    assert sentence in str(problem)


def test_problems_of_the_command_line_and_of_the_file_come_in_one_list() -> None:
    with pytest.raises(ScenarioError, match="has 2 problems"):
        scenario_from(
            {**data(), "zzz": 1}, name="x.toml", directory=Path("/nowhere"), environ={}, overrides=["nonsense"]
        )


def test_the_rate_shorthand_sets_the_highest_rate_and_keeps_the_profile_s_shape() -> None:
    assert rates(loaded("load.rate=500")) == [0, 250, 250, 500]


def test_the_rate_shorthand_is_exact_for_rates_no_float_can_hold() -> None:
    assert rates(loaded("load.rate=0.1")) == [0, Fraction(1, 20), Fraction(1, 20), Fraction(1, 10)]


def test_the_rate_shorthand_works_on_arrivals_set_by_another_override() -> None:
    scenario = loaded("load.rate=50", "load.arrivals[2].rate=100")
    assert rates(scenario) == [0, 50, 50, 50]


def test_the_rate_shorthand_scales_every_shape_that_has_a_rate(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("0,10\n60,50\n")
    shapes = [
        "{shape='steps', from=50, to=200, by=50, each='1s'}",
        "{shape='spike', base=20, peak=400, hold='1s', for='2s'}",
        f"{{shape='curve', file='{tmp_path}/day.csv', scale=2}}",
    ]
    load = loaded(f"load.arrivals=[{','.join(shapes)}]", "load.rate=40").load
    assert isinstance(load, OpenLoad)
    steps, spike, curve = load.arrivals
    assert isinstance(steps, Steps)
    assert (steps.start, steps.end, steps.by) == (Rate.parse(5), Rate.parse(20), Rate.parse(5))
    assert isinstance(spike, Spike)
    assert (spike.base, spike.peak) == (Rate.parse(2), Rate.parse(40))
    assert isinstance(curve, Curve)
    assert (curve.scale, curve.rates) == (Factor.parse("1/5"), (Fraction(2), Fraction(10)))


def test_a_replay_has_no_rate_to_set(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("0\n60\n")
    replay = f"load.arrivals=[{{shape='replay', file='{tmp_path}/trace.csv'}}]"
    said = r"--set load\.rate: a replay has the rate its trace had; set its speed, as in load\.arrivals\[0\]\.speed=2"
    with pytest.raises(ScenarioError, match=said):
        loaded(replay, "load.rate=5")


def test_a_closed_load_has_no_rate_to_set() -> None:
    closed = "load={model='closed', virtual_users=2, sessions=10}"
    assert isinstance(loaded(closed).load, ClosedLoad)
    with pytest.raises(ScenarioError, match=r"--set load\.rate: a closed load has no rate of its own"):
        loaded(closed, "load.rate=5")


def test_a_profile_of_zeros_cannot_be_scaled() -> None:
    zeros = "load.arrivals=[{shape='constant', rate=0, for='1s'}]"
    with pytest.raises(ScenarioError, match=r"every rate of load\.arrivals is 0, so there is nothing to scale"):
        loaded(zeros, "load.rate=5")


def test_the_embedded_target_can_be_changed_in_part_and_be_put_in_place_of_a_url() -> None:
    assert loaded("target.tls=starttls").target.tls == "starttls"
    assert loaded("target.tls=starttls").target.embedded == ("smtp", "lmtp", "pop3")
    assert loaded("target.smtp=smtp://127.0.0.1", "target=embedded").target.embedded == ("smtp", "lmtp", "pop3")
