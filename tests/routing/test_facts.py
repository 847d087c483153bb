"""What a domain publishes about its mail, and how `mailproof route` shows it."""

import json
from random import Random

import pytest
from typer.testing import CliRunner

from loadgen.routing.facts import Published, RouteFacts, look_up_facts
from loadgen.routing.lookup import Resolver
from loadgen.routing.route import mail_route
from loadgen.routing.table import plain_data, table
from mailproof import build_app
from reports.errors import PreconditionFailed, UserError
from tests.routing.nameserver import Handler, Zone, nameserver, nameserver_beside, zone

ZONE: Zone = {
    "example.test CNAME": ["mail.example.test."],
    "mail.example.test MX": ["10 mx1.example.test.", "20 mx2.example.test."],
    "mail.example.test TXT": ['"v=spf1 mx -all"', '"v=spf10 no"', '"something else"'],
    "_mta-sts.example.test TXT": ['"v=STSv1; id=7;"', '"v=STSv1x"'],
    "mx1.example.test A": ["127.0.0.1"],
    "mx1.example.test AAAA": ["::1"],
    "1.0.0.127.in-addr.arpa PTR": ["mx1.example.test."],
    "_25._tcp.mx1.example.test TLSA": ["3 1 0 " + "ab" * 8],
    "mx2.example.test CNAME": ["mx1.example.test."],
}
TEXT = """\
example.test -> mail.example.test
preference  exchange          address    PTR               TLSA
10          mx1.example.test  127.0.0.1  mx1.example.test  3 1 0 abababababababab
                              ::1        none
20          mx2.example.test  127.0.0.1  mx1.example.test  none
                              ::1        none
mx2.example.test: the exchange is an alias (RFC 2181 §10.3)
SPF: "v=spf1 mx -all"
MTA-STS: "v=STSv1; id=7;"
"""


async def facts_by(handler: Handler, domain: str = "example.test") -> RouteFacts:
    async with nameserver(handler) as ours:
        resolver = Resolver([ours])
        return await look_up_facts(await mail_route(domain, resolver, Random(1)), resolver)


async def test_the_facts_make_a_table() -> None:
    assert table(await facts_by(zone(ZONE))) == TEXT


async def test_the_facts_are_data_for_json_too() -> None:
    data = json.loads(json.dumps(plain_data(await facts_by(zone(ZONE)))))
    assert (data["domain"], data["cnames"], data["implicit"]) == ("example.test", ["mail.example.test"], False)
    assert data["spf"] == {"records": ['"v=spf1 mx -all"'], "trouble": None}
    first, second = data["exchanges"]
    assert first["addresses"][0] == {"address": "127.0.0.1", "ptr": {"records": ["mx1.example.test"], "trouble": None}}
    assert first["tlsa"]["records"] == ["3 1 0 " + "ab" * 8]
    assert second["deviations"] == ["the exchange is an alias (RFC 2181 §10.3)"]


async def test_a_fact_that_nobody_can_tell_is_not_shown_as_absent() -> None:
    broken: Zone = {"_25._tcp.mx1.example.test TLSA": "SERVFAIL", "mail.example.test TXT": "REFUSED"}
    facts = await facts_by(zone({**ZONE, **broken}))
    tlsa = facts.exchanges[0].tlsa
    assert tlsa.records == ()
    assert tlsa.trouble == "no nameserver could say which TLSA records _25._tcp.mx1.example.test has (got SERVFAIL)"
    assert facts.spf.trouble is not None
    assert f"SPF: unknown: {facts.spf.trouble}\n" in table(facts)


async def test_what_a_hostile_zone_holds_is_printable_when_shown() -> None:
    shown = table(await facts_by(zone({
        "example.test MX": [r"1 mx\027[2Jx.test.", "2 mx1.example.test."],
        "example.test TXT": [r'"v=spf1 \027]0;owned\007"'],
        "mx1.example.test A": ["127.0.0.1"],
    })))  # fmt: skip
    assert shown.replace("\n", "").isprintable()
    assert "is no host name" in shown


async def test_the_domain_itself_is_said_to_be_its_exchange() -> None:
    facts = await facts_by(zone({"example.test A": ["127.0.0.1"]}))
    assert table(facts).startswith("example.test: no MX, the domain itself\n")
    assert (facts.spf, facts.mta_sts) == (Published(), Published())


async def test_a_name_too_long_for_its_tlsa_record_is_one_fact_less() -> None:
    long = ".".join(["x" * 60] * 4)
    facts = await facts_by(zone({"example.test MX": [f"1 {long}.xxx."], f"{long}.xxx A": ["127.0.0.1"]}))
    assert facts.exchanges[0].exchange.addresses == ("127.0.0.1",)
    assert facts.exchanges[0].tlsa.trouble is not None


def test_the_command_prints_the_table_or_json() -> None:
    with nameserver_beside(zone(ZONE)) as ours:
        asked = ["route", "Example.Test.", "--nameserver", f"{ours.address}:{ours.port}"]
        text = CliRunner().invoke(build_app(), asked)
        data = CliRunner().invoke(build_app(), [*asked, "--format", "json"])
    assert (text.exit_code, text.output) == (0, TEXT)
    assert (data.exit_code, json.loads(data.output)["mta_sts"]["records"]) == (0, ['"v=STSv1; id=7;"'])


def test_the_command_shows_the_table_before_it_fails_for_want_of_an_address() -> None:
    records: Zone = {"example.test MX": ["1 mx1.example.test."], "mx1.example.test A": "SERVFAIL"}
    with nameserver_beside(zone(records)) as ours:
        done = CliRunner().invoke(build_app(), ["route", "example.test", "--nameserver", f"127.0.0.1:{ours.port}"])
    assert done.output.startswith("example.test\npreference  exchange")
    assert isinstance(done.exception, PreconditionFailed)


@pytest.mark.parametrize(
    "arguments", [["127.0.0.1"], ["user@example.test"], ["example.test", "--nameserver", "dns.example.test"]]
)
def test_the_command_refuses_what_it_cannot_ask(arguments: list[str]) -> None:
    done = CliRunner().invoke(build_app(), ["route", *arguments])
    assert isinstance(done.exception, UserError)
    assert str(done.exception)
