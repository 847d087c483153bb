"""What every test stands on: the same examples on every machine, and no limit in wall-clock time but the 10 s cap.

`--hypothesis-profile=explore --timeout=0` looks further, with new examples each time. trio runs tasks that are ready
together in a shuffled order, the same each time; `MAILPROOF_ORDER=7` (any word) gives another, `make orders` ten.
"""

import os
import ssl
from pathlib import Path

import pytest
import trio
import trustme
from hypothesis import settings

from loadgen.transport.tls import TlsPolicy, make_client_context
from tests.session.theatre import SERVER_NAME, Tls

os.environ.pop("GITHUB_ACTIONS", None)      # what we print there is looked at where it is asked for

settings.register_profile("mailproof", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=5000)
settings.load_profile("mailproof")

ORDER = os.environ.get("MAILPROOF_ORDER", "")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Have trio shuffle tasks by what the test is called: what fails then fails each time, not in every tenth run."""
    trio._core._run._r.seed(f"{item.nodeid} {ORDER}")      # what pytest-trio hands Hypothesis; no public name


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Both ends' contexts, with a certificate made for this run."""
    authority = trustme.CA()
    ca_file: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(SERVER_NAME).configure_cert(server)
    return Tls(server, make_client_context(TlsPolicy("starttls", str(ca_file))))
