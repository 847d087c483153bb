"""Who has a maildrop here, under which addresses, and with which password."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from conformance.refserver.address import Path, folded, parse_mailbox
from conformance.refserver.errors import ServerSetupError

_NOBODY = b"\0"      # compared with when there is no such login, so that the work done is the same


@dataclass(frozen=True, slots=True)
class Account:
    """One maildrop's owner. `address` names the maildrop."""

    address: str
    password: str = field(repr=False)


class Refusal(Enum):
    """Why mail for an address is not taken."""

    NO_SUCH_MAILBOX = auto()
    NOT_OUR_DOMAIN = auto()


def accounts_by_pattern(pattern: str, count: int, password: str) -> list[Account]:
    """Return `count` accounts, `{n}` in both patterns running from 1.

    Raises ServerSetupError when the address pattern cannot give `count` different mailboxes.
    """
    if count > 1 and "{n}" not in pattern:
        raise ServerSetupError(f"account pattern {pattern!r} has no {{n}}, so it cannot name {count} accounts")
    accounts = [
        Account(pattern.replace("{n}", str(n)), password.replace("{n}", str(n))) for n in range(1, count + 1)
    ]
    for account in accounts[:1]:
        if parse_mailbox(account.address.encode()) is None:
            raise ServerSetupError(
                f"account pattern {pattern!r} gives {account.address!r}, which is no mailbox; "
                "write it like 'user{n}@example.test'"
            )
    return accounts


class Directory:
    """Resolve addresses and check logins. Built once, never changed."""

    def __init__(self, domains: Sequence[str], accounts: Iterable[Account], *, accept_any: bool = False) -> None:
        """Serve `domains`; postmaster and abuse go to the first account (RFC 5321 §4.5.1, RFC 2142).

        With `accept_any` every mailbox of a served domain has a maildrop, though only accounts can log in.
        Raises ServerSetupError when an account lies outside the served domains.
        """
        self._domains = frozenset(domain.lower() for domain in domains)
        self._accept_any = accept_any
        self._by_address: dict[tuple[str, str], Account] = {}
        self._by_login: dict[str, Account | None] = {}
        for account in accounts:
            self._add(account)
        self._role = next(iter(self._by_address.values()), None)

    def _add(self, account: Account) -> None:
        path = parse_mailbox(account.address.encode())
        if path is None:
            raise ServerSetupError(f"account {account.address!r} is no mailbox")
        domain = path.domain.lower()
        if domain not in self._domains:
            served = ", ".join(sorted(self._domains))
            raise ServerSetupError(f"account {account.address!r} is outside the served domains ({served})")
        local_part = folded(path.local_part)
        self._by_address[local_part, domain] = account
        self._by_login[f"{local_part}@{domain}"] = account
        # A local part that two domains share logs nobody in: the login must then be the whole address.
        self._by_login[local_part] = account if local_part not in self._by_login else None

    def maildrop_of(self, path: Path) -> str | Refusal:
        """Return the name of the maildrop that takes mail for this forward-path, or why none does."""
        domain = path.domain.lower()
        if domain and domain not in self._domains:
            return Refusal.NOT_OUR_DOMAIN
        local_part = folded(path.local_part)
        account = self._by_address.get((local_part, domain))
        if account is not None:
            return account.address
        if local_part in {"postmaster", "abuse"} and (domain or local_part == "postmaster"):
            return self._role.address if self._role else f"postmaster@{domain or min(self._domains)}"
        if self._accept_any and local_part:
            return f"{local_part}@{domain}"
        return Refusal.NO_SUCH_MAILBOX

    def serves(self, domain: str) -> bool:
        """Say whether a domain is one of ours."""
        return domain.lower() in self._domains

    def account(self, login: str) -> Account | None:
        """Return the account of a login: the whole address, or its local-part."""
        local_part, at, domain = login.rpartition("@")
        name = f"{folded(local_part)}@{domain.lower()}" if at else folded(login)
        return self._by_login.get(name)

    def authenticate(self, login: bytes, password: bytes) -> Account | None:
        """Return the account, or None alike for an unknown login and a wrong password."""
        try:
            account = self.account(login.decode("utf-8"))
        except UnicodeDecodeError:
            account = None
        secret = account.password.encode() if account else _NOBODY
        matches = hmac.compare_digest(secret, password)
        return account if matches and account and password else None
