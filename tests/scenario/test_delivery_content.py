"""`content` and `bcc` of a delivery session: a corpus beside the scenario, and each mistake under its key."""

from pathlib import Path
from typing import Any

import pytest

from loadgen.scenario.load import load_scenario, scenario_from
from loadgen.scenario.model import Scenario, SmtpDeliver
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.resolve import resolved


def loaded(directory: Path, **session: Any) -> Scenario:
    data = {
        "scenario": {"name": "s"},
        "accounts": {"count": 10},
        "load": {"model": "closed", "virtual_users": 1, "sessions": 1},
        "session": [{"kind": "smtp-deliver", **session}],
    }
    return scenario_from(data, name="s.toml", directory=directory, environ={})


def problems_of(directory: Path, **session: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(directory, **session)
    return [str(problem) for problem in caught.value.problems]


def test_a_corpus_is_looked_for_beside_the_scenario_and_stands_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "a.eml").write_bytes(b"A: b\n\nhello\n")
    (tmp_path / "s.toml").write_text(
        'session = [{kind = "smtp-deliver", content = {corpus = "mails"}}]\n[scenario]\nname = "s"\n'
        '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n'
    )
    scenario = load_scenario(tmp_path / "s.toml", environ={})
    (session,) = scenario.sessions
    assert isinstance(session, SmtpDeliver)
    assert session.content.corpus is not None
    assert session.content.corpus.samples[0].body == b"hello\r\n"
    assert session.content.corpus.line_ends_changed == 3
    told = resolved(scenario)["session"]
    assert isinstance(told, list)
    assert told[0]["content"] == {"corpus": str(tmp_path / "mails")}


def test_what_is_wrong_with_a_corpus_is_said_under_its_key(tmp_path: Path) -> None:
    assert problems_of(tmp_path, content={"corpus": "mails"}) == [
        f"session[0].content.corpus: no such directory: {tmp_path}/mails"
    ]
    (tmp_path / "mails").mkdir()
    assert problems_of(tmp_path, content={"corpus": "mails"}) == [
        f"session[0].content.corpus: {tmp_path}/mails holds no .eml file"
    ]
    (tmp_path / "mails" / "a.eml").write_bytes(b"A: b\n\n" + b"x" * 1200)
    assert problems_of(tmp_path, content={"corpus": "mails"}) == [
        f"session[0].content.corpus: line 3 of {tmp_path}/mails/a.eml: "
        "1200 octets, more than the 998 of RFC 5322 §2.1.1"
    ]


def test_a_content_nobody_knows_names_the_key(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, content="smtp-utf8")
    assert problem.startswith('session[0].content: got "smtp-utf8", expected text, 8bit')
    assert problem.endswith("did you mean `smtputf8`?")


@pytest.mark.parametrize("bcc", [0, 5, {"uniform": [0, 5]}])
def test_all_recipients_together_may_be_as_many_as_there_are_accounts(tmp_path: Path, bcc: object) -> None:
    (session,) = loaded(tmp_path, recipients=5, bcc=bcc).sessions
    assert isinstance(session, SmtpDeliver)
    assert session.bcc.plain() == bcc


def test_more_recipients_than_accounts_are_refused_with_the_hidden_counted(tmp_path: Path) -> None:
    assert problems_of(tmp_path, recipients=5, bcc={"uniform": [1, 6]}) == [
        "session[0].bcc: up to 11 different recipients in all, but there are only 10 accounts"
    ]
    assert problems_of(tmp_path, bcc=10_001) == ["session[0].bcc: got 10001, expected numbers from 0 to 10000"]
