"""Real mail servers as fixtures: one of each per run, on loopback, ended when the run ends.

A machine that cannot run one skips its tests and says why. MAILPROOF_REQUIRE_INTEROP=1 turns every such skip
into a failure: that is how CI proves that these tests ran.
"""

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.interop.aiosmtpd_server import running_aiosmtpd
from tests.interop.dovecot import Dovecot, running_dovecot
from tests.interop.exim import running_exim
from tests.interop.mail_system import Accounts, Certificate, MailSystem, Unusable
from tests.interop.mailutils import running_mailutils
from tests.interop.postfix import running_postfix
from tests.interop.standing import certificate_for_loopback

HERE = Path(__file__).parent
LIMIT_S = 120  # a server's start counts against the first test that asks for it
LOG_LINES = 60
MAILUTILS_USERS = (86, 87, 88, 89)  # their mail is read by nothing else
Logs = dict[str, Path]  # of each standing server
LOGS = pytest.StashKey[Logs]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LOGS] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.interop)
            item.add_marker(pytest.mark.timeout(LIMIT_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the servers' logs with a failure; where interop is required, make a skip one."""
    report = yield
    if report.skipped and os.environ.get("MAILPROOF_REQUIRE_INTEROP") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"MAILPROOF_REQUIRE_INTEROP=1 allows no skip. {reason}"
    if report.failed:
        for name, log in item.config.stash[LOGS].items():
            if log.exists():
                lines = log.read_text(errors="backslashreplace").splitlines()[-LOG_LINES:]
                report.sections.append((f"log of {name}", "\n".join(lines)))
    return report


@contextlib.contextmanager
def or_skip() -> Iterator[None]:
    try:
        yield
    except Unusable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def logs(pytestconfig: pytest.Config) -> Logs:
    return pytestconfig.stash[LOGS]


@pytest.fixture(scope="session")
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture(scope="session")
def certificate() -> Iterator[Certificate]:
    with certificate_for_loopback() as made:
        yield made


@pytest.fixture(scope="session")
def dovecot_server(logs: Logs, certificate: Certificate, accounts: Accounts) -> Iterator[Dovecot]:
    """Dovecot, with what Postfix and Exim need to deliver to it."""
    with or_skip(), running_dovecot(certificate, accounts) as server:
        logs["dovecot"] = server.log
        yield server


@pytest.fixture(scope="session")
def dovecot(dovecot_server: Dovecot) -> MailSystem:
    """LMTP, POP3 and POP3S."""
    return dovecot_server.system


@pytest.fixture(scope="session")
def mailutils(logs: Logs, certificate: Certificate, dovecot_server: Dovecot) -> Iterator[MailSystem]:
    """The POP3 of mailutils, Dovecot's LMTP."""
    with or_skip(), running_mailutils(certificate, dovecot_server, MAILUTILS_USERS) as (system, log):
        logs["mailutils"] = log
        yield system


@pytest.fixture(scope="session")
def postfix(logs: Logs, certificate: Certificate, dovecot_server: Dovecot) -> Iterator[MailSystem]:
    """Postfix's SMTP and SMTPS, Dovecot's POP3 and POP3S."""
    with or_skip(), running_postfix(certificate, dovecot_server) as server:
        logs["postfix"] = server.log
        yield server.system


@pytest.fixture(scope="session")
def exim(logs: Logs, certificate: Certificate, dovecot_server: Dovecot) -> Iterator[MailSystem]:
    """Exim's SMTP and SMTPS, Dovecot's POP3 and POP3S."""
    with or_skip(), running_exim(certificate, dovecot_server) as server:
        logs["exim"] = server.log
        yield server.system


@pytest.fixture(scope="session")
def aiosmtpd(logs: Logs, certificate: Certificate, accounts: Accounts) -> Iterator[MailSystem]:
    """SMTP only: what it takes in goes to one Maildir."""
    with running_aiosmtpd(certificate, accounts) as (system, log):
        logs["aiosmtpd"] = log
        yield system
