"""The accounts themselves: address, login and password of number n."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from loadgen.scenario.model import Accounts
from loadgen.scenario.problems import Problem, UnreadableError, show

FROM_ENVIRONMENT: Final = "env:"
_COLUMNS: Final = ("address", "login", "password")


@dataclass(frozen=True, slots=True)
class Account:
    """One maildrop and how to log in to it."""

    address: str
    login: str
    password: str = field(repr=False)   # a repr ends up in logs and assertion messages


class AccountBook(ABC):
    """Every account of a scenario, numbered from 1 to `count`."""

    count: int

    @abstractmethod
    def account(self, number: int) -> Account:
        """Return account `number`, from 1 to `count`."""

    @abstractmethod
    def address(self, number: int) -> str:
        """Return only the address of account `number`: what a recipient is drawn from."""

    def first_and_last(self) -> tuple[Account, Account]:
        """Return both ends, which may be one."""
        return self.account(1), self.account(self.count)


@dataclass(frozen=True, slots=True)
class PatternAccounts(AccountBook):
    """Accounts made from a pattern; costs nothing to hold, however many they are."""

    pattern: str
    login: str | None
    password: str = field(repr=False)
    count: int

    def account(self, number: int) -> Account:
        """Return account `number`."""
        address = self.address(number)
        login = address
        if self.login is not None:
            local = address.rpartition("@")[0]
            login = _numbered(self.login, number).replace("{local}", local).replace("{address}", address)
        return Account(address, login, _numbered(self.password, number))

    def address(self, number: int) -> str:
        """Return the address of account `number`."""
        return _numbered(self.pattern, number)


@dataclass(frozen=True, slots=True)
class ListedAccounts(AccountBook):
    """Accounts read from a CSV file."""

    rows: tuple[Account, ...]

    @property
    def count(self) -> int:   # type: ignore[override]  # read-only here as there
        """Return how many rows the file had."""
        return len(self.rows)

    def account(self, number: int) -> Account:
        """Return row `number`, counted from 1."""
        return self.rows[number - 1]

    def address(self, number: int) -> str:
        """Return the address of row `number`."""
        return self.rows[number - 1].address


def open_accounts(accounts: Accounts, *, environ: Mapping[str, str]) -> AccountBook:
    """Return the accounts a scenario names.

    Raises UnreadableError for a password that is not in the environment and a CSV file that cannot be read.
    """
    if accounts.file is not None:
        return ListedAccounts(_rows(Path(accounts.file)))
    password = accounts.password
    if password.startswith(FROM_ENVIRONMENT):
        name = password.removeprefix(FROM_ENVIRONMENT)
        if name not in environ:
            raise UnreadableError([Problem("password", what=f"the environment has no variable {show(name)}")])
        password = environ[name]
    return PatternAccounts(accounts.pattern, accounts.login, password, accounts.count)


def _numbered(pattern: str, number: int) -> str:
    # Not str.format: a pattern is the operator's text, and format's fields reach into objects.
    return pattern.replace("{n}", str(number))


def _rows(path: Path) -> tuple[Account, ...]:
    problems: list[Problem] = []
    rows: list[Account] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                values = [cell.strip() for cell in cells]
                if not any(values) or (not rows and tuple(values) == _COLUMNS):
                    continue
                if len(values) != len(_COLUMNS) or not all(values):
                    what = f"line {reader.line_num} of {path}: expected address,login,password"
                    problems.append(Problem("file", what=what))
                else:
                    rows.append(Account(*values))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableError([Problem("file", what=f"cannot read {path}: {reason}")]) from None
    if not rows and not problems:
        problems.append(Problem("file", what=f"{path} lists no account"))
    if problems:
        raise UnreadableError(problems[:10])
    return tuple(rows)
