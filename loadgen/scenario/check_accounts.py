"""Whether the accounts of a scenario can be made, and their addresses be sent to."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from loadgen.scenario.accounts import FROM_ENVIRONMENT, Account, open_accounts
from loadgen.scenario.model import Accounts
from loadgen.scenario.problems import Problem, UnreadableError, near_miss, show

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}|[{}]")


def account_problems(accounts: Accounts, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the [accounts] section, its CSV file included."""
    if accounts.file is None:
        yield from _placeholder_problems("accounts.pattern", accounts.pattern, ("n",))
        yield from address_problems("accounts.pattern", accounts.pattern)
        if accounts.count > 1 and "{n}" not in accounts.pattern:
            what = f"got {show(accounts.pattern)} for {accounts.count} accounts: without {{n}} they are all the same"
            yield Problem("accounts.pattern", what=what)
        if accounts.login is not None:
            yield from _placeholder_problems("accounts.login", accounts.login, ("n", "local", "address"))
        if not accounts.password.startswith(FROM_ENVIRONMENT):
            yield from _placeholder_problems("accounts.password", accounts.password, ("n",))
    try:
        book = open_accounts(accounts, environ=environ)
    except UnreadableError as error:
        yield from (problem.under("accounts") for problem in error.problems)
        return
    if accounts.file is None:
        yield from _secret_problems(book.account(1), "accounts.login", "accounts.password")
        return
    for number in range(1, book.count + 1):
        path = f"accounts.file (account {number})"
        yield from address_problems(path, book.address(number))
        yield from _secret_problems(book.account(number), path, path)


def _secret_problems(account: Account, login_path: str, password_path: str) -> Iterator[Problem]:
    """Yield a problem if a login or password could not stand in a command line. Neither is shown."""
    for path, what, text in ((login_path, "login", account.login), (password_path, "password", account.password)):
        if any(unicodedata.category(char) == "Cc" for char in text):
            yield Problem(path, what=f"the {what} holds a control character: a line end at its end, perhaps")


def address_problems(path: str, address: str) -> Iterator[Problem]:
    """Yield a problem if an address could not stand between the angle brackets of MAIL or RCPT.

    Loose on purpose: a load tester may well send to odd local parts. Only what would break the command is refused.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or any(char in address for char in "<> ") or not address.isprintable():
        yield Problem(path, got=show(address), allowed='an address such as "user{n}@example.test"')


def _placeholder_problems(path: str, text: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    for match in _PLACEHOLDER.finditer(text):
        name = match[1]
        if name not in allowed:
            words = ", ".join(f"{{{word}}}" for word in allowed)
            # The text may be a password: say which placeholder is wrong, not what it stands in.
            yield Problem(path, got=show(match[0]), allowed=words, hint=near_miss(name or "", allowed))
