"""What is judged for the table of servers: each server by its own endpoints, and by nobody else's."""

from pathlib import Path

from tests.interop.mail_system import Accounts, MailSystem
from tests.interop.servers_matrix import NAMES, judged, targets_of

SYSTEM = MailSystem(
    "any", Path("ca.pem"), Accounts(), maildrops=Path("/maildrops"), smtp="smtp://s", lmtp="lmtp://l", pop3="pop3://p"
)
OWN = {
    "reference": ["smtp://s", "lmtp://l", "pop3://p"], "postfix": ["smtp://s", "pop3://p"], "exim": ["smtp://s"],
    "aiosmtpd": ["smtp://s", "pop3://p"], "dovecot": ["smtp://s", "lmtp://l"],
}  # fmt: skip


def test_each_server_is_judged_at_its_own_endpoints() -> None:
    assert {name: targets_of(name, judged(name, SYSTEM)[0]) for name in NAMES.values()} == OWN


def test_where_dovecot_only_keeps_the_mail_its_maildir_is_read_and_its_pop3_not_judged() -> None:
    system, options = judged("exim", SYSTEM)
    assert system.pop3 is None
    assert options.startswith('maildir = "/maildrops/user91"\n')
