"""From a scenario's target to routes; what cannot be resolved or read is one sentence."""

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio

from loadgen.engine.preflight import look_at
from loadgen.engine.routes import open_target, phase_limits, protocols_spoken
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.model import Limits, Scenario
from loadgen.scenario.quantities import Duration
from loadgen.transport.limits import PhaseLimits
from reports.errors import PreconditionFailed, UserError
from reports.exit_codes import ExitCode
from tests.engine.house import scenario_of

LOAD = '[load]\nmodel = "closed"\nvirtual_users = 1\nsessions = 1\n[[session]]\nkind = "smtp-deliver"\n'


async def opened(scenario: Scenario) -> None:
    """Open a target and look at it, as a run does."""
    book = open_accounts(scenario.accounts, environ={})
    async with open_target(scenario, book) as target:
        await look_at(target.routes, dict.fromkeys(target.routes, ("none",)), (book.account(1),), stop=trio.Event())


async def test_a_target_that_is_not_there_is_one_sentence() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))            # bound, and not listening: connecting is refused
        url = f"smtp://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(PreconditionFailed, match=f"^{url}: .* refused the connection$") as raised:
            await opened(scenario_of(LOAD, head=f'[target]\nsmtp = "{url}"'))
    assert raised.value.exit_code is ExitCode.INCONCLUSIVE


async def test_a_name_that_nobody_has_is_one_sentence() -> None:
    class NoNames(trio.abc.HostnameResolver):
        async def getaddrinfo(self, *query: object, **more: object) -> NoReturn:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async def getnameinfo(self, *query: object, **more: object) -> NoReturn:
            raise NotImplementedError

    trio.socket.set_custom_hostname_resolver(NoNames())
    head = '[target]\nsmtp = "smtp://mx.example.test:25"\npermitted_hosts = ["mx.example.test"]'
    with pytest.raises(PreconditionFailed, match=r"^smtp://mx\.example\.test(:25)?: The name .* has no address$"):
        await opened(scenario_of(LOAD, head=head))


class OneAddress(trio.abc.HostnameResolver):
    """A resolver that knows one answer. Nothing is ever connected to."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def getaddrinfo(self, *query: object, **more: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self._address, 25))]

    async def getnameinfo(self, *query: object, **more: object) -> NoReturn:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("mail.localhost", "mail.localhost is a loopback name but leads to 8.8.8.8"),
        ("mx.example.test", "mx.example.test is public; give --authorized"),
    ],
)
async def test_a_private_looking_name_that_leads_to_a_public_address_is_refused(host: str, sentence: str) -> None:
    trio.socket.set_custom_hostname_resolver(OneAddress("8.8.8.8"))
    scenario = scenario_of(LOAD, head=f'[target]\nsmtp = "smtp://{host}:25"\npermitted_hosts = ["{host}"]')
    with pytest.raises(UserError, match=sentence) as raised:
        await opened(scenario)
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


async def test_an_authorized_run_may_lead_to_a_public_address() -> None:
    trio.socket.set_custom_hostname_resolver(OneAddress("8.8.8.8"))
    head = '[target]\nsmtp = "smtp://mx.example.test:25"\npermitted_hosts = ["mx.example.test"]'
    scenario = scenario_of(LOAD, head=head)
    book = open_accounts(scenario.accounts, environ={})
    async with open_target(scenario, book, authorized=True) as target:
        assert target.routes["smtp"].addresses is not None


async def test_a_protocol_that_is_not_spoken_need_not_resolve() -> None:
    scenario = scenario_of(
        LOAD, head='[target]\nsmtp = "smtp://127.0.0.1:25"\npop3 = "pop3://nowhere.invalid"\n'
        'permitted_hosts = ["nowhere.invalid"]',
    )  # fmt: skip
    async with open_target(scenario, open_accounts(scenario.accounts, environ={})) as target:
        assert list(target.routes) == ["smtp"]
        assert target.embedded is None


async def test_a_ca_file_that_holds_no_certificate_is_the_operators_mistake(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    head = f'[target]\nsmtp = "smtp://127.0.0.1:25"\ntls = "starttls"\nca_file = "{file}"'
    with pytest.raises(UserError, match=r"ca\.pem holds no PEM certificates") as raised:
        await opened(scenario_of(LOAD, head=head))
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


def test_pop3_is_spoken_to_verify_deliveries() -> None:
    assert protocols_spoken(scenario_of(LOAD)) == ["smtp"]
    assert protocols_spoken(scenario_of(f"{LOAD}[ledger]\nverify = true\n")) == ["smtp", "pop3"]


def test_a_phase_has_the_scenarios_limit_or_the_rfcs() -> None:
    limits = phase_limits(Limits(mail=Duration(250_000_000)))
    assert (limits.mail, limits.body) == (0.25, PhaseLimits().body)
