"""What a scenario means: every problem beyond form, each with its sentence."""

from pathlib import Path

import pytest

from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from loadgen.scenario.problems import ScenarioError

OPEN = {"model": "open", "arrivals": [{"shape": "poisson", "rate": 5, "for": "10s"}]}
LOCAL = {"smtp": "smtp://127.0.0.1:25", "lmtp": "lmtp://[::1]", "pop3": "pop3://localhost"}


def loaded(*, authorized: bool = False, environ: dict[str, str] | None = None, **sections: object) -> Scenario:
    data: dict[str, object] = {
        "scenario": {"name": "x"},
        "load": dict(OPEN),
        "session": [{"kind": "smtp-deliver"}],
        **{name.rstrip("_"): value for name, value in sections.items()},
    }
    return scenario_from(data, name="x", directory=Path("/nowhere"), environ=environ or {}, authorized=authorized)


def problems(**sections: object) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(**sections)   # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def closed(**keys: object) -> dict[str, object]:
    return {"model": "closed", "virtual_users": 2, **keys}


def segments(*arrivals: dict[str, object], **keys: object) -> dict[str, object]:
    return {"model": "open", "arrivals": list(arrivals), **keys}


def session(kind: str = "smtp-deliver", **keys: object) -> list[dict[str, object]]:
    return [{"kind": kind, **keys}]


def steps(**keys: object) -> dict[str, object]:
    return {"shape": "steps", "from": 50, "to": 200, "by": 50, "each": "1s", **keys}


def spike(**keys: object) -> dict[str, object]:
    times = {"at": "10s", "rise": "2s", "hold": "5s", "fall": "2s", "for": "40s"}
    return {"shape": "spike", "base": 20, "peak": 400, **times, **keys}


MEANT = [
    # section(s), and the one sentence they get
    ({"scenario": {"name": "a\nb"}}, 'scenario.name: got "a\\nb", expected printable text'),
    ({"load": segments({"shape": "constant", "rate": 0, "for": "1s"})},
        "load.arrivals: every rate is 0, so no session would ever start"),
    ({"load": closed(sessions=5, pause_max="20ms")}, 'load.pause_max: got "20ms", expected at least "50ms"'),
    ({"load": segments({"shape": "constant", "rate": 1, "for": "0s"})},
        'load.arrivals[0].for: got "0s", expected more than zero'),
    ({"load": segments({"shape": "ramp", "from": 0, "to": 9, "over": "0s"})},
        'load.arrivals[0].over: got "0s", expected more than zero'),
    ({"load": segments({"shape": "poisson", "rate": 1_000_000, "for": "1h"})},
        "load.arrivals: 3.6e+09 arrivals are more than one run can hold (1e+08)"),
    ({"load": segments(steps(each="0s"))}, 'load.arrivals[0].each: got "0s", expected more than zero'),
    ({"load": segments(steps(by=0))}, "load.arrivals[0].by: got 0, expected more than zero"),
    ({"load": segments(steps(by=40))},
        "load.arrivals[0].by: the way from 50 to 200 is no whole number of stairs of 40"),
    ({"load": segments(steps(by=0.1))},
        'load.arrivals[0].by: 1501 stairs from 50 to 200 are more than 1000; shape = "ramp" has none'),
    ({"load": segments(spike(**{"for": "0s"}))}, 'load.arrivals[0].for: got "0s", expected more than zero'),
    ({"load": segments(spike(peak=20))}, "load.arrivals[0].peak: got 20, expected more than base, 20"),
    ({"load": segments(spike(rise="0s", hold="0s", fall="0s"))},
        "load.arrivals[0].hold: rise, hold and fall are all 0s, so there is no spike"),
    ({"load": segments(spike(**{"for": "18s"}))},
        'load.arrivals[0].for: got "18s", expected at least at + rise + hold + fall, "19s"'),
    ({"load": {**OPEN, "warm_up": "10s"}},
        'load.warm_up: got "10s", expected less than the whole schedule, "10s"'),
    ({"load": closed(sessions=5, **{"for": "1s"})},
        "load: a closed load ends by sessions or by for; both are given"),
    ({"load": closed()}, "load: a closed load ends by sessions = N or by for = DURATION; neither is given"),
    ({"load": closed(**{"for": "0s"})}, 'load.for: got "0s", expected more than zero'),
    ({"load": closed(ramp="5s", **{"for": "5s"})}, 'load.ramp: got "5s", expected less than the load is long, "5s"'),
    ({"load": closed(warm_up="5s", **{"for": "5s"})},
        'load.warm_up: got "5s", expected less than the whole schedule, "5s"'),
    ({"session": session(weight=0)}, "session: every weight is 0, so no session would ever be chosen"),
    ({"session": session(messages=0)}, "session[0].messages: got 0, expected numbers from 1 to 100000"),
    ({"session": session(messages={"uniform": [0, 3]})},
        "session[0].messages: got {uniform = [0, 3]}, expected numbers from 1 to 100000"),
    ({"session": session(recipients=101)},
        "session[0].recipients: up to 101 different recipients, but there are only 100 accounts"),
    ({"session": session(recipients=20000), "accounts": {"count": 30000}},
        "session[0].recipients: got 20000, expected numbers from 1 to 10000"),
    ({"session": session(reverse_path="a b@x")},
        'session[0].reverse_path: got "a b@x", expected an address such as "user{n}@example.test"'),
    ({"session": session(name="a\tb")}, 'session[0].name: got "a\\tb", expected printable text'),
    ({"session": session("idle-hold", noop_every="0s")},
        'session[0].noop_every: got "0s", expected more than zero'),
    ({"session": session("idle-hold", auth="apop")},
        "session[0].auth: apop is a POP3 login, and this session speaks SMTP"),
    ({"session": session("idle-hold", protocol="pop3", noop_every="5s")},
        "session[0].noop_every: POP3 has NOOP only in the TRANSACTION state (RFC 1939 §5); "
        'say auth = "user", or leave noop_every out'),
    ({"session": session("lmtp-deliver"), "target": {"smtp": "embedded"}},
        "session[0]: lmtp-deliver needs an LMTP server; add lmtp under [target], or give --lmtp URL"),
    ({"session": session("lmtp-deliver"), "target": {"lmtp": "embedded", "tls": "implicit"}},
        'session[0]: LMTP has no implicit TLS, and the target says tls = "implicit"'),
    ({"target": {**LOCAL, "smtp": "lmtp://127.0.0.1:24"}},
        'target.smtp: got "lmtp://127.0.0.1:24", expected an smtp, smtps or smtp+unix URL'),
    ({"target": {"smtp": "smtp://127.0.0.1:465", "tls": "implicit"}},
        'target.smtp: got "smtp://127.0.0.1:465", expected a smtps URL with tls = "implicit"'),
    ({"target": {"smtp": "smtps://127.0.0.1:465", "tls": "starttls"}},
        "target.tls: every URL speaks TLS from the first octet, which leaves nothing for STARTTLS; "
        'leave tls out, or say "implicit"'),
    ({"target": {**LOCAL, "ca_file": "ca.pem"}}, "target.ca_file: no such file: /nowhere/ca.pem"),
    ({"target": {**LOCAL, "permitted_hosts": ["smtp://mail.test"]}},
        'target.permitted_hosts[0]: got "smtp://mail.test", expected a host name or an address, without scheme'),
    ({"target": {**LOCAL, "permitted_hosts": ["mail.test:25"]}}, "without scheme or port"),
    ({"target": {**LOCAL, "source_addresses": ["eth0"]}},
        'target.source_addresses[0]: got "eth0", expected an address of this machine, a range or a network'),
    ({"limits": {"body": "0s"}}, 'limits.body: got "0s", expected more than zero'),
    ({"target": {"smtp": "smtp://127.0.0.1:25"}, "ledger": {"verify": True}},
        "ledger.verify: looks into the maildrops over POP3, and there is no POP3 server; add pop3 under [target], "
        "or give --pop3 URL"),
    ({"target": {"smtp": "embedded", "pop3": "pop3://127.0.0.1"}, "ledger": {"verify": True}},
        "ledger.verify: what one server accepts cannot come out of another: some servers are embedded"),
    ({"session": session("pop3-retrieve"), "ledger": {"verify": True}},
        "ledger.verify: no session delivers anything"),
    ({"gate": [{"metric": "smtp.body.response", "below": "1s"}]},
        "gate[0]: smtp.body.response is a distribution: say which percentile"),
    ({"gate": [{"metric": "ledger.lost", "equals": 0}]},
        "gate[0].metric: ledger.lost can have no data without [ledger] verify = true"),
    ({"gate": [{"metric": "lmtp.body.response", "percentile": 99, "below": "1s"}]},
        "gate[0].metric: lmtp.body.response can have no data: no session speaks LMTP"),
    ({"gate": [{"metric": "failures.lmtp.mail.share", "at_most": 0}]},
        "gate[0].metric: failures.lmtp.mail.share can have no data: no session speaks LMTP"),
    ({"gate": [{"metric": "end_to_end", "percentile": 95, "at_most": "60s"}]},
        "gate[0].metric: end_to_end can have no data without [ledger] verify = true"),
    ({"gate": [{"metric": "cases.fail", "equals": 0}]},
        "gate[0].metric: cases.fail can have no data: a load run has none of it; hold it against a result"),
    ({"gate": [{"metric": "errors.share", "at_most": 0, "abort_on_breach": {"dealy": "1s"}}]},
        "gate[0].abort_on_breach.dealy: unknown key; did you mean `delay`?"),
    ({"gate": [{"metric": "errors.share", "at_most": 0, "abort_on_breach": {"hold": "soon"}}]},
        'gate[0]: abort_on_breach.hold: not a duration: "soon"'),
    ({"gate": [{"metric": "session.smtp-delivr.errors.share", "at_most": 0.1}]},
        'gate[0]: unknown metric "session.smtp-delivr.errors.share"; did you mean session.smtp-deliver.errors.share'),
    ({"gate": [{"metric": "smtp.xclient.response", "percentile": 99, "below": "1s"}]},
        'gate[0]: unknown metric "smtp.xclient.response"'),
    ({"accounts": {"pattern": "user@example.test"}},
        'accounts.pattern: got "user@example.test" for 100 accounts: without {n} they are all the same'),
    ({"accounts": {"pattern": "user{n}"}},
        'accounts.pattern: got "user{n}", expected an address such as "user{n}@example.test"'),
    ({"accounts": {"login": "{lokal}"}},
        'accounts.login: got "{lokal}", expected {n}, {local}, {address}; did you mean `local`?'),
    ({"accounts": {"password": "hush{x"}}, 'accounts.password: got "{", expected {n}'),
    ({"accounts": {"password": "env:MAIL_PW"}},
        'accounts.password: the environment has no variable "MAIL_PW"'),
    ({"accounts": {"file": "none.csv"}, "target": LOCAL}, "accounts.file: cannot read /nowhere/none.csv: No such file"),
]   # fmt: skip


@pytest.mark.parametrize(("sections", "sentence"), MEANT)
def test_what_cannot_be_meant_gets_its_sentence(sections: dict[str, object], sentence: str) -> None:
    [said] = problems(**sections)
    assert sentence in said


def test_a_password_with_a_line_end_is_found_before_it_is_sent() -> None:
    with pytest.raises(ScenarioError, match=r"accounts\.password: the password holds a control character") as caught:
        loaded(environ={"MAIL_PW": "geheim\n"}, accounts={"password": "env:MAIL_PW"}, target=LOCAL)
    assert "geheim" not in str(caught.value)


def test_a_login_with_a_control_character_names_its_account(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("a@example.test,a,x\nb@example.test,b\x00,x\n")
    [said] = problems(accounts={"file": str(people)}, target=LOCAL)
    assert said.startswith("accounts.file (account 2): the login holds a control character")


def test_the_embedded_server_takes_no_accounts_from_a_file(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("a@example.test,a,x\n")
    [said] = problems(accounts={"file": str(people)})
    assert said.startswith("accounts.file: the embedded server makes its accounts from accounts.pattern")


def test_a_ca_file_that_is_never_looked_at_is_reported_beside_its_absence() -> None:
    said = problems(target={**LOCAL, "ca_file": "/nowhere/x", "verify": False})
    assert said == [
        "target.ca_file: no such file: /nowhere/x",
        "target.ca_file: verify = false would never look at it; leave one of them out",
    ]


def test_two_sessions_of_one_name_are_both_reported() -> None:
    said = problems(session=session(name="a") + session(name="a"))
    assert said == [
        f'session[{i}].name: "a" names 2 sessions, and the report could not tell them apart' for i in (0, 1)
    ]


def test_a_mistake_of_form_in_one_session_does_not_hide_one_of_meaning_in_the_next() -> None:
    said = problems(session=[*session(wieght=1), *session(messages=0)], load={**OPEN, "warm_up": "1h"})
    assert [each.partition(":")[0] for each in said] == ["session[0].wieght", "load.warm_up", "session[1].messages"]


def test_a_gate_on_a_session_that_could_not_be_read_gets_no_sentence_of_its_own() -> None:
    gates = [{"metric": "session.b.response", "percentile": 99, "below": "1s"}]
    said = problems(session=session(name="a") + session(name="b", wieght=1), gate=gates)
    assert [each.partition(":")[0] for each in said] == ["session[1].wieght"]


def curve(path: Path, text: str, **keys: object) -> dict[str, object]:
    file = path / "day.csv"
    file.write_text(text)
    return segments({"shape": "curve", "file": str(file), **keys})


def replay(path: Path, text: str, **keys: object) -> dict[str, object]:
    file = path / "trace.csv"
    file.write_text(text)
    return segments({"shape": "replay", "file": str(file), **keys})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"stretch": 2, "over": "10s"}, "load.arrivals[0]: a curve takes stretch or over; both are given"),
        ({"over": "0s"}, 'load.arrivals[0].over: got "0s", expected more than zero'),
        ({"scale": 1_000_000}, "load.arrivals[0].scale: the highest rate would be 5e+06 per second, more than 1000000"),
        ({"scale": 0}, "load.arrivals[0].scale: got 0, expected a factor from 1/1000000 to 1000000"),
        ({"scale": "double"}, 'load.arrivals[0].scale: got "double", expected a factor: a number above 0 such as 2 or '
            '0.5, or text such as "1/3"'),
        ({"process": "random"}, 'load.arrivals[0].process: got "random", expected one of even, poisson'),
    ],
)   # fmt: skip
def test_a_curve_that_cannot_be_meant_gets_its_sentence(keys: dict[str, object], sentence: str, tmp_path: Path) -> None:
    assert problems(load=curve(tmp_path, "0,1\n60,5\n", **keys)) == [sentence]


def test_a_curve_of_zeros_starts_nobody(tmp_path: Path) -> None:
    said = ["load.arrivals: every rate is 0, so no session would ever start"]
    assert problems(load=curve(tmp_path, "0,0\n60,0\n")) == said


@pytest.mark.parametrize(
    ("text", "keys", "sections", "sentences"),
    [
        ("0,10\n1\n", {"for": "0s"}, {}, ['load.arrivals[0].for: got "0s", expected more than zero']),
        ("0,10\n1\n", {"speed": -1}, {},
            ["load.arrivals[0].speed: got -1, expected a factor from 1/1000000 to 1000000"]),
        ("0,10,101\n", {}, {},
            ["load.arrivals[0].file: a message in it has 101 recipients, but there are only 100 accounts"]),
        ("0,10\n1\n", {}, {"session": session("idle-hold")},
            ["load.arrivals[0].file: tells of messages, and no session delivers any"]),
        ("0,10\n1\n", {}, {"session": session(weight=0) + session("idle-hold")},
            ["load.arrivals[0].file: tells of messages, and no session delivers any"]),
        ("0,10\n1,,2\n", {}, {"session": session() + session("idle-hold")},
            ["session[1]: idle-hold is never chosen: every arrival of the trace is a message to deliver"]),
        ("0\n1\n1,x\n", {}, {},
            ['load.arrivals[0].file: line 3 of {file}: got "x", expected a size such as "4 KiB"']),
    ],
)   # fmt: skip
def test_a_replay_that_cannot_be_meant_gets_its_sentence(
    text: str, keys: dict[str, object], sections: dict[str, object], sentences: list[str], tmp_path: Path
) -> None:
    said = problems(load=replay(tmp_path, text, **keys), **sections)
    assert said == [sentence.replace("{file}", str(tmp_path / "trace.csv")) for sentence in sentences]


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("0\n1\n", {"session": session("idle-hold")}),                            # tells of no message
        ("0,10\n1\n", {"session": session() + session("pop3-retrieve")}),         # the second is anybody's
        ("0,10,101\n", {"accounts": {"count": 101}}),
    ],
)
def test_a_replay_that_is_unusual_but_can_be_meant_is_let_through(
    text: str, sections: dict[str, object], tmp_path: Path
) -> None:
    loaded(load=replay(tmp_path, text), **sections)   # type: ignore[arg-type]


@pytest.mark.parametrize("shape", ["curve", "replay"])
def test_a_data_file_that_is_not_there_is_reported_beside_the_other_mistakes(shape: str) -> None:
    said = problems(load=segments({"shape": shape, "file": "none.csv"}, warm_up="5"), session=session(wieght=1))
    assert [each.partition(";")[0] for each in said] == [
        "load.arrivals[0].file: no such file: /nowhere/none.csv",
        'load.warm_up: got "5", expected a duration such as "250ms", "30s" or "2m"',
        "session[0].wieght: unknown key",
    ]


def test_a_mistake_in_one_shape_does_not_hide_one_in_the_next() -> None:
    assert len(problems(load=segments(steps(by=40), spike(peak=1)))) == 2


LAWFUL = [
    {"load": segments(steps(), steps(**{"from": 200, "to": 50}), steps(to=50, by=7))},
    {"load": segments(spike(), spike(rise="0s", fall="0s", at="0s", **{"for": "5s"}), spike(base=0))},
    {"load": segments({"shape": "ramp", "from": 0, "to": 9, "over": "1s", "process": "poisson"})},
    {"load": closed(sessions=5, maildrop="own")},
    {"target": {"smtp": "smtp://127.0.0.1:587", "pop3": "pop3s://127.0.0.1", "tls": "starttls"}},
    {"target": {"smtp": "smtps://127.0.0.1", "tls": "implicit"}},
    {"target": {"smtp": "smtps://127.0.0.1"}},
    {"target": {"smtp": "smtp+unix:///run/mta"}},
    {"load": segments({"shape": "poisson", "rate": 5, "for": "1s"}, {"shape": "constant", "rate": 0, "for": "1s"})},
    {"load": closed(sessions=5, warm_up="1h")},
    {"session": session(messages={"exponential": {"mean": 2, "max": 9}})},
    {"session": session(reverse_path="")},
    {"session": session("idle-hold", protocol="pop3", auth="user", noop_every="5s")},
    {"session": session(weight=0) + session("pop3-retrieve")},
    {"accounts": {"pattern": "one@example.test", "count": 1}},
    {"session": session() + session(), "gate": [{"metric": "session.smtp-deliver-2.failed", "equals": 0}]},
    {"accounts": {"login": "{local}+{n}", "password": "env:X"}},
]   # fmt: skip


@pytest.mark.parametrize("sections", LAWFUL)
def test_what_is_unusual_but_can_be_meant_is_let_through(sections: dict[str, object]) -> None:
    loaded(environ={"X": "y"}, **sections)   # type: ignore[arg-type]


def test_a_host_beyond_loopback_stops_the_scenario_until_it_is_named_and_authorized() -> None:
    target = {"smtp": "smtp://mail.example.com"}
    [said] = problems(target=target)
    assert "target.smtp: mail.example.com is beyond loopback and not permitted" in said
    [said] = problems(target={**target, "permitted_hosts": ["mail.example.com"]})
    assert said.startswith("target.smtp: mail.example.com is public; give --authorized to state that its owner")
    loaded(authorized=True, target={**target, "permitted_hosts": ["mail.example.com"]})
