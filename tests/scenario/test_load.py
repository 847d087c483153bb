"""Loading: what a good file becomes, and every sentence a bad one gets."""

import copy
import tomllib
from pathlib import Path

import msgspec
import pytest

from loadgen.scenario.arrivals import Poisson, Ramp
from loadgen.scenario.distributions import Counts, Sizes
from loadgen.scenario.load import load_scenario, scenario_from
from loadgen.scenario.model import ClosedLoad, OpenLoad, Pop3Retrieve, Scenario, SmtpDeliver
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.quantities import Duration, Leaf, Rate
from loadgen.scenario.resolve import resolved
from loadgen.scenario.shapes import LogNormal, Uniform
from loadgen.scenario.shipped import shipped_scenarios
from reports.errors import UserError
from reports.gate import Gate

# The vocabulary as the design gives it, word for word.
EXAMPLE = """
[scenario]
name = "steady-open"
seed = 7

[target]
smtp = "smtp://127.0.0.1:2525"      # smtp, smtps, lmtp, lmtp+unix; "embedded"; "mx:example.test" resolves MX
pop3 = "pop3://127.0.0.1:2110"      # pop3, pop3s
tls  = "starttls"                   # none | starttls | implicit
permitted_hosts = []                # beyond loopback

[accounts]
pattern = "user{n}@example.test"    # or a CSV file
count = 1000
password = "secret{n}"              # or env:NAME; never written to a report

[load]
model = "open"                      # open | closed
arrivals = [ {shape = "ramp", from = 0, to = 200, over = "30s"}, {shape = "poisson", rate = 200, for = "2m"} ]
in_flight_max = 4000                # past it an arrival is dropped, and counted
warm_up = "10s"
drain = "30s"

[[session]]
kind = "smtp-deliver"
weight = 8
messages = {uniform = [1, 3]}       # per session
recipients = {fixed = 1}
size = {lognormal = {median = "4 KiB", sigma = 1.0, max = "1 MiB"}}
pipelining = "if-offered"
auth = "plain"

[[session]]
kind = "pop3-retrieve"
weight = 2
delete = true

[ledger]
verify = true

[[gate]]
metric = "smtp.body.response"       # phase metric
percentile = 99
below = "500ms"
[[gate]]
metric = "ledger.lost"
equals = 0
"""

MINIMAL = """
[scenario]
name = "x"
[load]
model = "open"
arrivals = [{shape = "constant", rate = 1, for = "1s"}]
[[session]]
kind = "smtp-deliver"
"""


def read(text: str, **options: object) -> Scenario:
    return scenario_from(
        tomllib.loads(text), name="x.toml", directory=Path("/nowhere"), environ={}, **options,  # type: ignore[arg-type]
    )   # fmt: skip


def sentences(text: str, **options: object) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(text, **options)
    return [str(problem) for problem in caught.value.problems]


def test_the_design_s_example_loads_as_it_stands() -> None:
    scenario = read(EXAMPLE)
    assert (scenario.about.name, scenario.about.seed) == ("steady-open", 7)
    assert str(scenario.target.endpoints["pop3"]) == "pop3://127.0.0.1:2110"
    assert isinstance(scenario.load, OpenLoad)
    assert scenario.load.arrivals == (
        Ramp(start=Rate.parse(0), end=Rate.parse(200), duration=Duration(30 * 10**9)),
        Poisson(rate=Rate.parse(200), duration=Duration(120 * 10**9)),
    )
    deliver, retrieve = scenario.sessions
    assert isinstance(deliver, SmtpDeliver)
    assert deliver.messages == Counts(Uniform(1, 3))
    assert deliver.size == Sizes(LogNormal(4096, 1.0, 1 << 20))
    assert retrieve == Pop3Retrieve(name="pop3-retrieve", weight=2.0, delete=True)
    assert scenario.gates[0] == Gate(metric="smtp.body.response", percentile=99.0, below="500ms")


def test_the_design_s_closed_load_loads() -> None:
    closed = '[load]\nmodel = "closed"\nvirtual_users = 200\nthink = "0s"\nsessions = 20000'
    head, tail = MINIMAL.split("[load]")
    scenario = read(f"{head}{closed}\n[[session]]{tail.split('[[session]]')[1]}")
    assert isinstance(scenario.load, ClosedLoad)
    assert (scenario.load.virtual_users, scenario.load.sessions, scenario.load.duration) == (200, 20000, None)


def test_a_minimal_scenario_is_embedded_and_speaks_to_reserved_names_only() -> None:
    scenario = read(MINIMAL)
    assert scenario.target.embedded == ("smtp", "lmtp", "pop3")
    assert scenario.accounts.pattern.endswith("@example.test")   # RFC 2606 §2
    assert isinstance(scenario.sessions[0], SmtpDeliver)
    assert scenario.sessions[0].reverse_path == "load@example.test"


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_loads_by_any_of_its_names_from_anywhere(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = [load_scenario(source) for source in (name, f"{name}.toml", f"scenarios/{name}.toml")]
    assert loaded[0] == loaded[1] == loaded[2]
    assert loaded[0].about.name == name


def test_what_a_data_file_lacks_is_said_of_its_key() -> None:
    text = MINIMAL.replace('{shape = "constant", rate = 1, for = "1s"}', '{shape = "curve"}')
    said = 'load.arrivals[0].file: missing, expected the name of a CSV file of instant,rate such as "day.csv"'
    assert sentences(text) == [said]


def _as_msgspec_reads_it(text: str) -> Scenario:
    def leaf(kind: type, value: object) -> object:
        assert issubclass(kind, Leaf)
        return kind.parse(value)

    data = tomllib.loads(text)
    if data.get("target", "embedded") == "embedded":
        data["target"] = {"smtp": "embedded", "lmtp": "embedded", "pop3": "embedded"}
    return msgspec.convert(data, Scenario, dec_hook=leaf)


def _without_names(scenario: Scenario) -> Scenario:
    sessions = tuple(msgspec.structs.replace(each, name=None) for each in scenario.sessions)
    return msgspec.structs.replace(scenario, sessions=sessions)


@pytest.mark.parametrize("name", ["EXAMPLE", "MINIMAL", *shipped_scenarios()])
def test_our_decoder_and_msgspec_s_give_the_same_scenario(name: str) -> None:
    text = {"EXAMPLE": EXAMPLE, "MINIMAL": MINIMAL}.get(name)
    if text is None:
        text = (Path(__file__).parents[2] / "scenarios" / f"{name}.toml").read_text()
    assert _without_names(read(text)) == _without_names(_as_msgspec_reads_it(text))


def test_sessions_without_a_name_are_called_after_their_kind_and_stay_apart() -> None:
    kinds = '[[session]]\nkind = "smtp-deliver"\n' * 2 + '[[session]]\nkind = "idle-hold"\nname = "smtp-deliver-2"\n'
    names = [session.name for session in read(MINIMAL + kinds).sessions]
    assert names == ["smtp-deliver", "smtp-deliver-3", "smtp-deliver-4", "smtp-deliver-2"]


@pytest.mark.parametrize("name", shipped_scenarios())
def test_what_is_written_to_the_report_reads_back_to_the_same_scenario(name: str) -> None:
    scenario = load_scenario(name)
    data = resolved(scenario)
    assert data["accounts"]["password"] == "***"   # type: ignore[index]
    data["accounts"]["password"] = scenario.accounts.password   # type: ignore[index]
    again = scenario_from(copy.deepcopy(data), name=name, directory=Path("/nowhere"), environ={})
    assert again == scenario


def test_no_secret_is_in_the_resolved_scenario_nor_in_an_account_s_repr() -> None:
    text = MINIMAL + '[accounts]\npassword = "hunter2"\n'
    assert "hunter2" not in repr(resolved(read(text)))


def test_every_mistake_is_listed_at_once_with_its_key_path() -> None:
    text = EXAMPLE
    for good, bad in [
        ("weight = 8", "wieght = 8"),
        ("delete = true", 'delete = "yes"'),
        ('model = "open" ', 'model = "opne" '),
        ("count = 1000", "count = 0"),
        ('tls  = "starttls"', 'tls  = "startls"'),
        ("recipients = {fixed = 1}", "recipients = {fixd = 1}"),
        ("{lognormal", "{size = 3, lognormal"),
        ('metric = "ledger.lost"', 'metric = "ledger.lots"'),
    ]:
        assert good in text
        text = text.replace(good, bad)
    with pytest.raises(UserError) as caught:
        read(text)
    lines = str(caught.value).splitlines()
    assert lines[:-1] == [
        "x.toml has 8 problems:",
        '  target.tls: got "startls", expected one of implicit, none, starttls; did you mean `starttls`?',
        "  accounts.count: got 0, expected a whole number from 1 to 10000000",
        '  load.model: got "opne", expected one of open, closed; did you mean `open`?',
        "  session[0].wieght: unknown key; did you mean `weight`?",
        "  session[0].recipients.fixd: unknown distribution; did you mean `fixed`?",
        '  session[0].size: got {size = 3, lognormal = {median = "4 KiB", sigma = 1.0, max …, '
        "expected a table with one key, one of fixed, uniform, lognormal, exponential, choice",
        '  session[1].delete: got "yes", expected true or false',
    ]
    assert lines[-1].startswith('  gate[1]: unknown metric "ledger.lots"; did you mean ledger.lost')


def test_a_misspelt_kind_does_not_hide_the_other_mistakes_of_its_table(tmp_path: Path) -> None:
    path = tmp_path / "slips.toml"
    path.write_text(
        'target = "embedded"\n[scenario]\nname = "x"\n'
        '[load]\nmodel = "opne"\narrivals = [{shape = "poison", rate = -3, for = "1s"}]\n'
        '[[session]]\nkind = "smtp-delivr"\nwieght = 3\n'
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert [problem.path for problem in caught.value.problems] == [
        "load.model", "load.arrivals[0].shape", "load.arrivals[0].rate", "session[0].kind", "session[0].wieght",
    ]


MISTAKES = [
    # what is written after the minimal scenario, and what is said about it
    ('[[session]]\nkind = "smtp"', "session[1].kind: got \"smtp\", expected one of smtp-deliver, lmtp-deliver,"
        " pop3-retrieve, idle-hold, smtp-probe, rset-loop, auth-storm, slow-sender, slow-reader, half-open,"
        " reset-in-data, pop3-contend, steps; did you mean `smtp-deliver`?"),
    ("[[session]]\nweight = 1", "session[1].kind: missing, expected one of"),
    ('[[session]]\nkind = 3', "session[1].kind: got 3, expected one of"),
    ('size = "4 Kib5"', 'session[0].size: got "4 Kib5", expected a size such as "4 KiB" or a table'
        " {fixed|uniform|lognormal|exponential|choice}"),
    ('size = "4 kib"', 'did you mean "4 KiB"?'),
    ("weight = true", "session[0].weight: got true, expected a number from 0 to 1000000"),
    ("weight = nan", "session[0].weight: got nan, expected a number"),
    ("weight = -1", "session[0].weight: got -1, expected"),
    ("target = 3", "session[0].target: unknown key; `target` belongs to the whole file: put it above the first"),
    ("zzz = 3", "session[0].zzz: unknown key; allowed here: kind, name, weight,"),
    ("messages_per_session = 3", "unknown key; did you mean `messages`?"),
    ('pipelining = "if_offered"', "expected one of across-messages, if-offered, never; did you mean `if-offered`?"),
    ("name = \"\"", "session[0].name: got \"\", expected text of 1 to 60 characters"),
    ("[ledger]\nsettle = 5", 'ledger.settle: got 5, expected a duration such as "250ms", "30s" or "2m"; '
        "a unit is missing"),
    ("[limits]\nbody = 2024-01-01", "limits.body: got 2024-01-01 (a date), expected a duration"),
    ("[limts]\nbody = \"1s\"", "limts: unknown key; did you mean `limits`?"),
    ("[accounts]\ncount = 1.5", "accounts.count: got 1.5, expected a whole number from 1"),
    ("[target]\npermitted_hosts = \"a\"", 'target.permitted_hosts: got "a", expected a list, each text'),
    ("[target]\npermitted_hosts = [1]", "target.permitted_hosts[0]: got 1, expected text"),
    ("[target]\nsmtp = 25", 'target.smtp: got 25, expected a URL such as "smtp://127.0.0.1:2525", or "embedded"'),
    ("[target]\nsmtp = \"embeded\"", "expected a URL such as smtp://127.0.0.1:2525 with one of the schemes smtp, "
        "smtps, lmtp, pop3, pop3s, smtp+unix, lmtp+unix; did you mean `embedded`?"),
    ("[target]\nsmtp = \"smtp://a..b\"", "target.smtp: got \"smtp://a..b\": 'a..b' is neither a host name nor"),
    ("[[gate]]\nmetric = \"errors.share\"\nat_most = true", "gate[0].at_most: got true, expected text or a whole"),
    ("[gate]\nmetric = \"errors.share\"", "expected a list of tables; write [[gate]] with two brackets"),
]   # fmt: skip


@pytest.mark.parametrize(("addition", "sentence"), MISTAKES)
def test_a_mistake_of_form_gets_its_sentence(addition: str, sentence: str) -> None:
    [said] = sentences(MINIMAL + addition)
    assert sentence in said


LOADS = [
    ("", "load: missing, expected a table"),
    ("load = 3", "load: got 3, expected a table"),
    ('[load]\nmodel = "open"', "load.arrivals: missing, expected a list of tables"),
    ('[load]\nmodel = "open"\narrivals = []', "load.arrivals: got [], expected at least 1 of a table"),
    ('[load]\nmodel = "open"\narrivals = {shape = "constant", rate = 1, for = "1s"}',
        "expected a list of tables; put it in [ ]"),
    ('[load]\nmodel = "open"\narrivals = [3]', "load.arrivals[0]: got 3, expected a table"),
    ('[load]\nmodel = "open"\narrivals = [{shape = "poison", rate = 1, for = "1s"}]',
        'load.arrivals[0].shape: got "poison", expected one of constant, poisson, ramp, '
        'steps, spike, curve, replay; did you mean `poisson`?'),
    ('[load]\nmodel = "open"\narrivals = [{shape = "poisson", rate = "fast", for = "1s"}]',
        'load.arrivals[0].rate: got "fast", expected a rate: a number per second such as 200 or 0.5'),
    ('[load]\nmodel = "open"\narrivals = [{shape = "poisson", rate = -1, for = "1s"}]',
        "load.arrivals[0].rate: got -1, expected a rate from 0 to 1000000 per second"),
    ('[load]\nmodel = "open"\nrate = 3\narrivals = [{shape = "poisson", rate = 1, for = "1s"}]',
        "load.rate: unknown key; allowed here: model, arrivals, in_flight_max, warm_up, drain"),
]   # fmt: skip


@pytest.mark.parametrize(("load", "sentence"), LOADS)
def test_a_mistake_in_the_load_gets_its_sentence(load: str, sentence: str) -> None:
    text = f'{load if load.startswith("load") else ""}\n[scenario]\nname = "x"\n'
    text += f'{"" if load.startswith("load") else load}\n[[session]]\nkind = "smtp-deliver"\n'
    [said] = sentences(text)
    assert sentence in said


def test_hostile_text_in_a_file_does_not_reach_the_terminal_raw() -> None:
    [said] = sentences(MINIMAL + '"ke\\u001by" = 1\nsize = "\\u001b[31m"'.partition("\n")[2])
    assert "\x1b" not in said


def test_a_toml_error_names_line_and_column_and_shows_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[scenario]\nname "x"\n')
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).splitlines() == [
        f"{path}: not TOML: line 2, column 6: Expected '=' after a key in a key/value pair",
        '    name "x"',
        "         ^",
    ]


def test_a_toml_error_at_the_very_end_still_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[scenario]\nname = [1,")
    with pytest.raises(ScenarioError, match=r"not TOML: .*\(at end of document\)"):
        load_scenario(path)


def test_a_missing_file_says_which_scenarios_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "quikstart.toml")
    assert f"no such file; shipped scenarios: {', '.join(shipped_scenarios())}; " in str(caught.value)
    assert str(caught.value).endswith("did you mean `quickstart`?")


def test_what_is_no_readable_text_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'[scenario]\nname = "caf\xe9"\n')
    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    for name, sentence in [("latin.toml", "is not UTF-8 text (octet 22)"), ("huge.toml", "larger than 1 MiB"),
                           (".", "cannot be read: Is a directory")]:   # fmt: skip
        with pytest.raises(ScenarioError) as caught:
            load_scenario(tmp_path / name)
        assert sentence in str(caught.value)


def test_a_seed_on_the_command_line_wins() -> None:
    assert read(EXAMPLE, seed=99).about.seed == 99


def test_urls_on_the_command_line_take_the_place_of_the_whole_embedded_target() -> None:
    scenario = read(MINIMAL, urls={"smtp": "smtp://127.0.0.1:25"})
    assert scenario.target.embedded == ()
    assert {key: str(url) for key, url in scenario.target.endpoints.items()} == {"smtp": "smtp://127.0.0.1:25"}


def test_a_url_on_the_command_line_leaves_the_other_protocol_s_url_alone() -> None:
    scenario = read(EXAMPLE, urls={"smtp": "smtp://localhost:26"})
    assert {key: str(url) for key, url in scenario.target.endpoints.items()} == {
        "smtp": "smtp://localhost:26",
        "pop3": "pop3://127.0.0.1:2110",
    }


def test_a_session_left_without_a_server_by_the_command_line_is_reported() -> None:
    text = MINIMAL + '[[session]]\nkind = "pop3-retrieve"\n'
    assert sentences(text, urls={"smtp": "smtp://127.0.0.1:25"}) == [
        "session[1]: pop3-retrieve needs a POP3 server; add pop3 under [target], or give --pop3 URL"
    ]


def test_file_names_are_relative_to_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("address,login,password\na@example.test,a,x\n")
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL + '[accounts]\nfile = "people.csv"\n')
    assert load_scenario(path, urls={"smtp": "smtp://127.0.0.1:25"}).accounts.file == str(tmp_path / "people.csv")


@pytest.mark.parametrize(
    ("url", "meant"), [("smtp://127.0.0.1:99999", False), ("SMTP://[::1", False), ("smtq://127.0.0.1", True)]
)
def test_a_scheme_that_is_right_is_not_suggested(url: str, meant: bool, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("quickstart", urls={"smtp": url, "pop3": "pop3://127.0.0.1"})
    assert ("did you mean `smtp`?" in str(caught.value)) is meant
