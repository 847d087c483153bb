"""aiosmtpd by its own command line, in its own process: another parser, another event loop."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.interop.child import child, free_ports, home
from tests.interop.mail_system import Accounts, Certificate, MailSystem


@contextlib.contextmanager
def running_aiosmtpd(certificate: Certificate, accounts: Accounts) -> Iterator[tuple[MailSystem, Path]]:
    """Run aiosmtpd on loopback until the block ends; yield it and its log. All mail goes to one Maildir."""
    with home("aiosmtpd") as place:
        (smtp,) = free_ports(1)
        maildir = place / "maildrops" / "everyone"
        maildir.parent.mkdir()
        command = [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{smtp}"]
        command += ["--tlscert", str(certificate.chain), "--tlskey", str(certificate.key), "--no-requiretls"]
        command += ["--class", "aiosmtpd.handlers.Mailbox", str(maildir)]
        with child(command, log=place / "log") as server:
            server.wait_until_it_answers(smtp)
            system = MailSystem(
                name="aiosmtpd",
                ca_file=certificate.authority,
                accounts=accounts,
                maildrops=maildir.parent,
                smtp=f"smtp://127.0.0.1:{smtp}",
            )
            yield system, place / "log"
