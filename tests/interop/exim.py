"""Exim: SMTP with STARTTLS, implicit TLS, AUTH, PIPELINING and CHUNKING, delivering to Dovecot by LMTP."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.interop.child import child, free_ports, home
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import DOMAIN, Certificate, MailSystem, Unusable, interop_root, require_root

CONFIGURATION = r"""
primary_hostname = mx.{domain}
exim_path = {home}/exim
exim_user = Debian-exim
exim_group = Debian-exim
# The unpacked program is not set-user-id, so whoever delivers must already be who it has to be.
deliver_drop_privilege = true
never_users = root
spool_directory = {home}/spool
log_file_path = {home}/spool/%slog
pid_file_path = {home}/spool/exim.pid
keep_environment =
disable_ipv6 = true
local_interfaces = <; 127.0.0.1.{smtp}; 127.0.0.1.{smtps}
tls_on_connect_ports = {smtps}
tls_certificate = {certificate.chain}
tls_privatekey = {certificate.key}
tls_advertise_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
smtputf8_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s

# The load is the point: deliver every message as it comes, however many sessions there are.
smtp_accept_max = 500
smtp_accept_queue_per_connection = 0
smtp_accept_reserve = 0
smtp_connect_backlog = 500
remote_max_parallel = 1

acl_smtp_rcpt = check_recipient
acl_smtp_data = accept
domainlist ours = {domain}

begin acl
check_recipient:
  deny   domains = !+ours
         message = relay not permitted
  accept verify = recipient
  deny   message = no such user here

begin routers
maildrop:
  driver = manualroute
  domains = +ours
  local_parts = lsearch;{home}/recipients
  transport = dovecot
  route_list = * 127.0.0.1
  self = send

begin transports
dovecot:
  driver = smtp
  protocol = lmtp
  port = {dovecot.lmtp_port}
  allow_localhost
  hosts_try_fastopen =
  hosts_try_chunking =
  tls_tempfail_tryclear = true
  hosts_avoid_tls = *

begin retry
* * F,1m,1s

begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{home}/users}}{{$value}}fail}}}}}}
  server_set_id = $auth2
LOGIN:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{${{lookup{{$auth1}}lsearch{{{home}/users}}{{$value}}fail}}}}}}
  server_set_id = $auth1
CRAM:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{lookup{{$auth1}}lsearch{{{home}/users}}{{$value}}fail}}
  server_set_id = $auth1
"""


@dataclass(frozen=True, slots=True)
class Exim:
    system: MailSystem
    log: Path


def find_exim() -> Path:
    """Return Exim's program, installed or unpacked."""
    require_root("Exim")
    for program in (Path("/usr/sbin/exim4"), interop_root() / "exim/usr/sbin/exim4"):
        if program.exists():
            return program
    raise Unusable("Exim is neither installed nor unpacked; `make interop-servers` unpacks it")


@contextlib.contextmanager
def running_exim(certificate: Certificate, dovecot: Dovecot) -> Iterator[Exim]:
    """Run Exim on loopback until the block ends; what it accepts goes to the given Dovecot's maildrops."""
    program = find_exim()
    with home("exim") as place:
        smtp, smtps = free_ports(2)
        # A copy: Exim runs itself again as its own user, who may not reach the checkout.
        shutil.copy(program, place / "exim")
        (place / "exim").chmod(0o755)
        (place / "spool").mkdir(mode=0o750)
        shutil.chown(place / "spool", "Debian-exim", "Debian-exim")
        accounts = dovecot.system.accounts
        (place / "users").write_text(
            "".join(f'"{accounts.address(n)}": {accounts.password(n)}\n' for n in accounts.numbers())
        )
        (place / "recipients").write_text("".join(f"user{n}\n" for n in accounts.numbers()))
        configuration = place / "exim.conf"
        configuration.write_text(
            CONFIGURATION.format(
                home=place, domain=DOMAIN, certificate=certificate, dovecot=dovecot, smtp=smtp, smtps=smtps
            )
        )
        log = place / "log"
        with child([place / "exim", "-C", configuration, "-bdf", "-q5s"], log=log) as server:
            server.wait_until_it_answers(smtp)
            system = replace(
                dovecot.system,
                name="exim",
                lmtp=None,
                smtp=f"smtp://127.0.0.1:{smtp}",
                smtps=f"smtps://127.0.0.1:{smtps}",
            )
            yield Exim(system, place / "spool" / "mainlog")
