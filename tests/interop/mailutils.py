"""GNU mailutils' pop3d 3.15, over Maildirs that Dovecot's LMTP fills: it has nobody of its own to take mail in."""

import contextlib
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from tests.interop.child import child, free_ports, home
from tests.interop.dovecot import Dovecot
from tests.interop.mail_system import DOMAIN, Accounts, Certificate, MailSystem, Unusable, interop_root, require_root

# APOP is left out: mailutils keeps its secrets in a database of their own, and greets with a timestamp all the same.
CONFIGURATION = """
virtdomain {{
  passwd-dir "{home}/domains";
}}
auth {{
  authentication virtdomain:generic;
  authorization virtdomain;
}}
mailbox {{
  mailbox-type maildir;
}}
mandatory-locking {{
  enable yes;
  lock-directory "{home}/locks";
}}
tls {{
  ssl-certificate-file "{certificate.chain}";
  ssl-key-file "{certificate.key}";
}}
tls-file-checks {{
  key-file none;
  cert-file none;
  ca-file none;
}}
mode daemon;
foreground yes;
max-children 2000;
server 127.0.0.1:{pop3} {{
  tls-mode ondemand;
}}
logging {{
  syslog no;
}}
"""


def find_pop3d() -> Path:
    """Return pop3d's path; raise Unusable if it is missing."""
    require_root("mailutils' pop3d")
    program = interop_root() / "mailutils" / "usr" / "sbin" / "pop3d"
    if not program.exists():
        raise Unusable("mailutils' pop3d is not there; `make interop-servers` provides it")
    return program


@contextlib.contextmanager
def running_mailutils(
    certificate: Certificate, dovecot: Dovecot, users: Collection[int]
) -> Iterator[tuple[MailSystem, Path]]:
    """Run pop3d on loopback until the block ends; yield it, with Dovecot's LMTP beside it, and its log.

    These users' mail is nobody else's: what the one server renames, the other misses.
    """
    program = find_pop3d()
    assert dovecot.system.maildrops is not None
    with home("mailutils") as place:
        (pop3,) = free_ports(1)
        for name in ("domains", "locks", "boxes"):
            (place / name).mkdir()
        (place / "locks").chmod(0o1777)
        lines = [_user(place / "boxes", dovecot.system.maildrops, dovecot.system.accounts, n) for n in users]
        (place / "domains" / DOMAIN).write_text("".join(lines))
        configuration = place / "pop3d.conf"
        configuration.write_text(CONFIGURATION.format(home=place, certificate=certificate, pop3=pop3))
        log = place / "log"
        with child([program, f"--config-file={configuration}"], log=log) as server:
            server.wait_until_it_answers(pop3)
            yield replace(dovecot.system, name="mailutils", pop3=f"pop3://127.0.0.1:{pop3}", pop3s=None), log


def _user(boxes: Path, maildrops: Path, accounts: Accounts, n: int) -> str:
    """Make user n's Maildir, and return the line of the password file: pop3d looks for INBOX in the home directory."""
    maildir, directory = maildrops / f"user{n}", boxes / f"user{n}"
    for part in (maildir, maildir / "cur", maildir / "new", maildir / "tmp"):
        part.mkdir(exist_ok=True)
        shutil.chown(part, "mail", "mail")
    directory.mkdir()
    shutil.chown(directory, "mail", "mail")
    (directory / "INBOX").symlink_to(maildir)
    crypted = subprocess.check_output(["openssl", "passwd", "-6", accounts.password(n)], text=True, timeout=10).strip()
    return f"user{n}:{crypted}:{maildir.stat().st_uid}:{maildir.stat().st_gid}::{directory}:/bin/false\n"
