"""Real POP3 servers under every case of POP3: each is accused of what is on its list, with a reason, and of no more."""

from pathlib import Path

import pytest

from tests.interop.conftest import MAILUTILS_USERS
from tests.interop.golden_lists import golden
from tests.interop.mail_system import Accounts, MailSystem
from tests.interop.test_conform import LIMIT_S, holds_to_its_list

# Each server's list, its fixture, and the accounts that nobody else's mail lies in.
SERVERS = {"dovecot-pop3": ("dovecot", (81, 82, 83, 84)), "mailutils": ("mailutils", MAILUTILS_USERS)}


def declared(accounts: Accounts, users: tuple[int, ...]) -> str:
    """Return what an operator would declare, as TOML."""
    addresses = [accounts.address(n) for n in users]
    logins = [[accounts.address(n), accounts.password(n)] for n in users]
    return f"""
[addresses]
accepted = {addresses}
[accounts]
pop3 = {logins}
[allow]
leave_mail = true
destroy_mail = true
[timers]
delivery = 15.0
"""


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("name", SERVERS)
def test_a_pop3_server_is_accused_of_what_its_list_says(
    request: pytest.FixtureRequest, accounts: Accounts, tmp_path: Path, name: str
) -> None:
    fixture, users = SERVERS[name]
    system: MailSystem = request.getfixturevalue(fixture)
    (tmp_path / "declared.toml").write_text(declared(accounts, users), encoding="utf-8")
    assert system.pop3 is not None
    assert system.lmtp is not None
    holds_to_its_list(name, tmp_path, system.pop3, system.lmtp, "--only", "pop3.*")


@pytest.mark.parametrize("name", SERVERS)
def test_every_accusation_of_a_pop3_server_has_its_reason(name: str) -> None:
    assert golden(name)
    assert [each.cases for each in golden(name) if len(each.why) < 20] == []
    assert [each.cases for each in golden(name) if each.verdict == "error"] == []
