"""A target given as a mail domain: how it is read, what may be loaded through it, what the schema says."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from loadgen.endpoint import MailDomain
from loadgen.scenario.load import scenario_from
from loadgen.scenario.model import Scenario
from loadgen.scenario.problems import ScenarioError
from loadgen.scenario.resolve import resolved
from loadgen.scenario.safety import domain_refusal, exchange_refusal
from loadgen.scenario.schema import scenario_json_schema

LAB: dict[str, object] = {
    "smtp": "mx:Example.Test:2525", "permitted_hosts": ["example.test"], "nameservers": ["127.0.0.1:5353"],
}  # fmt: skip
DOMAIN = MailDomain("example.test", 25)
PUBLIC = MailDomain("example.com", 25)


def plain(target: dict[str, object]) -> dict[str, object]:
    return {
        "scenario": {"name": "x"},
        "target": dict(target),
        "load": {"model": "closed", "virtual_users": 1, "sessions": 1},
        "session": [{"kind": "smtp-deliver"}],
    }


def loaded(target: dict[str, object], *, authorized: bool = False) -> Scenario:
    return scenario_from(plain(target), name="x", directory=Path(), environ={}, authorized=authorized)


def problems(target: dict[str, object]) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loaded(target)
    return [str(problem) for problem in caught.value.problems]


def test_a_target_may_be_a_mail_domain_and_reads_back_as_one() -> None:
    scenario = loaded(LAB)
    assert scenario.target.endpoints == {"smtp": MailDomain("example.test", 2525)}
    assert scenario.target.embedded == ()
    told = resolved(scenario)["target"]
    assert isinstance(told, dict)
    assert (told["smtp"], told["nameservers"]) == ("mx:example.test:2525", ["127.0.0.1:5353"])
    assert loaded(told).target == scenario.target


def test_the_schema_knows_mail_domains() -> None:
    Draft202012Validator(scenario_json_schema()).validate(plain(LAB))


SLIPS = [
    ({**LAB, "smtp": "mx://example.test"},    ['target.smtp: got "mx://example.test", expected mx:DOMAIN or']),
    ({**LAB, "smtp": "mx:127.0.0.1"},         ["target.smtp: got \"mx:127.0.0.1\": '127.0.0.1' is an address, and MX"]),
    ({**LAB, "pop3": "mx:example.test"},      ['target.pop3: got "mx:example.test:25", expected a pop3 or pop3s URL']),
    ({**LAB, "tls": "implicit"},              ['target.smtp: got "mx:example.test:2525", expected a smtps URL']),
    ({**LAB, "nameservers": ["dns.test"]},    ['target.nameservers[0]: got "dns.test": a nameserver is given by its']),
    ({"smtp": "smtp://127.0.0.1", "nameservers": ["127.0.0.1"]},
                                              ["target.nameservers: only an mx: target asks nameservers; leave it"]),
    ({"smtp": "mx:example.test"},             ["target.smtp: example.test is beyond loopback and not permitted"]),
    ({"smtp": "mx:example.com", "permitted_hosts": ["example.com"]},
                                              ["target.smtp: example.com is public; give --authorized"]),
]  # fmt: skip


@pytest.mark.parametrize(("target", "sentences"), SLIPS)
def test_a_slip_about_mail_domains_is_said(target: dict[str, object], sentences: list[str]) -> None:
    said = problems(target)
    assert len(said) == len(sentences)
    assert [start for start, sentence in zip(sentences, said, strict=True) if not sentence.startswith(start)] == []


def test_naming_an_exchange_lets_its_domain_be_asked_for() -> None:
    assert domain_refusal(DOMAIN, permitted_hosts=("mx1.example.test",), authorized=False) is None
    assert domain_refusal(DOMAIN, permitted_hosts=(), authorized=True) is not None
    assert domain_refusal(PUBLIC, permitted_hosts=("mx1.example.com",), authorized=False) is not None
    assert domain_refusal(PUBLIC, permitted_hosts=("mx1.example.com",), authorized=True) is None


EXCHANGES = [
    # permitted              exchange             leads to                    authorized  refused with
    (["Example.Test."],      "mx1.example.test",  ["10.0.0.1"],               False,      None),
    (["mx1.example.test"],   "mx1.example.test",  ["10.0.0.1"],               False,      None),
    (["mx2.example.test"],   "mx1.example.test",  ["10.0.0.1"],               True,       "not permitted"),
    (["example.test"],       "mx.other.test",     ["10.0.0.1", "8.8.8.8"],    False,      "is public"),
    (["example.test"],       "mx.other.test",     ["10.0.0.1", "8.8.8.8"],    True,       None),
    (["example.test"],       "8.8.8.8",           ["8.8.8.8"],                False,      "is public"),
    (["mx2.example.test"],   "8.8.8.8",           ["8.8.8.8"],                True,       "not permitted"),
    (["example.test"],       "mx.localhost",      ["8.8.8.8"],                True,       "is a loopback name but"),
    ([],                     "localhost",         ["127.0.0.1"],              False,      None),
]


@pytest.mark.parametrize(("permitted", "exchange", "addresses", "authorized", "sentence"), EXCHANGES)
def test_an_exchange_may_be_loaded_if_it_or_its_domain_is_named(
    permitted: list[str], exchange: str, addresses: list[str], authorized: bool, sentence: str | None
) -> None:
    reason = exchange_refusal(
        DOMAIN, exchange, permitted_hosts=permitted, authorized=authorized, resolved=addresses
    )
    assert (reason is None) == (sentence is None)
    assert (sentence or "") in (reason or "")
