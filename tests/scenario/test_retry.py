"""The retry of a delivery session: read, refused with a sentence, and off unless asked for."""

import tomllib
from pathlib import Path

import pytest

from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import LmtpDeliver, Retry, SmtpDeliver
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.resolve import resolved

HEAD = """
target = "embedded"
[scenario]
name = "again"
[load]
model = "open"
arrivals = [{shape = "constant", rate = 1, for = "1s"}]
[[session]]
"""


def session_of(text: str, kind: str = "smtp-deliver") -> SmtpDeliver | LmtpDeliver:
    raw = tomllib.loads(f'{HEAD}kind = "{kind}"\n{text}')
    scenario = scenario_from(raw, name="again", directory=Path(), environ={})
    (session,) = scenario.sessions
    assert isinstance(session, SmtpDeliver | LmtpDeliver)
    again = scenario_from(
        resolved(scenario) | {"accounts": {"password": "secret{n}"}}, name="again", directory=Path(), environ={}
    )
    assert again.sessions == scenario.sessions, "the resolved scenario reads back to the same"
    return session


def problem_of(text: str, kind: str = "smtp-deliver") -> str:
    with pytest.raises(ScenarioError) as caught:
        session_of(text, kind)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["smtp-deliver", "lmtp-deliver"])
def test_retry_is_off_unless_it_is_asked_for(kind: str) -> None:
    assert session_of("", kind).retry is None
    assert session_of("retry = {}", kind).retry == Retry()


def test_every_key_is_read() -> None:
    text = 'retry = {attempts = 7, after = {uniform = ["1s", "3s"]}, factor = 1.5, give_up = "10m"}'
    retry = session_of(text).retry
    assert retry is not None
    assert (retry.attempts, retry.after.bounds, retry.factor) == (7, (10**9, 3 * 10**9), 1.5)
    assert retry.give_up.s == 600


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("retry = {attempts = 1}", "session[0].retry.attempts: got 1"),
        ("retry = {factor = 0.5}", "session[0].retry.factor: got 0.5"),
        ('retry = {after = "0s"}', 'retry.after: got "0s", expected more than zero; a sender must wait'),
        ('retry = {after = "5s", give_up = "4s"}', "retry.give_up: 4s is over before the first wait is"),
        ("retry = {atempts = 3}", "attempts"),
        ("retry = true", "session[0].retry: got true"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, sentence: str) -> None:
    assert sentence in problem_of(text)


def test_only_deliveries_are_tried_again() -> None:
    raw = tomllib.loads(f'{HEAD}kind = "smtp-probe"\nretry = {{}}')
    with pytest.raises(ScenarioError, match=r"session\[0\].retry: unknown key"):
        scenario_from(raw, name="again", directory=Path(), environ={})


def test_variants_are_the_embedded_servers_alone() -> None:
    text = HEAD.replace('target = "embedded"', '[target]\nsmtp = "smtp://127.0.0.1"\nvariants = ["greylisting"]')
    raw = tomllib.loads(f'{text}kind = "smtp-deliver"')
    with pytest.raises(ScenarioError, match="only the embedded server has variants"):
        scenario_from(raw, name="again", directory=Path(), environ={})


def test_a_gate_on_retries_needs_a_session_that_tries_again() -> None:
    gate = '[[gate]]\nmetric = "retry.given_up"\nequals = 0\n'
    assert "gate[0].metric: retry.given_up can have no data: no session has retry" in problem_of(gate)
    assert session_of(f"retry = {{}}\n{gate}").retry is not None
