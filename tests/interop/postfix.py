"""Postfix: SMTP with STARTTLS, implicit TLS and AUTH, delivering to Dovecot by LMTP."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.interop.child import child, free_ports, home
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import DOMAIN, Certificate, MailSystem, Unusable, interop_root, require_root

MAIN = """
compatibility_level = 3.6
daemon_directory = {software}/usr/lib/postfix/sbin
shlib_directory = {software}/usr/lib/postfix
command_directory = {software}/usr/sbin
meta_directory = {software}/etc/postfix
import_environment = MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop

myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{home}/recipients
virtual_transport = lmtp:inet:127.0.0.1:{dovecot.lmtp_port}
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = $default_transport
notify_classes =
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination

smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate.chain}
smtpd_tls_key_file = {certificate.key}
smtpd_tls_auth_only = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dovecot.sasl_socket}

# The load is the point: no pause when mail comes in faster than it goes out, room for every session.
in_flow_delay = 0
default_process_limit = 250
smtpd_client_connection_count_limit = 0
"""

MASTER = """
# service             type  private unpriv chroot wakeup maxproc command
127.0.0.1:{smtp}      inet  n       -      n      -      -       smtpd
127.0.0.1:{smtps}     inet  n       -      n      -      -       smtpd -o smtpd_tls_wrappermode=yes
cleanup               unix  n       -      n      -      0       cleanup
qmgr                  unix  n       -      n      300    1       qmgr
tlsmgr                unix  -       -      n      1000?  1       tlsmgr
rewrite               unix  -       -      n      -      -       trivial-rewrite
bounce                unix  -       -      n      -      0       bounce
defer                 unix  -       -      n      -      0       bounce
trace                 unix  -       -      n      -      0       bounce
proxymap              unix  -       -      n      -      -       proxymap
showq                 unix  n       -      n      -      -       showq
error                 unix  -       -      n      -      -       error
retry                 unix  -       -      n      -      -       error
lmtp                  unix  -       -      n      -      {deliverers}      lmtp
anvil                 unix  -       -      n      -      1       anvil
scache                unix  -       -      n      -      1       scache
postlog               unix-dgram n  -      n      -      1       postlogd
"""

# name: (owner, group, mode), as Postfix's own post-install makes them
OWN = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)
QUEUE = {
    **dict.fromkeys(OWN, ("postfix", "root", 0o700)),
    "maildrop": ("postfix", "postdrop", 0o730),
    "public": ("postfix", "postdrop", 0o710),
    "pid": ("root", "root", 0o755),
}


@dataclass(frozen=True, slots=True)
class Postfix:
    system: MailSystem
    log: Path
    pid: int                       # of its master, and of its process group
    command: str                   # starts it again, as typed in a shell
    queue: Path


def find_postfix() -> Path:
    """Return the root Postfix's files are under: `/` when it is installed, else where it was unpacked."""
    require_root("Postfix")
    for root in (Path("/"), interop_root() / "postfix"):
        if (root / "usr/lib/postfix/sbin/master").exists():
            return root
    raise Unusable("Postfix is neither installed nor unpacked; `make interop-servers` unpacks it")


@contextlib.contextmanager
def running_postfix(certificate: Certificate, dovecot: Dovecot, *, deliverers: int = 20) -> Iterator[Postfix]:
    """Run Postfix on loopback until the block ends; what it accepts goes to the given Dovecot's maildrops.

    With few `deliverers` it takes mail faster than it delivers it, so that its queue is not empty.
    """
    software = find_postfix()
    with home("postfix") as place:
        smtp, smtps = free_ports(2)
        configuration = place / "conf"
        configuration.mkdir()
        (configuration / "main.cf").write_text(
            MAIN.format(
                software=software, home=place, domain=DOMAIN, certificate=certificate, dovecot=dovecot
            )
        )
        (configuration / "master.cf").write_text(MASTER.format(smtp=smtp, smtps=smtps, deliverers=deliverers))
        accounts = dovecot.system.accounts
        (place / "recipients").write_text("".join(f"{accounts.address(n)} -\n" for n in accounts.numbers()))
        make_queue(place)
        master = software / "usr/lib/postfix/sbin/master"
        libraries = {"LD_LIBRARY_PATH": str(software / "usr/lib/postfix")}
        with child([master, "-c", configuration, "-d"], log=place / "log", environment=libraries) as server:
            server.wait_until_it_answers(smtp)
            system = replace(
                dovecot.system,
                name="postfix",
                lmtp=None,
                smtp=f"smtp://127.0.0.1:{smtp}",
                smtps=f"smtps://127.0.0.1:{smtps}",
            )
            again = f"{_assignments(libraries)} {master} -c {configuration} -d >>{place / 'log'} 2>&1"
            yield Postfix(system, place / "log", server.process.pid, again, place / "queue")


def _assignments(environment: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in environment.items())


def make_queue(place: Path) -> None:
    (place / "queue").mkdir()
    for name, (owner, group, mode) in QUEUE.items():
        directory = place / "queue" / name
        directory.mkdir()
        shutil.chown(directory, owner, group)
        directory.chmod(mode)
    (place / "data").mkdir(mode=0o700)
    shutil.chown(place / "data", "postfix", "postfix")
