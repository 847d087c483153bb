"""Dovecot 2.3: POP3, POP3S and LMTP over Maildir, and the SASL server Postfix asks."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.interop.child import child, free_ports, home
from tests.interop.mail_system import DOMAIN, Accounts, Certificate, MailSystem, Unusable, require_root

CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
protocols = pop3 lmtp
listen = 127.0.0.1

ssl = yes
ssl_cert = <{certificate.chain}
ssl_key = <{certificate.key}
ssl_dh =
disable_plaintext_auth = no

mail_location = maildir:{home}/maildrops/%n
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1

auth_mechanisms = plain login cram-md5 apop scram-sha-256
auth_default_realm = {domain}
auth_failure_delay = 0
mail_max_userip_connections = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {home}/users
}}

service anvil {{
  # No penalty for a wrong password: the next test from this address must not wait for the last one's mistake.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {home}/sasl {{
    mode = 0666
  }}
}}
service pop3-login {{
  # One process for many clients: the load is the point here, not one login's isolation from another's.
  service_count = 0
  process_min_avail = 1
  client_limit = 1000
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service pop3 {{
  process_limit = 500
}}
service lmtp {{
  process_min_avail = 1
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A standing Dovecot, and what another server needs to deliver to it and to ask it for passwords."""

    system: MailSystem
    lmtp_port: int
    sasl_socket: Path
    log: Path


def find_dovecot() -> str:
    """Return Dovecot's path; raise Unusable if it is missing, or too new for the configuration above."""
    require_root("Dovecot")
    program = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        raise Unusable("Dovecot is not installed; `make interop-servers` installs it")
    version = subprocess.check_output([program, "--version"], text=True, timeout=10)
    if not version.startswith("2.3."):
        raise Unusable(f"Dovecot {version.split()[0]} is installed, and these tests configure 2.3 only")
    return program


@contextlib.contextmanager
def running_dovecot(certificate: Certificate, accounts: Accounts) -> Iterator[Dovecot]:
    """Run Dovecot on loopback until the block ends."""
    program = find_dovecot()
    with home("dovecot") as place:
        pop3, pop3s, lmtp = free_ports(3)
        maildrops = place / "maildrops"
        maildrops.mkdir()
        shutil.chown(maildrops, "mail", "mail")
        (place / "users").write_text("".join(passwd_line(accounts, n, maildrops) for n in accounts.numbers()))
        configuration = place / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                home=place, certificate=certificate, domain=DOMAIN, pop3=pop3, pop3s=pop3s, lmtp=lmtp
            )
        )
        system = MailSystem(
            name="dovecot",
            ca_file=certificate.authority,
            accounts=accounts,
            maildrops=maildrops,
            lmtp=f"lmtp://127.0.0.1:{lmtp}",
            pop3=f"pop3://127.0.0.1:{pop3}",
            pop3s=f"pop3s://127.0.0.1:{pop3s}",
        )
        log = place / "log"
        with child([program, "-F", "-c", configuration], log=log) as server:
            server.wait_until_it_answers(pop3)
            server.wait_until_it_answers(lmtp)
            yield Dovecot(system, lmtp, place / "sasl", log)


def passwd_line(accounts: Accounts, n: int, maildrops: Path) -> str:
    """Return user n's line: name, password, uid, gid, gecos, home, shell, extra fields."""
    return f"{accounts.address(n)}:{accounts.password(n)}:mail:mail::{maildrops}/user{n}::\n"
