"""`mailproof run --crash`: whose word it takes, and what it refuses."""

import pytest
from typer.testing import CliRunner

from mailproof import build_app
from reports.errors import UserError

OWN = ("--smtp=smtp://127.0.0.1:9", "--pop3=pop3://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("crash-durability", *OWN), "only you can say how: give --crash 'COMMAND'"),
        (("steady-open", *OWN, "--crash-at=30s"), "only you can say how: give --crash 'COMMAND'"),
        (("crash-durability", "--crash=true"), "--crash is for a server of your own"),
        (("crash-durability", "--crash-at=110%"), '--set crash.at: got "110%", expected a share above 0 %'),
        (("crash-durability", "--crash-at=1h"), '--set crash.at: got "1h", expected less than the load is long'),
        (("crash-durability", "--crash-every=1s"), '--set crash.every: got "1s", expected at least crash.limit'),
        (("pop3-poll", *OWN, "--crash=true"), "crash: what was answered 250 is to be looked for after it"),
    ],
)
def test_what_cannot_be_crashed_is_the_operators_to_mend(arguments: tuple[str, ...], sentence: str) -> None:
    told = CliRunner().invoke(build_app(), ["run", *arguments]).exception
    assert isinstance(told, UserError)
    assert sentence in str(told)


def test_a_capacity_search_crashes_nothing() -> None:
    told = CliRunner().invoke(build_app(), ["capacity", "crash-durability"]).exception
    assert isinstance(told, UserError)
    assert str(told).startswith("a search crashes nothing")
