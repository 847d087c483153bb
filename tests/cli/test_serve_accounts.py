"""`mailproof serve` as it stands is a target for every scenario as it stands: both have the same accounts."""

import inspect
from pathlib import Path

import pytest

import scenarios
from conformance.serve_cli import ACCOUNTS, serve_command
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.load import load_scenario

SHIPPED = sorted(path.stem for path in Path(scenarios.__path__[0]).glob("*.toml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_server_has_every_account_of_a_shipped_scenario_unasked(name: str) -> None:
    served = inspect.signature(serve_command).parameters
    book = open_accounts(load_scenario(name).accounts, environ={})
    assert book.count <= ACCOUNTS
    for number in (1, book.count):
        account = book.account(number)
        assert account.address == served["accounts"].default.replace("{n}", str(number))
        assert account.password == served["password"].default.replace("{n}", str(number))
